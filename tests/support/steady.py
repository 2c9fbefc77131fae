"""A clock for the loop of a test, on which a machine that pauses loses no time."""

from __future__ import annotations

import asyncio
import time

import pytest

__all__ = ["keep_steady"]

TURN_SECONDS = 0.01
"""How long a turn of the loop takes at most, by its own clock."""


def keep_steady(loop: asyncio.AbstractEventLoop, patch: pytest.MonkeyPatch) -> None:
    """Have each turn of the loop count as TURN_SECONDS at most, however long the process was kept waiting.

    So no time-out of a few tenths of a second ends what takes a few turns, and a pause is as long as ever.
    """
    assert isinstance(loop, asyncio.SelectorEventLoop)
    selector = loop._selector  # type: ignore[attr-defined]  # what the loop sleeps in
    select, shown, looked = selector.select, loop.time(), time.monotonic()

    def turn(seconds: float | None) -> object:
        nonlocal shown, looked
        found = select(seconds if seconds is None else min(seconds, TURN_SECONDS))
        now = time.monotonic()
        shown += min(now - looked, TURN_SECONDS)
        looked = now
        return found

    patch.setattr(loop, "time", lambda: shown)
    patch.setattr(selector, "select", turn)
