"""What devices know of collections, and were about to change in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from gateway.types import (
    CollectionId,
    DeviceId,
    SyncState,
    UserId,
)


class SyncStates(Protocol):
    """What each device knows of its collections, and what it was about to change in them."""

    async def load_sync(
        self, user: UserId, device: DeviceId, collection: CollectionId
    ) -> SyncState | None: ...

    async def load_syncs(self, user: UserId, device: DeviceId) -> Mapping[CollectionId, SyncState]: ...

    async def save_sync(
        self,
        user: UserId,
        device: DeviceId,
        collection: CollectionId,
        state: SyncState,
        *,
        keep: Iterable[str] = (),
    ) -> SyncState:
        """Store the state if the stored revision is still `state.revision` (0: none stored).

        Forgets the collection's intents in the same transaction, but for those whose names begin with one of
        `keep`. Returns it with the new revision. Raises `StateConflict`.
        """
        ...

    async def reset_sync(
        self, user: UserId, device: DeviceId, collection: CollectionId, state: SyncState
    ) -> SyncState:
        """Store a first state over whatever is stored (SyncKey 0)."""
        ...

    async def load_memo(self, user: UserId, device: DeviceId, name: str) -> bytes | None:
        """A small value remembered for a device (the last Ping, the last Sync request)."""
        ...

    async def save_memo(self, user: UserId, device: DeviceId, name: str, value: bytes | None) -> None: ...

    async def load_intents(
        self, user: UserId, device: DeviceId, collection: CollectionId
    ) -> Mapping[str, bytes]:
        """What was about to be done upstream for requests on the collection, or became of that, by name."""
        ...

    async def save_intents(
        self, user: UserId, device: DeviceId, collection: CollectionId, intents: Mapping[str, bytes]
    ) -> None:
        """Add to the intents of a collection, before the upstream is touched."""
        ...
