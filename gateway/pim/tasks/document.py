"""The text of a task in the store, read and changed.

Reading is tolerant. A change touches the properties of what it changes alone: all else survives as it is
written, whoever wrote it. Naming a value that is there already changes nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any

from gateway.items import StoredItem
from gateway.pim.clock import tzid_of
from gateway.pim.limits import LONGEST_UID
from gateway.pim.lines import read
from gateway.pim.names import SERIES
from gateway.pim.properties import Body, Unset, settled_body
from gateway.pim.tasks.model import BadTask, Task, TaskPatch
from gateway.pim.tasks.reading import Series, read_component, read_series
from gateway.pim.tasks.series import Standing, following, regenerated
from gateway.pim.tasks.writing import PLACES, Dates, Done
from gateway.pim.tree import Node, escaped, make_line, parse_calendar
from gateway.pim.values import LAST_YEAR, utc_text
from gateway.pim.zonelines import NewZones, define_zones, used_zones

__all__ = [
    "Advanced",
    "advance",
    "bounds_of_task",
    "is_passed",
    "new_task",
    "patch_task",
    "read_task",
    "stored_task",
]

_PRODUCT = "-//ActiveSync Gateway//Tasks//EN"
_LONGEST_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_MIDNIGHT = time()
_REST_OF_DAY = timedelta(days=1, microseconds=-1)
_COUNT = re.compile(r"COUNT=([0-9]{1,9})", re.IGNORECASE)
_COUNT_PART = re.compile(r";?COUNT=[0-9]{1,9}", re.IGNORECASE)
_OF_SERIES = ("EXDATE", "RDATE", "EXRULE", "RECURRENCE-ID")
_SIMPLE = ("subject", "body", "importance", "sensitivity", "categories", "ordinal", "sub_ordinal")
_DEFAULTS: dict[str, Any] = {one.name: one.default for one in fields(Task) if one.name != "uid"}
"""What a task has where nothing is said: what None in a patch stands for."""


@dataclass(frozen=True, slots=True)
class Advanced:
    """What becomes of a series when an occurrence is done: the series, moved on, and that occurrence."""

    series: str
    done: str


def read_task(text: str, default: tzinfo = UTC) -> Task:
    """The task in a text; `default` is the users' zone. Raises `BadTask` when there is no task."""
    calendar = next(iter(read(text)), None)
    if calendar is None:
        raise BadTask("no calendar")
    return read_component(calendar, default)


def new_task(patch: TaskPatch, uid: str, now: datetime, default: tzinfo = UTC) -> str:
    """The text of a new task. Raises `BadTask`."""
    if not 0 < len(uid) <= LONGEST_UID:
        raise BadTask("a task needs a UID of some length")
    calendar = Node.new("VCALENDAR", [make_line("VERSION", "2.0"), make_line("PRODID", _PRODUCT)])
    stamp = utc_text(now)
    lines = [("UID", escaped(uid)), ("DTSTAMP", stamp), ("CREATED", stamp), ("STATUS", "NEEDS-ACTION")]
    calendar.parts.append(Node.new("VTODO", [make_line(name, value) for name, value in lines]))
    return _patched(calendar, patch, now, default)


def patch_task(text: str, patch: TaskPatch, now: datetime, default: tzinfo = UTC) -> str:
    """The text after a change; the same text when nothing is different. Raises `BadTask`."""
    return _patched(parse_calendar(text), patch, now, default)


def advance(text: str, done: datetime, uid: str, now: datetime, default: tzinfo = UTC) -> Advanced | None:
    """What becomes of a series whose next occurrence was done then; None when none comes after it.

    Also when it is no series. The occurrence becomes a task of its own with this UID. Raises `BadTask`.
    """
    calendar = parse_calendar(text)
    series = read_series(calendar.component, default)
    task = read_component(calendar.component, default)
    if not task.rule or task.anchor is None or task.completed:
        return None
    goes_on = _next(series, task, done)
    if goes_on is None:
        return None
    moved = _moved(calendar.copy(), task, *goes_on, now, default)
    return Advanced(moved, _occurrence(calendar, task, done, uid, now, default))


