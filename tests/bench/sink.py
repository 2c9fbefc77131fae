"""An SMTP server in a process of its own that takes everything, keeps nothing and costs little."""

from __future__ import annotations

import asyncio
from typing import cast

from tests.bench.servers import ServerProcess, serve

__all__ = ["Sink"]

_REPLIES = {b"EHLO": b"250-sink\r\n250 8BITMIME\r\n", b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}
_OK = b"250 2.0.0 taken\r\n"
_END = b"\r\n.\r\n"


class _Session(asyncio.Protocol):
    """One client. What stands before the end of a message is dropped as it comes."""

    def __init__(self) -> None:
        self._rest = b""
        self._in_message = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not derived from it
        self._transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._rest += data
        while self._rest:
            mark = _END if self._in_message else b"\r\n"
            head, found, rest = self._rest.partition(mark)
            if not found:
                self._rest = head[-len(_END) :] if self._in_message else head
                return
            self._rest = rest
            command = b"" if self._in_message else head[:4].upper()
            self._in_message = command == b"DATA"
            self._transport.write(_REPLIES.get(command, _OK))
            if command == b"QUIT":
                self._transport.close()


class Sink(ServerProcess):
    """The process; a context manager."""

    module = "tests.bench.sink"
    security = "none"
    auth = False


if __name__ == "__main__":
    serve(_Session)
