"""A TCP line to a server on which things go wrong: cut at byte N, hung up on, or silent for a while."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Literal

from tests.support.ports import LOOPBACK

__all__ = ["Direction", "Line"]

Direction = Literal["up", "down"]
STOP_SECONDS = 5.0
FORGOTTEN_SECONDS = 30.0
"""After which a server notices that nobody is at the other end of a connection, by its keepalives."""
_RESET = struct.pack("ii", 1, 0)
"""For SO_LINGER: closing resets the connection instead of ending it in order."""


class _Connection:
    """One that is carried: its two ends, and whether what comes on it is lost for good."""

    __slots__ = ("back", "lost", "writer")

    def __init__(self, writer: asyncio.StreamWriter, back: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.back = back
        self.lost = False

    def reset(self) -> None:
        for end in (self.writer, self.back):
            _reset(end)


class Line:
    """Listens on a loopback port and passes bytes on; runs in a thread of its own. A context manager."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self.cuts = 0
        self._target = target
        self._left: dict[Direction, int | None] = {"up": None, "down": None}
        self._connections: set[_Connection] = set()
        self._refuses = False
        self._loop = asyncio.new_event_loop()
        self._open = asyncio.Event()
        self._open.set()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="line", daemon=True)

    # --- what goes wrong; to be called from any thread ---------------------------------------------------

    def cut_after(self, octets: int, direction: Direction) -> None:
        """Cut the connection that carries the octet number `octets` from now on, right behind it."""
        self._left[direction] = octets

    def hang_up(self) -> None:
        """Reset all connections, and each new one at once, until it is mended."""

        def do() -> None:
            self._refuses = True
            for connection in self._connections:
                connection.reset()

        self._do(do)

    def silence(self, *, forget: bool = False) -> None:
        """Let nothing pass until it is mended, and tell nobody.

        What was sent meanwhile arrives then, as TCP sees to it; not so what belongs to the connections there
        are now if they are to be forgotten, as a firewall does that was started again.
        """

        def do() -> None:
            self._open.clear()
            for connection in self._connections:
                connection.lost |= forget

        self._do(do)

    def mend(self) -> None:
        """Let everything be as it should."""

        def do() -> None:
            self._left = {"up": None, "down": None}
            self._refuses = False
            self._open.set()

        self._do(do)

    def _do(self, work: Callable[[], None]) -> None:
        done = threading.Event()

        def do() -> None:
            work()
            done.set()

        self._loop.call_soon_threadsafe(do)
        if not done.wait(STOP_SECONDS):
            raise TimeoutError("the line does not listen")

    # --- the line ----------------------------------------------------------------------------------------

    def __enter__(self) -> Line:
        self._thread.start()
        if not self._ready.wait(STOP_SECONDS):
            raise TimeoutError("the line does not stand")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, LOOPBACK, 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(self._finish())
        self._loop.close()

    async def _finish(self) -> None:
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refuses:
            _reset(writer)
            return
        await self._open.wait()
        try:
            there, back = await asyncio.open_connection(LOOPBACK, self._target)
        except OSError:
            writer.transport.abort()
            return
        connection = _Connection(writer, back)
        self._connections.add(connection)
        ways = [
            self._carry(reader, back, connection, "up"),
            self._carry(there, writer, connection, "down"),
        ]
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if connection.lost:
                await asyncio.sleep(FORGOTTEN_SECONDS)
        finally:
            self._connections.discard(connection)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for end in (back, writer):
                end.close()

    async def _carry(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        connection: _Connection,
        direction: Direction,
    ) -> None:
        try:
            while data := await source.read(65536):
                await self._open.wait()
                if connection.lost:
                    continue
                left = self._left[direction]
                if left is not None:
                    self._left[direction] = left - len(data)
                    if len(data) >= left:
                        self.cuts += 1
                        self._left[direction] = None
                        target.write(data[:left])
                        return
                target.write(data)
                await target.drain()
            await self._open.wait()  # the end of a connection is nothing but another packet
        except OSError:
            return


def _reset(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):  # it may be closed by now
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
