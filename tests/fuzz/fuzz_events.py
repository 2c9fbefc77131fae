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
from gateway.pim import lines, recurrence, values, zones
from gateway.pim.events import (
    clock,
    document,
    expansion,
    freebusy,
    patching,
    place,
    reading,
    rules,
    series,
    tree,
    writing,
    zonelines,
)
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
    if document.read_event(text, _ANN) != found:
        return  # lines end in it where none should
    shown = list(islice(expansion.instances(found, _NOW, _NOW + timedelta(days=60)), 20))
    document.bounds(text)
    list(islice(freebusy.taken([found], _NOW, _NOW + timedelta(days=60)), 20))
    same = EventPatch(**{name: getattr(found, name) for name in _NAMED})
    try:
        assert document.patch_event(text, same, _ANN, _NOW) == text, data
        after = document.patch_event(text, EventPatch(subject="New", reminder=timedelta()), _ANN, _NOW)
        again = document.read_event(after, _ANN)
        assert (again.subject, again.reminder, again.uid) == ("New", timedelta(), found.uid), data
        for one in shown[:3]:
            patch = OccurrencePatch(subject="Other", start=INHERIT, end=INHERIT)
            changed = document.patch_occurrence(text, one.original, patch, _ANN, _NOW)
            exception = document.read_event(changed, _ANN).occurrence(one.original)
            assert exception, data
            assert exception.event, data
            assert exception.event.subject == "Other", data
            document.delete_occurrence(changed, one.original, _ANN, _NOW)
    except (BadText, NotFound):
        return


def reader_functions() -> Iterator[FunctionType]:
    """Yield the functions and methods whose branches the fuzzer should see."""
    return functions_of(_INNER)


if __name__ == "__main__":
    fuzz(check, reader_functions(), SEEDS)
