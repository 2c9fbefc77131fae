"""Lines of base64 that are all alike. The tests of attachments use them."""

from __future__ import annotations

import pytest

from gateway.mail.base64_lines import Lines, measure

LINES = Lines(8, b"\r\n")


@pytest.mark.parametrize(
    ("beginning", "lines"),
    [
        (b"QUJDQUJD\r\nQUJDQUJD\r\nQUJD", LINES),
        (b"QUJDQUJD\nQUJDQUJD\n", Lines(8, b"\n")),
        (b"QUJDQUJD\r\nQUJD\r\nQUJDQUJD\r\n", None),
        (b"QUJDQUJ\r\nQUJDQUJ\r\n", None),
        (b"QUJDQUJD \r\n", None),
        (b"\r\nQUJDQUJD\r\n", None),
        (b"QUJDQUJD", None),
        (b"", None),
    ],
)
def test_measure(beginning: bytes, lines: Lines | None) -> None:
    assert measure(beginning) == lines


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        (b"QUJDQUJD\r\nQUI=\r\n", True),
        (b"QUJDQUJD\r\n", True),
        (b"QUJDQUI=\r\nQUJDQUJD\r\n", False),
        (b"JDQUJD\r\nQUJDQUJD", False),
        (b"QUJDQUJD\r\nQUJDQUJDQUJD", False),
    ],
)
def test_fit(text: bytes, fits: bool) -> None:
    assert LINES.fit(text) is fits


def test_what_a_line_stands_for() -> None:
    assert (LINES.stride, LINES.decoded) == (10, 6)
