"""Messages read off a socket: whole, in whatever pieces they come, and no more than there is room for."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gateway.upstream.ldap.messages import MessageReader


@contextmanager
def hearing(*pieces: bytes) -> Iterator[socket.socket]:
    """A socket on which these come, and then nobody."""
    near, far = socket.socketpair()

    def say() -> None:
        with far:
            for piece in pieces:
                far.sendall(piece)

    speaker = threading.Thread(target=say)
    with near:
        speaker.start()
        yield near
        speaker.join()


def message(length: int, *, octets: int = 0) -> bytes:
    """A message whose length is written in so many octets, 0: in the short form."""
    written = bytes([0x80 + octets]) + length.to_bytes(octets, "big") if octets else bytes([length])
    return b"\x30" + written + bytes(length % 251 for _ in range(length))


SEVERAL = (message(0), message(3), message(127, octets=1), message(70_000, octets=3), message(4, octets=4))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 4096, 1_000_000])
def test_messages_in_any_pieces(size: int) -> None:
    data = b"".join(SEVERAL)
    reader = MessageReader()
    with hearing(*(data[start : start + size] for start in range(0, len(data), size))) as opened:
        assert tuple(reader.read(opened) for _ in SEVERAL) == SEVERAL
        assert reader.read(opened) == b""


@pytest.mark.parametrize("kept", [0, 1, 2, 3, 4, 100])
def test_the_connection_ends_in_the_middle(kept: int) -> None:
    with hearing(message(200, octets=2)[:kept]) as opened:
        assert MessageReader().read(opened) == b""


@pytest.mark.parametrize("head", ["3080", "3085ffffffffff", "30ff", "3084ffffffff"])
def test_no_length_or_too_great_a_one(head: str) -> None:
    with (
        hearing(bytes.fromhex(head) + bytes(127)) as opened,
        pytest.raises(OSError, match=r"of no length|more"),
    ):
        MessageReader().read(opened)


def test_an_answer_without_an_end() -> None:
    """All messages that answer one request count together, and for the next one anew."""
    reader = MessageReader()
    with hearing(*[message(100)] * 9) as opened:
        reader.left = 250
        assert [len(reader.read(opened)) for _ in range(2)] == [102, 102]
        with pytest.raises(OSError, match="more than"):
            reader.read(opened)
    with hearing(message(100)) as opened:
        reader.begin()
        assert reader.read(opened) == message(100)
