"""What is known of a task, and what is to become of it: values without a text and without a protocol."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from gateway.pim.invitation import Sensitivity
from gateway.pim.properties import UNSET, Body, Unset
from gateway.pim.recurrence import Recurrence
from gateway.pim.tree import BadText

__all__ = ["NORMAL", "BadTask", "Body", "Repetition", "Sensitivity", "Task", "TaskPatch"]

NORMAL = 1
"""The Importance of a task that says nothing of it."""


class BadTask(BadText):
    """It is no task, or would become one that cannot be."""


@dataclass(frozen=True, slots=True)
class Repetition:
    """How a task repeats.

    `rule` counts from `start`, where the series began, in the zone of the task: the task itself stands for
    the occurrence that is to be done next. One that `regenerates` is due again so long after it was done. A
    `dead` one repeats no more: it is a single occurrence that was done, and this the series it came from.
    """

    rule: Recurrence
    start: datetime
    regenerates: bool = False
    dead: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """A task, or the next occurrence of one that repeats.

    `start` and `due` are in the zone in which they were meant; where both or the only one of them are days
    (`dated`), they are the midnights of these. `completed_at` and `reminder` are instants in UTC; None of
    `reminder`: there is none. `importance` is that of MS-ASTASK 2.2.2.14.

    `repetition` is None for a single task, and for a series that phones cannot be told: `rule` is its RRULE
    as written. `ordinal` and `sub_ordinal` say where a device sorts it.
    """

    uid: str
    subject: str = ""
    body: Body | None = None
    start: datetime | None = None
    due: datetime | None = None
    dated: bool = False
    completed: bool = False
    completed_at: datetime | None = None
    importance: int = NORMAL
    sensitivity: Sensitivity = Sensitivity.NORMAL
    categories: tuple[str, ...] = ()
    reminder: datetime | None = None
    repetition: Repetition | None = None
    rule: str = ""
    ordinal: datetime | None = None
    sub_ordinal: str = ""
    stamp: datetime | None = None
    modified: datetime | None = None
    sequence: int = 0

    @property
    def anchor(self) -> datetime | None:
        """What its rule counts from."""
        return self.start or self.due

    @property
    def zone(self) -> tzinfo:
        """The zone of its times."""
        return (self.anchor.tzinfo if self.anchor else None) or UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPatch:
    """What is to change of a task. UNSET keeps a value, None removes it.

    `completed_at` counts for a task that is completed; left out, a task is completed at the time of the
    change. `repetition` None makes it a single task; a rule that phones cannot be told stays then, since they
    did not know of it.
    """

    subject: str | Unset | None = UNSET
    body: Body | Unset | None = UNSET
    start: datetime | Unset | None = UNSET
    due: datetime | Unset | None = UNSET
    completed: bool | Unset | None = UNSET
    completed_at: datetime | Unset | None = UNSET
    importance: int | Unset | None = UNSET
    sensitivity: Sensitivity | Unset | None = UNSET
    categories: tuple[str, ...] | Unset | None = UNSET
    reminder: datetime | Unset | None = UNSET
    repetition: Repetition | Unset | None = UNSET
    ordinal: datetime | Unset | None = UNSET
    sub_ordinal: str | Unset | None = UNSET
