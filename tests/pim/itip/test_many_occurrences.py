"""Scheduling messages about very many occurrences: what they cost has a bound, whatever they say."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from gateway.pim.events.expansion import original_of
from gateway.pim.events.model import Participation
from gateway.pim.itip.message import read_message
from gateway.pim.itip.verdicts import Verdict
from tests.pim.itip.meetings import (
    PEOPLE,
    ZONE,
    at,
    message,
    request,
    seen,
    series,
    stored,
    take,
    taken,
    vevent,
)
from tests.support.invitations import ANN, BOB, calendar

SECONDS = 15.0
"""Far more than it takes, and far less than it would take without a bound."""
ONLY = (PEOPLE[0], PEOPLE[2])


def mondays(count: int) -> Sequence[str]:
    return [f"{date(2026, 3, 2) + timedelta(days=7 * number):%Y%m%d}" for number in range(count)]


def named(days: Sequence[str], *more: str, sequence: int = 1) -> tuple[str, ...]:
    """A VEVENT for each occurrence at ten on these days."""
    lines: list[str] = []
    for day in days:
        original = f"RECURRENCE-ID;TZID=Europe/Berlin:{day}T100000"
        stamp = "20260301T090000Z"
        lines += vevent(original, *more, clock=f"{day}T100000", sequence=sequence, stamp=stamp, people=ONLY)
    return tuple(lines)


def test_a_hundred_occurrences_are_cancelled_at_once() -> None:
    text = taken(message("CANCEL", named(mondays(100))), stored(series()))
    assert sum(one.event is not None and one.event.cancelled for one in seen(text).occurrences) == 100


@pytest.mark.parametrize("method", ["CANCEL", "REPLY", "COUNTER"])
def test_more_than_anybody_names_one_by_one(method: str) -> None:
    assert read_message(calendar(*ZONE, *named(mondays(101)), method=method)) is None


def test_an_event_of_thousands_of_exceptions() -> None:
    assert read_message(calendar(*ZONE, *series(), *named(mondays(2001)))) is None


def test_occurrences_named_of_an_event_each_second() -> None:
    held = stored(vevent("RRULE:FREQ=SECONDLY"))
    began = time.process_time()
    take(message("CANCEL", named(mondays(100))), held)
    assert time.process_time() - began < SECONDS


def test_an_occurrence_of_a_day_that_has_very_many() -> None:
    event = seen(stored(vevent("RRULE:FREQ=SECONDLY;INTERVAL=6")))
    began = time.process_time()
    for _ in range(10):
        assert original_of(event, at(3)) == at(3)
        assert original_of(event, at(3) + timedelta(seconds=1)) is None
    assert time.process_time() - began < SECONDS


def test_exceptions_of_a_series_that_leaves_out_very_much() -> None:
    days = mondays(1000)
    left_out = ",".join(
        f"{date(2026, 3, 2) + timedelta(days=number):%Y%m%d}T100000" for number in range(15_000)
    )
    began = time.process_time()
    text = taken(request(series(f"EXDATE;TZID=Europe/Berlin:{left_out}"), named(days)))
    assert time.process_time() - began < SECONDS
    assert sum(one.event is not None for one in seen(text).occurrences) == len(days)


def test_the_series_and_an_occurrence_are_answered_in_one_message() -> None:
    yes, no = (
        (PEOPLE[0], f"ATTENDEE;PARTSTAT={told}:mailto:ann@example.org") for told in ("ACCEPTED", "DECLINED")
    )
    stamp = "20260301T090000Z"
    original = "RECURRENCE-ID;TZID=Europe/Berlin:20260309T100000"
    told = message(
        "REPLY",
        series(people=yes, stamp=stamp),
        vevent(original, people=no, clock="20260309T100000", stamp=stamp),
    )
    event = seen(taken(told, stored(series()), sender=ANN, owner=BOB), BOB)
    (exception,) = event.occurrences
    assert exception.event is not None
    answers = [one.attendee(ANN) for one in (event, exception.event)]
    assert [one and one.status for one in answers] == [Participation.ACCEPTED, Participation.DECLINED]


def test_a_hundred_occurrences_are_answered_at_once() -> None:
    no = (PEOPLE[0], "ATTENDEE;PARTSTAT=DECLINED:mailto:ann@example.org")
    lines = tuple(no[1] if line == PEOPLE[2] else line for line in named(mondays(100), sequence=0))
    event = seen(taken(message("REPLY", lines), stored(series()), sender=ANN, owner=BOB), BOB)
    assert len(event.occurrences) == 100
    assert take(message("REPLY", lines), stored(series()), sender=BOB, owner=BOB).verdict is Verdict.FORGED
