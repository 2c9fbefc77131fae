"""Mail on the wire (MS-ASEMAIL): messages upstream to the children of ApplicationData.

`render` works in two bulk fetches: structure and header fields of all messages, then exactly the sections
that their bodies need. An attachment is never downloaded to show a message.
"""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType

from gateway.eas.content import legacy
from gateway.eas.content.body import BodyPlan, PartSink, body_elements, plan_body, received
from gateway.eas.content.email_properties import (
    HEADER_FIELDS,
    Place,
    properties,
)
from gateway.eas.content.marks import NO_VALUES, Marks
from gateway.eas.content.meeting import meeting_of
from gateway.eas.content.preferences import MIME, PLAIN, BodyOptions
from gateway.eas.versions import Version
from gateway.mail import reports
from gateway.mail.categories import category
from gateway.mail.packed import packed_part, unpack
from gateway.mail.scheduling import calendar_part, open_calendar, with_text, without_calendar
from gateway.mail.sealed import is_sealed, open_sealed, signed_part
from gateway.mail.structure import Layout, lay_out
from gateway.mail.tnef import BadTnef
from gateway.pim.invitation import Invitation
from gateway.ports import Mailboxes
from gateway.sync.annotations import Values
from gateway.sync.background import compute
from gateway.types import TRACKED_FLAGS, BodyPart, CollectionId, MessageData, SectionRequest
from wbxml import Element, element
from wbxml.pages import AirSyncBase

__all__ = ["LARGEST_BATCH", "NOT_GIVEN", "Prepared", "Rendered", "Room", "not_given", "prepare", "render"]

LARGEST_BATCH = 4 * 1024 * 1024
"""About how much is fetched at once; a message that needs more makes a batch of its own."""
LARGEST_REPLY = 32 * 1024 * 1024
"""Octets of messages from which on others that are not small have no Data: devices fetch it later."""
_SMALL = 16 * 1024
_BATCH_MESSAGES = 100
"""Messages of one batch: planning and rendering even small ones must not hold up the event loop for long."""
_FEW = 16
_THREAD_OCTETS = 128 * 1024
"""A batch of more messages or octets than this is rendered in a thread, so that the event loop goes on."""
_TRACKED = frozenset(flag.lower() for flag in TRACKED_FLAGS)
NO_FLAGS: Mapping[int, Collection[str]] = MappingProxyType({})
"""The default of `render`: every message with the flags it has."""
NO_NOTES: Mapping[int, Values] = MappingProxyType({})
FindNotes = Callable[[Mapping[int, MessageData]], Awaitable[Mapping[int, Values]]]
"""Finds the annotations of messages, which were fetched with `HEADER_FIELDS`."""
_NOT_SHOWN = b"(message could not be shown)"
NOT_GIVEN = "the mail server does not show it"
"""Why a message is a stub that may be readable some day."""
_EXPLANATION = (
    "This message could not be converted for the device. It is unharmed on the mail server and can be read "
    "with another mail program. The cause is in the log of the gateway."
)
_UNREAD = "The mail server could not read this message. It may be damaged there; its administrator can tell."
_NO_DATE = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rendered:
    """The children of ApplicationData for one message.

    `poison` is None, or why the message could not be rendered: then `elements` are a readable stub, and the
    caller should log and list it. The reason holds no text of the message. `unread` says that the server gave
    nothing of its body: either it cannot, or the message has gone meanwhile. `withheld` says that its body is
    left out because there was no room for it.
    """

    elements: list[Element]
    poison: str | None = None
    unread: bool = False
    withheld: bool = False


@dataclass(slots=True)
class Room:
    """How many octets of messages a reply still holds, about. Small messages always fit."""

    left: int = field(default_factory=lambda: LARGEST_REPLY)

    def fits(self, cost: int) -> bool:
        """Whether a message of so many octets goes in: one may be larger than what is left."""
        return self.left > 0 or cost <= _SMALL


@dataclass(frozen=True, slots=True)
class Prepared:
    """Messages fetched and planned, to be rendered later. What they are marked with is not part of it."""

    uidvalidity: int
    options: BodyOptions
    version: Version
    jobs: Mapping[int, _Job]
    answers: Mapping[SectionRequest, bytes]

    def fit(self, uidvalidity: int, options: BodyOptions, version: Version) -> bool:
        """Whether they may be rendered for a request."""
        return (self.uidvalidity, self.options, self.version) == (uidvalidity, options, version)


