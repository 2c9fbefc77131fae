"""Fuzz events in the store: `python -m tests.fuzz.fuzz_events -max_total_time=60 [CORPUS]`.

Takes any libFuzzer option. An input is a calendar in UTF-8. CORPUS is a folder that keeps the inputs found on
the way; without it, the seeds of this repository are the start and nothing is kept. An input that fails is
written to the working directory as `crash-...`.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING

from gateway.errors import NotFound
from gateway.pim import clock, lines, properties, recurrence, rules, tree, values, zonelines, zones
from gateway.pim.events import document, expansion, freebusy, patching, place, reading, series, writing
from gateway.pim.events.document import Document
from gateway.pim.events.model import INHERIT, BadEvent, Event, EventPatch, OccurrencePatch
from gateway.pim.tree import BadText
from tests.fuzz.target import functions_of, fuzz

if TYPE_CHECKING:
    from collections.abc import Iterator

SEEDS = Path(__file__).parent / "corpus" / "calendar"

_INNER = (
    clock,
    document,
    expansion,
    freebusy,
    lines,
    patching,
    place,
    properties,
    reading,
    recurrence,
    rules,
    series,
    tree,
    values,
    writing,
    zonelines,
    zones,
)
_ANN = "ann@example.org"
_NOW = datetime(2026, 3, 1, tzinfo=UTC)
_NAMED = {one.name for one in fields(EventPatch)} - {"occurrences", "resets_exceptions"}


def event(data: bytes) -> Event | None:
    """What an input says."""
    try:
        return document.read_event(data.decode("utf-8", "replace"), _ANN)
    except BadEvent:
        return None


def check(data: bytes) -> None:
    """Read an event, find its occurrences, change it: what is named again stays, what is new is there."""
    found = event(data)
    if found is None:
        return
    text = tree.parse_calendar(data.decode("utf-8", "replace")).text
    held = Document(text)
    if held.event(_ANN) != found:
        return  # lines end in it where none should
    shown = list(islice(expansion.instances(found, _NOW, _NOW + timedelta(days=60)), 20))
    assert held.stored == Document(text).stored, data
    list(islice(freebusy.taken([found], _NOW, _NOW + timedelta(days=60)), 20))
    same = EventPatch(**{name: getattr(found, name) for name in _NAMED})
    try:
        assert held.patched(same, _ANN, _NOW).text == text, data
        after = held.patched(EventPatch(subject="New", reminder=timedelta()), _ANN, _NOW)
        again = Document(after.text).event(_ANN)
        assert again == after.event(_ANN), data
        assert (again.subject, again.reminder, again.uid) == ("New", timedelta(), found.uid), data
        for one in shown[:3]:
            patch = OccurrencePatch(subject="Other", start=INHERIT, end=INHERIT)
            changed = held.with_occurrence(one.original, patch, _ANN, _NOW)
            exception = Document(changed.text).event(_ANN).occurrence(one.original)
            assert exception, data
            assert exception.event, data
            assert exception.event.subject == "Other", data
            changed.with_occurrence(one.original, None, _ANN, _NOW)
    except (BadText, NotFound):
        return


def reader_functions() -> Iterator[FunctionType]:
    """Yield the functions and methods whose branches the fuzzer should see."""
    return functions_of(_INNER)


if __name__ == "__main__":
    fuzz(check, reader_functions(), SEEDS)