def is_passed(task: Task, date: datetime) -> bool:
    """Whether a series has moved on from the occurrence that starts or is due at `date`."""
    before = [one for one in (task.start, task.due) if one and date < one]
    if not task.rule or not before:
        return False
    if task.repetition and task.repetition.regenerates:
        return True
    found = following(_COUNT_PART.sub("", task.rule), date, date, ())
    return not isinstance(found, Standing) and found[0] in before


def stored_task(text: str) -> StoredItem:
    """What is to be stored of a task: its text with all that the store knows of it. Raises `BadTask`.

    A completed one ends when it was completed, so that what is still to be done can be told alone.
    """
    task = read_task(text)
    return StoredItem(task.uid, text, *bounds_of_task(task))


def bounds_of_task(task: Task) -> tuple[datetime | None, datetime | None]:
    """When a task begins and, if it is completed, ends, in UTC."""
    ended = task.completed_at or task.due or task.start or _LONGEST_AGO
    starts = task.anchor.astimezone(UTC) if task.anchor else None
    return starts, ended.astimezone(UTC) if task.completed else None


# --- changes ------------------------------------------------------------------------------------------


def _patched(calendar: Node, patch: TaskPatch, now: datetime, default: tzinfo) -> str:
    before, zones_before = calendar.text, used_zones(calendar)
    old = read_component(calendar.component, default)
    main = _main(calendar)
    dates = _dates(old, patch, default)
    moved = not _same_dates(old, dates.start, dates.due)
    if moved:
        PLACES["dates"].write(main, None, dates)
    _patch_repetition(main, old, patch, dates, moved=moved)
    for name in _SIMPLE:
        value, known = _settled(getattr(patch, name), name, old), getattr(old, name)
        if value != known:
            PLACES[name].write(main, value, dates)
    _patch_done(main, old, patch, now)
    # One that is not named stays where it is when the dates move.
    _put_reminder(calendar, old.reminder if isinstance(patch.reminder, Unset) else patch.reminder, dates)
    return before if calendar.text == before else _finished(calendar, dates, zones_before, now)


def _finished(calendar: Node, dates: Dates, zones_before: frozenset[str], now: datetime) -> str:
    """The text of what was changed, stamped, with the time zones it needs."""
    main = _main(calendar)
    for name in ("LAST-MODIFIED", "DTSTAMP"):
        main.replace(name, [make_line(name, utc_text(now))])
    define_zones(calendar, _zones(dates), zones_before)
    return calendar.text


def _main(calendar: Node) -> Node:
    nodes = list(calendar.nodes("VTODO"))
    return next((one for one in nodes if not any(one.lines("RECURRENCE-ID"))), nodes[0])


def _dates(old: Task, patch: TaskPatch, default: tzinfo) -> Dates:
    """The dates it is to have: days when all of them are midnights, where one of them changes."""
    start = old.start if isinstance(patch.start, Unset) else patch.start
    due = old.due if isinstance(patch.due, Unset) else patch.due
    if _same_dates(old, start, due):
        return Dates(start, due, old.dated, default)
    named = [one for one in (start, due) if one]
    return Dates(start, due, bool(named) and all(one.time() == _MIDNIGHT for one in named), default)


def _same_dates(old: Task, start: datetime | None, due: datetime | None) -> bool:
    """Whether these are the dates of a task, also by the clock."""
    if (start, due) != (old.start, old.due):
        return False
    pairs = ((old.start, start), (old.due, due))
    return all(one.utcoffset() == other.utcoffset() for one, other in pairs if one and other)


def _zones(dates: Dates) -> NewZones:
    named = (one for one in (dates.due, dates.start) if one and one.tzinfo)
    return {tzid_of(one.tzinfo): (one.tzinfo, one) for one in named if one.tzinfo}


def _patch_repetition(main: Node, old: Task, patch: TaskPatch, dates: Dates, *, moved: bool) -> None:
    """Change the rule; when only the dates do, the series is the same that began where it did."""
    wanted = patch.repetition
    if isinstance(wanted, Unset) or wanted == old.repetition:
        if moved and old.repetition and not old.repetition.dead:
            PLACES["repetition"].write(main, old.repetition, dates)
        return
    if wanted is None and old.repetition is None:
        return
    PLACES["repetition"].write(main, wanted, dates)


