"""iCalendar text, well and badly written."""

from __future__ import annotations

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pim.lines import Component, Property, read
from tests.support.invitations import SHAPES


def only(text: str) -> Component:
    (calendar,) = read(text)
    return calendar


def prop(line: str) -> Property | None:
    found = only(f"BEGIN:VCALENDAR\r\n{line}\r\nEND:VCALENDAR").properties
    return found[0] if found else None


@pytest.mark.parametrize(
    ("line", "name", "params", "value"),
    [
        ("SUMMARY:a", "SUMMARY", {}, "a"),
        ("summary;language=de:a:b;c", "SUMMARY", {"LANGUAGE": "de"}, "a:b;c"),
        ('X;A="b;c:d";E=f:g', "X", {"A": "b;c:d", "E": "f"}, "g"),
        ("X;A=b\r\n c:d\r\n\te", "X", {"A": "bc"}, "de"),
        ("X ;A=b:c", None, {}, ""),
        ("X;A:c", "X", {}, "c"),
        ("X;A=a^nb^'c^^d^e:f", "X", {"A": 'a\nb"c^d^e'}, "f"),
        ('X;A="never closed:c', "X", {"A": ""}, "c"),
        ("no colon", None, {}, ""),
        ("X;A=b", None, {}, ""),
        (":", None, {}, ""),
        ("X:", "X", {}, ""),
    ],
)
def test_lines(line: str, name: str | None, params: dict[str, str], value: str) -> None:
    found = prop(line)
    read_as = (found.name, dict(found.params), found.value) if found else (None, {}, "")
    assert read_as == (name, params, value)


def test_escapes() -> None:
    found = prop(r"SUMMARY:a\, b\; c\\ d\ne\Nf\x")
    assert found
    assert found.text == "a, b; c\\ d\ne\nfx"


def test_what_is_left_open_ends_with_what_it_is_in() -> None:
    calendar = only("BEGIN:VCALENDAR\nBEGIN:VEVENT\nBEGIN:VALARM\nX:1\nEND:VEVENT\nY:2\nEND:VCALENDAR")
    (event,) = calendar.parts("VEVENT")
    assert [one.name for one in event.components] == ["VALARM"]
    assert calendar.text("Y") == "2"
    assert only("BEGIN:VCALENDAR\nEND:VEVENT\nY:2").text("Y") == "2"


def test_depth_is_bounded() -> None:
    calendar = only("BEGIN:VCALENDAR\n" + "BEGIN:X\n" * 5000 + "END:X\n" * 5000 + "Y:1\nEND:VCALENDAR")
    assert calendar.text("Y") == "1"


def test_several_calendars() -> None:
    assert [one.text("X") for one in read("BEGIN:VCALENDAR\nX:1\nEND:VCALENDAR\n" * 2)] == ["1", "1"]
    assert read("X:1") == []


@pytest.mark.parametrize("name", SHAPES)
def test_what_is_well_written_is_read_as_others_read_it(name: str) -> None:
    theirs = icalendar.Calendar.from_ical(SHAPES[name])
    assert isinstance(theirs, icalendar.Calendar)
    ours = only(SHAPES[name])
    events = list(ours.parts("VEVENT"))
    assert len(events) == len(theirs.events)
    for event, their_event in zip(events, theirs.events, strict=True):
        for text in ("UID", "SUMMARY", "LOCATION", "DESCRIPTION"):
            assert event.text(text) == str(their_event.get(text, "")).strip()
        asked = their_event.get("ATTENDEE")
        found = event.get("ATTENDEE")
        assert found
        assert found.value == str(asked)
        assert {key: value.strip('"') for key, value in asked.params.items()} == dict(found.params)


@given(st.text(st.sampled_from('BEGIN:VCALENDARTEND\r\n \t;="\\,:X'), max_size=300))
def test_any_text_is_read(text: str) -> None:
    read(text)
    read(f"BEGIN:VCALENDAR\n{text}")
