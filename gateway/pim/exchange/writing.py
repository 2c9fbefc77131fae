"""A folder as a file: all items in one VCALENDAR, and the time zones they need before them, once each.

It takes two passes over the items: the first to see which zones they are in. An item that only means the
same by itself (its times are in no zone, or in one of a name that others mean another by) follows in a
VCALENDAR of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from gateway.items import FileNumber
from gateway.pim.clock import is_iana
from gateway.pim.events.document import new_calendar
from gateway.pim.events.writing import is_own_file
from gateway.pim.exchange.attachments import heading
from gateway.pim.exchange.times import by_the_clock
from gateway.pim.timezones import write_zone
from gateway.pim.tree import Line, Node, escaped, make_line, parse_calendar
from gateway.pim.zonelines import used_zones

__all__ = ["CalendarFile", "Content", "alone"]

_END = "\r\n"
_ITEMS = ("VEVENT", "VTODO", "VJOURNAL")
_JOINED = frozenset({*_ITEMS, "VTIMEZONE"})


@dataclass(frozen=True, slots=True)
class Content:
    """Where the content of a file belongs, as `attachments.written` writes it."""

    number: FileNumber


class CalendarFile:
    """The file of a folder that is called `name`: of a calendar, a list of tasks, or notes."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._since: dict[str, datetime] = {}
        """The zones everybody knows, with the time (by its clock) from which they are needed."""
        self._definitions: dict[str, str] = {}
        """Others by TZID, as their items define them."""

    def joins(self, text: str) -> bool:
        """Note what zones an item needs; whether it can stand among the others. Raises `BadText`."""
        calendar = parse_calendar(text)
        own = {node.component.text("TZID"): node.text for node in calendar.nodes("VTIMEZONE")}
        needed = {name: own.get(name, "") for name in used_zones(calendar) if not is_iana(name)}
        apart = (
            any(node.name not in _JOINED for node in calendar.nodes())
            or any(not moment.tzid for line in _lines(calendar) for moment in by_the_clock(line))
            or any(self._definitions.get(name, found) != found for name, found in needed.items())
        )
        if apart:
            return False
        self._definitions |= needed
        for line in _lines(calendar):
            for moment in by_the_clock(line):
                if is_iana(moment.tzid):
                    known = self._since.setdefault(moment.tzid, moment.clock)
                    self._since[moment.tzid] = min(known, moment.clock)
        return True

    def head(self) -> str:
        """What stands before the items."""
        head = new_calendar()
        head.parts.append(make_line("X-WR-CALNAME", escaped(self._name)))
        known = (
            line
            for tzid, since in sorted(self._since.items())
            for line in write_zone(tzid, ZoneInfo(tzid), since.replace(tzinfo=UTC))
        )
        whole = head.text.removesuffix(f"END:VCALENDAR{_END}")
        return whole + "".join(f"{line}{_END}" for line in known) + "".join(self._definitions.values())

    def item(self, text: str) -> Iterator[str | Content]:
        """One of those that join."""
        for node in parse_calendar(text).nodes(*_ITEMS):
            yield from _written(node)

    def tail(self) -> str:
        """What stands behind them."""
        return f"END:VCALENDAR{_END}"


def alone(text: str) -> Iterator[str | Content]:
    """An item in a calendar of its own. Raises `BadText`."""
    calendar = parse_calendar(text)
    calendar.remove("METHOD")
    return _written(calendar)


def _written(node: Node) -> Iterator[str | Content]:
    yield f"{node.begin}{_END}"
    for part in node.parts:
        if isinstance(part, Node):
            yield from _written(part)
        elif is_own_file(part) and part.read:
            number = part.read.value.strip().partition(":")[2]
            if number.isascii() and number.isdigit():
                yield heading(part)
                yield Content(int(number))
                yield _END
        else:
            yield f"{part.raw}{_END}"
    yield f"{node.end}{_END}"


def _lines(calendar: Node) -> Iterator[Line]:
    """The lines of its items."""
    return (one for item in calendar.nodes(*_ITEMS) for one in item.parts if isinstance(one, Line))
