"""Whose turn it is to read: what came on many connections at once is read bit by bit, among other work."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import ClassVar
from weakref import WeakKeyDictionary

__all__ = ["TURN", "Turns"]

TURN = 0.0005
"""Seconds of reading in one round of the event loop, whatever came on however many connections."""


class Turns:
    """Gives those who have something to read their turns, one after the other; used within its loop alone."""

    _of_loop: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, Turns]] = WeakKeyDictionary()

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], bool]] = deque()
        self._scheduled = False

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> Turns:
        """The turns of all connections of an event loop."""
        return cls._of_loop.setdefault(loop, cls())

    def take(self, step: Callable[[], bool]) -> None:
        """Have `step` called in its turns until it returns False."""
        self._waiting.append(step)
        self._go_on()

    def _go_on(self) -> None:
        if self._waiting and not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._round)

    def _round(self) -> None:
        self._scheduled = False
        end = time.perf_counter() + TURN
        try:
            while self._waiting:
                step = self._waiting.popleft()
                if step():
                    self._waiting.append(step)
                if time.perf_counter() >= end:
                    break
        finally:  # should one step fail, that is no reason to keep the others waiting
            self._go_on()
