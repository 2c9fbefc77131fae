"""What the gateway did of late: a ring of samples of its counters, and curves made of it.

They are of all processes of a machine. For longer than an hour, and for other machines, there is /metrics.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from gateway.web.metrics import Totals

__all__ = ["EVERY", "KEPT", "Curves", "Samples", "quantile"]

EVERY = 10.0
"""Seconds between samples."""
KEPT = 360
"""Samples that are kept: an hour."""

_LONGEST = 60.0
"""Seconds: what takes longer was held, and says nothing of how fast answers are."""


@dataclass(frozen=True, slots=True)
class Curves:
    """One value for each step between two samples, oldest first; None: nothing was answered in it.

    Requests and failures (answers with 500 and above) are per second, `median` and `slow` (95 of 100 are
    faster) are seconds, without Ping and what took a minute.
    """

    requests: Sequence[float]
    failures: Sequence[float]
    held: Sequence[float]
    median: Sequence[float | None]
    slow: Sequence[float | None]


class Samples:
    """The samples that this process took. `read` takes one."""

    def __init__(self, read: Callable[[], Totals], *, every: float = EVERY, kept: int = KEPT) -> None:
        self._read = read
        self._every = every
        self._samples: deque[Totals] = deque([read()], maxlen=kept + 1)

    async def run(self) -> None:
        """Take samples until it is cancelled."""
        while True:
            await asyncio.sleep(self._every)
            self.take()

    def take(self) -> None:
        """Take one sample now."""
        self._samples.append(self._read())

    def curves(self) -> Curves:
        """What happened between the samples."""
        steps = list(pairwise(self._samples))
        durations = [_between(before, after) for before, after in steps]
        return Curves(
            requests=[max(0.0, after.requests - before.requests) / self._every for before, after in steps],
            failures=[max(0.0, after.failures - before.failures) / self._every for before, after in steps],
            held=[after.held for _, after in steps],
            median=[quantile(one, 0.5) for one in durations],
            slow=[quantile(one, 0.95) for one in durations],
        )


def quantile(counts: Sequence[tuple[float, float]], share: float) -> float | None:
    """The value below which a share of what was counted lies; None when nothing was.

    `counts` are upper bounds, ascending, with how many lie below each and above the one before it.
    """
    total = sum(count for _, count in counts)
    if not total:
        return None
    wanted, lower = share * total, 0.0
    for upper, count in counts:
        if count and wanted <= count:
            return lower + (upper - lower) * wanted / count
        wanted -= count
        lower = upper
    return lower


def _between(before: Totals, after: Totals) -> list[tuple[float, float]]:
    return [
        (upper, max(0.0, count - before.durations.get(upper, 0.0)))
        for upper, count in sorted(after.durations.items())
        if upper <= _LONGEST
    ]
