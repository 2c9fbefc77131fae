"""The components of a series: the series itself, its exceptions, and which occurrences have gone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.pim.clock import Clock
from gateway.pim.events.expansion import starts
from gateway.pim.events.model import BadEvent, Event
from gateway.pim.events.reading import read_component
from gateway.pim.events.writing import write_times
from gateway.pim.length import later
from gateway.pim.limits import MOST_EXCEPTIONS
from gateway.pim.names import BLOB, CALENDAR_TYPE
from gateway.pim.properties import moment_line
from gateway.pim.rules import WorkDone
from gateway.pim.tree import Node

__all__ = ["Series"]

_OF_SERIES = ("RRULE", "RDATE", "EXDATE", "EXRULE", CALENDAR_TYPE, BLOB, "RECURRENCE-ID")


@dataclass(slots=True)
class Series:
    """A calendar with one event, to be changed.

    `event` is what it says, `main` its component; `changed` are the components of exceptions, `deleted` the
    occurrences that are not, by original start. `doubles` are components that others stand in for.
    """

    calendar: Node
    owner: str
    event: Event
    main: Node
    changed: dict[datetime, Node]
    deleted: list[datetime]
    doubles: list[Node]

    @classmethod
    def of(cls, calendar: Node, owner: str) -> Series:
        """Raises `BadEvent`."""
        event = read_component(calendar.component, owner, UTC)
        nodes = list(calendar.nodes("VEVENT"))
        main = next((one for one in nodes if not any(one.lines("RECURRENCE-ID"))), nodes[0])
        deleted = [one.original for one in event.occurrences if one.event is None]
        exceptions = list(_exceptions(calendar, main, event))
        changed = dict(exceptions)
        doubles = [node for original, node in exceptions if changed[original] is not node]
        return cls(calendar, owner, event, main, changed, deleted, doubles)

    def exception(self, original: datetime) -> Node:
        """The component of an exception, made if there is none yet: the series at that time."""
        self._drop_doubles()
        if original in self.changed:
            return self.changed[original]
        if original in self.deleted:
            self.deleted.remove(original)
            self._write_deleted()
        made = self.main.copy()
        made.remove(*_OF_SERIES)
        made.parts.insert(0, moment_line("RECURRENCE-ID", original, all_day=self.event.all_day))
        self._put(made, original)
        last = max(at for at, one in enumerate(self.calendar.parts) if isinstance(one, Node))
        self.calendar.parts.insert(last + 1, made)
        self.changed[original] = made
        self._bound()
        return made

    def delete(self, original: datetime) -> None:
        """Delete an occurrence."""
        self._drop_doubles()
        self._drop(original)
        if original not in self.deleted:
            self.deleted.append(original)
            line = moment_line("EXDATE", original, all_day=self.event.all_day)
            self.main.replace("EXDATE", [*self.main.lines("EXDATE"), line])
        self._bound()

    def forget_exceptions(self) -> None:
        """Have all occurrences as the series has them."""
        self._drop_doubles()
        for original in list(self.changed):
            self._drop(original)
        self.deleted.clear()
        self.main.remove("EXDATE")

    def follow(self, new: Event) -> None:
        """Keep exceptions at the same days after the series has changed to `new`.

        Those at days that it has left are dropped. An exception with the times of the series has them now.
        """
        self._drop_doubles()
        old, self.event = self.event, new
        moved = {one.original: self._moved(one.original) for one in old.occurrences}
        there = self._there(moved.values())
        exceptions = {one.original: one.event for one in old.occurrences if one.event}
        kept: dict[datetime, Node] = {}
        for original, event in exceptions.items():
            node, at = self.changed[original], moved[original]
            if at not in there:
                self._drop(original)
                continue
            node.replace("RECURRENCE-ID", [moment_line("RECURRENCE-ID", at, all_day=new.all_day)])
            if event.start == original and event.end == later(original, old.length):
                self._put(node, at)
            kept[at] = node
        self.changed = kept
        before, self.deleted = self.deleted, [moved[one] for one in self.deleted if moved[one] in there]
        if before != self.deleted or old.all_day != new.all_day:
            self._write_deleted()
        self._move_extra(old)

    def _move_extra(self, old: Event) -> None:
        extra = [self._moved(one) for one in old.extra]
        if extra != list(old.extra) or old.all_day != self.event.all_day:
            all_day = self.event.all_day
            self.main.replace("RDATE", [moment_line("RDATE", one, all_day=all_day) for one in extra])

    def _moved(self, original: datetime) -> datetime:
        start = self.event.start
        return datetime.combine(original.date(), start.time(), start.tzinfo)

    def _there(self, originals: Iterable[datetime]) -> set[datetime]:
        """Which of these the series comes to, as far as one can look."""
        wanted = set(originals)
        if not wanted:
            return wanted
        last, there = max(wanted), set()
        try:
            for one in starts(self.event, min(wanted)):
                if one > last:
                    break
                there.add(one)
        except WorkDone:
            return wanted
        return wanted & there

    def _put(self, node: Node, original: datetime) -> None:
        """Give an exception the times of the series."""
        event = self.event
        end = later(original, event.length)
        write_times(node, original, end, all_day=event.all_day, recurring=True)

    def _drop(self, original: datetime) -> None:
        gone = self.changed.pop(original, None)
        if gone is not None:
            self.calendar.remove_nodes(lambda node: node is gone)

    def _drop_doubles(self) -> None:
        if self.doubles:
            gone = {id(double) for double in self.doubles}
            self.calendar.remove_nodes(lambda node: id(node) in gone)
            self.doubles.clear()

    def _write_deleted(self) -> None:
        all_day = self.event.all_day
        lines = [moment_line("EXDATE", one, all_day=all_day) for one in self.deleted]
        self.main.replace("EXDATE", lines)

    def _bound(self) -> None:
        if len(self.changed) + len(self.deleted) > MOST_EXCEPTIONS:
            raise BadEvent("a series with too many exceptions")


def _exceptions(calendar: Node, main: Node, event: Event) -> Iterable[tuple[datetime, Node]]:
    """The components of exceptions with the original start of each."""
    component = main.component
    clock = Clock(calendar.component, UTC)
    clock.settle(component)
    clock.of(component.get("DTSTART"))
    for node in calendar.nodes("VEVENT"):
        other = node.component
        if node is main or other.text("UID") != component.text("UID"):
            continue
        for original in clock.originals(other, "RECURRENCE-ID", event.start, all_day=event.all_day):
            yield original, node
