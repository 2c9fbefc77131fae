"""Enriched text to plain text."""

from __future__ import annotations

import time

import pytest

from gateway.mail.enriched import to_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<bold>Hello</bold> <italic>Ann</italic>", "Hello Ann"),
        ("one\r\ntwo", "one two"),
        ("one\r\n\r\ntwo\n\n\nthree", "one\ntwo\n\nthree"),
        ("<nofill>a\r\nb</nofill>\r\nc", "a\nb c"),
        ("a <<b> c", "a <b> c"),
        ("<color><param>red</param>x</color>", "x"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<never", "<never"),
    ],
)
def test_enriched(text: str, shown: str) -> None:
    assert to_text(text, "enriched") == shown


def test_richtext_breaks_lines_by_command() -> None:
    assert to_text("<bold>one</bold>\r\ntwo<nl>three <lt>x", "richtext") == "one two\nthree <x"


def test_hostile_text_takes_linear_time() -> None:
    started = time.process_time()
    for text in ("<" * 500_000, "<param>" * 100_000, "\n" * 500_000, "<a><" * 100_000):
        to_text(text, "enriched")
    assert time.process_time() - started < 2
