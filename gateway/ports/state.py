"""What the gateway itself remembers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from gateway.ports.audit import Act, Audit
from gateway.ports.mailboxes import Unsubscribe
from gateway.ports.passwords import AppPasswords
from gateway.ports.sessions import Sessions
from gateway.ports.traces import Traces
from gateway.types import (
    Access,
    CollectionId,
    Device,
    DeviceId,
    FolderList,
    Move,
    OutboxEntry,
    OutboxStage,
    Rewrite,
    Rewrites,
    SentCopy,
    SyncState,
    UserId,
    Visit,
    Wipe,
    WipeStage,
    Writing,
)


class Devices(Protocol):
    """Partnerships: one phone of one user each.

    What takes an `act` notes it in the audit log, in the same transaction, if anything was decided.
    """

    async def load_device(self, user: UserId, device: DeviceId) -> Device | None: ...

    async def save_device(self, device: Device) -> Device:
        """Store a device; returns it with what was decided of it, be it before it ever came.

        Raises `StateConflict` when something was decided since it was loaded: it may have been removed.
        """
        ...

    async def note_visits(self, visits: Mapping[tuple[UserId, DeviceId], Visit]) -> None:
        """Note where devices were and when they synchronised, of all in one transaction."""
        ...

    async def list_devices(self, user: UserId | None = None) -> Sequence[Device]: ...

    async def awaited_devices(self, user: UserId | None = None) -> Sequence[Device]:
        """Devices that were decided of, and are not known: they never came, or not for long.

        They have no more than their ids and their `control`.
        """
        ...

    async def set_access(
        self, user: UserId, device: DeviceId, access: Access | None, act: Act | None = None
    ) -> None:
        """Decide what a device may do, known or not; None: what the rules say."""
        ...

    async def ask_wipe(
        self, user: UserId, device: DeviceId, wipe: Wipe | None, now: datetime, act: Act | None = None
    ) -> bool:
        """Have a device wiped, or with None not any more; False when it was already, or never was to be."""
        ...

    async def note_wipe(
        self, user: UserId, device: DeviceId, wipe: Wipe, stage: WipeStage, now: datetime
    ) -> bool:
        """Note how far a wipe is; False when none of the kind is asked for, or it is done already."""
        ...

    async def forget_device(self, user: UserId, device: DeviceId, act: Act | None = None) -> bool:
        """Forget a device and all that is kept of it, also what was decided; False when none is known.

        As a decision it is told by `decided_devices`.
        """
        ...

    async def forget_syncs(self, user: UserId, device: DeviceId, act: Act | None = None) -> None:
        """Forget what a device knows of its collections, so that it begins anew with all of them.

        As a decision it is told by `decided_devices`.
        """
        ...

    async def decided_devices(self, after: int) -> tuple[int, Sequence[tuple[UserId, DeviceId]]]:
        """The devices of which something was decided after that change (0: ever), and the newest change."""
        ...

    def watch_decisions(self, notify: Callable[[], None]) -> Unsubscribe:
        """Call `notify` after something was decided of a device; of other processes' decisions it may not."""
        ...

    async def expire_devices(self, before: datetime) -> int:
        """Forget devices not seen since that time, but not what was decided of them; returns how many."""
        ...

    async def prune_devices(self, before: datetime) -> None:
        """Forget devices not seen since that time that have no policy key and synchronised nothing."""
        ...


class FolderLists(Protocol):
    """The folders of each user, with the ids they have for good."""

    async def load_folders(self, user: UserId) -> FolderList: ...

    async def save_folders(self, user: UserId, folders: FolderList) -> FolderList:
        """Store the list if the stored revision is still `folders.revision`.

        Returns it with the new revision. Raises `StateConflict`.
        """
        ...

    def watch_folders(self, user: UserId, notify: Callable[[CollectionId], None]) -> Unsubscribe:
        """Call `notify` with "" after each change of the user's list; not of each that other processes make.

        It may be called more often than things change.
        """
        ...


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


class Annotations(Protocol):
    """What is kept of messages beside the mail server."""

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


class SendJournal(Protocol):
    """Messages that devices asked to send, and copies that Sent has not got yet."""

    async def begin_send(self, entry: OutboxEntry, since: datetime) -> tuple[OutboxEntry, bool]:
        """Journal a message about to be sent (`entry.id` is ignored).

        Returns (the entry as stored, True) when it is new. An entry of the same user made after `since` and
        not FAILED that has the same device and non-empty ClientId, or the same non-empty Message-ID and the
        same digest, is returned with False instead, and nothing is written.
        """
        ...

    async def mark_send(self, entry_id: int, stage: OutboxStage) -> None: ...

    async def keep_copy(self, copy: SentCopy) -> None:
        """Keep a copy that could not be stored in Sent, until its entry is marked DONE."""
        ...

    async def kept_copies(self, user: UserId) -> Sequence[SentCopy]: ...

    async def users_with_copies(self) -> Sequence[UserId]: ...

    async def prune_sends(self, before: datetime) -> None:
        """Forget entries made before that time, but for those whose copy is still kept."""
        ...


class PoisonList(Protocol):
    """Items that a release could not show."""

    async def note_poison(
        self, user: UserId, collection: CollectionId, item: str, release: str, reason: str
    ) -> bool:
        """Remember an item that could not be rendered by this release; True the first time."""
        ...

    async def poison_of_others(self, user: UserId, collection: CollectionId, release: str) -> Sequence[str]:
        """The items of a collection other releases could not render, and this one has not failed at."""
        ...

    async def forget_poison(self, user: UserId, collection: CollectionId, items: Iterable[str]) -> None:
        """Forget items that can be rendered by now, or are gone, whichever release failed at them."""
        ...

    async def list_poison(
        self, user: UserId | None = None
    ) -> Sequence[tuple[UserId, CollectionId, str, str, str]]: ...

    async def count_poison(self) -> int:
        """How many items of all users are listed, each once whichever releases failed at it."""
        ...


class State(
    Devices,
    FolderLists,
    SyncStates,
    Annotations,
    Rewriting,
    Moves,
    SendJournal,
    PoisonList,
    Audit,
    Sessions,
    AppPasswords,
    Traces,
    Protocol,
):
    """What the gateway itself remembers. Each method is one short transaction, durable on return."""

    async def check_writable(self) -> None:
        """Raises `GatewayError` when the store cannot be written."""
        ...

    def lease(self, user: UserId, device: DeviceId, name: str) -> AbstractAsyncContextManager[None]:
        """Hold the exclusive right to work on something of a device while the context lasts.

        `name` is a collection id, "hierarchy" or "send".
        """
        ...
