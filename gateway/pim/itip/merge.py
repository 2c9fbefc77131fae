"""A REQUEST brought together with what the store has of the event (RFC 5546 3.2.2).

What the organizer says takes the place of what he said before; what is the user's own stays: his reminders,
categories and files, and his answer as long as the time is what he answered to.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from gateway.pim.clock import Clock
from gateway.pim.events.document import read_event
from gateway.pim.events.writing import is_own_file
from gateway.pim.itip.message import Instance, Parts, attendee_line, revision
from gateway.pim.itip.times import clock_of, in_place, timing
from gateway.pim.lines import Property
from gateway.pim.names import BUSY, OWN, REPLY_TIME
from gateway.pim.tree import Line, Node, make_line
from gateway.pim.values import FIRST_YEAR, LAST_YEAR, parse_moment

__all__ = ["ANSWERED", "INTENDED", "call_off", "merged", "older_than_series"]

INTENDED = "X-MICROSOFT-CDO-INTENDEDSTATUS"
"""How the time is to count once the invitation is accepted."""
ANSWERED = f"{OWN}ANSWERED"
"""What the user answered last, so that the same answer again is known to be the same."""
_ANSWER = (REPLY_TIME, f"{OWN}RESPONSE", ANSWERED, BUSY, "TRANSP")
"""What tells the user's answer, beside his ATTENDEE."""
_USERS = ("CATEGORIES",)
_OUTLOOK_BUSY = frozenset({"FREE", "TENTATIVE", "BUSY", "OOF", "WORKINGELSEWHERE"})


def merged(new: Parts, held: Parts | None, owner: str) -> str | None:
    """The text of the event with a REQUEST in it; None when that has nothing new. Raises `BadEvent`.

    `held` is what the store has of it, `owner` the address of the user.
    """
    fresh = {
        instance: _without_own(event)
        for instance, event in new.events.items()
        if _is_new(instance, event, new, held)
    }
    if not fresh:
        return None
    series = held.series if held else None
    before, after = clock_of(held), clock_of(new)
    moved = None in fresh and series is not None and timing(series, before) != timing(fresh[None], after)
    for instance, event in fresh.items():
        mine = held.events.get(instance) if held else None
        if mine is not None:
            same = timing(mine, before) == timing(event, after)
            _keep(event, mine, owner, same=same)
        elif series is not None and instance is not None:
            _keep(event, series, owner, same=in_place(event, instance, series, before, after))
        else:
            _unanswered(event, owner)
    for instance, event in fresh.items():
        if instance is not None and _is_without(event, fresh.get(None), owner):
            call_off(event)
    kept = _still_there(fresh, held, moved=moved)
    if None in fresh and series is not None and not moved:
        _keep_deleted(fresh[None], series)
    events = dict(sorted({**kept, **fresh}.items(), key=lambda item: (item[0] is not None, str(item[0]))))
    if None in events:
        named = {instance for instance in fresh if instance is not None}
        _undelete(events[None], named, after if None in fresh else before)
    base, other = (new, held) if None in fresh or held is None else (held, new)
    text = _assembled(base, other, events.values())
    read_event(text, owner)
    return text


def _without_own(event: Node) -> Node:
    """A VEVENT of a message without what only the gateway may say, and without files it pretends to have."""
    clean = event.copy()
    clean.parts = [
        _plain(one) if isinstance(one, Line) else one
        for one in clean.parts
        if isinstance(one, Node) or not (one.name.startswith(OWN) or is_own_file(one))
    ]
    return clean


def call_off(event: Node) -> None:
    """Mark a VEVENT as cancelled: its time is free again."""
    event.replace("STATUS", [make_line("STATUS", "CANCELLED")])
    event.replace(BUSY, [make_line(BUSY, "FREE")])
    event.replace("TRANSP", [make_line("TRANSP", "TRANSPARENT")])


def _is_without(event: Node, series: Node | None, owner: str) -> bool:
    """Whether the user is invited to a series, and not to this occurrence of it."""
    invited = series is not None and attendee_line(series, owner) is not None
    return invited and attendee_line(event, owner) is None and any(event.lines("ATTENDEE"))


# --- which version counts ----------------------------------------------------------------------------------


def _is_new(instance: Instance, event: Node, new: Parts, held: Parts | None) -> bool:
    if held is None:
        return True
    before = held.events.get(instance)
    if before is not None:
        return revision(event) > revision(before)
    if instance is None or None in new.events or held.series is None:
        return True
    return not older_than_series(event, held.series)


def older_than_series(event: Node, series: Node) -> bool:
    """Whether what is said of an occurrence was said before what is known of its series.

    When it was said comes first: programs count the changes of each occurrence by itself.
    """
    (sequence, stamp), (current, stamped) = revision(event), revision(series)
    return (stamp, sequence) < (stamped, current)


def _said_since(event: Node, series: Node) -> bool:
    return not older_than_series(event, series) and revision(event) != revision(series)


