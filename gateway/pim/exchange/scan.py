"""Where the events, tasks or notes of a file are: one pass over its lines that keeps their places alone.

An event and what changes its occurrences may stand anywhere in a file, in any order, and the definition of a
time zone behind what uses it. So the file is read twice: once to see what is where, then event by event.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import BinaryIO

from gateway.errors import Kind, Refused
from gateway.pim.exchange.filelines import FileLine, file_lines
from gateway.pim.exchange.sorts import EVENTS, Sort
from gateway.pim.lines import parse_property

__all__ = ["Contents", "Head", "Problem", "Span", "scan"]

MOST_EVENTS = 500_000
"""Components of a file, and VCALENDARs; what is kept of one takes some hundred octets."""
_DEEPEST = 20
_LONGEST_UID = 4096
_MOST_DEFINITIONS = 200
"""Time zones of one calendar."""
_MOST_OTHERS = 100
"""Kinds of components that are counted."""
_HEAD_FIELDS = (b"VERSION", b"X-WR-TIMEZONE")
_IN_CALENDARS = frozenset({"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VTIMEZONE"})
"""What is in nothing but calendars: whatever is open when one begins was not ended."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be taken over. `line` is counted from 1; `whole`: the item with it."""

    line: int
    reason: str
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """The octets of a component, from `start` to before `end`, in the calendar of this index."""

    start: int
    end: int
    line: int
    calendar: int


@dataclass(slots=True)
class Head:
    """What a calendar says of all in it: its own zone (X-WR-TIMEZONE), version, and definitions."""

    zone: str = ""
    version: str = ""
    definitions: list[Span] = field(default_factory=list)


@dataclass(slots=True)
class Contents:
    """What is where in a file that was scanned for one sort.

    `series` are its components of each UID, `nameless` those without one; `others` counts what is for other
    folders (VTODO, VJOURNAL, VFREEBUSY).
    """

    sort: Sort = EVENTS
    heads: list[Head] = field(default_factory=list)
    series: dict[str, list[Span]] = field(default_factory=dict)
    nameless: list[Span] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many items there are."""
        return len(self.series) + len(self.nameless)


def scan(file: BinaryIO, sort: Sort = EVENTS) -> Contents:
    """See what of a sort is in a file, from its beginning. Raises `Refused` when no calendar is in it."""
    scanner = _Scanner(sort)
    for line in file_lines(file):
        scanner.take(line)
    return scanner.end()


class _Scanner:
    def __init__(self, sort: Sort) -> None:
        self._contents = Contents(sort)
        self._sort = sort
        self._open: list[str] = []
        self._inner = 0
        """Components begun below the deepest that are followed."""
        self._event: FileLine | None = None
        self._component = ""
        self._uid: bytearray | None = None
        """The line with the UID of the event, as far as it was read."""
        self._reading_uid = False
        self._begun = 0

    def take(self, line: FileLine) -> None:
        octets = line.octets
        if not line.first or octets.startswith((b" ", b"\t")):
            if self._reading_uid and self._uid is not None and len(self._uid) < _LONGEST_UID:
                self._uid += octets[1:]
            return
        self._reading_uid = False
        key = octets[:4].upper()
        if key == b"BEGI":
            self._begin(line)
        elif key == b"END:":
            self._end(line)
        elif key in {b"UID:", b"UID;"}:
            if self._uid is None and self._open[-1:] == [self._sort.component]:
                self._uid, self._reading_uid = bytearray(octets), True
        elif self._open == ["VCALENDAR"] and octets.upper().startswith(_HEAD_FIELDS):
            self._note(octets)

    def end(self) -> Contents:
        """What was seen. Raises `Refused` for a file without a calendar."""
        self._unfinished()
        if not self._contents.heads:
            raise Refused(Kind.INVALID_CONTENT, "there is no calendar in the file")
        return self._contents

    def _begin(self, line: FileLine) -> None:
        name = _named(line.octets, b"BEGIN")
        if name is None:
            return
        if name == "VCALENDAR" or (name in _IN_CALENDARS and self._event is not None):
            self._unfinished()
            self._open = self._open[:1] if name != "VCALENDAR" and self._open[:1] == ["VCALENDAR"] else []
            self._inner = 0
        if len(self._open) == _DEEPEST:
            self._inner += 1
            return
        outer = [one for one in self._open if one != "VCALENDAR"]
        self._open.append(name)
        if name in {"VCALENDAR", self._sort.component}:
            self._begun += 1
            if self._begun > 2 * MOST_EVENTS:
                raise Refused(
                    Kind.INVALID_CONTENT, f"more than {MOST_EVENTS} {self._sort.component} in one file"
                )
        if name == "VCALENDAR":
            self._contents.heads.append(Head())
        elif not outer:
            self._begin_component(name, line)

    def _begin_component(self, name: str, line: FileLine) -> None:
        if not self._contents.heads:
            if name not in _IN_CALENDARS:
                return
            self._contents.heads.append(Head())
        self._event, self._component, self._uid = line, name, None

    def _end(self, line: FileLine) -> None:
        name = _named(line.octets, b"END")
        if self._inner:
            self._inner -= 1
        elif name in self._open:
            while self._open[-1] != name:
                self._leave(self._open.pop(), None)
            self._leave(self._open.pop(), line)

    def _leave(self, name: str, line: FileLine | None) -> None:
        """A component ends with a line, or (None) with the one around it."""
        begun = self._event
        if begun is None or [one for one in self._open if one != "VCALENDAR"] or name != self._component:
            return
        if line is None:
            self._unfinished()
            return
        self._event = None
        span = Span(begun.start, line.end, begun.number, len(self._contents.heads) - 1)
        if name == self._sort.component:
            self._keep(span)
        elif name == "VTIMEZONE":
            if len(self._contents.heads[-1].definitions) < _MOST_DEFINITIONS:
                self._contents.heads[-1].definitions.append(span)
        elif name in self._contents.others or len(self._contents.others) < _MOST_OTHERS:
            self._contents.others[name] += 1

    def _keep(self, span: Span) -> None:
        found = parse_property(self._uid.decode("utf-8", "replace")) if self._uid else None
        uid = found.text.strip()[:_LONGEST_UID] if found else ""
        if uid:
            self._contents.series.setdefault(uid, []).append(span)
        else:
            self._contents.nameless.append(span)

    def _unfinished(self) -> None:
        """Give up a component that has no end."""
        if self._event is not None and self._component == self._sort.component:
            self._contents.problems.append(
                Problem(self._event.number, f"{self._sort.noun} without an end", whole=True)
            )
        self._event = None

    def _note(self, octets: bytes) -> None:
        found = parse_property(octets.decode("utf-8", "replace"))
        head = self._contents.heads[-1]
        if found and found.name == "VERSION":
            head.version = found.text.strip()
        elif found and found.name == "X-WR-TIMEZONE":
            head.zone = found.text.strip()


def _named(octets: bytes, word: bytes) -> str | None:
    """The component that a BEGIN or END is of."""
    key, colon, name = octets.partition(b":")
    if not colon or key.strip().upper() != word:
        return None
    return name.strip().upper().decode("ascii", "replace")[:64]
