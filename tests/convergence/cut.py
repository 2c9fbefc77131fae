"""A TCP line between the gateway and a server that can be cut at byte N, in either direction."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import Literal

from tests.support.ports import LOOPBACK

Direction = Literal["up", "down"]
STOP_SECONDS = 5.0


class Line:
    """Listens on a loopback port and passes bytes on; runs in a thread of its own. A context manager."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self.cuts = 0
        self._target = target
        self._left: dict[Direction, int | None] = {"up": None, "down": None}
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="line", daemon=True)

    def cut_after(self, octets: int, direction: Direction) -> None:
        """Cut the connection that carries the octet number `octets` from now on, right behind it."""
        self._left[direction] = octets

    def mend(self) -> None:
        """Cut nothing any more."""
        self._left = {"up": None, "down": None}

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
        server = self._loop.run_until_complete(asyncio.start_server(self._connection, LOOPBACK, 0))
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

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(LOOPBACK, self._target)
        except OSError:
            writer.transport.abort()
            return
        ways = [self._carry(reader, back, "up"), self._carry(there, writer, "down")]
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for end in (back, writer):
                end.close()

    async def _carry(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, direction: Direction
    ) -> None:
        try:
            while data := await source.read(65536):
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
        except OSError:
            return
