"""What the core asks of the outside.

Small Protocols, implemented in `upstream/` and `store/`, wired in `app.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from gateway.query import Found, Query
from gateway.types import (
    CollectionId,
    Credentials,
    Device,
    DeviceId,
    FolderList,
    Mailbox,
    MailboxView,
    MessageData,
    Move,
    OutboxEntry,
    OutboxStage,
    Principal,
    Rewrite,
    Rewrites,
    SectionRequest,
    SentCopy,
    SyncState,
    Uids,
    UserId,
    Writing,
)

Unsubscribe = Callable[[], None]


class Pieces(Protocol):
    """A message of which no more than a piece has to be in memory. It can be gone through more than once."""

    def __len__(self) -> int:
        """Octets in all."""
        ...

    def __iter__(self) -> Iterator[bytes]:
        """Its octets in order, a few hundred kilobytes at a time."""
        ...


class Spool(Pieces, Protocol):
    """Room for pieces that come from elsewhere: empty at first, and gone once closed."""

    async def write(self, data: bytes) -> None:
        """Append. Raises `GatewayError` when there is no room."""
        ...

    def close(self) -> None: ...


class Mailboxes(Protocol):
    """One user's mail upstream.

    Every method may raise `UpstreamUnavailable`, `UpstreamRefused`, `UpstreamConfused` and
    `AuthenticationFailed`; a mailbox that is not there raises `NotFound`. Methods that take `uidvalidity`
    raise `NotFound` when the mailbox has another one by now.
    """

    async def list(self) -> Sequence[Mailbox]:
        """All mailboxes of the personal namespace, INBOX first, parents before children."""
        ...

    async def view(self, mailbox: str) -> MailboxView:
        """What the mailbox holds now.

        Costs one round trip when nothing changed, O(changes) when the server can tell.
        """
        ...

    async def received_since(self, mailbox: str, uidvalidity: int, since: datetime) -> Uids:
        """UIDs of messages whose internal date is not before `since`."""
        ...

    async def in_conversations(self, mailbox: str, uidvalidity: int, uids: Uids) -> Uids:
        """UIDs of these messages and of all others in the mailbox that belong to their conversations."""
        ...

    async def fetch(
        self, mailbox: str, uidvalidity: int, uids: Iterable[int], header_fields: Sequence[str] | None
    ) -> Mapping[int, MessageData]:
        """Structure, flags, date, size and header of messages, in bulk; vanished ones are left out.

        `header_fields` names the fields wanted (None: the whole header).
        """
        ...

    async def fetch_sections(
        self, mailbox: str, uidvalidity: int, requests: Sequence[SectionRequest]
    ) -> Mapping[SectionRequest, bytes]:
        """The raw bytes of body sections (transfer encoding not undone), in few bulk commands.

        Missing ones are left out.
        """
        ...

    def stream_section(
        self, mailbox: str, uidvalidity: int, request: SectionRequest, chunk: int = 262144
    ) -> AsyncIterator[bytes]:
        """The raw bytes of one section in pieces of at most `chunk` octets, by partial fetches.

        Raises `NotFound`.
        """
        ...

    async def set_flags(
        self,
        mailbox: str,
        uidvalidity: int,
        uids: Iterable[int],
        *,
        add: Iterable[str] = (),
        remove: Iterable[str] = (),
    ) -> Uids:
        """Set and clear flags; returns the UIDs that exist (and so have the flags now)."""
        ...

    async def move(
        self, mailbox: str, uidvalidity: int, uids: Iterable[int], target: str
    ) -> Mapping[int, int | None]:
        """Move messages.

        Maps each UID that was moved to its UID in `target` (None when the server does not tell).
        """
        ...

    async def expunge(self, mailbox: str, uidvalidity: int, uids: Iterable[int]) -> Uids:
        r"""Remove messages for good (never others that happen to be marked \Deleted).

        Returns those that were there.
        """
        ...

    async def append(
        self,
        mailbox: str,
        message: bytes | Pieces,
        *,
        flags: Iterable[str] = (),
        date: datetime | None = None,
    ) -> tuple[int, int] | None:
        """Store a message; returns (uidvalidity, uid) where the server tells (UIDPLUS)."""
        ...

    async def find_message_id(self, mailbox: str, message_id: str) -> Uids:
        """UIDs of the messages with this Message-ID header."""
        ...

    async def search(self, mailboxes: Sequence[str], query: Query, *, limit: int, seconds: float) -> Found:
        """The newest `limit` messages of these mailboxes for which the query holds, newest first.

        Mailboxes that are gone, or that the server does not let one search, are left out. After `seconds` it
        returns what was found until then. A user's searches take turns, so that they leave connections to
        his other requests. Raises `Refused` for text that cannot be searched for.
        """
        ...

    async def create(self, mailbox: str) -> None:
        """Create (and subscribe to) a mailbox; it is no error when it exists."""
        ...

    async def rename(self, mailbox: str, name: str) -> None:
        """Give a mailbox, and with it those below it, another name; subscriptions go along.

        Messages keep their UIDs where the server keeps UIDVALIDITY. Raises `AlreadyExists`.
        """
        ...

    async def delete(self, mailbox: str) -> None:
        """Remove a mailbox with its messages and its subscription, once there is none below it."""
        ...

    async def next_uid(self, mailbox: str) -> tuple[int, int]:
        """(UIDVALIDITY, UIDNEXT): a message that comes later gets this UID or a higher one."""
        ...

    async def subscribe(self, mailboxes: Iterable[str], notify: Callable[[str], None]) -> Unsubscribe:
        """Call `notify(mailbox)` in the event loop whenever a mailbox may have changed.

        Returns once the watch stands, so that a change after the return is noticed; the returned function
        ends it. A lost connection counts as "may have changed". All subscriptions of a user share one
        watcher.
        """
        ...


class MailboxesFactory(Protocol):
    """Opens a user's mail. Cheap: connections are pooled per user behind it."""

    def __call__(self, principal: Principal) -> Mailboxes: ...


