"""One mail of a reply: what must be fetched for it, its ApplicationData, and the stub that stands for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gateway.eas.content import legacy
from gateway.eas.content.body import BodyPlan, PartSink, body_elements, plan_body, received, rtf_section
from gateway.eas.content.email_properties import Place, properties
from gateway.eas.content.failures import reason_of
from gateway.eas.content.marks import Marks
from gateway.eas.content.meeting import meeting_of
from gateway.eas.content.preferences import MIME, PLAIN, BodyOptions
from gateway.eas.versions import Version
from gateway.mail import reports
from gateway.mail.conversations import is_answer
from gateway.mail.headers import Headers
from gateway.mail.packed import packed_part, unpack
from gateway.mail.scheduling import calendar_part, open_calendar, with_text, without_calendar
from gateway.mail.sealed import is_sealed, open_sealed, signed_part
from gateway.mail.structure import Layout, lay_out
from gateway.mail.tnef import BadTnef
from gateway.pim.invitation import Invitation
from gateway.sync.annotations import Values
from gateway.types import BodyPart, MessageData, SectionRequest
from wbxml import Element, element
from wbxml.pages import AirSyncBase

__all__ = ["NOT_GIVEN", "NOT_SHOWN", "Job", "Rendered", "is_unread", "plan", "render", "stub"]

NOT_SHOWN = b"(message could not be shown)"
NOT_GIVEN = "the mail server does not show it"
"""Why a message is a stub that may be readable some day."""
_EXPLANATION = (
    "This message could not be converted for the device. It is unharmed on the mail server and can be read "
    "with another mail program. The cause is in the log of the gateway."
)
_UNREAD = "The mail server could not read this message. It may be damaged there; its administrator can tell."


@dataclass(frozen=True, slots=True)
class Rendered:
    """The children of ApplicationData for one message.

    `poison` is None, or why the message could not be rendered: then `elements` are a readable stub, and the
    caller should log and list it. The reason holds no text of the message. `unread` says that the server gave
    nothing of its body: either it cannot, or the message has gone meanwhile. `withheld` says that its body is
    left out because there was no room for it, and `unlisted` how many of its attachments are left out.
    `meeting` is what a scheduling message asks.
    """

    elements: list[Element]
    poison: str | None = None
    unread: bool = False
    withheld: bool = False
    unlisted: int = 0
    meeting: Invitation | None = None


@dataclass(frozen=True, slots=True)
class Job:
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


def plan(
    message: MessageData, values: Values, options: BodyOptions, version: Version, *, streamed: bool
) -> Job:
    """What has to be fetched to show a message. Raises nothing because of what it holds."""
    try:
        layout = lay_out(message.structure)
        plan = plan_body(layout, message.size, options, version, streamed=streamed)
        cost = plan.cost + len(message.header)
    except Exception as error:  # noqa: BLE001 - one message must not keep back the others; the caller logs it
        return Job(message, values, options, None, error=reason_of(error))
    requests = [SectionRequest(message.uid, section, 0, limit) for section, limit in plan.sections.items()]
    if plan.layout.status:
        requests.append(SectionRequest(message.uid, plan.layout.status.section, 0, reports.ENOUGH))
    packed = packed_part(plan.layout)
    if packed:
        requests.append(SectionRequest(message.uid, packed.section))
        cost += packed.size
    calendar = calendar_part(plan.layout)
    if calendar and calendar is not packed:
        requests.append(SectionRequest(message.uid, calendar.section))
        cost += calendar.size
    sealed = is_sealed(message.structure, plan.layout) and _shows_text(plan)
    signed = signed_part(message.structure, plan.layout) if sealed else None
    if signed:
        requests.append(SectionRequest(message.uid, signed.section))
        cost += signed.size
    return Job(message, values, options, plan, tuple(requests), cost, packed, calendar, sealed, signed)


def _shows_text(plan: BodyPlan) -> bool:
    """Whether something is made of the text of a message, and not of its MIME alone."""
    return plan.part is not None or any(one.type != MIME or one.preview for one in plan.attempts)


def render(
    job: Job,
    answers: Mapping[SectionRequest, bytes],
    place: Place,
    version: Version,
    parts: PartSink | None,
) -> Rendered:
    """Show a message by what was fetched for it, or a stub. Raises nothing because of what it holds."""
    if job.plan is None:
        return stub(job, place, version, job.error)
    if is_unread(job, answers):
        return stub(job, place, version, NOT_GIVEN, unread=True)
    try:
        sections = {request.section: answers[request] for request in job.requests if request in answers}
        plan = _unpacked(job, job.plan, sections, version)
        plan, meeting = _as_meeting(job, plan, sections, place, version)
        layout = plan.layout
        status = sections.get(layout.status.section, b"") if layout.status else b""
        answer = plan.part is not None and is_answer(Headers(job.message.header))
        body = body_elements(plan, received(plan, sections), version, parts, answer=answer)
        marks = Marks.of(job.message.flags, job.values)
        shown = properties(
            job.message, layout, body, place, version, marks=marks, status=status, meeting=meeting
        )
        return Rendered(shown, withheld=job.withheld, unlisted=layout.unlisted, meeting=meeting)
    except Exception as error:  # noqa: BLE001 - one message must not keep back the others; the caller logs it
        return stub(job, place, version, reason_of(error))


def is_unread(job: Job, answers: Mapping[SectionRequest, bytes]) -> bool:
    """Whether the server was asked for a body that is not empty, and gave nothing."""
    expected = job.plan is not None and job.plan.cost > 0
    return expected and bool(job.requests) and answers.keys().isdisjoint(job.requests)


def _unpacked(job: Job, plan: BodyPlan, sections: dict[str, bytes], version: Version) -> BodyPlan:
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
    sections |= unpacked.texts
    if plan.layout.blocks or not unpacked.texts:
        # What was fetched of its own text is as much as was planned.
        needed = {**plan.sections, **rtf_section(unpacked.layout)}
        return replace(plan, layout=unpacked.layout, sections=needed)
    return plan_body(unpacked.layout, job.message.size, job.options, version, streamed=plan.streamed)


def _as_meeting(
    job: Job, plan: BodyPlan, sections: dict[str, bytes], place: Place, version: Version
) -> tuple[BodyPlan, Invitation | None]:
    """What a scheduling message asks, and the plan without its calendar; a text only in that is added."""
    if job.calendar is None or job.calendar.section not in sections or place.drafts:
        return plan, None
    calendar = open_calendar(job.calendar, sections[job.calendar.section], Headers(job.message.header))
    meeting = meeting_of(calendar.text, calendar.method, place.owner, place.own, place.zone)
    if meeting is None:
        return plan, None
    layout = without_calendar(plan.layout, calendar)
    if layout.blocks or not meeting.description:
        return replace(plan, layout=layout), meeting
    layout, texts = with_text(layout, calendar, meeting.description)
    sections |= texts
    return plan_body(layout, job.message.size, job.options, version, streamed=plan.streamed), meeting


def stub(job: Job, place: Place, version: Version, poison: str, *, unread: bool = False) -> Rendered:
    """What a phone shows for a message that cannot be rendered: its own header where that can be read."""
    body = _explanation(version, _UNREAD if unread else _EXPLANATION)
    nothing, marks = Layout((), ()), Marks.of(job.message.flags)
    try:
        shown = properties(job.message, nothing, body, place, version, marks=marks)
    except Exception as error:  # noqa: BLE001 - one message must not keep back the others; the caller logs it
        if (reason := reason_of(error)) != poison:
            poison = f"{poison}; {reason}"
        bare = replace(job.message, header=b"Subject: " + NOT_SHOWN)
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
