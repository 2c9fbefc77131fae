"""The answer of an attendee noted in the organizer's event (RFC 5546 3.2.3 and 3.2.7)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from gateway.pim.clock import Clock
from gateway.pim.events.document import Document
from gateway.pim.events.expansion import original_of
from gateway.pim.events.model import Event, EventPatch, OccurrencePatch, Participation
from gateway.pim.invitation import Method, Person, read_person
from gateway.pim.itip.message import Instance, Message, Parts, attendee_line, revision, same_address
from gateway.pim.itip.verdicts import Applied, Verdict
from gateway.pim.lines import Property
from gateway.pim.names import PROPOSED, REPLIED
from gateway.pim.rules import Work
from gateway.pim.tree import Line, Node, make_line
from gateway.pim.values import moment_of, parse_moment, utc_text

__all__ = ["noted"]

_ANSWERS = {one.value for one in Participation} - {Participation.NEEDS_ACTION.value}
_OLDEST = datetime.min.replace(tzinfo=UTC)
_WORK = 200_000
"""What looking for all occurrences of a message may cost: as many days or times found."""


def noted(message: Message, stored: str, *, sender: str, owner: str, now: datetime) -> Applied:
    """The event with an answer or a counter proposal in it. Raises `BadEvent`.

    An answer to what the event was before it was moved says nothing of what it is. Somebody who was not
    invited is added only when an attendee sends him instead (delegation).
    """
    document = Document(stored)
    held, event = Parts.of(document.calendar), document.event(owner)
    work = Work(_WORK)
    # Each by itself: that to the series is no newer than those to its occurrences beside it.
    counting: list[_Answer] = []
    verdicts: set[Verdict] = set()
    for instance, told in message.parts.events.items():
        speaker = _speaker(told, sender)
        answer = _Answer(message, instance, told, speaker) if speaker else None
        verdict = answer.verdict(held, event, work) if answer else Verdict.FORGED
        verdicts.add(verdict)
        if answer and verdict is Verdict.APPLIED:
            counting.append(answer)
    if not counting:
        return Applied(
            next((one for one in (Verdict.OLD, Verdict.FORGED) if one in verdicts), Verdict.UNKNOWN)
        )
    own = tuple(one.exception(event, now) for one in counting if one.is_otherwise(held))
    if own:
        held = Parts.of(document.patched(EventPatch(occurrences=own), owner, now).calendar)
    for one in counting:
        one.note(held)
    return Applied(Verdict.APPLIED, held.calendar.text)


def _speaker(event: Node, sender: str) -> Property | None:
    """The attendee who is the sender of an answer: nobody is known to speak for another one."""
    attendees = event.component.all("ATTENDEE")
    return next((one for one in attendees if same_address(read_person(one).address, sender)), None)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one attendee says of the series or of an occurrence."""

    message: Message
    instance: Instance
    event: Node
    answer: Property

    @property
    def person(self) -> Person:
        return read_person(self.answer)

    @property
    def status(self) -> Participation | None:
        told = self.answer.params.get("PARTSTAT", "").upper()
        return Participation(told) if told in _ANSWERS else None

    def verdict(self, held: Parts, event: Event, work: Work) -> Verdict:
        """Whether it counts for what the store has."""
        current = held.events.get(self.instance) or held.series
        if current is None:
            return Verdict.UNKNOWN
        sequence, stamp = revision(self.event)
        if self.event.component.get("SEQUENCE") is not None and sequence < revision(current)[0]:
            return Verdict.OLD
        invited = attendee_line(current, self.person.address)
        if invited is None and attendee_line(current, self._delegator) is None:
            return Verdict.UNKNOWN
        if invited is not None and stamp <= _replied(invited):
            return Verdict.OLD
        if self.is_otherwise(held) and not (
            event.recurring and original_of(event, self._original(event), work)
        ):
            return Verdict.UNKNOWN
        return Verdict.APPLIED

    def is_otherwise(self, held: Parts) -> bool:
        """Whether it is about an occurrence that was like its series so far."""
        return self.instance is not None and self.instance not in held.events

    def note(self, held: Parts) -> None:
        """Write it into what it is about."""
        changes = self._changes(revision(self.event)[1])
        for instance, node in held.events.items():
            if instance == self.instance or (self.instance is None and self._waits_for_it(node)):
                self._note(node, changes)

    @property
    def _delegator(self) -> str:
        """Who sends this attendee instead of himself."""
        return _address(self.answer.params.get("DELEGATED-FROM", ""))

    def exception(self, event: Event, now: datetime) -> tuple[datetime, OccurrencePatch]:
        """What makes an exception of an occurrence that is answered otherwise than the series."""
        attendees = tuple(
            replace(one, status=self.status or one.status, replied=revision(self.event)[1])
            if same_address(one.person.address, self.person.address)
            else one
            for one in event.attendees
        )
        return self._original(event), OccurrencePatch(attendees=attendees, stamp=event.stamp or now)

    def _original(self, event: Event) -> datetime:
        instance = self.instance or event.start
        return instance if instance.tzinfo else instance.replace(tzinfo=event.zone)

    def _waits_for_it(self, node: Node) -> bool:
        """Whether he has not answered for an exception yet: then it is meant too."""
        line = attendee_line(node, self.person.address)
        told = line.read.params.get("PARTSTAT", "").upper() if line and line.read else ""
        return line is not None and told not in _ANSWERS

    def _changes(self, stamp: datetime) -> dict[str, str | None]:
        """The parameters of ATTENDEE that the answer changes."""
        changes: dict[str, str | None] = {REPLIED: utc_text(stamp), PROPOSED: None}
        if self.status:
            changes["PARTSTAT"] = self.status.value
        if self.status is Participation.DELEGATED:
            changes["DELEGATED-TO"] = self.answer.params.get("DELEGATED-TO")
        if self.message.method is Method.COUNTER:
            changes[PROPOSED] = self._proposed()
        return changes

    def _proposed(self) -> str | None:
        """The times he would like better, as a period."""
        read = self.event.component
        clock = Clock(self.message.parts.calendar.component, UTC)
        start, told = clock.of(read.get("DTSTART")), moment_of(read.get("DTSTART"))
        if start is None or told is None:
            return None
        end = clock.end(read, start, all_day=told.dated)
        return "/".join(utc_text(one) for one in (start, end))

    def _note(self, node: Node, changes: dict[str, str | None]) -> None:
        line = attendee_line(node, self.person.address)
        if line is not None:
            node.replace_where(lambda one: one is line, [line.with_params(**changes)])
            return
        named = {"CN": self.person.name} if self.person.name else {}
        named["DELEGATED-FROM"] = f"mailto:{self._delegator}"
        new = make_line("ATTENDEE", f"mailto:{self.person.address}", named).with_params(**changes)
        node.replace("ATTENDEE", [*node.lines("ATTENDEE"), new])


def _replied(line: Line) -> datetime:
    told = parse_moment(line.read.params.get(REPLIED, "")) if line.read else None
    return told.clock.replace(tzinfo=UTC) if told else _OLDEST


def _address(text: str) -> str:
    return text.strip().lower().removeprefix("mailto:")
