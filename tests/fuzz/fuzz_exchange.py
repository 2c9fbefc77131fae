"""Fuzz .ics files: `python -m tests.fuzz.fuzz_exchange -max_total_time=60 [CORPUS]`.

Takes any libFuzzer option. An input is a file. CORPUS is a folder that keeps the inputs found on the way;
without it, the seeds of this repository are the start and nothing is kept. An input that fails is written to
the working directory as `crash-...`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING

from gateway.errors import Refused
from gateway.items import StoredItem
from gateway.pim import tree
from gateway.pim.events.document import Document
from gateway.pim.exchange import attachments, components, entries, scan, sorts, times, writing
from gateway.pim.exchange.sorts import Sort
from gateway.pim.notes.document import stored_note
from gateway.pim.tasks import reading, series
from gateway.pim.tasks.document import stored_task
from tests.fuzz.target import functions_of, fuzz

if TYPE_CHECKING:
    from collections.abc import Iterator

SEEDS = Path(__file__).parent / "corpus" / "calendar"
TASKS = Path(__file__).parent / "corpus" / "tasks"

_INNER = (attachments, components, entries, reading, scan, series, times, tree, writing)


def found_in(data: bytes, sort: Sort) -> list[StoredItem]:
    """What an input has for the store; what is wrong with it is told with lines that are there."""
    file = io.BytesIO(data)
    last = data.count(b"\n") + data.count(b"\r") + 1
    found = []
    try:
        for one in entries.entries(file, scan.scan(file, sort)):
            if isinstance(one, entries.Entry):
                found.append(one.stored(range(1, len(one.files) + 1)))
            assert 1 <= one.line <= last, data
    except Refused:
        return []
    return found


def check(data: bytes) -> None:
    """Read a file: what is for the store is whole, and is the same after it was written and read again."""
    for sort, stored in _STORED.items():
        _check(data, sort, stored)


def _check(data: bytes, sort: Sort, stored: Callable[[str], StoredItem]) -> None:
    found = found_in(data, sort)
    for one in found:
        one.text.encode()
        assert "\0" not in one.text, data
        assert stored(one.text) == one, data
    known: dict[str, StoredItem] = {}
    file = writing.CalendarFile("x")
    joined = [one for one in found if not one.files and file.joins(one.text)]
    pieces = [piece for one in joined for piece in file.item(one.text)]
    written = file.head() + "".join(map(str, pieces)) + file.tail()
    for one in joined:
        known[one.uid] = one
    again = {one.uid: one for one in found_in(written.encode(), sort)}
    assert {uid: _bare(one.text, sort) for uid, one in again.items()} == {
        uid: _bare(one.text, sort) for uid, one in known.items()
    }, data


def _bare(text: str, sort: Sort) -> list[str]:
    """The lines of items alone: others may define a zone for them."""
    nodes = tree.parse_calendar(text).nodes(sort.component)
    return [line.raw for node in nodes for line in node.lines("DTSTART", "DUE")]


_STORED: Mapping[Sort, Callable[[str], StoredItem]] = {
    sorts.EVENTS: lambda text: Document(text).stored,
    sorts.TASKS: stored_task,
    sorts.NOTES: stored_note,
}


def reader_functions() -> Iterator[FunctionType]:
    """Yield the functions and methods whose branches the fuzzer should see."""
    return functions_of(_INNER)


if __name__ == "__main__":
    fuzz(check, reader_functions(), SEEDS)
