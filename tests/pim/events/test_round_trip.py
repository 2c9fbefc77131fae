"""Events from values to text and back, and changed and changed back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.pim.events.document import read_event
from gateway.pim.events.model import (
    Attendee,
    AttendeeType,
    Body,
    Busy,
    Event,
    EventPatch,
    File,
    Location,
    Participation,
    Person,
    Sensitivity,
)
from gateway.pim.tree import BadText
from tests.pim.events.made import (
    ANN,
    BERLIN,
    BOB,
    DAY,
    HOUR,
    LATER,
    NEW_YORK,
    NOW,
    NOWHERE,
)
from tests.pim.events.test_place import places
from tests.pim.test_recurrence import by_other_calendars, recurrences
from tests.support.events import bounds, new_event, patch_event
from tests.support.invitations import SHAPES


def values_of(event: Event) -> dict[str, Any]:
    """All that a patch can name, as the event has it."""
    names = {one.name for one in fields(EventPatch)} - {"occurrences", "resets_exceptions"}
    return {name: getattr(event, name) for name in names}


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=30)
texts = st.lists(words, max_size=3).map("\n".join)
names = words.map(str.strip).filter(lambda name: '"' not in name)
addresses = st.from_regex(r"[a-z]{1,9}@[a-z]{1,9}\.org", fullmatch=True)
people = st.builds(Person, addresses, names)
zones = st.sampled_from(
    [UTC, BERLIN, NEW_YORK, NOWHERE, *map(ZoneInfo, ("Asia/Kolkata", "Africa/Casablanca"))]
)
moments = st.integers(0, 60 * 365 * 24 * 4).map(lambda one: datetime(1990, 1, 1, tzinfo=UTC) + one * HOUR / 4)
lengths = st.integers(0, 400).map(lambda one: one * HOUR / 4)


@st.composite
def times(draw: st.DrawFn) -> dict[str, object]:
    zone = draw(zones)
    if draw(st.booleans()):
        day = draw(moments).replace(tzinfo=None).replace(hour=0, minute=0)
        days = draw(st.integers(1, 9)) * DAY
        return {"start": day.replace(tzinfo=zone), "end": (day + days).replace(tzinfo=zone), "all_day": True}
    start = draw(moments)
    local = [one.astimezone(zone) for one in (start, start + draw(lengths))]
    return {"start": local[0].replace(fold=0), "end": max(local[0].replace(fold=0), local[1].replace(fold=0))}


attendees = st.lists(
    st.builds(
        Attendee,
        people,
        st.sampled_from(AttendeeType),
        st.none() | st.sampled_from(Participation),
        st.none() | st.booleans(),
        st.none() | st.tuples(moments, moments),
        st.none() | moments,
    ),
    max_size=4,
    unique_by=lambda one: one.person.address,
).map(tuple)
values = st.fixed_dictionaries(
    {},
    optional={
        "subject": st.none() | texts,
        "location": st.none() | places,
        "body": st.none() | st.builds(Body, texts, st.just("")) | st.builds(Body, texts, words),
        "categories": st.none() | st.lists(names.filter(bool), max_size=3, unique=True).map(tuple),
        "sensitivity": st.none() | st.sampled_from(Sensitivity),
        "busy": st.none() | st.sampled_from(Busy),
        "reminder": st.none() | st.integers(0, 99_999).map(lambda one: timedelta(minutes=one)),
        "organizer": st.none() | people,
        "attendees": st.none() | attendees,
        "cancelled": st.booleans(),
        "reply_time": st.none() | moments,
        "response_requested": st.booleans(),
        "may_counter": st.none() | st.booleans(),
        "files": st.none()
        | st.lists(
            st.builds(File, st.integers(1, 10**9), names, names, st.integers(0, 10**9), names, st.booleans()),
            max_size=2,
        ).map(tuple),
        "sequence": st.integers(0, 99),
        "stamp": moments,
        "recurrence": st.none() | recurrences | by_other_calendars,
        "blob": st.none() | st.just("YmxvYg=="),
    },
)
DEFAULTS: Mapping[str, Any] = {one.name: one.default for one in fields(Event)}
EMPTY = {"location": Location(), "body": Body("")}
"""Values that say as little as none."""


@settings(max_examples=150, deadline=None)
@given(times(), values)
def test_what_is_written_is_read(when: dict[str, Any], what: dict[str, Any]) -> None:
    try:
        made = new_event(EventPatch(**when, **what), "u", ANN, NOW)
    except BadText:
        # The end of a rule may be before the start.
        assert what["recurrence"]
        return
    assert all(len(line.encode()) <= 75 for line in made.split("\r\n"))
    found = read_event(made, ANN, when["start"].tzinfo)
    for name, wanted in {**when, **what}.items():
        expected = DEFAULTS[name] if wanted is None or wanted == EMPTY.get(name) else wanted
        if name == "recurrence" and expected and when.get("all_day") and expected.until:
            # Of days the date counts.
            assert found.recurrence
            assert found.recurrence.until
            zone = when["start"].tzinfo
            assert found.recurrence.until.astimezone(zone).date() == expected.until.astimezone(zone).date()
        else:
            assert getattr(found, name) == expected, name
    assert icalendar.Calendar.from_ical(made).events[0]["UID"] == "u"
    # Naming all that again changes nothing.
    assert patch_event(made, EventPatch(**values_of(found)), ANN, LATER) == made


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(SHAPES)), values, st.sampled_from([ANN, BOB]))
def test_a_change_can_be_taken_back(name: str, what: dict[str, Any], owner: str) -> None:
    """Values come back, and what no phone knows was there all the time."""
    what.pop("recurrence", None)
    before = SHAPES[name]
    first = read_event(before, owner)
    assert patch_event(before, EventPatch(**values_of(first)), owner, LATER) == before
    # A stamp cannot be removed, and what was known of an attendee does not come back with him.
    what = {key: value for key, value in what.items() if key not in {"stamp", "attendees", "organizer"}}
    after = patch_event(before, EventPatch(**what), owner, LATER)
    back = {key: value for key, value in values_of(first).items() if key != "stamp"}
    again = read_event(patch_event(after, EventPatch(**back), owner, LATER), owner)
    for key, value in back.items():
        assert getattr(again, key) == value, key
    kept = [line for line in before.split("\r\n") if line.startswith("X-") and "MICROSOFT" not in line]
    assert all(line in after.split("\r\n") for line in kept)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(SHAPES)), st.randoms(use_true_random=False), values)
def test_broken_texts_are_changed_or_refused(name: str, chance: Any, what: dict[str, Any]) -> None:
    lines = SHAPES[name].split("\r\n")
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(lines))
        lines[at] = chance.choice(["", lines[at][: len(lines[at]) // 2], lines[chance.randrange(len(lines))]])
    broken = "\r\n".join(lines)
    try:
        found = read_event(broken, ANN)
        after = patch_event(broken, EventPatch(**what), ANN, LATER)
    except BadText:
        return
    assert read_event(after, ANN).uid == found.uid
    bounds(after)
