"""What arrives on one connection, read in turns with all others, and put together to responses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.upstream.imap.responses import Response
from gateway.upstream.imap.turns import Turns
from gateway.upstream.imap.wire import ResponseReader, WireError

__all__ = ["Inflow"]

MAX_LINE = 16 * 1024 * 1024
MAX_FETCH = 4 * 1024 * 1024
MAX_LITERAL = 96 * 1024 * 1024
MAX_REPLY = 256 * 1024 * 1024
"""Octets: of a response without its literals, the same where it is about one message (a MB is a fifth of a
second's work), of one literal, of everything between two tagged responses."""

SLICE = 4 * 1024
"""Octets that are read at a time beside those of a literal, which cost little: a fraction of a millisecond's
work."""
SMALL = 2 * 1024
"""Octets that do not wait for their turn (`turns.py`)."""


class Inflow:
    """Gives each response to `dispatch`, which says True for the OK behind which TLS begins.

    `confused` ends the connection of a server that broke the protocol, `flooded` that of one that told more
    than a limit allows; `closed` tells whether it has ended.
    """

    __slots__ = (
        *("_closed", "_confused", "_dispatch", "_flooded", "_octets", "_reader"),
        *("_transport", "_turns", "_unread"),
    )

    def __init__(
        self,
        turns: Turns,
        dispatch: Callable[[Response], bool],
        confused: Callable[[str], object],
        flooded: Callable[[str], object],
        closed: Callable[[], bool],
    ) -> None:
        self._turns = turns
        self._dispatch = dispatch
        self._confused = confused
        self._flooded = flooded
        self._closed = closed
        self._transport: asyncio.Transport | None = None
        self._unread = bytearray()
        self._octets = 0
        self.restart()

    def restart(self) -> None:
        """Begin anew, as behind a TLS handshake."""
        self._reader = ResponseReader(
            max_line=MAX_LINE,
            max_literal=MAX_LITERAL,
            max_buffer=MAX_LITERAL + MAX_LINE,
            max_fetch=MAX_FETCH,
        )

    @property
    def behind(self) -> bool:
        """Whether something came that had no turn to be read yet."""
        return bool(self._unread)

    def reply_ended(self) -> None:
        """A tagged response came: what follows belongs to another reply."""
        self._octets = 0

    def take(self, data: bytes, transport: asyncio.Transport | None) -> None:
        """Read what came over a transport, which is told to wait while that takes several turns."""
        if self._unread:  # a transport need not stop at once
            self._unread += data
        elif len(data) <= SMALL:
            self._read(data)
        else:
            self._unread += data
            assert transport is not None
            self._transport = transport
            transport.pause_reading()
            self._turns.take(self._read_on)

    def _read_on(self) -> bool:
        """Read a slice of what arrived; True when there is more. Nothing else is taken meanwhile."""
        size = SLICE + self._reader.missing
        data = bytes(self._unread[:size])
        del self._unread[:size]
        upgrading = self._read(data)
        if self._closed():
            self._unread.clear()
            return False
        if self._unread:
            return True
        if not upgrading and self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
        return False

    def _read(self, data: bytes) -> bool:
        """Dispatch what a piece completes; True when TLS is to begin behind it."""
        self._octets += len(data)
        if self._octets > MAX_REPLY:
            self._flooded("too much in one reply")
            return False
        try:
            responses = self._reader.feed(data)
        except WireError as error:
            self._flooded(str(error))
            return False
        for number, response in enumerate(responses, start=1):
            upgrading = self._dispatch(response)
            if self._closed():
                return False
            if upgrading:
                if number < len(responses) or not data.endswith(b"\r\n") or self._unread:
                    self._confused("data in the clear behind the OK to STARTTLS")
                return True
        return False
