"""Ways to make load, and to sum up times."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

__all__ = ["bounded", "rate", "spread"]

Call = Callable[[], Awaitable[object]]


async def bounded(at_once: int, calls: Sequence[Call]) -> None:
    """Make calls, so many at a time."""
    pending = iter(calls)

    async def work() -> None:
        for call in pending:
            await call()

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(work())


async def rate(calls: Sequence[Call], seconds: float) -> float:
    """How many calls end in a second, when each of them is made again and again."""
    done = 0
    start = time.perf_counter()

    async def repeat(call: Call) -> None:
        nonlocal done
        while time.perf_counter() - start < seconds:
            await call()
            done += 1

    async with asyncio.TaskGroup() as group:
        for call in calls:
            group.create_task(repeat(call))
    return done / (time.perf_counter() - start)


def spread(times: Sequence[float]) -> dict[str, object]:
    """How far times, in seconds, lie from each other."""
    ordered = sorted(times)
    return {
        "n": len(times),
        "p95 ms": round(1000 * ordered[int(len(ordered) * 0.95)], 2),
        "least ms": round(1000 * ordered[0], 2),
        "most ms": round(1000 * ordered[-1], 2),
    }
