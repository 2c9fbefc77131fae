"""A user's mail upstream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from gateway.ports.pieces import Pieces
from gateway.query import Found, Query
from gateway.types import (
    Mailbox,
    MailboxView,
    MessageData,
    Principal,
    SectionRequest,
    Uids,
)

Unsubscribe = Callable[[], None]

NAMES = "\0"
"""By this name `Mailboxes.subscribe` watches which mailboxes there are, as far as the server tells of it."""


class Mailboxes(Protocol):
    """One user's mail upstream.

    Every method may raise `UpstreamUnavailable`, `UpstreamRefused`, `UpstreamConfused` and
    `AuthenticationFailed`; a mailbox that is not there raises `NotFound`. Methods that take `uidvalidity`
    raise `NotFound` when the mailbox has another one by now.
    """

    async def list(self) -> Sequence[Mailbox]:
        """All mailboxes of the personal namespace, INBOX first, parents before children."""
        ...

    async def view(self, mailbox: str, *, exact: Iterable[int] = ()) -> MailboxView:
        """What the mailbox holds now.

        Costs one round trip when nothing changed, O(changes) when the server can tell. Where it cannot, flags
        that another program changed may be shown a minute late, but not those of the messages `exact` names:
        what somebody is about to change of them is compared with that.
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
