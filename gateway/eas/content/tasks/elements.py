"""All elements of a task, in one table: where each is in the stored text, how it is read and shown."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Any, TypeVar

from gateway.eas.content.itembody import OldBody, native_type, read_body, shown_body
from gateway.eas.content.limits import LONGEST_CATEGORY, LONGEST_SUBJECT, MOST_CATEGORIES
from gateway.eas.content.mapping import Mapped
from gateway.eas.content.preferences import BodyOptions
from gateway.eas.content.readers import boolean, integer, moment, names, text
from gateway.eas.content.repeating import can_be_told
from gateway.eas.content.tasks.dates import read_date, shown_date
from gateway.eas.content.tasks.series import CHILDREN, read_repetition, shown_repetition
from gateway.eas.content.values import date_time
from gateway.eas.versions import Version
from gateway.mail.headers import clean
from gateway.pim.properties import UNSET, Body, Unset
from gateway.pim.tasks.model import Repetition, Sensitivity, Task, TaskPatch
from gateway.pim.tasks.writing import PLACES
from wbxml import Element, Tag, element
from wbxml.pages import AirSyncBase, Tasks

__all__ = ["TABLE", "Absent", "Reading", "Showing", "ghosted", "kept", "news", "read_patch", "shown_task"]

_Value = TypeVar("_Value")

Absent = Callable[[Tag], Unset | None]
"""Says of an element that is not there what becomes of its value: None removes it."""

_LONGEST_SUB_ORDINAL = 1024
_LARGEST_BYTE = 255
_NEVER_GONE = frozenset({Tasks.Importance, Tasks.ReminderSet, Tasks.Complete})
"""What a Change without them leaves as it is (MS-ASTASK 3.2.5.3)."""
_SINCE_12 = frozenset({Tasks.OrdinalDate, Tasks.SubOrdinalDate})
_OLD_BODY = OldBody(Tasks.Body, Tasks.BodyTruncated, Tasks.BodySize, Tasks.CompressedRTF)


@dataclass(frozen=True, slots=True)
class Reading:
    """What an ApplicationData is read with: `task` is what it changes, None for a new one.

    `zone` is the users'.
    """

    version: Version
    task: Task | None
    absent: Absent
    zone: tzinfo

    @property
    def zones(self) -> tuple[tzinfo, ...]:
        """Those that a date may be in, the likeliest first."""
        return (self.task.zone, self.zone) if self.task and self.task.anchor else (self.zone,)

    def told(self, data: Element, value: _Value | None, *tags: Tag) -> _Value | Unset | None:
        """A value that was read; when none of its elements is there, what that means."""
        if value is not None or any(data.find(tag) is not None for tag in tags):
            return value
        found = [self.absent(tag) for tag in tags]
        return None if None in found else UNSET


@dataclass(frozen=True, slots=True)
class Showing:
    """How a task is shown."""

    version: Version
    body: BodyOptions


def kept(_tag: Tag) -> Unset:
    """Everything stays as it is."""
    return UNSET


def ghosted(version: Version, supported: Collection[str] | None) -> Absent:
    """In a Change: what the device never knew stays, everything else that is not there goes.

    `supported` are the names it listed in Supported, None when it sent no such list.
    """

    def absent(tag: Tag) -> Unset | None:
        unknown = version < Version.V12_0 and tag in _SINCE_12
        hidden = supported is not None and tag.name not in supported
        return UNSET if hidden or unknown or tag in _NEVER_GONE else None

    return absent


# --- single values ------------------------------------------------------------------------------------


def _read_subject(data: Element, reading: Reading) -> str | Unset | None:
    return reading.told(data, text(data, Tasks.Subject, LONGEST_SUBJECT), Tasks.Subject)


def _show_subject(task: Task, _: Showing) -> Iterator[Element]:
    yield element(Tasks.Subject, clean(task.subject))


def _read_body(data: Element, reading: Reading) -> Body | Unset | None:
    known = (reading.task.body or Body("")) if reading.task else None
    return read_body(data, reading.version, known, _OLD_BODY, takes_rtf=True)


def _show_body(task: Task, showing: Showing) -> Iterator[Element]:
    yield from shown_body(task.body, showing.body, showing.version, _OLD_BODY, takes_rtf=True)
    if showing.version >= Version.V12_0:
        yield element(AirSyncBase.NativeBodyType, native_type(task.body))


def _read_date(local: Tag, utc: Tag, data: Element, reading: Reading) -> datetime | Unset | None:
    return reading.told(data, read_date(data, local, utc, reading.zones), local, utc)


def _show_start(task: Task, _: Showing) -> Iterator[Element]:
    yield from shown_date(task.start, Tasks.StartDate, Tasks.UtcStartDate)


def _show_due(task: Task, _: Showing) -> Iterator[Element]:
    yield from shown_date(task.due, Tasks.DueDate, Tasks.UtcDueDate)


_read_start = partial(_read_date, Tasks.StartDate, Tasks.UtcStartDate)
_read_due = partial(_read_date, Tasks.DueDate, Tasks.UtcDueDate)


def _read_completed(data: Element, reading: Reading) -> bool | Unset | None:
    return reading.told(data, boolean(data, Tasks.Complete), Tasks.Complete)


def _show_completed(task: Task, _: Showing) -> Iterator[Element]:
    yield element(Tasks.Complete, task.completed)


def _read_completed_at(data: Element, _: Reading) -> datetime | Unset:
    return moment(data, Tasks.DateCompleted) or UNSET


def _show_completed_at(task: Task, _: Showing) -> Iterator[Element]:
    if task.completed:
        at = task.completed_at or task.modified or task.due or task.stamp
        yield element(Tasks.DateCompleted, date_time(at or datetime(1970, 1, 1, tzinfo=UTC)))


def _read_importance(data: Element, reading: Reading) -> int | Unset | None:
    value = integer(data, Tasks.Importance, 0, _LARGEST_BYTE)
    return reading.told(data, value, Tasks.Importance)


def _show_importance(task: Task, _: Showing) -> Iterator[Element]:
    yield element(Tasks.Importance, task.importance)


def _read_sensitivity(data: Element, reading: Reading) -> Sensitivity | Unset | None:
    value = integer(data, Tasks.Sensitivity, min(Sensitivity), max(Sensitivity))
    known = None if value is None else Sensitivity(value)
    return reading.told(data, known, Tasks.Sensitivity)


def _show_sensitivity(task: Task, _: Showing) -> Iterator[Element]:
    yield element(Tasks.Sensitivity, int(task.sensitivity))


def _read_categories(data: Element, reading: Reading) -> tuple[str, ...] | Unset | None:
    listed = names(data, Tasks.Categories, Tasks.Category, MOST_CATEGORIES, LONGEST_CATEGORY)
    return reading.told(data, listed, Tasks.Categories)


def _show_categories(task: Task, _: Showing) -> Iterator[Element]:
    listed = [name for one in task.categories if (name := clean(one))]
    if listed:
        named = (element(Tasks.Category, name) for name in listed[:MOST_CATEGORIES])
        yield element(Tasks.Categories, *named)


def _read_reminder(data: Element, reading: Reading) -> datetime | Unset | None:
    """When it rings; one that says no time rings when the task is due, or where it did."""
    wanted, at = boolean(data, Tasks.ReminderSet), moment(data, Tasks.ReminderTime)
    if wanted is None:
        return at or UNSET
    if not wanted:
        return None
    known = reading.task.reminder if reading.task else None
    dates = (_read_due(data, reading), _read_start(data, reading))
    named = next((one for one in dates if isinstance(one, datetime)), None)
    return at or known or (named.astimezone(UTC) if named else None)


def _show_reminder(task: Task, _: Showing) -> Iterator[Element]:
    yield element(Tasks.ReminderSet, task.reminder is not None)
    if task.reminder:
        yield element(Tasks.ReminderTime, date_time(task.reminder))


def _read_repetition(data: Element, reading: Reading) -> Repetition | Unset | None:
    told = (_read_start(data, reading), _read_due(data, reading))
    before = (reading.task.start, reading.task.due) if reading.task else (None, None)
    dates = (old if isinstance(one, Unset) else one for one, old in zip(told, before, strict=True))
    anchor = next((one for one in dates if one), None)
    known = reading.task.repetition if reading.task else None
    value = read_repetition(data, reading.version, known, anchor, reading.zones[0])
    return reading.told(data, value, Tasks.Recurrence)


def _show_repetition(task: Task, showing: Showing) -> Iterator[Element]:
    if task.repetition and can_be_told(task.repetition.rule, showing.version):
        yield shown_repetition(task.repetition, showing.version)


def _read_ordinal(data: Element, reading: Reading) -> datetime | Unset | None:
    if reading.version < Version.V12_0:
        return UNSET
    return reading.told(data, moment(data, Tasks.OrdinalDate), Tasks.OrdinalDate)


def _show_ordinal(task: Task, showing: Showing) -> Iterator[Element]:
    if task.ordinal and showing.version >= Version.V12_0:
        yield element(Tasks.OrdinalDate, date_time(task.ordinal))


def _read_sub_ordinal(data: Element, reading: Reading) -> str | Unset | None:
    if reading.version < Version.V12_0:
        return UNSET
    value = text(data, Tasks.SubOrdinalDate, _LONGEST_SUB_ORDINAL)
    return reading.told(data, value, Tasks.SubOrdinalDate)


def _show_sub_ordinal(task: Task, showing: Showing) -> Iterator[Element]:
    if task.sub_ordinal and showing.version >= Version.V12_0:
        yield element(Tasks.SubOrdinalDate, clean(task.sub_ordinal))


# --- all of them --------------------------------------------------------------------------------------


TABLE: tuple[Mapped[Task, Reading, Showing], ...] = (
    Mapped("subject", (Tasks.Subject,), PLACES["subject"].properties, _read_subject, _show_subject),
    Mapped(
        "body",
        (
            *(AirSyncBase.Body, AirSyncBase.NativeBodyType),
            *(Tasks.Body, Tasks.BodySize, Tasks.BodyTruncated, Tasks.CompressedRTF),
        ),
        PLACES["body"].properties,
        _read_body,
        _show_body,
        "HTML is kept beside the text made of it. The Tasks page has a body in version 2.5 alone; what comes "
        "as RTF is kept as text or HTML.",
    ),
    Mapped(
        "start",
        (Tasks.StartDate, Tasks.UtcStartDate),
        ("DTSTART",),
        _read_start,
        _show_start,
        "A day when start and due are both at midnight; else by the clock of the zone that the two elements "
        "tell.",
    ),
    Mapped(
        "due",
        (Tasks.DueDate, Tasks.UtcDueDate),
        ("DUE", "DURATION"),
        _read_due,
        _show_due,
        "As the start.",
    ),
    Mapped(
        "completed",
        (Tasks.Complete,),
        ("STATUS", "PERCENT-COMPLETE"),
        _read_completed,
        _show_completed,
        "What was called off (CANCELLED) is shown as completed.",
    ),
    Mapped("completed_at", (Tasks.DateCompleted,), ("COMPLETED",), _read_completed_at, _show_completed_at),
    Mapped(
        "importance",
        (Tasks.Importance,),
        PLACES["importance"].properties,
        _read_importance,
        _show_importance,
        "PRIORITY 1 to 4 are high and 6 to 9 low.",
    ),
    Mapped(
        "sensitivity",
        (Tasks.Sensitivity,),
        PLACES["sensitivity"].properties,
        _read_sensitivity,
        _show_sensitivity,
    ),
    Mapped(
        "categories",
        (Tasks.Categories, Tasks.Category),
        PLACES["categories"].properties,
        _read_categories,
        _show_categories,
    ),
    Mapped(
        "reminder",
        (Tasks.ReminderSet, Tasks.ReminderTime),
        PLACES["reminder"].properties,
        _read_reminder,
        _show_reminder,
        "The first alarm that shows or plays something; others stay as they are.",
    ),
    Mapped(
        "repetition",
        (Tasks.Recurrence, *CHILDREN),
        PLACES["repetition"].properties,
        _read_repetition,
        _show_repetition,
        "The rule counts from the next occurrence, for which the task stands; where the series began is "
        "noted beside it.",
    ),
    Mapped("ordinal", (Tasks.OrdinalDate,), PLACES["ordinal"].properties, _read_ordinal, _show_ordinal),
    Mapped(
        "sub_ordinal",
        (Tasks.SubOrdinalDate,),
        PLACES["sub_ordinal"].properties,
        _read_sub_ordinal,
        _show_sub_ordinal,
    ),
)
"""Every element of the Tasks page, and of AirSyncBase what tasks have."""


def read_patch(data: Element, reading: Reading) -> TaskPatch:
    """What a device makes of a task. Raises `BadItem` for what a task cannot be."""
    return TaskPatch(**{one.name: one.read(data, reading) for one in TABLE})


def news(told: TaskPatch, shown: TaskPatch) -> TaskPatch:
    """What of a patch is not as the device was shown it: what comes back as it went changes nothing."""
    same: dict[str, Any] = {
        one.name: UNSET for one in fields(told) if _alike(getattr(told, one.name), getattr(shown, one.name))
    }
    return replace(told, **same)


def _alike(one: Any, other: Any) -> bool:
    """Whether two values are the same; of times also by the clock."""
    if isinstance(one, datetime) and isinstance(other, datetime):
        return one == other and one.utcoffset() == other.utcoffset()
    return bool(one == other)


def shown_task(task: Task, showing: Showing) -> Sequence[Element]:
    """All that a device is told of a task."""
    return [made for one in TABLE for made in one.show(task, showing)]
