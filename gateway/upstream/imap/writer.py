"""Sending steps in order, large ones no faster than the server takes them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gateway.errors import GatewayError
from gateway.mail.pieces import PIECE, pieces
from gateway.upstream.imap.syntax import Step

__all__ = ["Writer"]

_POLL = 0.005


class Writer:
    """Writes for one connection. `failed` is called when what is to be sent cannot be read."""

    def __init__(self, failed: Callable[[Exception], None]) -> None:
        self._failed = failed
        self._waiting: list[Step] = []
        self._task: asyncio.Task[None] | None = None
        self._kept: list[bytes] | None = None

    @contextmanager
    def together(self, transport: asyncio.WriteTransport) -> Iterator[None]:
        """Send small steps in one go at the end of the context, in which nobody waits for anything.

        Else each is a system call, and perhaps a packet, by which the server wakes up.
        """
        kept: list[bytes] = []
        self._kept = kept
        try:
            yield
        finally:
            self._kept = None
            if kept and not transport.is_closing():
                transport.writelines(kept)

    def write(self, transport: asyncio.WriteTransport, step: Step) -> None:
        """Send a step, at once if it is small and nothing waits."""
        small = [buffer for buffer in step if isinstance(buffer, bytes) and len(buffer) <= PIECE]
        if self._task is None and len(small) == len(step):
            if self._kept is None:
                transport.writelines(small)
            else:
                self._kept += small
            return
        self._waiting.append(step)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work(transport))

    def close(self) -> None:
        """Send no more."""
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()

    async def _work(self, transport: asyncio.WriteTransport) -> None:
        try:
            while self._waiting:
                for buffer in self._waiting.pop(0):
                    for piece in pieces(buffer):
                        transport.write(piece)
                        # The protocol, which is the library's, would be told when there is room again.
                        while transport.get_write_buffer_size() > PIECE:  # noqa: ASYNC110
                            await asyncio.sleep(_POLL)
        except (GatewayError, OSError, ValueError) as error:
            self._failed(error)
        finally:
            self._task = None
