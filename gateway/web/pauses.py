"""Time between attempts of one source, in memory: doubled by each failure, halved again as time passes."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

__all__ = ["Pauses"]

_FIRST = 0.5
"""Seconds after the first failure that counts."""
_MOST_DOUBLINGS = 8


@dataclass(slots=True)
class _Source:
    """`failures` as of `at`; the next attempt may start at `free_at`. Times of the event loop, in seconds."""

    failures: float
    at: float
    free_at: float


class Pauses:
    """Who has to wait, and how long. No pause exceeds `longest` seconds.

    The first `allowed` failures cost nothing, and one is forgiven every `recovery` seconds. Of more than
    `capacity` sources the one that failed longest ago is forgotten.
    """

    def __init__(self, longest: float, *, allowed: int, recovery: float, capacity: int) -> None:
        self._longest = longest
        self._allowed = allowed
        self._recovery = recovery
        self._capacity = capacity
        self._sources: OrderedDict[Hashable, _Source] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sources)

    def delay(self, source: Hashable) -> float:
        """Return the seconds until the next attempt may start."""
        known = self._sources.get(source)
        if known is None:
            return 0.0
        now = _now()
        if self._left(known, now) <= 0 and known.free_at <= now:
            del self._sources[source]
            return 0.0
        return max(0.0, known.free_at - now)

    def reserve(self, source: Hashable, delay: float) -> None:
        """Let an attempt start in `delay` seconds, and the one after it a pause later."""
        known = self._sources.get(source)
        if known is not None:
            now = _now()
            known.free_at = max(known.free_at, now + delay + self._pause(self._left(known, now)))

    def lengthen(self, source: Hashable, *, elsewhere: bool = False) -> None:
        """An attempt has failed; `elsewhere`: at another process, for which this one waits besides."""
        now = _now()
        known = self._sources.pop(source, None) or _Source(0.0, now, now)
        known.failures = min(self._left(known, now) + 1, self._allowed + _MOST_DOUBLINGS)
        known.at = now
        pause = self._pause(known.failures)
        # Attempts here do not wait for those that are made elsewhere at the same time: they make up for it.
        known.free_at = max(known.free_at, now) + pause if elsewhere else max(known.free_at, now + pause)
        self._sources[source] = known
        if len(self._sources) > self._capacity:
            self._sources.popitem(last=False)

    def end(self, source: Hashable) -> bool:
        """Forget what failed; returns whether anything did."""
        return self._sources.pop(source, None) is not None

    def _left(self, source: _Source, now: float) -> float:
        return max(0.0, source.failures - (now - source.at) / self._recovery)

    def _pause(self, failures: float) -> float:
        counted = failures - self._allowed
        return min(self._longest, _FIRST * 2 ** (counted - 1)) if counted > 0 else 0.0


def _now() -> float:
    return asyncio.get_running_loop().time()
