"""Mail fetched ahead: what a device will probably be told next, while it digests what it was just told.

What is kept is taken once, and dropped when nobody takes it in time. While as much is kept as may be, nothing
more is fetched ahead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass

from gateway.eas.content import email
from gateway.errors import GatewayError
from gateway.sync.background import Background
from gateway.types import CollectionId, DeviceId, UserId

__all__ = ["Ahead", "Place"]

MOST = 16
"""Windows of devices kept at once, of at most `email.LARGEST_BATCH` octets and a little more each."""
SECONDS = 30.0
"""How long a window is kept for its device; one on a slow line needs so long to load the one before."""

Place = tuple[UserId, DeviceId, CollectionId]


class Ahead:
    """What was fetched ahead, by user, device and collection."""

    def __init__(self, background: Background) -> None:
        self._background = background
        self._windows: dict[Place, _Window] = {}

    def begin(self, place: Place, work: Coroutine[None, None, email.Prepared]) -> None:
        """Fetch a window in the place of the one kept for the device."""
        self._drop(place)
        if len(self._windows) >= MOST:
            work.close()
            return
        timer = asyncio.get_running_loop().call_later(SECONDS, self._drop, place)
        self._windows[place] = _Window(self._background.start(_or_nothing(work)), timer)

    async def take(self, place: Place) -> email.Prepared | None:
        """What was fetched for the device, which is kept no longer; None when there is nothing."""
        window = self._windows.pop(place, None)
        if window is None:
            return None
        window.timer.cancel()
        return await asyncio.shield(window.task)

    def _drop(self, place: Place) -> None:
        window = self._windows.pop(place, None)
        if window is not None:
            window.timer.cancel()
            window.task.cancel()


@dataclass(frozen=True, slots=True)
class _Window:
    task: asyncio.Task[email.Prepared | None]
    timer: asyncio.TimerHandle


async def _or_nothing(work: Coroutine[None, None, email.Prepared]) -> email.Prepared | None:
    try:
        return await work
    except GatewayError:
        return None  # whoever needs it asks again, and is told what is wrong
