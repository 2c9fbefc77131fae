"""Replies of ManageSieve servers, whole and in pieces, right and wrong."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import UpstreamConfused
from gateway.upstream.sieve.wire import LONGEST_REPLY, Reply, ReplyReader, literal, quoted

GREETING = (
    b'"IMPLEMENTATION" "Test \\"1\\" \\\\"\r\n"SIEVE" "fileinto vacation"\r\n"STARTTLS"\r\n'
    b'OK (WARNINGS "x" "y") "ready"\r\n'
)
LISTING = b'"one"\r\n{5}\r\ntw\r\no ACTIVE\r\n{0+}\r\n\r\nOK\r\n'
SAMPLES = [
    (GREETING, Reply("OK", "WARNINGS", lines=(
        ("IMPLEMENTATION", 'Test "1" \\'), ("SIEVE", "fileinto vacation"), ("STARTTLS",),
    ))),
    (LISTING, Reply("OK", lines=(("one",), ("tw\r\no", "ACTIVE"), ("",)))),
    (b'no (quota/maxsize) {3}\r\nbig\r\n', Reply("NO", "QUOTA/MAXSIZE")),
    (b'BYE (REFERRAL "sieve://x") "elsewhere"\n', Reply("BYE", "REFERRAL")),
    (b'{13}\r\nkeep;\r\nOK "x"\r\nOK "read"\r\n', Reply("OK", lines=(('keep;\r\nOK "x"',),))),
]  # fmt: skip


@pytest.mark.parametrize(("data", "reply"), SAMPLES)
def test_replies_in_any_pieces(data: bytes, reply: Reply) -> None:
    for size in (1, 2, 7, len(data)):
        reader = ReplyReader()
        pieces = [data[start : start + size] for start in range(0, len(data), size)]
        assert [one for piece in pieces for one in reader.feed(piece)] == [reply]
        assert not reader.pending


def test_several_at_once_and_what_is_left_over() -> None:
    reader = ReplyReader()
    assert list(reader.feed(b'OK "a"\r\nNO "b"\r\n"rest')) == [Reply("OK"), Reply("NO")]
    assert reader.pending


@pytest.mark.parametrize(
    "data",
    [
        b"{9999999999}\r\n",
        b'"' + b"x" * 20_000,
        b'"open\r\nOK\r\n',
        b"}\r\n",
        b"{x}\r\n",
        b'"a" ' * 60_000 + b"\r\n",
        b'"a"\r\n' * 60_000,
        b"{1000000}\r\n" + b"x" * 1_000_000 + b"\r\n" + b'"x"\r\n' * (LONGEST_REPLY // 5),
    ],
)
def test_what_is_no_reply(data: bytes) -> None:
    reader = ReplyReader()

    def feed() -> None:
        for start in range(0, len(data), 4096):
            list(reader.feed(data[start : start + 4096]))

    with pytest.raises(UpstreamConfused):
        feed()


TOKENS = st.sampled_from(
    [b'"', b"{3}\r\n", b"{", b"}", b"(", b")", b"OK", b"BYE ", b"\r\n", b"\\", b"\x00", b"\xff"]
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(TOKENS | st.binary(max_size=5), max_size=12).map(b"".join), max_size=6))
def test_anything_gives_replies_or_the_declared_error(pieces: list[bytes]) -> None:
    reader = ReplyReader()
    try:
        for piece in pieces:
            for reply in reader.feed(piece):
                assert reply.outcome in {"OK", "NO", "BYE"}
    except UpstreamConfused:
        pass


def test_arguments() -> None:
    assert quoted('my "own" \\') == b'"my \\"own\\" \\\\"'
    assert quoted("") == b'""'
    assert quoted("a\r\nLOGOUT") == literal(b"a\r\nLOGOUT") == b"{9+}\r\na\r\nLOGOUT"
    assert quoted("ä" * 513) == literal("ä".encode() * 513)