def _settled(wanted: Any, name: str, old: Task) -> Any:
    """A value as a task has it."""
    if isinstance(wanted, Unset):
        return getattr(old, name)
    if wanted is None:
        return _DEFAULTS[name]
    return settled_body(wanted, old.body) if isinstance(wanted, Body) else wanted


def _patch_done(main: Node, old: Task, patch: TaskPatch, now: datetime) -> None:
    completed = old.completed if isinstance(patch.completed, Unset) else bool(patch.completed)
    at = old.completed_at if isinstance(patch.completed_at, Unset) else patch.completed_at
    if completed and not old.completed and at in {None, old.completed_at}:
        at = now.replace(microsecond=0)
    if completed != old.completed or (completed and at and at != old.completed_at):
        PLACES["done"].write(main, Done(completed, at), Dates(None, None, False, UTC))


def _put_reminder(calendar: Node, reminder: datetime | None, dates: Dates) -> None:
    if reminder != read_component(calendar.component, dates.default).reminder:
        PLACES["reminder"].write(_main(calendar), reminder, dates)


# --- a series that goes on ----------------------------------------------------------------------------


def _next(series: Series, task: Task, done: datetime) -> tuple[datetime, int] | None:
    """When the next occurrence is, and how many there were before it; None when there is none."""
    anchor, current, repetition = series.task.anchor, task.anchor, task.repetition
    assert anchor is not None
    assert current is not None
    if repetition is None or not repetition.regenerates:
        last = current + _REST_OF_DAY if task.dated else current  # a rule of hours has more in that day
        found = following(task.rule, anchor, last, series.gone)
        return None if isinstance(found, Standing) else found
    rule = repetition.rule
    moved = regenerated(rule, current, done)
    ends = rule.occurrences == 1 or (rule.until and moved.astimezone(UTC) > rule.until)
    return None if ends or moved.year > LAST_YEAR else (moved, 1)


def _moved(  # noqa: PLR0917 - what it was, and where it goes
    calendar: Node, task: Task, anchor: datetime, before: int, now: datetime, default: tzinfo
) -> str:
    """The series at another occurrence: everything as far from that as it was, so many fewer to come."""
    assert task.anchor is not None
    zones_before, main = used_zones(calendar), _main(calendar)
    shift = anchor.replace(tzinfo=None) - task.anchor.replace(tzinfo=None)
    start, due = (one and one + shift for one in (task.start, task.due))
    dates = Dates(start, due, task.dated, default)
    PLACES["dates"].write(main, None, dates)
    rule = main.component.text("RRULE")
    if count := _COUNT.search(rule):
        left = max(int(count[1]) - before, 1)
        main.replace("RRULE", [make_line("RRULE", _COUNT.sub(f"COUNT={left}", rule))])
    main.remove(SERIES)
    if task.reminder and read_component(calendar.component, default).reminder == task.reminder:
        # It rings at a time of its own; else it has moved with the dates.
        rings = task.reminder.astimezone(task.anchor.tzinfo) + shift
        _put_reminder(calendar, rings.astimezone(UTC), dates)
    return _finished(calendar, dates, zones_before, now)


def _occurrence(  # noqa: PLR0917 - what it was, and what it becomes
    calendar: Node, task: Task, done: datetime, uid: str, now: datetime, default: tzinfo
) -> str:
    """The occurrence that is done, as a task that rings and repeats no more."""
    zones_before, main = used_zones(calendar), _main(calendar)
    calendar.remove_nodes(lambda one: one.name == "VTODO" and one is not main)
    main.remove_nodes(lambda one: one.name == "VALARM")
    main.remove(*_OF_SERIES)
    main.replace("UID", [make_line("UID", escaped(uid))])
    dates = Dates(task.start, task.due, task.dated, default)
    was = task.repetition
    dead = replace(was, dead=True) if was and not was.regenerates else None
    for name, value in (("dates", None), ("repetition", dead), ("done", Done(completed=True, at=done))):
        PLACES[name].write(main, value, dates)
    return _finished(calendar, dates, zones_before, now)
