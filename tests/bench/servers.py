"""A server in a process of its own, for measurements that it must not disturb."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from types import TracebackType
from typing import ClassVar, Self

import uvloop

from tests.support.ports import LOOPBACK, free_ports, wait_for_greeting

__all__ = ["ServerProcess", "serve"]

_START_SECONDS = 10.0
_STOP_SECONDS = 10.0


class ServerProcess:
    """The process of a module whose main program is `serve`; a context manager.

    Raises `TimeoutError` when it does not greet in time.
    """

    host = LOOPBACK
    module: ClassVar[str]
    """What is run; subclasses say it, since a main program has another name."""

    def __init__(self) -> None:
        self.port = free_ports(1)[0]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", self.module, str(self.port)]
        self._process = process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        if not wait_for_greeting(self.port, seconds=_START_SECONDS, alive=lambda: process.poll() is None):
            process.kill()
            raise TimeoutError(f"{self.module} did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(_STOP_SECONDS)


def serve(session: Callable[[], asyncio.Protocol]) -> None:
    """The main program: listen on the port that the command line names, with a `session` per connection."""

    async def forever() -> None:
        server = await asyncio.get_running_loop().create_server(
            session, LOOPBACK, int(sys.argv[1]), backlog=4096
        )
        await server.serve_forever()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(forever())
