"""The multipart form of an ItemOperations reply (MS-ASHTTP 2.2.2.1.1.1.1, MS-ASCMD 2.2.1.10)."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from gateway.errors import Kind, Refused
from gateway.mail.pieces import Joined
from gateway.ports import Spool

__all__ = ["CONTENT_TYPE", "LARGEST", "Parts"]

CONTENT_TYPE = "application/vnd.ms-sync.multipart"
LARGEST = 512 * 1024 * 1024
"""Octets of data in one reply; they wait on disk until the phone has taken them."""


@dataclass(frozen=True, slots=True)
class _Whole:
    """The message itself, or so many octets of it."""

    limit: int | None


class Parts:
    """Collects the data that goes beside the WBXML document of a reply, in a spool.

    Data of rendered bodies is there at once (`add`), a message that is to be a part is not (`whole`): both go
    into the spool by `settle`. A file comes by `write`, and `end` makes a part of it.
    """

    def __init__(self, make_spool: Callable[[], Spool]) -> None:
        self._spool = make_spool()
        self._lengths: list[int] = []
        self._pending: list[bytes | _Whole] = []

    @property
    def left(self) -> int:
        """Octets that still fit into the reply."""
        return LARGEST - len(self._spool)

    def add(self, data: bytes) -> int:
        """Take the data of a part; returns its index in the reply, where 0 is the document itself."""
        self._pending.append(data)
        return len(self._lengths) + len(self._pending)

    def whole(self, limit: int | None) -> int:
        """Have the message itself made a part, or so many octets of it; returns the index."""
        self._pending.append(_Whole(limit))
        return len(self._lengths) + len(self._pending)

    async def settle(self, message: Callable[[int | None], AsyncIterator[bytes]] | None = None) -> None:
        """Write what was added into the spool; `message` gives so many octets (None: all) of the message.

        It is needed only where a message is to be a part.

        Raises `GatewayError` when there is no room, and what `message` raises: nothing was added then.
        """
        pending, self._pending = self._pending, []
        settled = len(self._lengths)
        try:
            for data in pending:
                if isinstance(data, _Whole):
                    assert message is not None
                    async for piece in message(data.limit):
                        await self.write(piece)
                else:
                    await self.write(data)
                self.end()
        except BaseException:
            del self._lengths[settled:]
            self.undo()
            raise

    async def write(self, data: bytes) -> None:
        """Take octets of the next part. Raises `GatewayError` when there is no room."""
        if len(data) > self.left:
            raise Refused(Kind.TOO_LARGE, "more than one reply gives out")
        await self._spool.write(data)

    def end(self) -> int:
        """Make a part of what was written since the last one; returns its index."""
        self._lengths.append(len(self._spool) - sum(self._lengths))
        return len(self._lengths)

    def undo(self) -> None:
        """Forget what was added or written since the last part that is settled."""
        self._pending = []
        self._spool.cut(sum(self._lengths))

    def pack(self, document: bytes) -> Joined:
        """The body of a reply: the number of parts, offset and length of each (little endian), the parts."""
        lengths = [len(document), *self._lengths]
        offset = 4 + 8 * len(lengths)
        header = [struct.pack("<I", len(lengths))]
        for length in lengths:
            header.append(struct.pack("<II", offset, length))
            offset += length
        return Joined((b"".join([*header, document]), self._spool))

    def close(self) -> None:
        """Give the room back."""
        self._spool.close()