async def prepare(  # noqa: PLR0917 - as `render`
    mailboxes: Mailboxes,
    mailbox: str,
    uidvalidity: int,
    uids: Sequence[int],
    options: BodyOptions,
    version: Version,
) -> Prepared:
    """Do for the first of these messages, as many as make a batch, what of `render` can be done ahead."""
    found = await mailboxes.fetch(mailbox, uidvalidity, uids[:_BATCH_MESSAGES], HEADER_FIELDS)
    unmarked = [(found[uid], NO_VALUES) for uid in uids if uid in found]
    batch = next(iter(await _planned(unmarked, options, version, Room())), [])
    answers = await _fetch_sections(mailboxes, mailbox, uidvalidity, batch)
    return Prepared(uidvalidity, options, version, {job.message.uid: job for job in batch}, answers)


async def render(  # noqa: PLR0917 - the first four name the messages, as in `Mailboxes.fetch`
    mailboxes: Mailboxes,
    mailbox: str,
    uidvalidity: int,
    uids: Sequence[int],
    options: BodyOptions,
    version: Version,
    *,
    collection: CollectionId,
    drafts: bool = False,
    parts: PartSink | None = None,
    flags: Mapping[int, Collection[str]] = NO_FLAGS,
    notes: FindNotes | None = None,
    owner: str = "",
    prepared: Prepared | None = None,
    room: Room | None = None,
) -> Mapping[int, Rendered]:
    """Render messages by UID, in the order of `uids`; vanished ones are left out.

    `flags` are the tracked flags and categories a message is to be shown with, by UID; for others it is those
    it has now. `notes` finds their annotations. `drafts` says that the mailbox is the Drafts folder, `owner`
    is the address of its user. With `parts` (multipart replies) the data of a Body goes there and the
    Body holds its index. Those of `prepared` are not fetched again. Messages for which the reply has no
    `room` (None: they are all of it) have bodies without Data. Raises what `Mailboxes.fetch` raises, and
    nothing because of what a message holds.
    """
    place = Place(collection, uidvalidity, drafts, owner)
    room = Room() if room is None else room
    ready = prepared.jobs if prepared and prepared.fit(uidvalidity, options, version) else {}
    batch: list[_Job] = []
    for uid in uids:
        job = ready.get(uid)
        if job and prepared and not _is_unread(job, prepared.answers) and room.fits(job.cost):
            batch.append(replace(job, message=_shown_with(job.message, flags.get(uid))))
            room.left -= job.cost
    known = await notes({job.message.uid: job.message for job in batch}) if notes and batch else NO_NOTES
    batch = [replace(job, values=known.get(job.message.uid, NO_VALUES)) for job in batch]
    rendered = await _rendered(batch, prepared.answers if prepared else {}, place, version, parts)
    missing = [uid for uid in uids if uid not in rendered]
    found = await mailboxes.fetch(mailbox, uidvalidity, missing, HEADER_FIELDS) if missing else {}
    known = await notes(found) if notes and found else NO_NOTES
    shown = [
        (_shown_with(found[uid], flags.get(uid)), known.get(uid, NO_VALUES))
        for uid in missing
        if uid in found
    ]
    for batch in await _planned(shown, options, version, room, streamed=parts is not None):
        answers = await _fetch_sections(mailboxes, mailbox, uidvalidity, batch)
        rendered |= await _rendered(batch, answers, place, version, parts)
    return {uid: rendered[uid] for uid in uids if uid in rendered}


def not_given(
    uid: int, uidvalidity: int, version: Version, *, collection: CollectionId, flags: Collection[str] = ()
) -> Rendered:
    """What is shown for a message that is there, and of which the server tells nothing."""
    text = BodyPart("1", "text", "plain", size=0)
    message = MessageData(uid, frozenset(flags), _NO_DATE, 0, text, b"Subject: " + _NOT_SHOWN + b"\r\n\r\n")
    job = _Job(message, NO_VALUES, BodyOptions(), None)
    place = Place(collection, uidvalidity, drafts=False, owner="")
    return _stub(job, place, version, NOT_GIVEN, unread=True)


async def _fetch_sections(
    mailboxes: Mailboxes, mailbox: str, uidvalidity: int, batch: Iterable[_Job]
) -> Mapping[SectionRequest, bytes]:
    wanted = [request for job in batch for request in job.requests]
    return await mailboxes.fetch_sections(mailbox, uidvalidity, wanted) if wanted else {}


