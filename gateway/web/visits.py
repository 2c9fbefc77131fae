"""From where devices ask and when they synchronised: kept in memory, noted now and then of many at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from gateway.errors import GatewayError
from gateway.ports import Clock, State
from gateway.types import Device, DeviceId, UserId, Visit

__all__ = ["Visits"]

_FRESH = timedelta(minutes=5)
"""How far what is noted of a device may lag behind."""
_EVERY = 30.0
"""Seconds from one transaction to the next."""
_CAPACITY = 100_000
_SYNCS = frozenset({"Sync", "FolderSync"})
_SUCCESS = frozenset({"", "1"})


class Visits:
    """Notes them with no transaction for a request, and none when there is no news."""

    def __init__(self, state: State, clock: Clock) -> None:
        self._state = state
        self._clock = clock
        self._pending: dict[tuple[UserId, DeviceId], Visit] = {}

    def note(self, device: Device, address: str, command: str, status: str) -> None:
        """A request of a device was answered, which is as it was loaded for it; `status` is "" for none."""
        key, now = (device.user, device.id), self._clock.now()
        pending = self._pending.get(key)
        synced = now if command in _SYNCS and status in _SUCCESS else None
        due = synced and (device.synced is None or now - device.synced >= _FRESH)
        if not (pending or due or address != device.address) or len(self._pending) >= _CAPACITY:
            return
        self._pending[key] = Visit(address, synced or (pending.synced if pending else None))

    async def flush(self) -> None:
        """Store what is not stored yet; what cannot be stored now waits."""
        visits, self._pending = self._pending, {}
        if not visits:
            return
        try:
            await self._state.note_visits(visits)
        except GatewayError as error:
            for key, later in self._pending.items():
                earlier = visits.get(key)
                visits[key] = Visit(later.address, later.synced or (earlier.synced if earlier else None))
            self._pending = visits
            structlog.get_logger("gateway.web").warning("visits not noted", reason=error.detail)

    async def run(self) -> None:
        """Store now and then; ends when it is cancelled."""
        while True:
            await asyncio.sleep(_EVERY)
            await self.flush()
