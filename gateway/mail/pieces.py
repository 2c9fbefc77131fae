"""Messages in pieces, so that a large one is neither copied to change its header nor held in memory whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.ports import Pieces

__all__ = ["PIECE", "Joined", "LineEnds", "pieces"]

PIECE = 256 * 1024
"""Octets of a piece at most."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Parts one after the other, as `ports.Pieces`. What a memoryview shows is not copied."""

    parts: tuple[bytes | memoryview | Pieces, ...] = field(repr=False)

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def __iter__(self) -> Iterator[bytes]:
        for part in self.parts:
            yield from pieces(part)

    def __bytes__(self) -> bytes:
        """All of it at once: for what is known to be small, and for tests."""
        return b"".join(self)


def pieces(message: bytes | memoryview | Pieces) -> Iterator[bytes]:
    """The octets of a message, a piece at a time."""
    if not isinstance(message, bytes | memoryview):
        yield from message
    elif isinstance(message, bytes) and len(message) <= PIECE:
        yield message
    else:
        view = memoryview(message)
        for start in range(0, len(view), PIECE):
            yield bytes(view[start : start + PIECE])


class LineEnds:
    """Makes every line end (CRLF, CR or LF) CRLF, in text that comes in pieces."""

    __slots__ = ("_return_held",)

    def __init__(self) -> None:
        self._return_held = False

    def feed(self, data: bytes) -> bytes:
        """Take the next octets. A CR at their end waits for what follows it."""
        if self._return_held:
            data = b"\r" + data
        self._return_held = data.endswith(b"\r")
        if self._return_held:
            data = data[:-1]
        line_feeds = data.count(b"\n")
        if line_feeds == data.count(b"\r") == data.count(b"\r\n"):
            return data
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")

    def finish(self) -> bytes:
        """There is no more."""
        rest, self._return_held = b"\r\n" if self._return_held else b"", False
        return rest
