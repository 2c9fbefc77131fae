"""What a scheduling message that came by mail changes in the calendar of the one it came to (RFC 5546 3.2).

    message    from whom        changes
    REQUEST    the organizer    makes the event, tentative, or brings it up to date
    CANCEL     the organizer    marks the event or an occurrence as cancelled
    REPLY      an attendee      notes the answer of that attendee
    COUNTER    an attendee      notes the times proposed

A message is applied to each occurrence it names only if it is newer than what is known of that: so repeated
and overtaken messages change nothing. One whose sender is not whom it speaks for changes nothing either.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from gateway.pim.events.document import Document
from gateway.pim.events.expansion import original_of
from gateway.pim.events.model import Busy, EventPatch, OccurrencePatch
from gateway.pim.invitation import Method
from gateway.pim.itip.answers import noted
from gateway.pim.itip.merge import call_off, merged, older_than_series
from gateway.pim.itip.message import Message, Parts, Revision, is_cancelled, revision, same_address
from gateway.pim.itip.times import clock_of, in_place, timing
from gateway.pim.itip.verdicts import Applied, Verdict, speaks_for
from gateway.pim.rules import Work
from gateway.pim.tree import Node, make_line
from gateway.pim.values import utc_text

__all__ = ["apply", "outdated"]

_WORK = 200_000
"""What looking for all occurrences of a message may cost: as many days or times found."""


def apply(
    message: Message, stored: str | None, *, sender: str, owner: str, now: datetime, trusted: bool = False
) -> Applied:
    """Apply a message to the event in the store (None: there is none of its UID).

    `sender` is the address in From, `owner` that of the user whose calendar it is. `trusted`: the user acts
    on it himself, so that it may come from anybody who forwarded it. Raises `BadEvent` for one that cannot be
    understood.
    """
    held = Parts.read(stored) if stored is not None else None
    if message.method in {Method.REQUEST, Method.CANCEL}:
        verdict = _from_organizer(message.parts, held, sender, owner, trusted=trusted)
        if verdict is not None:
            return Applied(verdict)
        if message.method is Method.REQUEST:
            text = merged(message.parts, held, owner)
            return Applied(Verdict.APPLIED if text else Verdict.OLD, text)
        return _cancelled(message.parts, held, stored, owner, now)
    own = held is not None and held.organizer is not None and same_address(held.organizer.address, owner)
    if stored is None or not own:
        return Applied(Verdict.UNKNOWN)
    return noted(message, stored, sender=sender, owner=owner, now=now)


def outdated(message: Message, stored: str) -> bool:
    """Whether a REQUEST is for another time than that of the event by now, or for one that was cancelled."""
    instance, held = message.parts.instance_of_all, Parts.read(stored)
    told = message.parts.main
    known = held.events.get(instance)
    before, after = clock_of(message.parts), clock_of(held)
    if known is not None:
        if revision(told) >= revision(known):
            return False
        return is_cancelled(known) or timing(told, before) != timing(known, after)
    if instance is None or held.series is None or not older_than_series(told, held.series):
        return False
    return is_cancelled(held.series) or not in_place(told, instance, held.series, after, before)


def _from_organizer(
    new: Parts, held: Parts | None, sender: str, owner: str, *, trusted: bool
) -> Verdict | None:
    """What forbids to believe a REQUEST or CANCEL."""
    organizer = new.organizer
    if organizer is None or not organizer.address:
        return Verdict.FORGED
    if same_address(organizer.address, owner):
        return Verdict.OWN
    if held is not None:
        known = held.organizer
        if known is None or not same_address(known.address, organizer.address):
            return Verdict.FORGED
    speaker = held.speaker if held else ""
    if not trusted and not speaks_for(sender, organizer.address, new.speaker, speaker):
        return Verdict.FORGED
    return None


def _cancelled(new: Parts, held: Parts | None, stored: str | None, owner: str, now: datetime) -> Applied:
    if held is None or stored is None:
        return Applied(Verdict.UNKNOWN)
    changed = known = False
    single: dict[datetime, Revision] = {}
    for instance, event in new.events.items():
        newness = revision(event)
        if instance is None:
            # The exceptions go with their series; of one that is not known, the occurrences are.
            meant = list(held.events.values())
        elif instance in held.events:
            meant = [held.events[instance]]
        elif held.series is not None and older_than_series(event, held.series):
            known = True
            continue
        else:
            single[instance] = newness
            continue
        known = True
        for node in meant:
            newer = newness > revision(node)
            if instance is None and node is not held.series:
                newer = older_than_series(node, event)
            if newer:
                _cancel(node, newness)
                changed = True
    text = _without(held.calendar.text, single, owner, now) if single else None
    if changed or text:
        return Applied(Verdict.APPLIED, text or held.calendar.text)
    return Applied(Verdict.OLD if known else Verdict.UNKNOWN)


def _cancel(node: Node, newness: Revision) -> None:
    (sequence, stamp), (known, stamped) = newness, revision(node)
    call_off(node)
    node.replace("SEQUENCE", [make_line("SEQUENCE", str(max(sequence, known)))])
    if stamp > stamped:
        node.replace("DTSTAMP", [make_line("DTSTAMP", utc_text(stamp))])


def _without(text: str, cancelled: Mapping[datetime, Revision], owner: str, now: datetime) -> str | None:
    """The text with occurrences cancelled that were like their series; None when it has none of them."""
    document, work = Document(text), Work(_WORK)
    event = document.event(owner)
    patches: list[tuple[datetime, OccurrencePatch]] = []
    for instance, (sequence, stamp) in cancelled.items():
        original = instance if instance.tzinfo else instance.replace(tzinfo=event.zone)
        patch = OccurrencePatch(cancelled=True, busy=Busy.FREE, sequence=sequence, stamp=stamp)
        if event.recurring and original_of(event, original, work):
            patches.append((original, patch))
    if not patches:
        return None
    return document.patched(EventPatch(occurrences=tuple(patches)), owner, now).text
