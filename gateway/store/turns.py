"""Turns of a process that has its store to itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

__all__ = ["OwnTurns"]


class OwnTurns:
    """`Turns` in memory: after a restart each job is due."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}

    @asynccontextmanager
    async def turn(self, job: str, every: timedelta) -> AsyncIterator[bool]:
        loop = asyncio.get_running_loop()
        if loop.time() < self._due.get(job, 0.0):
            yield False
            return
        self._due[job] = float("inf")
        done = False
        try:
            yield True
            done = True
        finally:
            self._due[job] = loop.time() + every.total_seconds() if done else 0.0
