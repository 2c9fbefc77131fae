"""Scheduling messages that arrived in the INBOX, brought into the calendar once, whichever device asks first.

How far the INBOX was read is remembered for the user. What is read again, after a crash or in a mailbox made
anew, changes nothing: a message is applied only if it is newer than what is known of its event, and what is
known outlives the event for a while, so that a deleted one does not come back with an old message.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo

import structlog

from gateway.errors import GatewayError, Refused, StateConflict
from gateway.items import Edit, Item, ItemKind, ItemNumber, Notice
from gateway.mail.addresses import Address, addresses
from gateway.mail.headers import Headers
from gateway.mail.scheduling import Calendar, calendar_part, open_calendar
from gateway.mail.structure import lay_out
from gateway.pim.events.document import Document
from gateway.pim.invitation import Method, Own
from gateway.pim.itip.comparing import differ_by_answers
from gateway.pim.itip.incoming import apply
from gateway.pim.itip.message import Instance, Message, Parts, Revision, read_message, revision
from gateway.pim.itip.verdicts import Applied, Verdict
from gateway.ports import Clock, Commit, Items, Mailboxes, State
from gateway.sync.background import Background, compute
from gateway.sync.copies import NO_DEVICE
from gateway.sync.delegates import Delegation, Heard
from gateway.sync.itemfolders import default_folder
from gateway.types import BodyPart, MailboxView, MessageData, SectionRequest, UserId

__all__ = ["INBOX", "Intake", "Reader"]

INBOX = "INBOX"
_MEMO = "intake"
_LEASE = "intake"
_FIRST_LOOK = timedelta(days=14)
_FIRST_MESSAGES = 500
"""How old mail may be that is read when nothing was read before, and how many messages at most."""
_MOST = 500
"""Messages looked at on one request at most."""
_BATCH = 50
_BATCH_OCTETS = 4 * 1024 * 1024
_REMEMBERED = 500
"""Versions of events that are remembered beyond the events."""
_ATTEMPTS = 5
_SELDOM = 30.0
"""Seconds between looks on requests that are not about a calendar."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose INBOX is read, and how: `owner` is his address, `own` tells of others whether they are his."""

    user: UserId
    owner: str
    mailboxes: Mailboxes
    own: Own


@dataclass(slots=True)
class _Memory:
    """What is remembered of a user: up to which UID his INBOX was read, and the newest versions seen.

    Mail from before `since` (seconds since 1970) is not read.
    """

    uidvalidity: int
    read: int
    versions: dict[str, tuple[int, float]] = field(default_factory=dict)
    since: float = 0.0

    def pack(self) -> bytes:
        values = [self.uidvalidity, self.read, self.versions, self.since]
        return json.dumps(values, separators=(",", ":")).encode()

    @classmethod
    def unpack(cls, data: bytes) -> _Memory:
        uidvalidity, read, versions, since = json.loads(data)
        return cls(uidvalidity, read, {name: (one[0], one[1]) for name, one in versions.items()}, since)

    def knows(self, parts: Parts) -> bool:
        """Whether all of it was seen before, or newer."""
        return all(
            _comparable(revision(event)) <= max(self._seen(parts.uid, instance), self._seen(parts.uid, None))
            for instance, event in parts.events.items()
        )

    def note(self, parts: Parts) -> None:
        for instance, event in parts.events.items():
            name = _name(parts.uid, instance)
            newest = max(self.versions.pop(name, _NOTHING), _comparable(revision(event)))
            self.versions[name] = newest  # at the end, as the one used last
        for name in list(self.versions)[:-_REMEMBERED]:
            del self.versions[name]

    def _seen(self, uid: str, instance: Instance) -> tuple[int, float]:
        return self.versions.get(_name(uid, instance), _NOTHING)


_NOTHING = (-1, 0.0)


