"""What the store holds, written to a file and read again; and files that are broken anyhow."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.items import StoredItem
from gateway.pim.events.document import read_event
from gateway.pim.events.expansion import starts
from gateway.pim.events.model import BadEvent, EventPatch, OccurrencePatch
from gateway.pim.exchange.entries import Entry, entries
from gateway.pim.exchange.scan import Problem, scan
from gateway.pim.exchange.writing import CalendarFile, alone
from tests.pim.events.made import ANN, HOUR, NOW
from tests.pim.events.test_round_trip import times, values
from tests.pim.exchange.samples import SAMPLES, read
from tests.support.events import delete_occurrence, new_event, patch_occurrence, stored_event


def exported(items: Sequence[StoredItem]) -> str:
    """The file of a calendar with these events."""
    file = CalendarFile("Calendar")
    joined = [file.joins(one.text) for one in items]
    written = [file.head()]
    for one, joins in zip(items, joined, strict=True):
        written += [str(piece) for piece in file.item(one.text)] if joins else []
    written.append(file.tail())
    for one, joins in zip(items, joined, strict=True):
        written += [] if joins else [str(piece) for piece in alone(one.text)]
    return "".join(written)


def comparable(item: StoredItem) -> tuple[StoredItem, list[str]]:
    """An item without its definitions of time zones, and these in order."""
    head, *zones = item.text.split("BEGIN:VTIMEZONE\r\n")
    last = zones.pop().partition("END:VTIMEZONE\r\n") if zones else ("", "", "")
    if last[1]:
        zones.append(last[0] + last[1])
    text = head + last[2]
    return StoredItem(item.uid, text, item.starts, item.ends), sorted(zones)


@st.composite
def made(draw: st.DrawFn, number: int) -> StoredItem | None:
    """An event as phones make them, with changed and deleted occurrences."""
    when: dict[str, Any] = draw(times())
    what: dict[str, Any] = {key: value for key, value in draw(values).items() if key != "files"}
    try:
        text = new_event(EventPatch(**when, **what), f"uid {number}; ü,", ANN, NOW)
    except BadEvent:
        return None
    event = read_event(text, "")
    if event.recurring:
        found: list[datetime | None] = [one for one, _ in zip(starts(event), range(2), strict=False)]
        first, second = (*found, None, None)[:2]
        if draw(st.booleans()) and second is not None:
            changed = OccurrencePatch(start=second + HOUR, end=second + 2 * HOUR, subject="other")
            text = patch_occurrence(text, second, changed, ANN, NOW + timedelta(hours=1))
        if draw(st.booleans()) and first is not None:
            text = delete_occurrence(text, first, ANN, NOW + timedelta(hours=2))
    return stored_event(text)


@settings(max_examples=150, deadline=None)
@given(st.tuples(*(made(number) for number in range(3))))
def test_what_is_exported_is_imported(several: tuple[StoredItem | None, ...]) -> None:
    items = [one for one in several if one]
    found, problems = read(exported(items))
    assert problems == []
    again = {one.uid: comparable(one.stored()) for one in found}
    assert again == {one.uid: comparable(one) for one in items}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(SAMPLES)), st.randoms(use_true_random=False))
def test_a_broken_file_gives_what_can_be_stored(name: str, chance: Any) -> None:
    lines = SAMPLES[name].text.encode().split(b"\r\n")
    for _ in range(chance.randrange(1, 8)):
        at = chance.randrange(len(lines))
        other = lines[chance.randrange(len(lines))]
        lines[at] = chance.choice(
            [b"", lines[at][: len(lines[at]) // 2], other, bytes(chance.randbytes(9)), b"\xff"]
        )
    file = io.BytesIO(b"BEGIN:VCALENDAR\r\n" + b"\r\n".join(lines))
    for one in entries(file, scan(file)):
        assert isinstance(one, Entry | Problem)
        if isinstance(one, Entry):
            stored = one.stored()
            assert stored == stored_event(stored.text), stored.text
            stored.text.encode()
            assert "\0" not in stored.text


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_octets(octets: bytes) -> None:
    file = io.BytesIO(
        b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:x\n" + octets + b"\nDTSTART:20260101\nEND:VEVENT\n"
    )
    for one in entries(file, scan(file)):
        assert isinstance(one, Entry | Problem)
