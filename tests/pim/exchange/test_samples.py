"""Calendars of other programs: what comes of them, and that nothing is lost when they are written again."""

from __future__ import annotations

import io
from datetime import timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest

from gateway.pim.events.document import read_event
from gateway.pim.events.model import Event
from gateway.pim.exchange.scan import scan
from gateway.pim.exchange.writing import CalendarFile
from tests.pim.exchange.samples import SAMPLES, Sample, read

NAMES = sorted(SAMPLES)


def told(event: Event) -> str:
    """The start and its zone."""
    if event.all_day:
        return f"{event.start:%Y-%m-%d} day"
    zone = event.start.tzinfo
    name = zone.key if isinstance(zone, ZoneInfo) else event.start.tzname()
    return f"{event.start.isoformat()} {'UTC' if name == 'Etc/UTC' else name}"


@pytest.fixture(params=NAMES)
def sample(request: pytest.FixtureRequest) -> Sample:
    return SAMPLES[request.param]


def test_what_is_stored(sample: Sample) -> None:
    found, problems = read(sample.text)
    assert problems == []
    stored = {one.uid: one.stored() for one in found}
    events = {uid: read_event(one.text, "") for uid, one in stored.items()}
    assert {uid: told(event) for uid, event in events.items()} == sample.starts
    exceptions = {uid: len(event.occurrences) for uid, event in events.items() if event.occurrences}
    assert exceptions == sample.exceptions
    lines = [line for one in stored.values() for line in one.text.replace("\r\n ", "").split("\r\n")]
    assert set(sample.kept) <= set(lines)
    assert not set(sample.gone) & set(lines)


def test_what_is_not_for_calendars_is_counted(sample: Sample) -> None:
    assert scan(io.BytesIO(sample.text.encode())).others == sample.others


def test_others_can_read_what_is_stored(sample: Sample) -> None:
    for one in read(sample.text)[0]:
        stored = one.stored()
        calendar = icalendar.Calendar.from_ical(stored.text)
        assert [event["UID"] for event in calendar.events] == [one.uid] * len(calendar.events)
        used = {line.params["TZID"] for node in calendar.events for line in node.values() if _has_zone(line)}
        assert {zone["TZID"] for zone in calendar.walk("VTIMEZONE")} == used


def _has_zone(value: object) -> bool:
    return "TZID" in getattr(value, "params", {}) and value.params["TZID"] != "UTC"  # type: ignore[attr-defined]


def test_written_and_read_again_it_is_the_same(sample: Sample) -> None:
    stored = [one.stored() for one in read(sample.text)[0]]
    file = CalendarFile("Ann's")
    assert all(file.joins(one.text) for one in stored)
    written = (
        file.head() + "".join(str(piece) for one in stored for piece in file.item(one.text)) + file.tail()
    )
    again, problems = read(written)
    assert problems == []
    assert {one.uid: one.stored() for one in again} == {one.uid: one for one in stored}
    assert all(len(line.encode()) <= 75 for line in written.split("\r\n"))
    assert written.count("BEGIN:VTIMEZONE") == len(
        {line for line in written.split("\r\n") if line[:5] == "TZID:"}
    )


def test_reading_it_twice_makes_the_same(sample: Sample) -> None:
    assert [one.stored() for one in read(sample.text)[0]] == [one.stored() for one in read(sample.text)[0]]


@pytest.mark.parametrize("ends", ["\n", "\r"])
def test_other_line_ends(sample: Sample, ends: str) -> None:
    stored = [one.stored() for one in read(sample.text.replace("\r\n", ends))[0]]
    assert stored == [one.stored() for one in read(sample.text)[0]]


def test_octets_are_read_in_pieces(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = scan(io.BytesIO(sample.text.encode()))
    for size in (1, 2, 7, 100):
        monkeypatch.setattr("gateway.pim.exchange.filelines._CHUNK", size)
        assert scan(io.BytesIO(sample.text.encode())) == wanted


def test_a_zone_that_begins_in_the_past_is_right_for_the_oldest_event() -> None:
    """The definition in a file has to serve all the events in it."""
    old, new = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n"
        f"UID:{year}\r\nDTSTART;TZID=America/New_York:{year}0320T100000\r\nDURATION:PT1H\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        for year in (2005, 2026)
    )
    stored = [one.stored() for text in (new, old) for one in read(text)[0]]
    file = CalendarFile("")
    assert all(file.joins(one.text) for one in stored)
    calendar = icalendar.Calendar.from_ical(file.head() + file.tail())
    (zone,) = calendar.walk("VTIMEZONE")
    assert isinstance(zone, icalendar.Timezone)
    clocks = zone.to_tz(lookup_tzid=False)
    march = [read_event(one.text, "").start.replace(tzinfo=None) for one in stored]
    assert [moment.replace(tzinfo=clocks).utcoffset() for moment in march] == [
        timedelta(hours=-4),
        timedelta(hours=-5),
    ]