async def _rendered(
    batch: Sequence[_Job],
    answers: Mapping[SectionRequest, bytes],
    place: Place,
    version: Version,
    parts: PartSink | None,
) -> dict[int, Rendered]:
    if len(batch) > _FEW or sum(map(len, answers.values())) > _THREAD_OCTETS:
        return await compute(_render_batch, batch, answers, place, version, parts)
    return _render_batch(batch, answers, place, version, parts)


def _shown_with(message: MessageData, flags: Collection[str] | None) -> MessageData:
    if flags is None:
        return message
    untracked = {flag for flag in message.flags if flag.lower() not in _TRACKED and category(flag) is None}
    return replace(message, flags=frozenset(untracked.union(flags)))


@dataclass(frozen=True, slots=True)
class _Job:
    """A message to be rendered: planned, or found impossible (`error`). `cost` is in octets, about."""

    message: MessageData
    values: Values
    options: BodyOptions
    plan: BodyPlan | None
    requests: tuple[SectionRequest, ...] = ()
    cost: int = 0
    packed: BodyPart | None = None
    """The winmail.dat that is to be opened."""
    calendar: BodyPart | None = None
    """The calendar that may make it a meeting mail."""
    sealed: bool = False
    """Whether its text is not in the open, and is shown; `signed` is the part that may hold it."""
    signed: BodyPart | None = None
    error: str = ""
    withheld: bool = False


def _job(
    message: MessageData, values: Values, options: BodyOptions, version: Version, *, streamed: bool
) -> _Job:
    try:
        layout = lay_out(message.structure)
        plan = plan_body(layout, message.size, options, version, streamed=streamed)
        cost = plan.cost + len(message.header)
    except Exception as error:  # noqa: BLE001 - one message must not keep back the others; the caller logs it
        return _Job(message, values, options, None, error=_reason(error))
    requests = [SectionRequest(message.uid, section, 0, limit) for section, limit in plan.sections.items()]
    if plan.layout.status:
        requests.append(SectionRequest(message.uid, plan.layout.status.section, 0, reports.ENOUGH))
    packed = packed_part(plan.layout)
    if packed:
        requests.append(SectionRequest(message.uid, packed.section))
        cost += packed.size
    calendar = calendar_part(plan.layout)
    if calendar:
        requests.append(SectionRequest(message.uid, calendar.section))
        cost += calendar.size
    shown = plan.part is not None or any(one.type != MIME or one.preview for one in plan.attempts)
    sealed = shown and is_sealed(message.structure, plan.layout)
    signed = signed_part(message.structure, plan.layout) if sealed else None
    if signed:
        requests.append(SectionRequest(message.uid, signed.section))
        cost += signed.size
    return _Job(message, values, options, plan, tuple(requests), cost, packed, calendar, sealed, signed)


async def _planned(
    messages: Sequence[tuple[MessageData, Values]],
    options: BodyOptions,
    version: Version,
    room: Room,
    *,
    streamed: bool = False,
) -> Iterable[list[_Job]]:
    batches = _batches(messages, options, version, room, streamed=streamed)
    return await compute(lambda: [*batches]) if len(messages) > _FEW else batches


def _batches(
    messages: Iterable[tuple[MessageData, Values]],
    options: BodyOptions,
    version: Version,
    room: Room,
    *,
    streamed: bool,
) -> Iterator[list[_Job]]:
    """Plan messages, in groups that fetch a bounded number of octets."""
    batch: list[_Job] = []
    octets = 0
    for message, values in messages:
        job = _job(message, values, options, version, streamed=streamed)
        if not room.fits(job.cost):
            job = _job(message, values, options.without_data(), version, streamed=streamed)
            job = replace(job, withheld=True)
        room.left -= job.cost
        if len(batch) == _BATCH_MESSAGES or (batch and octets + job.cost > LARGEST_BATCH):
            yield batch
            batch, octets = [], 0
        batch.append(job)
        octets += job.cost
    if batch:
        yield batch


def _render_batch(
    batch: Iterable[_Job],
    answers: Mapping[SectionRequest, bytes],
    place: Place,
    version: Version,
    parts: PartSink | None,
) -> dict[int, Rendered]:
    return {job.message.uid: _render_one(job, answers, place, version, parts) for job in batch}


