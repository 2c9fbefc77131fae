"""How late the event loop comes: what any request has to wait because another one keeps the process busy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

__all__ = ["watch_lag"]

EVERY = 0.05
"""Seconds between samples: few enough to cost nothing, enough for a picture of every minute."""


async def watch_lag(observe: Callable[[float], None], *, every: float = EVERY) -> None:
    """Wake up again and again, and tell by how many seconds too late that was. Ends when it is cancelled."""
    while True:
        # Not the loop's own clock: uvloop's stands still while callbacks run.
        due = time.monotonic() + every
        await asyncio.sleep(every)
        observe(max(0.0, time.monotonic() - due))
