"""Messages that the SMTP server took while the store failed, so that the device was told to come again.

When it does, they are not submitted again, be it that the store could not note them, or that they have no
name by which it would know them. What it does not know yet is noted as soon as that can be, for other
processes. One that ends before that leaves the gap open that is there when one dies between the two.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

from gateway.errors import StoreUnavailable
from gateway.ports import State
from gateway.sync.background import Background
from gateway.types import NO_DEVICE, DeviceId, OutboxEntry, OutboxStage, UserId

__all__ = ["Consequence", "Taken"]

_DELAYS = (0.5, 1, 2, 4, 8)
"""Seconds before the first attempts to note a message after all; the last one before each further one."""
_CAPACITY = 10_000

Consequence = Callable[[], Awaitable[None]]
"""Makes a note of what else has to happen once a message is sent; may be called more than once."""


class Taken:
    """Knows them by user, device and digest of what was asked for."""

    def __init__(self, state: State, background: Background) -> None:
        self._state = state
        self._background = background
        self._entries: OrderedDict[tuple[UserId, DeviceId, str], OutboxEntry] = OrderedDict()
        self._unnoted: set[int] = set()
        """Entries of the journal of which the store does not know that they were submitted."""

    def find(self, user: UserId, device: DeviceId, digest: str, since: datetime) -> OutboxEntry | None:
        """The entry of such a message that was taken after that time, and not answered for."""
        entry = self._entries.get((user, device, digest))
        return entry if entry is not None and entry.created > since else None

    def remember(self, entry: OutboxEntry) -> None:
        """The device is told to come again for a message that was taken."""
        key = (entry.user, entry.device, entry.digest)
        self._entries[key] = replace(entry, stage=OutboxStage.SUBMITTED)
        self._entries.move_to_end(key)
        if len(self._entries) > _CAPACITY:
            self._entries.popitem(last=False)

    def forget(self, entry: OutboxEntry) -> None:
        """The device is told that it is sent."""
        self._entries.pop((entry.user, entry.device, entry.digest), None)

    async def note(self, entry: OutboxEntry, consequence: Consequence | None) -> None:
        """Note that a message was taken, and what follows; to be called under the lease of its digest.

        Raises `StoreUnavailable`: it is remembered then, and noted as soon as that can be.
        """
        try:
            if consequence is not None:
                await consequence()
            await self._state.mark_send(entry.id, OutboxStage.SUBMITTED)
        except StoreUnavailable:
            self.remember(entry)
            if entry.id not in self._unnoted:
                self._unnoted.add(entry.id)
                self._background.start(self._insist(entry, consequence), resumable=True)
            raise
        self._unnoted.discard(entry.id)

    async def _insist(self, entry: OutboxEntry, consequence: Consequence | None) -> None:
        attempts = 0
        while entry.id in self._unnoted:
            await asyncio.sleep(_DELAYS[min(attempts, len(_DELAYS) - 1)])
            attempts += 1
            try:
                async with self._state.lease(entry.user, NO_DEVICE, entry.digest):
                    if entry.id in self._unnoted:  # and no repeated request was faster
                        await self.note(entry, consequence)
            except StoreUnavailable:
                continue
