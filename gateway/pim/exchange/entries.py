"""The events, tasks or notes of a file, one after the other, each as it is to be stored.

Everything of one UID becomes one calendar of its own: the series, what changes its occurrences, and the
definitions of time zones they need. What cannot be understood is left out, and reported; of several versions
of one thing the newest counts. Nothing is taken over that belongs to the file as a whole, nor a METHOD.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import BinaryIO

from gateway.items import FileNumber, StoredItem
from gateway.pim.exchange.attachments import Enclosed
from gateway.pim.exchange.components import LARGEST, Found, read_component
from gateway.pim.exchange.scan import Contents, Problem, Span
from gateway.pim.exchange.sorts import Sort, Version
from gateway.pim.exchange.times import FileZones
from gateway.pim.limits import LONGEST_UID
from gateway.pim.tree import BadText, Line, Node, make_line, parse_calendar
from gateway.pim.values import moment_of

__all__ = ["Entry", "Version", "entries"]

_OLDEST = datetime.min.replace(tzinfo=UTC)
_CHANGING = frozenset({"DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE"})
"""What a program may write anew each time into an item that has no name."""
_MOST_COMPONENTS = 5000
_MOST_HEADS = 64
_LARGE = 1 << 19


@dataclass(frozen=True, slots=True)
class Entry:
    """An item of a file, read.

    `line` is its first one, `size` counts its octets there; `bounds` are those that the store has of it, and
    `files` those that stood in it.
    """

    uid: str
    line: int
    size: int
    version: Version
    bounds: tuple[datetime | None, datetime | None]
    calendar: Node
    files: tuple[Enclosed, ...] = ()

    def stored(self, numbers: Sequence[FileNumber] = ()) -> StoredItem:
        """What is to be stored of it; `numbers` are those its files have got, in their order."""
        numbered = {
            id(file.mark): file.line(number) for file, number in zip(self.files, numbers, strict=True)
        }
        calendar = _with_lines(self.calendar, numbered) if numbered else self.calendar
        return StoredItem(self.uid, calendar.text, *self.bounds, frozenset(numbers))


def entries(file: BinaryIO, contents: Contents, default: tzinfo | None = None) -> Iterator[Entry | Problem]:
    """What a file was scanned for, and what of it could not be taken over.

    `default` is the zone of times that are in none that is known.
    """
    yield from contents.problems
    importer = _Importer(file, contents, default)
    for spans in contents.series.values():
        yield from importer.series(spans)
    for span in contents.nameless:
        yield from importer.series([span], nameless=True)


class _Importer:
    def __init__(self, file: BinaryIO, contents: Contents, default: tzinfo | None) -> None:
        self._file = file
        self._contents = contents
        self._sort: Sort = contents.sort
        self._default = default
        self._zones: dict[int, FileZones] = {}

    def series(self, spans: Sequence[Span], *, nameless: bool = False) -> Iterator[Entry | Problem]:
        """What becomes of the components of one UID."""
        line, calendar = spans[0].line, spans[0].calendar
        if self._contents.heads[calendar].version == "1.0":
            yield Problem(line, f"{self._sort.noun} in the old form of vCalendar 1.0", whole=True)
            return
        size = sum(span.end - span.start for span in spans)
        if len(spans) > _MOST_COMPONENTS or (len(spans) > 1 and size > LARGEST):
            yield Problem(line, "a series with too many changed occurrences", whole=True)
            return
        read = [read_component(self._file, span) for span in spans]
        yield from (one for one in read if isinstance(one, Problem))
        found = [one for one in read if isinstance(one, Found)]
        for one in found:
            yield from one.problems
        problems: list[Problem] = []
        parts = _newest(found, self._sort, problems)
        yield from problems
        if not parts:
            return
        if nameless:
            _name(parts[0].node, self._sort)
        yield from self._assembled(parts, self._zones_of(calendar), line, size)

    def _assembled(
        self, parts: Sequence[Found], zones: FileZones, line: int, size: int
    ) -> Iterator[Entry | Problem]:
        calendar, unknown = zones.settle([one.node for one in parts])
        for name in dict.fromkeys(unknown):
            yield Problem(
                line, f"nobody knows the time zone {name[:100]!r}: its times are taken for ones in no zone"
            )
        try:
            found = self._sort.examine(calendar)
            if found.empty:
                yield Problem(line, "a rule that comes to no occurrence: the event is there once")
                parts[0].node.remove("RRULE")
                found = self._sort.examine(calendar)
            if len(text := calendar.text) > _LARGE:
                parse_calendar(text)  # what is stored can be read again
        except BadText as error:
            yield Problem(line, error.detail, whole=True)
            return
        if not 0 < len(found.uid) <= LONGEST_UID:
            yield Problem(line, "a UID that is too long, or empty", whole=True)
            return
        files = tuple(file for one in parts for file in one.files)
        yield Entry(found.uid, line, size, found.version, found.bounds, calendar, files)

    def _zones_of(self, calendar: int) -> FileZones:
        if calendar not in self._zones:
            if len(self._zones) == _MOST_HEADS:
                self._zones.clear()
            head = self._contents.heads[calendar]
            read = (read_component(self._file, span) for span in head.definitions)
            nodes = [one.node for one in read if isinstance(one, Found)]
            named = {node.component.text("TZID").lower(): node for node in reversed(nodes)}
            self._zones[calendar] = FileZones(head.zone, named, self._default)
        return self._zones[calendar]


def _newest(found: Sequence[Found], sort: Sort, problems: list[Problem]) -> list[Found]:
    """The series, then its changed occurrences in their order: of each the newest version."""
    newest: dict[str, Found] = {}
    for one in found:
        occurrence = one.node.component.get("RECURRENCE-ID")
        if sort.starts and occurrence is None and moment_of(one.node.component.get("DTSTART")) is None:
            problems.append(Problem(one.line, f"{sort.noun} without a start", whole=True))
            continue
        if occurrence is not None and moment_of(occurrence) is None:
            problems.append(Problem(one.line, "a changed occurrence that says not which one it is"))
            continue
        key = f"{occurrence.params.get('TZID', '')}:{occurrence.value}" if occurrence else ""
        if key in newest:
            older = min(newest[key], one, key=_version)
            problems.append(
                Problem(older.line, f"another version of {sort.noun} that is there, no newer one")
            )
            if older is one:
                continue
        newest[key] = one
    series = newest.pop("", None)
    return [*([series] if series else []), *newest.values()]


def _version(found: Found) -> Version:
    component = found.node.component
    sequence = component.text("SEQUENCE")
    changed = moment_of(component.get("LAST-MODIFIED")) or moment_of(component.get("DTSTAMP"))
    return (
        int(sequence) if sequence.isascii() and sequence.isdigit() and len(sequence) <= 12 else 0,
        changed.clock.replace(tzinfo=UTC) if changed else _OLDEST,
    )


def _name(item: Node, sort: Sort) -> None:
    """Give an item a UID that it gets again when the same item is read again."""
    kept = [one for one in item.parts if isinstance(one, Node) or one.name not in _CHANGING]
    content = Node(sort.component, parts=kept)
    digest = hashlib.sha256(content.text.encode()).hexdigest()
    item.remove("UID")
    item.parts.insert(0, make_line("UID", f"{digest[:32]}@without-uid"))


def _with_lines(node: Node, lines: Mapping[int, Line]) -> Node:
    """A copy with some lines in place of marks, by their id."""
    parts = [
        _with_lines(one, lines) if isinstance(one, Node) else lines.get(id(one), one) for one in node.parts
    ]
    return Node(node.name, node.begin, node.end, parts)
