"""Work beside the requests: what outlives the one that began it, and what would hold up the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

_P = ParamSpec("_P")
_Result = TypeVar("_Result")

_computing = ThreadPoolExecutor(1, "computing")
"""One thread: Python computes in one at a time, and with six the event loop waited ten times as long for its
turn, for the same work done."""
_MOMENT = 1.0
"""Seconds in which a server that is there answers: what waits for one that is not is resumed another time."""


class _Queue:
    """Counts those who are in it."""

    length = 0

    def __enter__(self) -> None:
        self.length += 1

    def __exit__(self, *_: object) -> None:
        self.length -= 1


_queue = _Queue()


async def compute(work: Callable[_P, _Result], *args: _P.args, **kwargs: _P.kwargs) -> _Result:
    """Run what takes more than a few milliseconds of computing, while the event loop goes on.

    One after the other; what waits for something else belongs into `asyncio.to_thread`.
    """
    with _queue:
        return await asyncio.get_running_loop().run_in_executor(_computing, partial(work, *args, **kwargs))


def computing() -> int:
    """How much work is computed or waits for its turn."""
    return _queue.length


class Background:
    """Owns tasks: finished on shutdown where possible. Nothing else holds them, and none is forgotten."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._resumable: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, _Result], *, resumable: bool = False) -> asyncio.Task[_Result]:
        """Begin some work now; its result may be awaited, through `asyncio.shield`, or left alone.

        `resumable` is what the store remembers to be done: a shutdown does not wait for it.
        """
        task = asyncio.create_task(work)
        tasks = self._resumable if resumable else self._tasks
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return task

    async def aclose(self, seconds: float) -> None:
        """Let running work finish within so many seconds, then cancel what is left."""
        await _end(self._resumable, min(seconds, _MOMENT))
        await _end(self._tasks, seconds)


async def _end(tasks: set[asyncio.Task[Any]], seconds: float) -> None:
    if tasks:
        _, pending = await asyncio.wait(tasks, timeout=seconds)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
