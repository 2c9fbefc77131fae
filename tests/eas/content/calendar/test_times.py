"""When events are: missing times, whole days in every zone, time zones as they came, the ends of series."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.eas.content.values import BadItem
from gateway.eas.versions import Version
from gateway.pim.timezones import pack, rules_at
from tests.eas.content.calendar.support import CONTENT, NEW, NOW, OLD, Shelf, properties, told, tree
from wbxml import element
from wbxml.pages import Calendar

MARCH = datetime(2026, 3, 5, tzinfo=UTC)
BERLIN, NEW_YORK, AUCKLAND = (
    ZoneInfo(name) for name in ("Europe/Berlin", "America/New_York", "Pacific/Auckland")
)
ZONES = [BERLIN, NEW_YORK, AUCKLAND, ZoneInfo("Asia/Kathmandu"), ZoneInfo("Etc/UTC")]


def blob(zone: ZoneInfo) -> str:
    return pack(rules_at(zone, MARCH))


def times(shelf: Shelf) -> tuple[str | None, str | None]:
    shown = shelf.shown()
    return told(shown, Calendar.StartTime), told(shown, Calendar.EndTime)


# --- what is left out (MS-ASCAL 3.2.4.4) -------------------------------------------------------------------


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (None, None, ("20260302T093000Z", "20260302T100000Z")),
        (None, "20260302T091500Z", None),
        (None, "20260302T080000Z", None),
        (None, "20260302T180000Z", ("20260302T093000Z", "20260302T180000Z")),
        ("20260302T080000Z", None, ("20260302T080000Z", "20260302T100000Z")),
        ("20260302T120000Z", None, None),
        ("20260302T120000Z", "20260302T120000Z", ("20260302T120000Z", "20260302T120000Z")),
    ],
)
def test_a_new_event_without_all_its_times(
    version: Version, start: str | None, end: str | None, expected: tuple[str, str] | None
) -> None:
    """It is 9:10 in UTC."""
    sent = properties(Subject="x")
    sent += properties(StartTime=start) if start else []
    sent += properties(EndTime=end) if end else []
    if expected is None:
        with pytest.raises(BadItem):
            Shelf(version).add(*sent)
    else:
        assert times(Shelf(version).add(*sent)) == expected


@pytest.mark.parametrize("version", Version)
def test_a_half_hour_is_not_rounded(version: Version) -> None:
    now = NOW.replace(minute=30)
    assert times(Shelf(version).add(now=now)) == ("20260302T093000Z", "20260302T100000Z")


@pytest.mark.parametrize("version", Version)
def test_one_time_of_an_event_is_moved(version: Version) -> None:
    sent = properties(StartTime="20260305T080000Z", EndTime="20260305T090000Z", Subject="x")
    shelf = Shelf(version).add(*sent)
    shelf.change(*properties(EndTime="20260305T100000Z", Subject="x"))
    assert times(shelf) == ("20260305T080000Z", "20260305T100000Z")


@pytest.mark.parametrize("version", Version)
def test_times_in_the_other_form(version: Version) -> None:
    sent = properties(StartTime="2026-03-05T08:00:00.000Z", EndTime="2026-03-05T09:00:00Z")
    assert times(Shelf(version).add(*sent)) == ("20260305T080000Z", "20260305T090000Z")


# --- whole days --------------------------------------------------------------------------------------------


def local(year: int, month: int, day: int, zone: ZoneInfo) -> str:
    return f"{datetime(year, month, day, tzinfo=zone).astimezone(UTC):%Y%m%dT%H%M%SZ}"


@pytest.mark.parametrize("version", OLD)
@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_whole_days_are_midnights_in_the_zone_of_the_device(version: Version, zone: ZoneInfo) -> None:
    start, end = local(2026, 3, 28, zone), local(2026, 3, 30, zone)
    sent = properties(Timezone=blob(zone), StartTime=start, EndTime=end, AllDayEvent=1)
    shelf = Shelf(version).add(*sent)
    assert "DTSTART;VALUE=DATE:20260328" in shelf.text
    assert "DTEND;VALUE=DATE:20260330" in shelf.text
    assert times(shelf) == (start, end)
    assert told(shelf.shown(), Calendar.Timezone) == blob(zone)
    later = shelf.speaking(Version.V16_1)
    assert times(later) == ("20260328T000000Z", "20260330T000000Z")
    assert later.shown().find(Calendar.Timezone) is None


@pytest.mark.parametrize("version", NEW)
def test_whole_days_since_16_0_are_dates(version: Version) -> None:
    sent = properties(StartTime="20260328T000000Z", EndTime="20260329T000000Z", AllDayEvent=1)
    shelf = Shelf(version).add(*sent)
    assert "DTSTART;VALUE=DATE:20260328" in shelf.text
    assert times(shelf) == ("20260328T000000Z", "20260329T000000Z")
    assert times(
        Shelf(version).add(*properties(StartTime="20260328", EndTime="20260329", AllDayEvent=1))
    ) == (
        "20260328T000000Z",
        "20260329T000000Z",
    )


@pytest.mark.parametrize("version", NEW)
@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_a_new_device_that_sends_midnights_as_of_old(version: Version, zone: ZoneInfo) -> None:
    start, end = local(2026, 3, 28, zone), local(2026, 3, 29, zone)
    sent = properties(Timezone=blob(zone), StartTime=start, EndTime=end, AllDayEvent=1)
    assert times(Shelf(version).add(*sent)) == ("20260328T000000Z", "20260329T000000Z")


@pytest.mark.parametrize("version", NEW)
@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_a_new_device_that_sends_dates_with_a_zone(version: Version, zone: ZoneInfo) -> None:
    sent = properties(
        Timezone=blob(zone), StartTime="20260328T000000Z", EndTime="20260329T000000Z", AllDayEvent=1
    )
    assert times(Shelf(version).add(*sent)) == ("20260328T000000Z", "20260329T000000Z")


@pytest.mark.parametrize("version", OLD)
@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_a_moved_day_lasts_as_long_as_the_others(version: Version, zone: ZoneInfo) -> None:
    """Also when it has 23 hours."""
    rule = properties(Recurrence=properties(Type=0, Interval=1))
    sent = properties(
        Timezone=blob(zone), StartTime=local(2026, 3, 5, zone), EndTime=local(2026, 3, 6, zone), AllDayEvent=1
    )
    moved = properties(ExceptionStartTime=local(2026, 3, 9, zone), StartTime=local(2026, 3, 29, zone))
    shelf = Shelf(version).add(*sent, *rule, *properties(Exceptions=[element(Calendar.Exception, *moved)]))
    listed = tree(shelf.shown().find(Calendar.Exceptions))
    assert isinstance(listed, dict)
    (one,) = listed["Exception"]
    assert (one["StartTime"], one["EndTime"]) == (local(2026, 3, 29, zone), local(2026, 3, 30, zone))


@pytest.mark.parametrize("version", Version)
def test_a_day_without_an_end_of_its_own(version: Version) -> None:
    sent = properties(StartTime="20260328T000000Z", EndTime="20260328T000000Z", AllDayEvent=1)
    assert times(Shelf(version).add(*sent)) == ("20260328T000000Z", "20260329T000000Z")


@pytest.mark.parametrize("version", OLD)
def test_midnight_by_a_clock_an_hour_off_is_still_that_day(version: Version) -> None:
    sent = properties(
        Timezone=blob(BERLIN), StartTime="20260705T230000Z", EndTime="20260706T230000Z", AllDayEvent=1
    )
    assert "DTSTART;VALUE=DATE:20260706" in Shelf(version).add(*sent).text


@pytest.mark.parametrize("version", Version)
def test_an_event_becomes_a_whole_day_and_back(version: Version) -> None:
    hour = properties(Timezone=blob(BERLIN), StartTime="20260305T080000Z", EndTime="20260305T090000Z")
    shelf = Shelf(version).add(*hour)
    if version in NEW:
        day = properties(StartTime="20260305T000000Z", EndTime="20260306T000000Z", AllDayEvent=1)
    else:
        day = properties(
            Timezone=blob(BERLIN), StartTime="20260304T230000Z", EndTime="20260305T230000Z", AllDayEvent=1
        )
    assert "DTSTART;VALUE=DATE:20260305" in shelf.change(*day).text
    shelf.change(*hour, *properties(AllDayEvent=0))
    assert times(shelf) == ("20260305T080000Z", "20260305T090000Z")


# --- time zones --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", Version)
def test_a_zone_comes_back_as_it_was_sent(version: Version) -> None:
    """With its names, which we would write otherwise."""
    octets = bytearray(base64.b64decode(blob(BERLIN)))
    octets[4:68] = "Hauszeit".encode("utf-16-le").ljust(64, b"\0")
    own = base64.b64encode(octets).decode()
    sent = properties(Timezone=own, StartTime="20260305T080000Z", EndTime="20260305T090000Z")
    shelf = Shelf(version).add(*sent)
    assert told(shelf.shown(), Calendar.Timezone) == own
    assert "DTSTART;TZID=Europe/Berlin:20260305T090000" in shelf.text


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("broken", ["", "AAAA", "not base64 at all!", "//" * 100 + "=="])
def test_a_broken_zone_is_the_one_of_before_or_utc(version: Version, broken: str) -> None:
    sent = properties(StartTime="20260305T080000Z", EndTime="20260305T090000Z")
    shelf = Shelf(version).add(*properties(Timezone=blob(BERLIN)), *sent)
    later = properties(StartTime="20260305T100000Z", EndTime="20260305T110000Z")
    shelf.change(*properties(Timezone=broken), *later)
    assert "DTSTART;TZID=Europe/Berlin:20260305T110000" in shelf.text
    fresh = Shelf(version).add(*properties(Timezone=broken), *sent)
    assert times(fresh) == ("20260305T080000Z", "20260305T090000Z")
    assert told(fresh.shown(), Calendar.Timezone) == blob(ZoneInfo("Etc/UTC"))
    assert broken in fresh.text.replace("\r\n ", "")


@pytest.mark.parametrize("version", Version)
def test_another_zone_alone_moves_no_event_but_the_series(version: Version) -> None:
    daily = properties(Recurrence=properties(Type=0, Interval=1))
    sent = properties(StartTime="20260305T130000Z", EndTime="20260305T140000Z", Subject="x")
    shelf = Shelf(version).add(*properties(Timezone=blob(BERLIN)), *sent, *daily)
    shelf.change(*properties(Timezone=blob(NEW_YORK)), *sent, *daily)
    assert times(shelf) == ("20260305T130000Z", "20260305T140000Z")
    assert "DTSTART;TZID=America/New_York:20260305T080000" in shelf.text


@pytest.mark.parametrize("version", Version)
def test_an_update_without_a_zone_keeps_it(version: Version) -> None:
    sent = properties(StartTime="20260305T080000Z", EndTime="20260305T090000Z")
    shelf = Shelf(version).add(*properties(Timezone=blob(BERLIN)), *sent)
    shelf.change(*properties(StartTime="20260305T100000Z", EndTime="20260305T110000Z"))
    assert "DTSTART;TZID=Europe/Berlin:20260305T110000" in shelf.text
    assert told(shelf.shown(), Calendar.Timezone) == blob(BERLIN)


# --- the end of a series -----------------------------------------------------------------------------------


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("20260310T080000Z", "20260310T080000Z"),  # the start of the last one
        ("20260310T000000Z", "20260310T080000Z"),  # its date
        ("20260310T225959Z", "20260310T225959Z"),  # the end of that day in Berlin
        ("20260305T000000Z", "20260305T080000Z"),  # the first is the last
    ],
)
def test_until_may_be_a_time_or_a_date(version: Version, until: str, last: str) -> None:
    rule = properties(Recurrence=properties(Type=0, Interval=1, Until=until))
    sent = properties(Timezone=blob(BERLIN), StartTime="20260305T080000Z", EndTime="20260305T090000Z")
    shown = tree(Shelf(version).add(*sent, *rule).shown().find(Calendar.Recurrence))
    assert isinstance(shown, dict)
    assert shown["Until"] == last


@pytest.mark.parametrize("version", Version)
def test_until_at_midnight_in_utc_may_be_the_time_of_the_event(version: Version) -> None:
    """Eight in the evening in New York."""
    rule = properties(Recurrence=properties(Type=0, Interval=1, Until="20260704T000000Z"))
    sent = properties(Timezone=blob(NEW_YORK), StartTime="20260702T000000Z", EndTime="20260702T010000Z")
    shown = tree(Shelf(version).add(*sent, *rule).shown().find(Calendar.Recurrence))
    assert isinstance(shown, dict)
    assert shown["Until"] == "20260704T000000Z"


@pytest.mark.parametrize("version", OLD)
@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_until_of_whole_days_is_a_date(version: Version, zone: ZoneInfo) -> None:
    rule = properties(Recurrence=properties(Type=0, Interval=1, Until=local(2026, 3, 10, zone)))
    times = properties(StartTime=local(2026, 3, 5, zone), EndTime=local(2026, 3, 6, zone), AllDayEvent=1)
    shelf = Shelf(version).add(*properties(Timezone=blob(zone)), *times, *rule)
    assert "UNTIL=20260310" in shelf.text
    later = tree(shelf.speaking(Version.V16_1).shown().find(Calendar.Recurrence))
    assert isinstance(later, dict)
    assert later["Until"] == "20260310T000000Z"


@pytest.mark.parametrize("version", Version)
def test_occurrences_count_more_than_until(version: Version) -> None:
    both = properties(Type=0, Interval=1, Occurrences=5, Until="20260310T080000Z")
    sent = properties(StartTime="20260305T080000Z", EndTime="20260305T090000Z", Recurrence=both)
    shown = tree(Shelf(version).add(*sent).shown().find(Calendar.Recurrence))
    assert isinstance(shown, dict)
    assert shown["Occurrences"] == "5"
    assert "Until" not in shown


@pytest.mark.parametrize("version", Version)
def test_an_interval_of_zero_is_one(version: Version) -> None:
    sent = properties(Recurrence=properties(Type=0, Interval=0))
    shown = tree(Shelf(version).add(*sent).shown().find(Calendar.Recurrence))
    assert isinstance(shown, dict)
    assert shown["Interval"] == "1"


CALENDARS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 20]


@pytest.mark.parametrize("version", [one for one in Version if one >= Version.V14_0])
@pytest.mark.parametrize("kind", CALENDARS)
def test_the_calendar_of_a_series_is_kept(version: Version, kind: int) -> None:
    rule = properties(Type=5, Interval=1, DayOfMonth=5, MonthOfYear=3, CalendarType=kind, IsLeapMonth=0)
    sent = properties(StartTime="20260305T080000Z", EndTime="20260305T090000Z", Subject="x")
    shelf = Shelf(version).add(*sent, *properties(Recurrence=rule))
    shown = tree(shelf.shown().find(Calendar.Recurrence))
    assert isinstance(shown, dict)
    assert shown["CalendarType"] == str(kind)
    old = shelf.speaking(Version.V12_1)
    assert (old.shown().find(Calendar.Recurrence) is None) == (kind in {6, 8, 14, 15, 20})
    sent = [one for one in old.shown() if one.tag is not Calendar.Subject]
    old.change(*sent, *properties(Subject="y"))
    again = tree(old.speaking(version).shown().find(Calendar.Recurrence))
    assert isinstance(again, dict)
    assert again["CalendarType"] == str(kind)


def test_midnight_in_utc_is_the_start_of_a_window() -> None:
    assert CONTENT.since(0, NOW) is None
    assert CONTENT.since(4, NOW) == datetime(2026, 2, 16, tzinfo=UTC)
    assert CONTENT.since(4, NOW + timedelta(hours=10)) == CONTENT.since(4, NOW)
