"""A user's mail in which messages can be edited, though IMAP cannot change one.

It is the port `Mailboxes` over another: an edited message is stored again there, and goes on here under the
UID it had first. What may be cut off is noted before it is begun:

    noted, not stored          forgotten again, when it has not come for a while (`doubts.py`)
    stored, the note is there  found by the marker in its header; noted as done
    noted as done              the version before is hidden from devices, and removed

So whoever comes next, be it another device, finds each message once.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime

from gateway.errors import NotFound, UpstreamRefused
from gateway.mail.draft import MARKER
from gateway.mail.headers import Headers
from gateway.ports import Clock, Mailboxes, Pieces, State, Unsubscribe
from gateway.query import Found, Query
from gateway.sync.doubts import Doubts
from gateway.sync.rewrites import Names
from gateway.sync.unfinished import UnfinishedMoves
from gateway.types import (
    NO_DEVICE,
    Mailbox,
    MailboxView,
    MessageData,
    Rewrites,
    SectionRequest,
    Uids,
    UserId,
    Writing,
)

__all__ = ["EditableMailboxes", "Editing"]


class EditableMailboxes:
    """See `ports.Mailboxes`, and `editing`."""

    def __init__(self, mailboxes: Mailboxes, state: State, user: UserId, clock: Clock) -> None:
        self._mailboxes = mailboxes
        self._state = state
        self._user = user
        self._clock = clock
        self._seen: dict[str, Rewrites] = {}
        """What was known of a mailbox when its view was made."""

    @asynccontextmanager
    async def editing(self, mailbox: str) -> AsyncIterator[Editing]:
        """Hold the exclusive right to store messages in a mailbox, with what was cut off brought to an end.

        Raises `NotFound` and `UpstreamError`.
        """
        async with self._state.lease(self._user, NO_DEVICE, f"edit {mailbox}"):
            known = await self._settle(mailbox, await self._state.load_rewrites(self._user, mailbox))
            yield Editing(self._mailboxes, self._state, self._user, mailbox, known)

    async def view(self, mailbox: str, *, exact: Iterable[int] = ()) -> MailboxView:
        """See `ports.Mailboxes.view`."""
        if exact := Uids(exact):
            edited = (await self._state.load_rewrites(self._user, mailbox)).done
            exact |= Uids(each.uid for each in edited if each.item in exact)
        view = await self._mailboxes.view(mailbox, exact=exact)
        known = self._seen[mailbox] = await self._state.load_rewrites(self._user, mailbox)
        if not known.done and not known.pending:
            return view
        names = Names(view.uidvalidity, known.done)
        if not names and not known.pending:
            return view
        if not known.pending and not names.gone(view) and not names.stale(view):
            return names.shown(view)
        # Somebody edits, or what he began was cut off, or an edited message is gone, if this view is not just
        # older than the edit.
        async with self.editing(mailbox) as editing:
            view = await self._mailboxes.view(mailbox, exact=exact)
            self._seen.pop(mailbox, None)
            names = Names(view.uidvalidity, editing.known.done)
            if gone := names.gone(view):
                await self._state.forget_rewrites(self._user, mailbox, gone)
            return names.shown(view)

    async def _settle(self, mailbox: str, known: Rewrites) -> Rewrites:
        """Find out what became of messages whose storing was cut off; remove old versions."""
        if known.pending:
            doubts = await Doubts.load(self._state, self._user, mailbox)
            for writing in known.pending:
                await self._find_out(mailbox, writing, known, doubts)
            await doubts.save()
            known = await self._state.load_rewrites(self._user, mailbox)
        if known.done:
            await remove_stale(self._mailboxes, mailbox, known)
        return known

    async def _find_out(self, mailbox: str, writing: Writing, known: Rewrites, doubts: Doubts) -> None:
        doubt = doubts.of(writing)
        uid, looked = await find_written(
            self._mailboxes, mailbox, writing, beyond=doubt.looked if doubt else writing.newest
        )
        if uid is None:
            if doubts.missed(writing, looked, self._clock.now()):
                return
        elif doubt is None or not (doubt.replaced or _is_outdated(writing, known)):
            answer = _answer(writing, uid)
            await self._state.finish_writing(self._user, mailbox, writing, uid, answer)
        elif doubt.replaced:
            with suppress(UpstreamRefused, NotFound):  # it stays then, as a draft too many
                await self._mailboxes.expunge(mailbox, writing.rewrite.uidvalidity, [uid])
        await self._state.abandon_writing(self._user, mailbox, writing.marker)
        doubts.settled(writing)

    # --- messages by name ----------------------------------------------------------------------------------

    async def _names(self, mailbox: str, uidvalidity: int) -> Names:
        known = self._seen[mailbox] = await self._state.load_rewrites(self._user, mailbox)
        return Names(uidvalidity, known.done)

    async def _names_seen(self, mailbox: str, uidvalidity: int) -> Names:
        """Those that the newest view shows messages by; who finds a message gone looks again."""
        if (seen := self._seen.get(mailbox)) is not None:
            return Names(uidvalidity, seen.done)
        return await self._names(mailbox, uidvalidity)

    async def received_since(self, mailbox: str, uidvalidity: int, since: datetime) -> Uids:
        """See `ports.Mailboxes.received_since`."""
        found = await self._mailboxes.received_since(mailbox, uidvalidity, since)
        return (await self._names(mailbox, uidvalidity)).known(found)

    async def in_conversations(self, mailbox: str, uidvalidity: int, uids: Uids) -> Uids:
        """See `ports.Mailboxes.in_conversations`."""
        names = await self._names(mailbox, uidvalidity)
        asked = Uids(names.upstream(uids))
        return names.known(await self._mailboxes.in_conversations(mailbox, uidvalidity, asked))

    async def fetch(
        self, mailbox: str, uidvalidity: int, uids: Iterable[int], header_fields: Sequence[str] | None
    ) -> Mapping[int, MessageData]:
        """See `ports.Mailboxes.fetch`."""
        wanted = Uids(uids)
        names = await self._names_seen(mailbox, uidvalidity)
        while True:
            found = await self._mailboxes.fetch(mailbox, uidvalidity, names.upstream(wanted), header_fields)
            if len(found) == len(wanted):
                break
            now = await self._names(mailbox, uidvalidity)
            if now.rewrites == names.rewrites:
                break
            names = now  # somebody edited a message since they were looked up
        if not names:
            return found
        return {
            item: replace(data, uid=item, structure=names.labelled(item, data.structure))
            for data in found.values()
            for item in (names.item(data.uid),)
        }

    async def fetch_sections(
        self, mailbox: str, uidvalidity: int, requests: Sequence[SectionRequest]
    ) -> Mapping[SectionRequest, bytes]:
        """See `ports.Mailboxes.fetch_sections`."""
        names = await self._names_seen(mailbox, uidvalidity)
        while True:
            asked = {request: _upstream(names, request) for request in requests}
            wanted = [request for request in dict.fromkeys(asked.values()) if request is not None]
            found = await self._mailboxes.fetch_sections(mailbox, uidvalidity, wanted)
            if len(found) == len(wanted):
                break
            now = await self._names(mailbox, uidvalidity)
            if now.rewrites == names.rewrites:
                break
            names = now
        return {request: found[real] for request, real in asked.items() if real is not None and real in found}

    async def stream_section(
        self, mailbox: str, uidvalidity: int, request: SectionRequest, chunk: int = 262144
    ) -> AsyncIterator[bytes]:
        """See `ports.Mailboxes.stream_section`."""
        real = _upstream(await self._names(mailbox, uidvalidity), request)
        if real is None:
            raise NotFound("the attachment was removed")
        async for piece in self._mailboxes.stream_section(mailbox, uidvalidity, real, chunk):
            yield piece

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
        names = await self._names(mailbox, uidvalidity)
        wanted = names.upstream(uids)
        there = await self._mailboxes.set_flags(mailbox, uidvalidity, wanted, add=add, remove=remove)
        return names.known(there)

    async def move(
        self, mailbox: str, uidvalidity: int, uids: Iterable[int], target: str
    ) -> Mapping[int, int | None]:
        """See `ports.Mailboxes.move`. Two devices that move a message at once do so one after the other.

        Servers do not see to that: each of two sessions copies the message before one of them removes it.
        What a move left half done is brought to an end by the next one.
        """
        unfinished = UnfinishedMoves(self._state, self._mailboxes, self._user, mailbox)
        async with self._state.lease(self._user, NO_DEVICE, f"move {mailbox}"):
            await unfinished.finish()
            names = await self._names(mailbox, uidvalidity)
            wanted = names.upstream(uids)
            await unfinished.begin(uidvalidity, wanted, target)
            moved = await self._mailboxes.move(mailbox, uidvalidity, wanted, target)
            await unfinished.done()
        return {names.item(uid): there for uid, there in moved.items()}

    async def expunge(self, mailbox: str, uidvalidity: int, uids: Iterable[int]) -> Uids:
        """See `ports.Mailboxes.expunge`."""
        names = await self._names(mailbox, uidvalidity)
        return names.known(await self._mailboxes.expunge(mailbox, uidvalidity, names.upstream(uids)))

    async def find_message_id(self, mailbox: str, message_id: str) -> Uids:
        """See `ports.Mailboxes.find_message_id`."""
        found = await self._mailboxes.find_message_id(mailbox, message_id)
        known = await self._state.load_rewrites(self._user, mailbox)
        if not found or not known.done:
            return found
        uidvalidity, _ = await self._mailboxes.next_uid(mailbox)
        return Names(uidvalidity, known.done).known(found)

    async def search(self, mailboxes: Sequence[str], query: Query, *, limit: int, seconds: float) -> Found:
        """See `ports.Mailboxes.search`."""
        found = await self._mailboxes.search(mailboxes, query, limit=limit, seconds=seconds)
        hits = []
        for hit in found.hits:
            names = await self._names(hit.mailbox, hit.uidvalidity)
            hits += [replace(hit, uid=item) for item in names.known((hit.uid,))]
        return replace(found, hits=tuple(hits))

    # --- what has nothing to do with the names of messages -------------------------------------------------

    async def list(self) -> Sequence[Mailbox]:
        """See `ports.Mailboxes.list`."""
        return await self._mailboxes.list()

    async def append(
        self,
        mailbox: str,
        message: bytes | Pieces,
        *,
        flags: Iterable[str] = (),
        date: datetime | None = None,
    ) -> tuple[int, int] | None:
        """See `ports.Mailboxes.append`."""
        return await self._mailboxes.append(mailbox, message, flags=flags, date=date)

    async def create(self, mailbox: str) -> None:
        """See `ports.Mailboxes.create`."""
        await self._mailboxes.create(mailbox)

    async def rename(self, mailbox: str, name: str) -> None:
        """See `ports.Mailboxes.rename`."""
        await self._mailboxes.rename(mailbox, name)

    async def delete(self, mailbox: str) -> None:
        """See `ports.Mailboxes.delete`."""
        await self._mailboxes.delete(mailbox)

    async def next_uid(self, mailbox: str) -> tuple[int, int]:
        """See `ports.Mailboxes.next_uid`."""
        return await self._mailboxes.next_uid(mailbox)

    async def subscribe(self, mailboxes: Iterable[str], notify: Callable[[str], None]) -> Unsubscribe:
        """See `ports.Mailboxes.subscribe`."""
        return await self._mailboxes.subscribe(mailboxes, notify)


class Editing:
    """The right to store messages in a mailbox; `known` are those edited before. UIDs here are upstream's."""

    def __init__(
        self, mailboxes: Mailboxes, state: State, user: UserId, mailbox: str, known: Rewrites
    ) -> None:
        self.mailboxes = mailboxes
        self.known = known
        self._state = state
        self._user = user
        self._mailbox = mailbox

    async def store(self, writing: Writing, message: bytes, flags: Iterable[str]) -> bytes:
        """Store a message in place of the version that `writing.rewrite` names, if any.

        It is there and noted when this returns: `writing.value`, which is a JSON object, with `uid`, by which
        devices know the message, and `edition`. Raises `NotFound` and `UpstreamError`.
        """
        if self.known.pending:
            doubts = await Doubts.load(self._state, self._user, self._mailbox)
            doubts.replace(self.known.pending, writing)
            await doubts.save()
        await self._state.begin_writing(self._user, self._mailbox, writing)
        try:
            told = await self.mailboxes.append(self._mailbox, message, flags=flags)
        except (UpstreamRefused, NotFound):
            await self._state.abandon_writing(self._user, self._mailbox, writing.marker)
            raise
        if told is not None and told[0] == writing.rewrite.uidvalidity:
            uid: int | None = told[1]
        else:
            uid, _ = await find_written(self.mailboxes, self._mailbox, writing, beyond=writing.newest)
        if uid is None:
            await self._state.abandon_writing(self._user, self._mailbox, writing.marker)
            raise NotFound("a message just stored is not there")
        answer = _answer(writing, uid)
        await self._state.finish_writing(self._user, self._mailbox, writing, uid, answer)
        if writing.rewrite.item:
            self.known = await self._state.load_rewrites(self._user, self._mailbox)
            await remove_stale(self.mailboxes, self._mailbox, self.known)
        return answer