def _still_there(fresh: dict[Instance, Node], held: Parts | None, *, moved: bool) -> dict[Instance, Node]:
    """What the store has and the message says nothing of: exceptions go when the series they are of goes."""
    if held is None:
        return {}
    series = fresh.get(None)
    return {
        instance: event
        for instance, event in held.events.items()
        if instance not in fresh and (series is None or not moved or _said_since(event, series))
    }


# --- what is the user's own --------------------------------------------------------------------------------


def _keep(event: Node, mine: Node, owner: str, *, same: bool) -> None:
    """Put what is the user's own into a new version of what he has."""
    event.remove_nodes(lambda node: node.name == "VALARM")
    event.parts += [alarm.copy() for alarm in mine.nodes("VALARM")]
    event.replace(_USERS, mine.lines(*_USERS))
    event.replace_where(is_own_file, [one for one in mine.lines("ATTACH") if is_own_file(one)])
    if not same:
        _unanswered(event, owner)
        return
    _intend(event)
    event.replace(_ANSWER, mine.lines(*_ANSWER))
    known, told = attendee_line(mine, owner), attendee_line(event, owner)
    if known and told:
        status = known.read.params.get("PARTSTAT") if known.read else None
        event.replace_where(lambda one: one is told, [told.with_params(PARTSTAT=status)])


def _unanswered(event: Node, owner: str) -> None:
    """Have it be what nobody has answered yet, whatever it says: tentative, unless it takes no time."""
    intended = _intend(event)
    event.remove(REPLY_TIME, f"{OWN}RESPONSE", ANSWERED)
    event.replace(BUSY, [make_line(BUSY, "FREE" if intended == "FREE" else "TENTATIVE")])
    told = attendee_line(event, owner)
    if told:
        event.replace_where(lambda one: one is told, [told.with_params(PARTSTAT="NEEDS-ACTION")])


def _intend(event: Node) -> str:
    """See to it that it says how the time is to count once accepted; returns that."""
    read = event.component
    busy = read.text(BUSY).upper()
    told = read.text(INTENDED).upper()
    if told not in _OUTLOOK_BUSY:
        transparent = read.text("TRANSP").upper() == "TRANSPARENT"
        told = busy if busy in _OUTLOOK_BUSY - {"TENTATIVE"} else "BUSY"
        told = "FREE" if transparent else told
        event.replace(INTENDED, [make_line(INTENDED, told)])
    event.replace("TRANSP", [make_line("TRANSP", "TRANSPARENT" if told == "FREE" else "OPAQUE")])
    return told


def _plain(line: Line) -> Line:
    """A line without parameters of the gateway's own."""
    own = [name for name in line.read.params if name.startswith(OWN)] if line.read else []
    return line.with_params(**dict.fromkeys(own)) if own else line


# --- deleted occurrences -----------------------------------------------------------------------------------


def _keep_deleted(series: Node, before: Node) -> None:
    """Occurrences the user deleted stay deleted."""
    told = {one.raw for one in series.lines("EXDATE")}
    lines = [*series.lines("EXDATE"), *(one for one in before.lines("EXDATE") if one.raw not in told)]
    series.replace("EXDATE", lines)


def _undelete(series: Node, instances: set[datetime], clock: Clock) -> None:
    """Occurrences that the organizer says something new of are there again."""
    days = {one.replace(tzinfo=None) for one in instances}
    lines: list[Line] = []
    for line in series.lines("EXDATE"):
        if line.read is None:
            continue
        values = line.read.value.split(",")
        left = [one for one in values if not _is_among(one, line.read, instances, days, clock)]
        if len(left) == len(values):
            lines.append(line)
        elif left:
            lines.append(line.with_params(",".join(left)))
    series.replace("EXDATE", lines)


def _is_among(
    text: str, found: Property, instances: set[datetime], days: set[datetime], clock: Clock
) -> bool:
    """Whether a value of EXDATE is one of some occurrences; `days` are the same without their zone."""
    told = parse_moment(text, found.params)
    if told is None or not FIRST_YEAR <= told.clock.year <= LAST_YEAR:
        return False
    return told.clock in days if told.dated else clock.at(told).astimezone(UTC) in instances


# --- putting it together -----------------------------------------------------------------------------------


def _assembled(base: Parts, other: Parts | None, events: Iterable[Node]) -> str:
    """The calendar: of one the properties and zones, the zones of the other that it lacks, the events."""
    calendar = base.calendar.copy()
    zones = list(calendar.nodes("VTIMEZONE"))
    known = {zone.component.text("TZID").lower() for zone in zones}
    if other is not None:
        more = other.calendar.nodes("VTIMEZONE")
        zones += [zone.copy() for zone in more if zone.component.text("TZID").lower() not in known]
    calendar.parts = [one for one in calendar.parts if isinstance(one, Line)]
    calendar.parts += [*zones, *events]
    return calendar.text
