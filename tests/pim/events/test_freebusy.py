"""What events take of the time, and the digits phones are told of it."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pim.events.document import read_event
from gateway.pim.events.freebusy import Taken, merged_free_busy, no_free_busy, taken
from gateway.pim.events.model import Busy
from tests.pim.events.made import ANN, HOUR, NEW_YORK, berlin, changed, event, text

MORNING = berlin(2026, 3, 2, 8)


def digits(*found: object) -> str:
    """Those of the morning until noon."""
    return merged_free_busy(taken(found, MORNING, MORNING + 4 * HOUR), MORNING, MORNING + 4 * HOUR)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((), "00002200"),
        (("TRANSP:TRANSPARENT",), "00000000"),
        (("STATUS:TENTATIVE",), "00001100"),
        (("X-MICROSOFT-CDO-BUSYSTATUS:OOF",), "00003300"),
        (("X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE",), "00000000"),
        (("STATUS:CANCELLED",), "00000000"),
        (("ORGANIZER:mailto:b@example.org", "ATTENDEE;PARTSTAT=DECLINED:mailto:ann@example.org"), "00000000"),
        (("ORGANIZER:mailto:b@example.org", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@example.org"), "00002200"),
    ],
)
def test_what_counts(lines: tuple[str, ...], expected: str) -> None:
    assert digits(event(*lines)) == expected


def test_the_highest_counts() -> None:
    away = event("X-MICROSOFT-CDO-BUSYSTATUS:OOF", end="DTEND;TZID=Europe/Berlin:20260302T103000")
    maybe = event("STATUS:TENTATIVE", start="DTSTART;TZID=Europe/Berlin:20260302T093000")
    assert digits(event(), away, maybe) == digits(maybe, away, event()) == "00013200"


def test_a_minute_takes_its_half_hour() -> None:
    short = {
        "start": "DTSTART;TZID=Europe/Berlin:20260302T092900",
        "end": "DTEND;TZID=Europe/Berlin:20260302T093100",
    }
    assert digits(event(**short)) == "00220000"
    assert digits(event(end="")) == "00000000"


def test_occurrences_and_exceptions() -> None:
    later = ("DTSTART;TZID=Europe/Berlin:20260302T110000", "DTEND;TZID=Europe/Berlin:20260302T113000")
    series = ("RRULE:FREQ=DAILY", "EXDATE;TZID=Europe/Berlin:20260228T100000")
    daily = {
        "start": "DTSTART;TZID=Europe/Berlin:20200101T100000",
        "end": "DTEND;TZID=Europe/Berlin:20200101T110000",
    }
    assert digits(event(*series, **daily)) == "00002200"
    free = ("TRANSP:TRANSPARENT", *later)
    for lines, expected in ((later, "00000020"), (free, "00000000")):
        whole = text(*series, more=changed("20260302T100000", *lines), **daily)
        assert digits(read_event(whole, ANN)) == expected


def test_whole_days_are_days_of_the_user() -> None:
    day = text(start="DTSTART;VALUE=DATE:20260302", end="")
    found = read_event(day, ANN, NEW_YORK)
    # Six hours later than in Berlin.
    assert digits(found) == "22222222"
    assert (
        merged_free_busy(taken([found], MORNING - 4 * HOUR, MORNING), MORNING - 4 * HOUR, MORNING)
        == "00002222"
    )


def test_the_last_slot_may_be_short() -> None:
    end = MORNING + timedelta(minutes=61)
    assert merged_free_busy([], MORNING, end) == "000"
    assert no_free_busy(MORNING, end) == "444"
    assert merged_free_busy([], MORNING, MORNING) == ""
    assert merged_free_busy([], MORNING, MORNING - HOUR) == ""


def test_a_calendar_made_to_cost() -> None:
    bombs = [event("RRULE:FREQ=SECONDLY", end="DTEND;TZID=Europe/Berlin:20260302T100001") for _ in range(200)]
    began = time.process_time()
    assert digits(*bombs) == "00002222"
    assert time.process_time() - began < 5


@given(
    st.lists(st.tuples(st.integers(-300, 600), st.integers(1, 300), st.sampled_from(Busy)), max_size=8),
    st.integers(1, 500),
)
def test_each_digit_is_the_highest_of_its_half_hour(pieces: list[tuple[int, int, Busy]], length: int) -> None:
    minute = timedelta(minutes=1)
    times = [
        Taken(MORNING + start * minute, MORNING + (start + last) * minute, busy)
        for start, last, busy in pieces
    ]
    worth = {Busy.FREE: 0, Busy.TENTATIVE: 1, Busy.BUSY: 2, Busy.OUT_OF_OFFICE: 3, Busy.ELSEWHERE: 0}
    by_minute = [
        max([worth[one.busy] for one in times if one.start <= MORNING + at * minute < one.end], default=0)
        for at in range(-(-length // 30) * 30)
    ]
    expected = "".join(str(max(by_minute[at : at + 30])) for at in range(0, len(by_minute), 30))
    assert merged_free_busy(times, MORNING, MORNING + length * minute) == expected