def _comparable(version: Revision) -> tuple[int, float]:
    sequence, stamp = version
    return sequence, (stamp - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()


def _name(uid: str, instance: Instance) -> str:
    text = f"{uid}\n{instance.isoformat() if instance else ''}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class Intake:
    """Reads the INBOX of users on their requests.

    `tentative`: invitations become events before an answer. `zone` is that of times in none.
    """

    def __init__(
        self,
        state: State,
        items: Items,
        clock: Clock,
        background: Background,
        *,
        tentative: bool = True,
        zone: tzinfo = UTC,
        delegation: Delegation | None = None,
    ) -> None:
        self._state = state
        self._items = items
        self._clock = clock
        self._background = background
        self._tentative = tentative
        self._zone = zone
        self._delegation = delegation
        self._versions: dict[UserId, str] = {}
        """The view of each INBOX that holds nothing unread."""
        self._working: dict[UserId, asyncio.Task[None]] = {}
        self._again: set[UserId] = set()
        """Users whose INBOX is to be read once more by who is at it."""
        self._looked: dict[UserId, float] = {}
        """When somebody began to look, by the clock of the event loop."""
        self._log = structlog.get_logger("gateway.intake")

    def begin(self, reader: Reader) -> asyncio.Task[None]:
        """Read what arrived before now, in the background; one who is at it already does it once more."""
        self._looked[reader.user] = asyncio.get_running_loop().time()
        task = self._working.get(reader.user)
        if task is None:
            task = self._working[reader.user] = self._background.start(self._work(reader))
        else:
            self._again.add(reader.user)
        return task

    def glance(self, reader: Reader) -> None:
        """The same for a request that is about something else: now and then, for those who use a calendar."""
        looked = self._looked.get(reader.user)
        if looked is not None and asyncio.get_running_loop().time() - looked >= _SELDOM:
            self.begin(reader)

    async def settle(self, reader: Reader, seconds: float) -> None:
        """Wait until what arrived before now is read, but not for longer than that."""
        try:
            async with asyncio.timeout(seconds):
                await asyncio.shield(self.begin(reader))
        except TimeoutError:
            return

    async def _work(self, reader: Reader) -> None:
        user = reader.user
        try:
            while True:
                self._again.discard(user)
                await self.read(reader)
                if user not in self._again:
                    return
        except GatewayError as error:
            self._log.warning("scheduling messages wait", user=user, reason=error.detail)
        finally:
            del self._working[user]

    async def read(self, reader: Reader) -> None:
        """Read what arrived. Raises what the mail server and the store raise."""
        view = await reader.mailboxes.view(INBOX)
        if self._versions.get(reader.user) == view.version:
            return
        async with self._state.lease(reader.user, NO_DEVICE, _LEASE):
            memory = await self._memory(reader, view)
            unread = [uid for uid in view.uids if uid > memory.read]
            since = datetime.fromtimestamp(memory.since, UTC)
            for at in range(0, min(len(unread), _MOST), _BATCH):
                batch = unread[at : at + _BATCH]
                for message, calendar in await _calendars(reader.mailboxes, view.uidvalidity, batch):
                    if message.internal_date >= since:
                        await self._take(reader, message, calendar, memory)
                memory.read = batch[-1]
                await self._save(reader.user, memory)
            if len(unread) <= _MOST:
                self._versions[reader.user] = view.version

    async def _memory(self, reader: Reader, view: MailboxView) -> _Memory:
        """What is remembered; of an INBOX that was never read only the latest mail is to be.

        How old it is shows when it is fetched: to search for dates makes some servers open every message.
        """
        stored = await self._state.load_memo(reader.user, NO_DEVICE, _MEMO)
        memory = _Memory.unpack(stored) if stored else _Memory(-1, 0)
        if memory.uidvalidity != view.uidvalidity:
            memory.uidvalidity = view.uidvalidity
            newest = view.uids[-_FIRST_MESSAGES:]
            memory.read = newest[0] - 1 if newest else 0
            memory.since = (self._clock.now() - _FIRST_LOOK).timestamp()
            await self._save(reader.user, memory)
        return memory

    async def _save(self, user: UserId, memory: _Memory) -> None:
        await self._state.save_memo(user, NO_DEVICE, _MEMO, memory.pack())

    # --- one message -------------------------------------------------------------------------------------

    async def _take(self, reader: Reader, mail: MessageData, calendar: Calendar, memory: _Memory) -> None:
        """Bring one message into the calendar. One that cannot be understood is left alone."""
        log = self._log.bind(user=reader.user, uid=mail.uid)
        try:
            message = await compute(read_message, calendar.text, calendar.method, self._zone)
            if message is None:
                return
            header = Headers(mail.header)
            heard = Heard(calendar.text, calendar.method, _sender(header), header.text("subject"))
            verdict = await self._apply(reader, message, heard, memory)
        except Refused as error:
            log.warning("scheduling message not understood", reason=error.detail)
            return
        except GatewayError:
            raise
        except Exception:  # one message must not keep the others from being read
            log.exception("scheduling message cannot be read")
            return
        if verdict is not Verdict.APPLIED:
            log.info("scheduling message ignored", method=message.method, reason=verdict.value)

    async def _apply(self, reader: Reader, message: Message, heard: Heard, memory: _Memory) -> Verdict:
        for _ in range(_ATTEMPTS):
            item = await self._known(reader.user, message.parts.uid)
            if item is None and await compute(memory.knows, message.parts):
                return Verdict.OLD
            applied = await compute(
                _applied, message, item, sender=heard.sender.address, reader=reader, now=self._clock.now()
            )
            wanted = item is not None or self._tentative
            notes = await self._notes(reader, heard) if applied.verdict is Verdict.APPLIED else ()
            try:
                if applied.text is not None and (wanted or notes):
                    await self._store(reader, item, applied.text if wanted else None, notes)
            except StateConflict:
                continue
            if _counts(message, applied):
                memory.note(message.parts)
            return applied.verdict
        raise StateConflict("the event keeps changing")

    async def _known(self, user: UserId, uid: str) -> Item | None:
        return next(iter(await self._items.find_items(user, ItemKind.CALENDAR, uid)), None)

    async def _notes(self, reader: Reader, heard: Heard) -> Sequence[Notice]:
        """What delegates are to be told."""
        if self._delegation is None:
            return ()
        return await self._delegation.notes(reader.user, reader.owner, heard, self._clock.now())

    async def _store(
        self, reader: Reader, item: Item | None, text: str | None, notes: Sequence[Notice]
    ) -> None:
        """Store the event (None: only the notes)."""
        user = reader.user
        if item is not None:
            folder, number, based_on = item.folder, item.number, item.revision
        else:
            folder = (await default_folder(self._items, user, ItemKind.CALENDAR)).id
            (number,) = await self._items.new_item_numbers(1)
            based_on = 0
        edits = []
        if text is not None:
            edits.append(await compute(_edit, number, based_on, item, text, reader.owner))
        await self._items.commit_items(Commit(user, folder, edits, notices=notes))
        if notes and self._delegation is not None:
            self._delegation.stored(user)


def _applied(message: Message, item: Item | None, *, sender: str, reader: Reader, now: datetime) -> Applied:
    """A message applied to the event, for the user under the address that it knows him by."""
    held = item.stored.text if item else None
    owner = (Parts.read(held) if held else message.parts).known_as(reader.owner, reader.own)
    return apply(message, held, sender=sender, owner=owner, now=now)


def _edit(number: ItemNumber, based_on: int, item: Item | None, text: str, owner: str) -> Edit:
    """The edit that stores the event with this text, in place of an item if there is one."""
    after = Document(text)
    answers = item is not None and differ_by_answers(Document.stored_as(item.stored), after, owner)
    return Edit(number, based_on, after.stored, answers)


def _sender(header: Headers) -> Address:
    """From whom a mail is: nobody, where it names several, as which of them wrote it cannot be told."""
    named = {one.address.lower(): one for one in addresses(header, "from") if "@" in one.address}
    return next(iter(named.values())) if len(named) == 1 else Address("", "")


def _counts(message: Message, applied: Applied) -> bool:
    """Whether what comes later is to be compared with this message, though there may be no event."""
    if applied.verdict is Verdict.UNKNOWN:
        return message.method is Method.CANCEL  # which has overtaken its invitation
    return message.method in {Method.REQUEST, Method.CANCEL} and applied.verdict is Verdict.APPLIED


async def _calendars(
    mailboxes: Mailboxes, uidvalidity: int, uids: Sequence[int]
) -> Sequence[tuple[MessageData, Calendar]]:
    """Those of some messages that have a calendar, with it, in order."""
    found = await mailboxes.fetch(INBOX, uidvalidity, uids, ("From", "Subject"))
    parts = {
        uid: part for uid in uids if uid in found and (part := calendar_part(lay_out(found[uid].structure)))
    }
    made: list[tuple[MessageData, Calendar]] = []
    for some in _portions(parts):
        requests = {uid: SectionRequest(uid, part.section) for uid, part in some.items()}
        answers = await mailboxes.fetch_sections(INBOX, uidvalidity, list(requests.values()))
        made += [
            (found[uid], open_calendar(some[uid], answers[request]))
            for uid, request in requests.items()
            if request in answers
        ]
    return made


def _portions(parts: Mapping[int, BodyPart]) -> Iterator[dict[int, BodyPart]]:
    """Parts in groups that are not too large to be held at once."""
    some: dict[int, BodyPart] = {}
    size = 0
    for uid, part in parts.items():
        if some and size + part.size > _BATCH_OCTETS:
            yield some
            some, size = {}, 0
        some[uid] = part
        size += part.size
    if some:
        yield some