class Authenticator(Protocol):
    """Checks a phone's credentials."""

    async def authenticate(self, credentials: Credentials) -> None:
        """Raises `AuthenticationFailed` when refused and `UpstreamUnavailable` when nobody could be asked."""
        ...


class Submission(Protocol):
    """Hands mail to the SMTP server."""

    async def submit(
        self, principal: Principal, sender: str, recipients: Sequence[str], message: bytes | Pieces
    ) -> None:
        """Submit one message; one in pieces has CRLF line ends already.

        Raises `SubmissionError`; on return the server has accepted it for every recipient.
        """
        ...


class State(Protocol):
    """What the gateway itself remembers. Each method is one short transaction, durable on return."""

    async def check_writable(self) -> None:
        """Raises `GatewayError` when the store cannot be written."""
        ...

    def lease(self, user: UserId, device: DeviceId, name: str) -> AbstractAsyncContextManager[None]:
        """Hold the exclusive right to work on something of a device while the context lasts.

        `name` is a collection id, "hierarchy" or "send".
        """
        ...

    async def load_device(self, user: UserId, device: DeviceId) -> Device | None: ...

    async def save_device(self, device: Device) -> None: ...

    async def list_devices(self, user: UserId | None = None) -> Sequence[Device]: ...

    async def prune_devices(self, before: datetime) -> None:
        """Forget devices never provisioned and not seen since that time, and all that is kept of them."""
        ...

    async def load_folders(self, user: UserId) -> FolderList: ...

    async def save_folders(self, user: UserId, folders: FolderList) -> FolderList:
        """Store the list if the stored revision is still `folders.revision`.

        Returns it with the new revision. Raises `StateConflict`.
        """
        ...

    async def load_sync(
        self, user: UserId, device: DeviceId, collection: CollectionId
    ) -> SyncState | None: ...

    async def load_syncs(self, user: UserId, device: DeviceId) -> Mapping[CollectionId, SyncState]: ...

    async def save_sync(
        self, user: UserId, device: DeviceId, collection: CollectionId, state: SyncState
    ) -> SyncState:
        """Store the state if the stored revision is still `state.revision` (0: none stored).

        Forgets the collection's intents in the same transaction. Returns it with the new revision.
        Raises `StateConflict`.
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
        """What was about to be done upstream when the last request on the collection began, by name."""
        ...

    async def save_intents(
        self, user: UserId, device: DeviceId, collection: CollectionId, intents: Mapping[str, bytes]
    ) -> None:
        """Add to the intents of a collection, before the upstream is touched."""
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

    async def prune_annotations(self, before: datetime) -> None:
        """Forget the annotations of messages that were gone before that time, or whose folder is gone."""
        ...

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

    async def prune_moves(self, before: datetime) -> None:
        """Forget the moves begun before that time."""
        ...

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

    async def note_poison(
        self, user: UserId, collection: CollectionId, item: str, release: str, reason: str
    ) -> bool:
        """Remember an item that could not be rendered by this release; True the first time."""
        ...

    async def poison_of_others(self, user: UserId, collection: CollectionId, release: str) -> Sequence[str]:
        """The items of a collection other releases could not render, and this one has not failed at."""
        ...

    async def list_poison(
        self, user: UserId | None = None
    ) -> Sequence[tuple[UserId, CollectionId, str, str, str]]: ...


class Clock(Protocol):
    """The time, so that tests can set it."""

    def now(self) -> datetime:
        """The current time in UTC, with tzinfo."""
        ...