async def find_written(
    mailboxes: Mailboxes, mailbox: str, writing: Writing, *, beyond: int
) -> tuple[int | None, int]:
    """The UID of a message that may have been stored, above `beyond`, and up to where it was looked for.

    Raises `UpstreamError`.
    """
    try:
        view = await mailboxes.view(mailbox)
        if view.uidvalidity != writing.rewrite.uidvalidity:
            return None, beyond
        later = Uids(uid for uid in view.uids if uid > beyond)
        found = await mailboxes.fetch(mailbox, view.uidvalidity, later, [MARKER]) if later else {}
    except NotFound:
        return None, beyond
    for uid, message in found.items():
        if Headers(message.header).text(MARKER.lower()) == writing.marker:
            return uid, uid
    return None, max(later, default=beyond)


async def remove_stale(mailboxes: Mailboxes, mailbox: str, known: Rewrites) -> None:
    """Remove earlier versions of messages, which are hidden already; a refusal leaves them there."""
    try:
        view = await mailboxes.view(mailbox)
        stale = Names(view.uidvalidity, known.done).stale(view)
        if stale:
            await mailboxes.expunge(mailbox, view.uidvalidity, stale)
    except (UpstreamRefused, NotFound):
        return


def _is_outdated(writing: Writing, known: Rewrites) -> bool:
    """Whether the version that a message was to replace is not the present one any more."""
    rewrite = writing.rewrite
    present = Names(rewrite.uidvalidity, known.done).uid(rewrite.item)
    return rewrite.item != 0 and present not in rewrite.stale


def _answer(writing: Writing, uid: int) -> bytes:
    """What the device is told of a message, with the UID and the edition by which it is to know it."""
    item = writing.rewrite.item
    told = {"uid": item or uid, "edition": uid if item else 0}
    return json.dumps({**json.loads(writing.value), **told}).encode()


def _upstream(names: Names, request: SectionRequest) -> SectionRequest | None:
    if request.uid not in names.rewrites:
        return request
    section = names.section(request.uid, request.section)
    return None if section is None else replace(request, uid=names.uid(request.uid), section=section)
