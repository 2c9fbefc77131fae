"""What blocks, in a thread of its own that nobody has to wait for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

__all__ = ["beside"]

T = TypeVar("T")


async def beside(work: Callable[[], T], seconds: float) -> T:
    """Run `work`, and raise what it raises; TimeoutError when it takes longer.

    The thread is left to itself then, and does not keep the process from ending.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(outcome: T | BaseException, *, failed: bool) -> None:
        if future.done():
            return
        if failed:
            future.set_exception(outcome)  # type: ignore[arg-type]
        else:
            future.set_result(outcome)  # type: ignore[arg-type]

    def run() -> None:
        outcome: T | BaseException
        try:
            outcome, failed = work(), False
        except Exception as error:  # noqa: BLE001  # raised where somebody waits for it
            outcome, failed = error, True
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(lambda: settle(outcome, failed=failed))

    threading.Thread(target=run, daemon=True).start()
    async with asyncio.timeout(seconds):
        return await future
