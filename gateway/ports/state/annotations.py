"""What is kept of messages beside the mail server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Protocol

from gateway.ports.mailboxes import Unsubscribe
from gateway.types import (
    CollectionId,
    UserId,
)


class Annotations(Protocol):
    """What is kept of messages beside the mail server."""

    async def has_annotations(self, user: UserId) -> bool:
        """Whether anything was ever kept of messages of a user."""
        ...

    async def load_annotations(
        self, user: UserId, collection: CollectionId, uidvalidity: int, uids: Iterable[int]
    ) -> Mapping[int, Mapping[str, bytes]]:
        """What is known of messages beside what the upstream keeps, by UID and name.

        Messages of which nothing is known are left out. A collection has annotations only if
        `SyncState.annotations` is not 0.
        """
        ...

    async def save_annotations(
        self,
        user: UserId,
        collection: CollectionId,
        uidvalidity: int,
        annotations: Mapping[int, Mapping[str, bytes | None]],
        *,
        newest: int | None = None,
    ) -> Mapping[tuple[int, str], int]:
        """Store annotations by UID and name (None takes one away) in one transaction.

        With `newest`, those that changed after that revision stay. What really changes gets the collection's
        next revision. Returns the revision each of them (UID, name)
        is at, so that the device they came from need not be told.
        """
        ...

    async def changed_annotations(
        self, user: UserId, collection: CollectionId, uidvalidity: int, after: int
    ) -> Mapping[tuple[int, str], int]:
        """The annotations (UID, name) that changed after a revision, each with its own."""
        ...

    async def move_annotations(
        self,
        user: UserId,
        source: tuple[CollectionId, int],
        target: tuple[CollectionId, int],
        uids: Mapping[int, int],
    ) -> None:
        """Carry annotations over from one (collection, uidvalidity) to another.

        `uids` maps the old UID of each message to its new one. Repeating it changes nothing.
        """
        ...

    async def drop_annotations(
        self, user: UserId, collection: CollectionId, uidvalidity: int, uids: Iterable[int], now: datetime
    ) -> None:
        """Note that messages are gone.

        Their annotations stay until `prune_annotations`, so that a move may be noted later.
        """
        ...

    async def find_annotated(
        self, user: UserId, name: str, values: Iterable[bytes]
    ) -> Mapping[bytes, tuple[CollectionId, int, int]]:
        """A message (collection, UIDVALIDITY, UID) for each of these values of an annotation that has one."""
        ...

    def watch_annotations(self, user: UserId, notify: Callable[[CollectionId], None]) -> Unsubscribe:
        """Call `notify` after each change of annotations in a collection of the user, "": in any.

        It may be called more often than things change.
        """
        ...

    async def prune_annotations(self, before: datetime) -> None:
        """Forget the annotations of messages that were gone before that time, or whose folder is gone."""
        ...
