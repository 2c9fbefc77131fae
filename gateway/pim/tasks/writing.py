"""Values of a task as lines of a VTODO, in one table; what else those lines say is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from types import MappingProxyType
from typing import Any

from gateway.pim.invitation import Sensitivity
from gateway.pim.names import (
    ALT_DESC,
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
from gateway.pim.properties import (
    Body,
    moment_line,
    put_text,
    write_body,
    write_categories,
    write_sensitivity,
)
from gateway.pim.recurrence import Pattern, Recurrence, write_rule
from gateway.pim.tasks.model import NORMAL, BadTask, Repetition
from gateway.pim.tasks.reading import reminder_of
from gateway.pim.tasks.series import passed
from gateway.pim.tree import Line, Node, make_line
from gateway.pim.values import FIRST_YEAR, LAST_YEAR, utc_text

__all__ = ["PLACES", "Dates", "Done", "Place"]

_PRIORITIES = {0: "9", 2: "1"}
_FREQUENCIES = {
    Pattern.DAILY: "DAILY",
    Pattern.WEEKLY: "WEEKLY",
    Pattern.MONTHLY: "MONTHLY",
    Pattern.MONTHLY_NTH: "MONTHLY",
    Pattern.YEARLY: "YEARLY",
    Pattern.YEARLY_NTH: "YEARLY",
}


@dataclass(frozen=True, slots=True)
class Dates:
    """The dates a task is to have, and the zone that is the users'."""

    start: datetime | None
    due: datetime | None
    dated: bool
    default: tzinfo

    @property
    def anchor(self) -> datetime | None:
        """What its rule counts from."""
        return self.start or self.due


