"""A user's mail over IMAP: implements `ports.Mailboxes` on pooled connections and shared views."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Hashable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from gateway.errors import Kind, NotFound, Refused, UpstreamHungUp, UpstreamRefused, UpstreamUnavailable
from gateway.ports import Pieces, Unsubscribe
from gateway.query import Found, Query
from gateway.types import Credentials, Mailbox, MailboxView, MessageData, SectionRequest, Uids
from gateway.upstream.imap import changes, commands, gmail, listing, messages, naming, search_keys
from gateway.upstream.imap.finder import Finder
from gateway.upstream.imap.pool import Pool
from gateway.upstream.imap.search import search
from gateway.upstream.imap.session import Session
from gateway.upstream.imap.snapshot import Snapshot, look, refresh, select
from gateway.upstream.imap.syntax import CommandError
from gateway.upstream.imap.unreadable import Unreadable, read_around
from gateway.upstream.imap.views import Views
from gateway.upstream.imap.watch import Watcher

log = logging.getLogger(__name__)

LOOK_AFTER = 1.0
"""Seconds for which a connection that was asked what is new is not asked again before it reads."""

K = TypeVar("K")
T = TypeVar("T")


class ImapMailboxes:
    """See `ports.Mailboxes`. Holds no connection of its own.

    What only reads is repeated once when a pooled connection turns out to be dead. What changes something
    is not: whether a connection lives is found out before it is sent, and if it dies after that,
    `UpstreamUnavailable` says that nobody knows.
    """

    def __init__(
        self,
        pool: Pool,
        credentials: Credentials,
        views: Views,
        watcher: Callable[[], Watcher],
        unreadable: Unreadable,
    ) -> None:
        self._pool = pool
        self._credentials = credentials
        self._views = views
        self._watcher = watcher
        self._unreadable = unreadable

    async def list(self) -> Sequence[Mailbox]:
        """See `ports.Mailboxes.list`."""
        return await self._repeatable(None, listing.list_mailboxes)

    async def view(self, mailbox: str, *, exact: Iterable[int] = ()) -> MailboxView:
        """See `ports.Mailboxes.view`."""

        def now(known: Snapshot | None, exact: Uids) -> Awaitable[Snapshot]:
            return self._repeatable(mailbox, lambda one: refresh(one, mailbox, known, exact))

        return await self._views.view(mailbox, now, Uids(exact))

    async def received_since(self, mailbox: str, uidvalidity: int, since: datetime) -> Uids:
        """See `ports.Mailboxes.received_since`."""
        search_fails = (self._credentials.login, mailbox, uidvalidity, "SINCE")
        if search_fails not in self._unreadable:
            try:
                return await self._reading(
                    mailbox, uidvalidity, lambda session: messages.received_since(session, since)
                )
            except UpstreamHungUp:
                pass  # perhaps over the date of one message
        present = await self._reading(
            mailbox, uidvalidity, lambda session: search(session, search_keys.key("ALL"))
        )
        dates = await self._read_around(
            mailbox, uidvalidity, present, messages.fetch_dates, lambda _: "INTERNALDATE"
        )
        unknown = present - Uids(dates)
        if unknown:
            self._unreadable.note(search_fails)
        recent = Uids(uid for uid, date in dates.items() if date >= since)
        # What cannot be read is taken to have come when those around it did.
        first = min(recent, default=max(dates, default=0))
        return recent | Uids(uid for uid in unknown if uid > first)

    async def in_conversations(self, mailbox: str, uidvalidity: int, uids: Uids) -> Uids:
        """See `ports.Mailboxes.in_conversations`."""

        async def complete(session: Session) -> Uids:
            assert session.selected is not None
            return await self._views.conversations.complete(session, session.selected, uids)

        return await self._reading(mailbox, uidvalidity, complete)

    async def find_message_id(self, mailbox: str, message_id: str) -> Uids:
        """See `ports.Mailboxes.find_message_id`."""
        return await self._reading(
            mailbox, None, lambda session: search(session, search_keys.key_header("MESSAGE-ID", message_id))
        )

    async def fetch(
        self, mailbox: str, uidvalidity: int, uids: Iterable[int], header_fields: Sequence[str] | None
    ) -> Mapping[int, MessageData]:
        """See `ports.Mailboxes.fetch`."""
        refused = self._complains(mailbox, uidvalidity)

        def read(session: Session, some: Sequence[int]) -> Awaitable[dict[int, MessageData]]:
            return messages.fetch_messages(session, some, header_fields, refused)

        return await self._read_around(mailbox, uidvalidity, uids, read, lambda _: "")

    async def fetch_sections(
        self, mailbox: str, uidvalidity: int, requests: Sequence[SectionRequest]
    ) -> Mapping[SectionRequest, bytes]:
        """See `ports.Mailboxes.fetch_sections`."""
        of: dict[int, list[SectionRequest]] = {}
        for request in requests:
            of.setdefault(request.uid, []).append(request)
        refused = self._complains(mailbox, uidvalidity)

        def read(session: Session, some: Sequence[int]) -> Awaitable[dict[SectionRequest, bytes]]:
            wanted = [request for uid in some for request in of[uid]]
            return messages.fetch_sections(session, wanted, refused)

        def sections(uid: int) -> frozenset[str]:
            return frozenset(request.section for request in of[uid])

        return await self._read_around(mailbox, uidvalidity, of, read, sections)

    async def stream_section(
        self, mailbox: str, uidvalidity: int, request: SectionRequest, chunk: int = 262144
    ) -> AsyncIterator[bytes]:
        """See `ports.Mailboxes.stream_section`. No connection is held between two pieces."""
        offset = request.offset
        end = None if request.limit is None else offset + request.limit
        while end is None or offset < end:
            size = chunk if end is None else min(chunk, end - offset)
            piece = replace(request, offset=offset, limit=size)
            found = await self.fetch_sections(mailbox, uidvalidity, [piece])
            if piece not in found:
                raise NotFound("message or section")
            data = found[piece]
            if data:
                yield data
            offset += len(data)
            if len(data) < size:
                return

    async def set_flags(
        self,
        mailbox: str,
        uidvalidity: int,
        uids: Iterable[int],
        *,
        add: Iterable[str] = (),
        remove: Iterable[str] = (),
    ) -> Uids:
        """See `ports.Mailboxes.set_flags`."""
        async with self._changing(mailbox), self._selected(mailbox, uidvalidity) as session:
            return await changes.set_flags(session, Uids(uids), add=add, remove=remove)

    async def move(
        self, mailbox: str, uidvalidity: int, uids: Iterable[int], target: str
    ) -> Mapping[int, int | None]:
        """See `ports.Mailboxes.move`."""
        async with self._changing(mailbox, target), self._selected(mailbox, uidvalidity) as session:
            return await changes.move(session, Uids(uids), target)

    async def expunge(self, mailbox: str, uidvalidity: int, uids: Iterable[int]) -> Uids:
        """See `ports.Mailboxes.expunge`."""
        async with self._changing(mailbox), self._selected(mailbox, uidvalidity) as session:
            expunge = gmail.expunge if gmail.CAPABILITY in session.capabilities else changes.expunge
            return await expunge(session, Uids(uids))

    async def append(
        self,
        mailbox: str,
        message: bytes | Pieces,
        *,
        flags: Iterable[str] = (),
        date: datetime | None = None,
    ) -> tuple[int, int] | None:
        """See `ports.Mailboxes.append`."""
        async with self._changing(mailbox), self._alive(None, _look) as session:
            return await changes.append(session, mailbox, message, flags, date)

    async def search(self, mailboxes: Sequence[str], query: Query, *, limit: int, seconds: float) -> Found:
        """See `ports.Mailboxes.search`."""
        finder = Finder(query, limit)
        refusal: UpstreamRefused | None = None
        try:
            async with asyncio.timeout(seconds), self._views.searching:
                for mailbox in await self._repeatable(None, lambda one: finder.narrow(one, mailboxes)):
                    try:
                        await self._look_into(mailbox, finder)
                    except NotFound:
                        continue
                    except UpstreamRefused as error:
                        refusal = error
                    # Whoever waits for the connection has its turn between two mailboxes.
                    await asyncio.sleep(0)
        except TimeoutError:
            return finder.found(complete=False)
        found = finder.found(complete=True)
        if refusal is not None and not found.hits:
            raise refusal
        return found

    async def create(self, mailbox: str) -> None:
        """See `ports.Mailboxes.create`."""
        await self._repeatable(None, lambda session: changes.create(session, mailbox))

    async def rename(self, mailbox: str, name: str) -> None:
        """See `ports.Mailboxes.rename`."""
        async with self._alive(None, _look) as session:
            await naming.rename(session, mailbox, name)

    async def delete(self, mailbox: str) -> None:
        """See `ports.Mailboxes.delete`."""
        async with self._alive(None, _look) as session:
            await naming.delete(session, mailbox)

    async def next_uid(self, mailbox: str) -> tuple[int, int]:
        """See `ports.Mailboxes.next_uid`."""
        return await self._repeatable(None, lambda session: naming.next_uid(session, mailbox))

    async def subscribe(self, mailboxes: Iterable[str], notify: Callable[[str], None]) -> Unsubscribe:
        """See `ports.Mailboxes.subscribe`."""
        return await self._watcher().subscribe(mailboxes, notify)

    async def _look_into(self, mailbox: str, finder: Finder) -> None:
        async def select_and_look(session: Session) -> None:
            await _select(session, mailbox, None)
            assert session.selected is not None
            await finder.look(session, session.selected)

        await self._repeatable(mailbox, select_and_look)

    # --- connections ---------------------------------------------------------------------------------------

    async def _reading(
        self,
        mailbox: str,
        uidvalidity: int | None,
        work: Callable[[Session], Awaitable[T]],
        uids: Sequence[int] = (),
    ) -> T:
        """Read something, of the messages `uids` alone when they are given."""

        async def select_and_work(session: Session) -> T:
            if not uids or not _shows(session, mailbox, uidvalidity, max(uids)):
                await _select(session, mailbox, uidvalidity)
            return await work(session)

        return await self._repeatable(mailbox, select_and_work)

    async def _read_around(
        self,
        mailbox: str,
        uidvalidity: int,
        uids: Iterable[int],
        read: Callable[[Session, Sequence[int]], Awaitable[dict[K, T]]],
        what: Callable[[int], Hashable],
    ) -> dict[K, T]:
        """Read messages, but for those that the server cannot read; `what` is read of a message."""

        async def afresh(some: Sequence[int]) -> dict[K, T]:
            with _sayable():
                async with self._pool.lease(self._credentials, mailbox, fresh=True) as session:
                    await _select(session, mailbox, uidvalidity)
                    return await read(session, some)

        return await read_around(
            uids,
            lambda some: self._reading(mailbox, uidvalidity, lambda session: read(session, some), some),
            afresh,
            self._unreadable,
            lambda uid: (self._credentials.login, mailbox, uidvalidity, uid, what(uid)),
        )

    def _complains(self, mailbox: str, uidvalidity: int) -> Callable[[int, str], None]:
        """What logs that the server refuses to show a message, once for as long as that is remembered."""

        def complain(uid: int, detail: str) -> None:
            name = (self._credentials.login, mailbox, uidvalidity, uid, "refused")
            if name not in self._unreadable:
                self._unreadable.note(name)
                log.warning("%s does not show message %d: %s", self._pool.settings.host, uid, detail)

        return complain

    async def _repeatable(self, mailbox: str | None, work: Callable[[Session], Awaitable[T]]) -> T:
        """Do something that may be done twice."""
        with _sayable():
            async with self._pool.lease(self._credentials, mailbox) as session:
                try:
                    return await work(session)
                except (UpstreamUnavailable, UpstreamRefused):
                    if not _worth_repeating(session):
                        raise
            async with self._pool.lease(self._credentials, mailbox, fresh=True) as session:
                return await work(session)

    def _selected(self, mailbox: str, uidvalidity: int) -> AbstractAsyncContextManager[Session]:
        return self._alive(mailbox, lambda session: _select(session, mailbox, uidvalidity))

    @asynccontextmanager
    async def _changing(self, *mailboxes: str) -> AsyncIterator[None]:
        """Around what may change mailboxes, whether or not it succeeds."""
        try:
            yield
        finally:
            self._views.changed(*mailboxes)

    @asynccontextmanager
    async def _alive(
        self, mailbox: str | None, prepare: Callable[[Session], Awaitable[None]]
    ) -> AsyncIterator[Session]:
        """A session that answered a moment ago, after `prepare`, which may be done twice."""
        async with AsyncExitStack() as stack:
            stack.enter_context(_sayable())
            session = await stack.enter_async_context(self._pool.lease(self._credentials, mailbox))
            try:
                await prepare(session)
            except (UpstreamUnavailable, UpstreamRefused):
                if not _worth_repeating(session):
                    raise
                session.close()
                session = await stack.enter_async_context(
                    self._pool.lease(self._credentials, mailbox, fresh=True)
                )
                await prepare(session)
            yield session


@contextmanager
def _sayable() -> Iterator[None]:
    """What cannot be said in IMAP (a NUL in a name or a message) is refused before it is sent."""
    try:
        yield
    except CommandError as error:
        raise Refused(Kind.INVALID_CONTENT, str(error)) from error


def _worth_repeating(session: Session) -> bool:
    """A connection that had been waiting in the pool may be dead without anybody's fault.

    Or Dovecot has there the index of a mailbox that went, and takes it for that of the new one of the name.
    """
    return (session.closed or session.ailing) and session.uses > 1 and not session.silent


async def _look(session: Session) -> None:
    await session.execute(commands.simple("NOOP"))


def _shows(session: Session, mailbox: str, uidvalidity: int | None, uid: int) -> bool:
    """Whether the mailbox is selected, looked at a moment ago, and shows its messages up to `uid`."""
    selected = session.selected
    return (
        selected is not None
        and (selected.mailbox, selected.uidvalidity) == (mailbox, uidvalidity)
        and uid <= selected.highest
        and asyncio.get_running_loop().time() - selected.looked < LOOK_AFTER
    )


async def _select(session: Session, mailbox: str, uidvalidity: int | None) -> None:
    """Have the mailbox selected and in its newest state. Raises `NotFound`."""
    selected = session.selected
    # Without a look the session would not see messages that others have seen already. One that knows another
    # mailbox of this name may be the last to know it: not every server tells when a mailbox goes.
    stays = selected is not None and selected.mailbox == mailbox and selected.uidvalidity == uidvalidity
    if selected is None or not stays or not await look(session):
        _, selected = await select(session, mailbox)
    if uidvalidity not in (None, selected.uidvalidity):
        raise NotFound("the mailbox has another UIDVALIDITY")
