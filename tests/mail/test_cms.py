"""The content of an opaque signature."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.cms import BadCms, signed_content
from tests.support import cms

CONTENT = b"Content-Type: text/plain\r\n\r\nHello\r\n" * 200


@pytest.mark.parametrize("content", [b"", b"x", CONTENT], ids=["empty", "short", "long"])
def test_both_encodings(content: bytes) -> None:
    assert signed_content(cms.signed(content)) == content
    assert signed_content(cms.signed_in_pieces(content)) == content


def test_what_comes_after_is_left_alone() -> None:
    assert signed_content(cms.signed(CONTENT) + b"\0\n") == CONTENT


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"0",
        b"\x30\x80" * 5000,
        b"\x30\xff" + b"\xff" * 200,
        cms.signed(CONTENT)[:-300],
        cms.signed(CONTENT, kind=cms.ENVELOPED_DATA),
        cms.signed_in_pieces(CONTENT)[:-700],
        cms.signed_in_pieces(b"x" * 120_000, size=1),
    ],
)
def test_what_is_none(data: bytes) -> None:
    with pytest.raises(BadCms):
        signed_content(data)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=6))
def test_any_octets_give_content_or_the_error(changes: list[tuple[int, int]]) -> None:
    data = bytearray(cms.signed_in_pieces(CONTENT))
    for at, octet in changes:
        data[at] = octet
    with suppress(BadCms):
        assert len(signed_content(bytes(data))) <= len(data)
