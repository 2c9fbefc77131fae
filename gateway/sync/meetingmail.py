"""Scheduling mail of a user's INBOX: fetched, and brought into his calendar one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

import structlog

from gateway.errors import GatewayError, NotFound, Refused, StateConflict
from gateway.items import Edit, Item, Notice
from gateway.mail.addresses import Address, addresses
from gateway.mail.headers import Headers
from gateway.mail.scheduling import PEOPLE, Calendar, calendar_part, open_calendar
from gateway.mail.structure import lay_out
from gateway.pim.events.document import Document
from gateway.pim.invitation import Method, Own
from gateway.pim.itip.comparing import differ_by_answers
from gateway.pim.itip.incoming import apply
from gateway.pim.itip.message import Message, Parts, read_message
from gateway.pim.itip.verdicts import Applied, Verdict
from gateway.ports import Clock, Commit, Items, Mailboxes
from gateway.sync.background import compute
from gateway.sync.delegates import Delegation, Heard
from gateway.sync.eventplaces import EventPlace, known_event, place_of
from gateway.sync.intakememory import Memory
from gateway.types import BodyPart, MessageData, SectionRequest, UserId

__all__ = ["INBOX", "MeetingMail", "Reader", "calendars"]

INBOX = "INBOX"
_BATCH_OCTETS = 4 * 1024 * 1024
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose INBOX is read, and how: `owner` is his address, `own` tells of others whether they are his."""

    user: UserId
    owner: str
    mailboxes: Mailboxes
    own: Own


@dataclass(frozen=True, slots=True)
class MeetingMail:
    """Brings messages into calendars.

    `tentative`: invitations become events before an answer. `zone` is that of times in none.
    """

    items: Items
    clock: Clock
    tentative: bool = True
    zone: tzinfo = UTC
    delegation: Delegation | None = None

    async def take(self, reader: Reader, mail: MessageData, calendar: Calendar, memory: Memory) -> None:
        """Bring one message into the calendar. One that cannot be understood is left alone.

        Raises `StateConflict` when the event keeps changing, and what the store raises.
        """
        log = structlog.get_logger("gateway.intake").bind(user=reader.user, uid=mail.uid)
        try:
            message = await compute(read_message, calendar.text, calendar.method, self.zone)
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

    async def _apply(self, reader: Reader, message: Message, heard: Heard, memory: Memory) -> Verdict:
        for _ in range(_ATTEMPTS):
            item = await known_event(self.items, reader.user, message.parts.uid)
            if item is None and await compute(memory.knows, message.parts):
                return Verdict.OLD
            owner, applied = await compute(
                _applied, message, item, sender=heard.sender.address, reader=reader, now=self.clock.now()
            )
            wanted = item is not None or self.tentative
            notes = await self._notes(reader, heard) if applied.verdict is Verdict.APPLIED else ()
            try:
                if applied.text is not None and (wanted or notes):
                    await self._store(reader.user, item, applied.text if wanted else None, owner, notes)
            except (StateConflict, NotFound):  # changed, moved, or gone with its calendar
                continue
            if _counts(message, applied):
                memory.note(message.parts)
            return applied.verdict
        raise StateConflict("the event keeps changing")

    async def _notes(self, reader: Reader, heard: Heard) -> Sequence[Notice]:
        """What delegates are to be told."""
        if self.delegation is None:
            return ()
        return await self.delegation.notes(reader.user, reader.owner, heard, self.clock.now())

    async def _store(
        self, user: UserId, item: Item | None, text: str | None, owner: str, notes: Sequence[Notice]
    ) -> None:
        """Store the event (None: only the notes)."""
        place = await place_of(self.items, user, item)
        edits = [] if text is None else [await compute(_edit, place, item, text, owner)]
        await self.items.commit_items(Commit(user, place.folder, edits, notices=notes))
        if notes and self.delegation is not None:
            self.delegation.stored(user)


def _applied(
    message: Message, item: Item | None, *, sender: str, reader: Reader, now: datetime
) -> tuple[str, Applied]:
    """By which address the event knows the user, and the message applied to it for him."""
    held = item.stored.text if item else None
    owner = (Parts.read(held) if held else message.parts).known_as(reader.owner, reader.own)
    return owner, apply(message, held, sender=sender, owner=owner, now=now)


def _edit(place: EventPlace, item: Item | None, text: str, owner: str) -> Edit:
    """The edit that stores the event with this text, in place of an item if there is one."""
    after = Document(text)
    answers = item is not None and differ_by_answers(Document.stored_as(item.stored), after, owner)
    return place.edit(after.stored, answers=answers)


def _sender(header: Headers) -> Address:
    """From whom a mail is: nobody, where it names several, as which of them wrote it cannot be told."""
    named = {one.address.lower(): one for one in addresses(header, "from") if "@" in one.address}
    return next(iter(named.values())) if len(named) == 1 else Address("", "")


def _counts(message: Message, applied: Applied) -> bool:
    """Whether what comes later is to be compared with this message, though there may be no event."""
    if applied.verdict is Verdict.UNKNOWN:
        return message.method is Method.CANCEL  # which has overtaken its invitation
    return message.method in {Method.REQUEST, Method.CANCEL} and applied.verdict is Verdict.APPLIED


async def calendars(
    mailboxes: Mailboxes, uidvalidity: int, uids: Sequence[int]
) -> Sequence[tuple[MessageData, Calendar]]:
    """Those of some messages that have a calendar, with it, in order."""
    found = await mailboxes.fetch(INBOX, uidvalidity, uids, (*PEOPLE, "Subject"))
    parts = {
        uid: part for uid in uids if uid in found and (part := calendar_part(lay_out(found[uid].structure)))
    }
    made: list[tuple[MessageData, Calendar]] = []
    for some in _portions(parts):
        requests = {uid: SectionRequest(uid, part.section) for uid, part in some.items()}
        answers = await mailboxes.fetch_sections(INBOX, uidvalidity, list(requests.values()))
        made += [
            (found[uid], open_calendar(some[uid], answers[request], Headers(found[uid].header)))
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
