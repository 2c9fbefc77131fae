"""Mail on the wire (MS-ASEMAIL): messages upstream to the children of ApplicationData.

`render` works in two bulk fetches: structure and header fields of all messages, then exactly the sections
that their bodies need. An attachment is never downloaded to show a message.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from types import MappingProxyType

from gateway.eas.content import email_message
from gateway.eas.content.body import PartSink
from gateway.eas.content.email_message import NOT_GIVEN, NOT_SHOWN, Job, Rendered
from gateway.eas.content.email_properties import HEADER_FIELDS, Place
from gateway.eas.content.marks import NO_VALUES
from gateway.eas.content.preferences import BodyOptions
from gateway.eas.versions import Version
from gateway.mail.categories import category
from gateway.pim.invitation import Own, nobody
from gateway.ports import Mailboxes
from gateway.sync.annotations import Values
from gateway.sync.background import compute
from gateway.types import TRACKED_FLAGS, BodyPart, CollectionId, MessageData, SectionRequest

__all__ = ["LARGEST_BATCH", "NOT_GIVEN", "Prepared", "Rendered", "Room", "not_given", "prepare", "render"]

LARGEST_BATCH = 4 * 1024 * 1024
"""About how much is fetched at once; a message that needs more makes a batch of its own."""
LARGEST_REPLY = 32 * 1024 * 1024
"""Octets of messages from which on others that are not small have no Data: devices fetch it later."""
_SMALL = 16 * 1024
_BATCH_MESSAGES = 100
"""Messages of one batch: planning and rendering even small ones must not hold up the event loop for long."""
_FEW = 16
_FEW_PLANS = 64
"""Messages planned in the event loop: a millisecond."""
_THREAD_OCTETS = 128 * 1024
"""A batch of more messages or octets than this is rendered in a thread, so that the event loop goes on."""
_TURN_OCTETS = 256 * 1024
"""Octets of messages rendered there at once, but for a single larger one."""
_TRACKED = frozenset(flag.lower() for flag in TRACKED_FLAGS)
NO_FLAGS: Mapping[int, Collection[str]] = MappingProxyType({})
"""The default of `render`: every message with the flags it has."""
NO_NOTES: Mapping[int, Values] = MappingProxyType({})
FindNotes = Callable[[Mapping[int, MessageData]], Awaitable[Mapping[int, Values]]]
"""Finds the annotations of messages, which were fetched with `HEADER_FIELDS`."""
_NO_DATE = datetime(1970, 1, 1, tzinfo=UTC)


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
    jobs: Mapping[int, Job]
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
    own: Own = nobody,
    zone: tzinfo = UTC,
    prepared: Prepared | None = None,
    room: Room | None = None,
) -> Mapping[int, Rendered]:
    """Render messages by UID, in the order of `uids`; vanished ones are left out.

    `flags` are the tracked flags and categories a message is to be shown with, by UID; for others it is those
    it has now. `notes` finds their annotations. `drafts` says that the mailbox is the Drafts folder, `owner`
    is the address of its user, `own` tells of others whether they are his, `zone` is that of times in none.
    With `parts` (multipart replies) the data of a Body goes there and the Body holds its index. Those of
    `prepared` are not fetched again. Messages for which the reply has no `room` (None: they are all of it)
    have bodies without Data. Raises what `Mailboxes.fetch` raises, and nothing because of what a message
    holds.
    """
    place = Place(collection, uidvalidity, drafts, owner, own, zone)
    room = Room() if room is None else room
    ready = prepared.jobs if prepared and prepared.fit(uidvalidity, options, version) else {}
    batch: list[Job] = []
    for uid in uids:
        job = ready.get(uid)
        if job and prepared and not email_message.is_unread(job, prepared.answers) and room.fits(job.cost):
            batch.append(job)
            room.left -= job.cost
    known = await notes({job.message.uid: job.message for job in batch}) if notes and batch else NO_NOTES
    batch = [_marked(job, flags, known) for job in batch]
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
    message = MessageData(uid, frozenset(flags), _NO_DATE, 0, text, b"Subject: " + NOT_SHOWN + b"\r\n\r\n")
    job = Job(message, NO_VALUES, BodyOptions(), None)
    place = Place(collection, uidvalidity, drafts=False, owner="")
    return email_message.stub(job, place, version, NOT_GIVEN, unread=True)


async def _fetch_sections(
    mailboxes: Mailboxes, mailbox: str, uidvalidity: int, batch: Iterable[Job]
) -> Mapping[SectionRequest, bytes]:
    wanted = [request for job in batch for request in job.requests]
    return await mailboxes.fetch_sections(mailbox, uidvalidity, wanted) if wanted else {}


async def _rendered(
    batch: Sequence[Job],
    answers: Mapping[SectionRequest, bytes],
    place: Place,
    version: Version,
    parts: PartSink | None,
) -> dict[int, Rendered]:
    octets = max(sum(map(len, answers.values())), sum(job.cost for job in batch))
    if len(batch) <= _FEW and octets <= _THREAD_OCTETS:
        return _render_batch(batch, answers, place, version, parts)
    rendered: dict[int, Rendered] = {}
    for some in _turns(batch):
        rendered |= await compute(_render_batch, some, answers, place, version, parts)
    return rendered


def _turns(batch: Iterable[Job]) -> Iterator[list[Job]]:
    """Messages in groups: who waits for the thread that computes has it between two of them."""
    group: list[Job] = []
    octets = 0
    for job in batch:
        if group and octets + job.cost > _TURN_OCTETS:
            yield group
            group, octets = [], 0
        group.append(job)
        octets += job.cost
    if group:
        yield group


def _shown_with(message: MessageData, flags: Collection[str] | None) -> MessageData:
    if flags is None or flags == message.flags:
        return message
    untracked = {flag for flag in message.flags if flag.lower() not in _TRACKED and category(flag) is None}
    shown = frozenset(untracked.union(flags))
    return message if shown == message.flags else replace(message, flags=shown)


def _marked(job: Job, flags: Mapping[int, Collection[str]], known: Mapping[int, Values]) -> Job:
    """A job made without marks, with those of its message."""
    message = _shown_with(job.message, flags.get(job.message.uid))
    values = known.get(message.uid, NO_VALUES)
    return job if message is job.message and not values else replace(job, message=message, values=values)


async def _planned(
    messages: Sequence[tuple[MessageData, Values]],
    options: BodyOptions,
    version: Version,
    room: Room,
    *,
    streamed: bool = False,
) -> Iterable[list[Job]]:
    batches = _batches(messages, options, version, room, streamed=streamed)
    return await compute(lambda: [*batches]) if len(messages) > _FEW_PLANS else batches


def _batches(
    messages: Iterable[tuple[MessageData, Values]],
    options: BodyOptions,
    version: Version,
    room: Room,
    *,
    streamed: bool,
) -> Iterator[list[Job]]:
    """Plan messages, in groups that fetch a bounded number of octets."""
    batch: list[Job] = []
    octets = 0
    for message, values in messages:
        job = email_message.plan(message, values, options, version, streamed=streamed)
        if not room.fits(job.cost):
            job = email_message.plan(message, values, options.without_data(), version, streamed=streamed)
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
    batch: Iterable[Job],
    answers: Mapping[SectionRequest, bytes],
    place: Place,
    version: Version,
    parts: PartSink | None,
) -> dict[int, Rendered]:
    return {job.message.uid: email_message.render(job, answers, place, version, parts) for job in batch}
