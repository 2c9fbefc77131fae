"""Computing beside the event loop."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from gateway.sync.background import compute


async def test_the_event_loop_goes_on_and_one_thread_computes() -> None:
    running = 0
    most = 0

    def work(number: int) -> tuple[int, str]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.02)
        running -= 1
        return number, threading.current_thread().name

    tasks = [asyncio.create_task(compute(work, number)) for number in range(5)]
    await asyncio.sleep(0)
    assert not tasks[0].done()
    done = await asyncio.gather(*tasks)
    assert [number for number, _ in done] == [0, 1, 2, 3, 4]
    assert most == 1
    assert {name for _, name in done}.isdisjoint({threading.current_thread().name})


async def test_failures_are_those_of_the_work() -> None:
    def work() -> None:
        raise KeyError("lost")

    with pytest.raises(KeyError, match="lost"):
        await compute(work)
