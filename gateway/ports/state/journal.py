"""Messages that were edited or moved, and are known by other names since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from gateway.types import (
    CollectionId,
    DeviceId,
    Move,
    Rewrite,
    Rewrites,
    SyncState,
    UserId,
    Writing,
)


class Rewriting(Protocol):
    """Which message an edited one is by now, and what is about to be stored."""

    async def load_rewrites(self, user: UserId, mailbox: str) -> Rewrites:
        """What is known of messages of a mailbox that devices edited."""
        ...

    async def begin_writing(self, user: UserId, mailbox: str, writing: Writing) -> None:
        """Note a message before it is stored in a mailbox."""
        ...

    async def finish_writing(
        self, user: UserId, mailbox: str, writing: Writing, uid: int, answer: bytes
    ) -> None:
        """Note that it is stored as `uid`: its rewrite, and `answer` as the intent of its device."""
        ...

    async def abandon_writing(self, user: UserId, mailbox: str, marker: str) -> None:
        """Note that a message was not stored."""
        ...

    async def forget_rewrites(self, user: UserId, mailbox: str, rewrites: Iterable[Rewrite]) -> None:
        """Forget edited messages that are gone."""
        ...


class Moves(Protocol):
    """Messages that devices moved, with where they went."""

    async def load_moves(
        self,
        user: UserId,
        device: DeviceId,
        source: CollectionId,
        target: CollectionId,
        messages: Iterable[tuple[int, int]],
    ) -> Mapping[tuple[int, int], Move]:
        """The moves from one collection to another that were begun, by (uidvalidity, uid) of the message."""
        ...

    async def begin_moves(self, user: UserId, device: DeviceId, journal: Iterable[Move]) -> None:
        """Note what is about to be moved, before the upstream is touched."""
        ...

    async def finish_moves(
        self,
        user: UserId,
        device: DeviceId,
        journal: Iterable[Move],
        states: Mapping[CollectionId, SyncState],
    ) -> None:
        """Note where messages went, and in the same transaction what the device knows of collections by that.

        Each state is stored if the stored revision is still its own; intents stay. Raises `StateConflict`.
        """
        ...

    async def open_moves(self, user: UserId, device: DeviceId) -> Sequence[Move]:
        """The moves of a device that were begun, and of which nobody noted the end; oldest first."""
        ...

    async def prune_moves(self, before: datetime) -> None:
        """Forget the moves begun before that time."""
        ...
