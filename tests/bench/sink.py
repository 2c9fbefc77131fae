"""An SMTP server in a process of its own that takes everything, keeps nothing and costs little."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from types import TracebackType
from typing import cast

import uvloop

from tests.support.ports import LOOPBACK, free_ports, wait_for_greeting

__all__ = ["Sink"]

_START_SECONDS = 10.0
_STOP_SECONDS = 5.0
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


class Sink:
    """The process; a context manager."""

    host = LOOPBACK
    security = "none"
    auth = False

    def __init__(self) -> None:
        self.port = free_ports(1)[0]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Sink:
        command = [sys.executable, "-m", __name__, str(self.port)]
        self._process = process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        if not wait_for_greeting(self.port, seconds=_START_SECONDS, alive=lambda: process.poll() is None):
            process.kill()
            raise TimeoutError("the SMTP sink did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(_STOP_SECONDS)


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Session, LOOPBACK, port)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(int(sys.argv[1])))
