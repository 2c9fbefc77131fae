"""What a VTODO says, as a `Task`; tolerant of everything.

A task that repeats stands for its next occurrence. Some programs move it on when one is done; others leave it
where the series began and note what was done in a VTODO beside it, with RECURRENCE-ID.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from gateway.pim.clock import Clock
from gateway.pim.length import later
from gateway.pim.lines import Component, Property
from gateway.pim.names import (
    CALENDAR_TYPE,
    DEAD_SERIES,
    IMPORTANCE,
    NOTED_FOR,
    OCCURRENCES,
    OFFSET,
    ORDINAL,
    REGENERATES,
    SERIES,
    SUB_ORDINAL,
)
from gateway.pim.properties import natural, read_body, read_categories, read_sensitivity, read_text
from gateway.pim.recurrence import Recurrence, read_rule, with_calendar_type
from gateway.pim.tasks.model import NORMAL, BadTask, Repetition, Task
from gateway.pim.tasks.series import Standing, next_open
from gateway.pim.values import (
    FIRST_YEAR,
    LAST_YEAR,
    moment_of,
    parse_duration,
    parse_length,
    parse_moment,
    parse_offset,
    parse_rule,
)

__all__ = ["Series", "read_component", "read_series", "reminder_of"]

_LONGEST = timedelta(days=36600)
_MOST_PARTS = 2000
_LARGEST_IMPORTANCE = 255
_HIGH, _LOW = 2, 0
_SHOWN_ALARMS = frozenset({"", "DISPLAY", "AUDIO"})
_DONE = frozenset({"COMPLETED", "CANCELLED"})
_OPEN = frozenset({"NEEDS-ACTION", "IN-PROCESS"})
_OF_DAYS = ("BYDAY", "BYMONTHDAY", "BYSETPOS", "BYMONTH")


@dataclass(frozen=True, slots=True)
class Series:
    """A task as its VTODO says it, with the occurrences that others say are done or gone.

    `ended` is when the last of these was completed.
    """

    task: Task
    gone: frozenset[datetime] = frozenset()
    ended: datetime | None = None


def read_component(calendar: Component, default: tzinfo) -> Task:
    """The task of a calendar, at its next occurrence. Raises `BadTask`.

    It is the first VTODO that is no occurrence of another, else the first one there is. `default` is the zone
    of what is in none, and the one in which times in UTC are shown.
    """
    series = read_series(calendar, default)
    task, anchor = series.task, series.task.anchor
    if not series.gone or anchor is None:
        return task
    found = next_open(task.rule, anchor, series.gone)
    if found is Standing.DONE:
        return replace(task, completed=True, completed_at=series.ended)
    if found is Standing.UNKNOWN or found == anchor:
        return task
    shift = found.replace(tzinfo=None) - anchor.replace(tzinfo=None)
    start, due = (one and one + shift for one in (task.start, task.due))
    return replace(task, start=start, due=due, reminder=_reminder(_main_of(calendar), start, due))


def read_series(calendar: Component, default: tzinfo) -> Series:
    """The task of a calendar as it is written. Raises `BadTask`."""
    main = _main_of(calendar)
    reader = _Reader(main, Clock(calendar, default), default)
    task = reader.task()
    if not task.rule or task.anchor is None or task.completed:
        return Series(task)
    uid = main.text("UID")
    others = [one for one in calendar.parts("VTODO") if one is not main and one.text("UID") == uid]
    if len(others) > _MOST_PARTS:
        raise BadTask("a series with too many occurrences of their own")
    done = [one for one in others if _completed(one)]
    gone = set(reader.originals(main, "EXDATE", task.anchor))
    for one in done:
        gone.update(reader.originals(one, "RECURRENCE-ID", task.anchor))
    ended = [at for one in done if (at := reader.clock.instant(one.get("COMPLETED")))]
    return Series(task, frozenset(gone), max(ended, default=None))


def _main_of(calendar: Component) -> Component:
    parts = list(calendar.parts("VTODO"))
    if not parts:
        raise BadTask("no task")
    return next((one for one in parts if one.get("RECURRENCE-ID") is None), parts[0])


def _date_of(found: Property | None, clock: Clock, default: tzinfo) -> datetime | None:
    """DTSTART or DUE in the zone in which it was meant; None when there is none that makes sense."""
    moment = moment_of(found)
    if found is None or moment is None or not FIRST_YEAR <= moment.clock.year <= LAST_YEAR:
        return None
    offset = parse_offset(found.params.get(OFFSET, ""))
    zone = default if offset is None else timezone(offset)
    if moment.utc:
        return moment.clock.replace(tzinfo=UTC).astimezone(zone)
    return moment.clock.replace(tzinfo=clock.zone(moment) if moment.tzid else zone)


def reminder_of(alarm: Component, start: datetime | None, due: datetime | None) -> datetime | None:
    """When an alarm rings, in UTC; None for one that phones do not show."""
    trigger = alarm.get("TRIGGER")
    if trigger is None or alarm.text("ACTION").upper() not in _SHOWN_ALARMS:
        return None
    length, moment = parse_duration(trigger.value), moment_of(trigger)
    if length is None:
        rings = moment.clock.replace(tzinfo=UTC) if moment and moment.utc else None
    else:
        at_end = trigger.params.get("RELATED", "").upper() == "END"
        base = (due or start) if at_end else (start or due)
        rings = base.astimezone(UTC) + length if base and abs(length) < _LONGEST else None
    return rings if rings and FIRST_YEAR <= rings.year <= LAST_YEAR else None


@dataclass(slots=True)
class _Reader:
    main: Component
    clock: Clock
    default: tzinfo

    def task(self) -> Task:
        """What the VTODO says by itself."""
        main = self.main
        start, due = self._date("DTSTART"), self._date("DUE")
        length = parse_length(main.text("DURATION"))
        if due is None and start and length is not None and timedelta() <= length.about < _LONGEST:
            due = later(start, length)
        anchor = start or due
        rule = main.text("RRULE")
        return Task(
            uid=main.text("UID"),
            subject=read_text(main, "SUMMARY"),
            body=read_body(main),
            start=start,
            due=due,
            dated=bool(anchor)
            and all(one.dated for one in (moment_of(main.get("DTSTART")), moment_of(main.get("DUE"))) if one),
            completed=_completed(main),
            completed_at=self.clock.instant(main.get("COMPLETED")),
            importance=_importance(main),
            sensitivity=read_sensitivity(main),
            categories=tuple(read_categories(main)),
            reminder=_reminder(main, start, due),
            repetition=self._repetition(rule, anchor) if rule else self._dead(anchor),
            rule=rule,
            ordinal=self.clock.instant(main.get(ORDINAL)),
            sub_ordinal=read_text(main, SUB_ORDINAL),
            stamp=self.clock.instant(main.get("DTSTAMP")),
            modified=self.clock.instant(main.get("LAST-MODIFIED")),
            sequence=natural(main.text("SEQUENCE")),
        )

    def _date(self, name: str) -> datetime | None:
        return _date_of(self.main.get(name), self.clock, self.default)

    def originals(self, component: Component, name: str, anchor: datetime) -> list[datetime]:
        dated = bool((moment := moment_of(self.main.get("DTSTART") or self.main.get("DUE"))) and moment.dated)
        return list(self.clock.originals(component, name, anchor, all_day=dated))

    def _repetition(self, rule: str, anchor: datetime | None) -> Repetition | None:
        noted = self.main.get(SERIES)
        named = self.main.get("DTSTART") or self.main.get("DUE")
        current = f"{named.value if named else ''} {rule}"
        began = None
        if noted and noted.params.get(NOTED_FOR) == current:
            began = _by_clock(noted.value, anchor.tzinfo if anchor else self.default)
        anchor = anchor or began or self.clock.instant(self.main.get("CREATED"))
        if anchor is None or self.main.get("EXRULE") is not None:
            return None
        regenerates = self.main.text(REGENERATES).upper() == "TRUE"
        found = self._rule(rule, anchor, regenerates=regenerates)
        if found is None:
            return None
        if noted and began and (count := natural(noted.params.get(OCCURRENCES, ""))):
            found = replace(found, occurrences=count)
        return Repetition(found, began or anchor, regenerates)

    def _rule(self, text: str, anchor: datetime, *, regenerates: bool) -> Recurrence | None:
        found = read_rule(text, anchor)
        if found is None:
            return None
        if regenerates and not any(name in parse_rule(text) for name in _OF_DAYS):
            found = replace(found, days=0, day_of_month=None, week=None, month=None)
        return with_calendar_type(found, natural(self.main.text(CALENDAR_TYPE)))

    def _dead(self, anchor: datetime | None) -> Repetition | None:
        """The series that the task was an occurrence of."""
        noted = self.main.get(DEAD_SERIES)
        began = (
            _by_clock(noted.params.get(SERIES, ""), anchor.tzinfo if anchor else self.default)
            if noted
            else None
        )
        if noted is None or began is None:
            return None
        regenerates = self.main.text(REGENERATES).upper() == "TRUE"
        found = self._rule(noted.value, began, regenerates=regenerates)
        return Repetition(found, began, regenerates, dead=True) if found else None


def _reminder(component: Component, start: datetime | None, due: datetime | None) -> datetime | None:
    found = (reminder_of(alarm, start, due) for alarm in component.parts("VALARM"))
    return next((one for one in found if one is not None), None)


def _by_clock(text: str, zone: tzinfo | None) -> datetime | None:
    moment = parse_moment(text)
    return moment.clock.replace(tzinfo=zone) if moment else None


def _completed(component: Component) -> bool:
    """Whether it is done, or called off: then nobody is to be reminded of it either."""
    status = component.text("STATUS").upper()
    if status in _DONE or status in _OPEN:
        return status in _DONE
    return bool(component.text("COMPLETED")) or component.text("PERCENT-COMPLETE") == "100"


def _importance(component: Component) -> int:
    """Of PRIORITY 1 to 4 are high and 6 to 9 are low (RFC 5545 3.8.1.9)."""
    priority = natural(component.text("PRIORITY"))
    if priority and priority != 5:
        return _HIGH if priority < 5 else _LOW
    told = natural(component.text(IMPORTANCE))
    return told if not priority and NORMAL < told <= _LARGEST_IMPORTANCE else NORMAL