@dataclass(frozen=True, slots=True)
class Done:
    """Whether a task is completed, and when it was."""

    completed: bool
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value is in a VTODO: the properties (and "VALARM") that are written, and what writes them."""

    properties: tuple[str, ...]
    write: Callable[[Node, Any, Dates], None]


def _date_line(name: str, moment: datetime, dates: Dates) -> Line:
    """DTSTART or DUE: by the clock of a zone that has a name, else with the distance from UTC beside it."""
    _check(moment)
    zone = moment.tzinfo or UTC
    usual = moment.astimezone(dates.default).utcoffset()
    if dates.dated:
        line = moment_line(name, moment, all_day=True)
    elif isinstance(zone, timezone):
        line = make_line(name, utc_text(moment))
    else:
        line = moment_line(name, moment, all_day=False, recurring=False)
        if "TZID" in (line.read.params if line.read else {}):
            return line
    return line if moment.utcoffset() == usual else line.with_params(**{_argument(OFFSET): _offset(moment)})


def _write_dates(task: Node, dates: Dates) -> None:
    """Change start and due together: one of them as a day makes both days."""
    for name, moment in (("DTSTART", dates.start), ("DUE", dates.due)):
        task.replace(name, [_date_line(name, moment, dates)] if moment else [])
    task.remove("DURATION")


def _write_subject(task: Node, subject: str, _: Dates) -> None:
    put_text(task, "SUMMARY", subject)


def _write_body(task: Node, body: Body | None, _: Dates) -> None:
    write_body(task, body)


def _write_done(task: Node, done: Done, _: Dates) -> None:
    component = task.component
    partly = component.text("PERCENT-COMPLETE")
    if done.completed:
        task.replace("STATUS", [make_line("STATUS", "COMPLETED")])
        task.replace("COMPLETED", [make_line("COMPLETED", utc_text(done.at))] if done.at else [])
        task.replace("PERCENT-COMPLETE", [make_line("PERCENT-COMPLETE", "100")])
        return
    begun = partly.isascii() and partly.isdigit() and 0 < int(partly[:4]) < 100
    task.replace("STATUS", [make_line("STATUS", "IN-PROCESS" if begun else "NEEDS-ACTION")])
    task.remove("COMPLETED")
    if not begun:
        task.remove("PERCENT-COMPLETE")


def _write_importance(task: Node, importance: int, _: Dates) -> None:
    priority = _PRIORITIES.get(importance)
    task.replace("PRIORITY", [make_line("PRIORITY", priority)] if priority else [])
    beyond = priority is None and importance != NORMAL
    task.replace(IMPORTANCE, [make_line(IMPORTANCE, str(importance))] if beyond else [])


def _write_sensitivity(task: Node, sensitivity: Sensitivity, _: Dates) -> None:
    write_sensitivity(task, sensitivity)


def _write_categories(task: Node, categories: tuple[str, ...], _: Dates) -> None:
    write_categories(task, categories)


def _write_reminder(task: Node, reminder: datetime | None, dates: Dates) -> None:
    """Change the alarm that phones show, or make one; what is no alarm for them stays."""
    shown = [
        one for one in task.nodes("VALARM") if reminder_of(one.component, dates.start, dates.due) is not None
    ]
    if reminder is None:
        gone = {id(one) for one in shown}
        task.remove_nodes(lambda one: id(one) in gone)
        return
    _check(reminder)
    trigger = make_line("TRIGGER", utc_text(reminder), {"VALUE": "DATE-TIME"})
    if shown:
        shown[0].replace("TRIGGER", [trigger])
        shown[0].remove("ACKNOWLEDGED")
        return
    lines = [make_line("ACTION", "DISPLAY"), make_line("DESCRIPTION", "Reminder"), trigger]
    task.parts.append(Node.new("VALARM", lines))


def _write_repetition(task: Node, repetition: Repetition | None, dates: Dates) -> None:
    """Change the rule; that of an occurrence that is done is noted where it makes no new ones."""
    task.remove("RRULE", "EXRULE", "RDATE", SERIES, DEAD_SERIES, CALENDAR_TYPE, REGENERATES)
    if repetition is None:
        task.remove("EXDATE")
        return
    rule, began = repetition.rule, repetition.start
    if rule.calendar_type:
        task.replace(CALENDAR_TYPE, [make_line(CALENDAR_TYPE, str(rule.calendar_type))])
    if repetition.regenerates:
        task.replace(REGENERATES, [make_line(REGENERATES, "TRUE")])
    if repetition.dead:
        written = make_line(DEAD_SERIES, _rule(repetition, rule, dates), {SERIES: _clock(began)})
        task.replace(DEAD_SERIES, [written])
        return
    anchor = dates.anchor
    standing = rule
    elsewhere = anchor is None or anchor.replace(tzinfo=None) != began.replace(tzinfo=None)
    if elsewhere and anchor and rule.occurrences is not None and not repetition.regenerates:
        gone = passed(_rule(repetition, rule, dates), began.replace(tzinfo=anchor.tzinfo), anchor)
        standing = replace(rule, occurrences=max(rule.occurrences - gone, 1))
    text = _rule(repetition, standing, dates)
    task.replace("RRULE", [make_line("RRULE", text)])
    if elsewhere:
        named = task.component.get("DTSTART") or task.component.get("DUE")
        params = {NOTED_FOR: f"{named.value if named else ''} {text}"}
        if rule.occurrences is not None:
            params[OCCURRENCES] = str(rule.occurrences)
        task.replace(SERIES, [make_line(SERIES, _clock(began), params)])


def _write_ordinal(task: Node, ordinal: datetime | None, _: Dates) -> None:
    task.replace(ORDINAL, [make_line(ORDINAL, utc_text(ordinal))] if ordinal else [])


def _write_sub_ordinal(task: Node, sub_ordinal: str, _: Dates) -> None:
    put_text(task, SUB_ORDINAL, sub_ordinal)


PLACES: Mapping[str, Place] = MappingProxyType(
    {
        "dates": Place(("DTSTART", "DUE", "DURATION"), lambda task, _, dates: _write_dates(task, dates)),
        "repetition": Place(
            (
                *("RRULE", "EXRULE", "RDATE", "EXDATE"),
                *(SERIES, DEAD_SERIES, CALENDAR_TYPE, REGENERATES),
            ),
            _write_repetition,
        ),
        "subject": Place(("SUMMARY",), _write_subject),
        "body": Place(("DESCRIPTION", ALT_DESC), _write_body),
        "done": Place(("STATUS", "COMPLETED", "PERCENT-COMPLETE"), _write_done),
        "importance": Place(("PRIORITY", IMPORTANCE), _write_importance),
        "sensitivity": Place(("CLASS",), _write_sensitivity),
        "categories": Place(("CATEGORIES",), _write_categories),
        "reminder": Place(("VALARM",), _write_reminder),
        "ordinal": Place((ORDINAL,), _write_ordinal),
        "sub_ordinal": Place((SUB_ORDINAL,), _write_sub_ordinal),
    }
)
"""Where each value of a task is; `dates` are start and due, `done` whether it is completed and since when."""


def _rule(repetition: Repetition, rule: Recurrence, dates: Dates) -> str:
    """The RRULE: ending at a day where the task has days, without days where it says none."""
    if rule.until:
        local = rule.until.astimezone(repetition.start.tzinfo)
        rule = replace(rule, until=local.replace(tzinfo=UTC)) if dates.dated else rule
    if not repetition.regenerates or rule.days or rule.day_of_month:
        return write_rule(rule, dated=dates.dated)
    bare = replace(rule, pattern=Pattern.DAILY, first_day=1, month=None, calendar_type=0)
    daily = write_rule(bare, dated=dates.dated)
    return daily.replace("FREQ=DAILY", f"FREQ={_FREQUENCIES[rule.pattern]}", 1)


def _clock(moment: datetime) -> str:
    return f"{moment.year:04}{moment:%m%dT%H%M%S}"


def _offset(moment: datetime) -> str:
    seconds = (moment.utcoffset() or timedelta()) // timedelta(seconds=1)
    hours, rest = divmod(abs(seconds), 3600)
    written = f"{'-' if seconds < 0 else '+'}{hours:02}{rest // 60:02}"
    return f"{written}{rest % 60:02}" if rest % 60 else written


def _argument(name: str) -> str:
    return name.replace("-", "_")


def _check(moment: datetime) -> None:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise BadTask("a time too far away")