def _render_one(
    job: _Job,
    answers: Mapping[SectionRequest, bytes],
    place: Place,
    version: Version,
    parts: PartSink | None,
) -> Rendered:
    if job.plan is None:
        return _stub(job, place, version, job.error)
    if _is_unread(job, answers):
        return _stub(job, place, version, NOT_GIVEN, unread=True)
    try:
        sections = {request.section: answers[request] for request in job.requests if request in answers}
        plan = _unpacked(job, job.plan, sections, version)
        plan, meeting = _as_meeting(job, plan, sections, place, version)
        layout = plan.layout
        status = sections.get(layout.status.section, b"") if layout.status else b""
        body = body_elements(plan, received(plan, sections), version, parts)
        marks = Marks.of(job.message.flags, job.values)
        shown = properties(
            job.message, layout, body, place, version, marks=marks, status=status, meeting=meeting
        )
        return Rendered(shown, withheld=job.withheld)
    except Exception as error:  # noqa: BLE001 - one message must not keep back the others; the caller logs it
        return _stub(job, place, version, _reason(error))


def _is_unread(job: _Job, answers: Mapping[SectionRequest, bytes]) -> bool:
    """Whether the server was asked for a body that is not empty, and gave nothing."""
    expected = job.plan is not None and job.plan.cost > 0
    return expected and bool(job.requests) and answers.keys().isdisjoint(job.requests)


def _unpacked(job: _Job, plan: BodyPlan, sections: dict[str, bytes], version: Version) -> BodyPlan:
    """The plan with what is within a part in its place; texts found there are added to `sections`."""
    if job.sealed:
        data = sections.get(job.signed.section, b"") if job.signed else b""
        opened = open_sealed(plan.layout, job.signed, data)
        sections |= opened.texts
        return plan_body(opened.layout, job.message.size, job.options, version, streamed=plan.streamed)
    if job.packed is None or job.packed.section not in sections:
        return plan
    try:
        unpacked = unpack(plan.layout, job.packed, sections[job.packed.section])
    except BadTnef:
        return plan
    if not unpacked.texts:
        return replace(plan, layout=unpacked.layout)
    sections |= unpacked.texts
    return plan_body(unpacked.layout, job.message.size, job.options, version, streamed=plan.streamed)


def _as_meeting(
    job: _Job, plan: BodyPlan, sections: dict[str, bytes], place: Place, version: Version
) -> tuple[BodyPlan, Invitation | None]:
    """What a scheduling message asks, and the plan without its calendar; a text only in that is added."""
    if job.calendar is None or job.calendar.section not in sections or place.drafts:
        return plan, None
    calendar = open_calendar(job.calendar, sections[job.calendar.section])
    meeting = meeting_of(calendar.text, calendar.method, place.owner)
    if meeting is None:
        return plan, None
    layout = without_calendar(plan.layout, calendar)
    if layout.blocks or not meeting.description:
        return replace(plan, layout=layout), meeting
    layout, texts = with_text(layout, calendar, meeting.description)
    sections |= texts
    return plan_body(layout, job.message.size, job.options, version, streamed=plan.streamed), meeting


def _stub(job: _Job, place: Place, version: Version, poison: str, *, unread: bool = False) -> Rendered:
    """What a phone shows for a message that cannot be rendered: its own header where that can be read."""
    body = _explanation(version, _UNREAD if unread else _EXPLANATION)
    nothing, marks = Layout((), ()), Marks.of(job.message.flags)
    try:
        shown = properties(job.message, nothing, body, place, version, marks=marks)
    except Exception as error:  # noqa: BLE001 - one message must not keep back the others; the caller logs it
        if (reason := _reason(error)) != poison:
            poison = f"{poison}; {reason}"
        bare = replace(job.message, header=b"Subject: " + _NOT_SHOWN)
        shown = properties(bare, nothing, body, place, version, marks=marks)
    return Rendered(shown, poison, unread)


def _explanation(version: Version, text: str) -> list[Element]:
    size = len(text)
    if version < Version.V12_0:
        return legacy.body(text.encode(), size, mime=False, truncated=False)
    return [
        element(
            AirSyncBase.Body,
            element(AirSyncBase.Type, PLAIN),
            element(AirSyncBase.EstimatedDataSize, size),
            element(AirSyncBase.Data, text),
        )
    ]


def _reason(error: Exception) -> str:
    """The kind and the place of an error, without its text, which may quote the message."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {frames[-1].name}, line {frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"
