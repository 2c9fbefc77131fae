"""Exceptions of a series: made, changed, deleted, and what becomes of them when the series changes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import Kind, NotFound
from gateway.pim.events.document import read_event
from gateway.pim.events.expansion import instances
from gateway.pim.events.model import (
    INHERIT,
    Attendee,
    BadEvent,
    Event,
    EventPatch,
    OccurrencePatch,
    Person,
)
from gateway.pim.recurrence import Pattern, Recurrence
from tests.pim.events.made import (
    ANN,
    DAY,
    HOUR,
    LATER,
    NEW_YORK,
    NOW,
    OLD_BERLIN,
    berlin,
    changed,
    text,
)
from tests.support.events import delete_occurrence, new_event, patch_event, patch_occurrence

WEEKS = Recurrence(Pattern.WEEKLY, days=2)
SECOND, THIRD = berlin(2026, 3, 9, 10), berlin(2026, 3, 16, 10)
SERIES = text("RRULE:FREQ=WEEKLY", "SUMMARY:Team", "X-A:b", more=OLD_BERLIN)


def shown(whole: str, first: datetime = NOW, last: datetime = NOW + 30 * DAY) -> list[str]:
    found = instances(read_event(whole, ANN), first, last)
    return [f"{one.start:%m-%d %H:%M} {one.event.subject}".strip() for one in found]


def patched(whole: str, **values: object) -> str:
    return patch_event(whole, EventPatch(**values), ANN, LATER)  # type: ignore[arg-type]


def exception(whole: str, original: datetime = SECOND, **values: object) -> str:
    return patch_occurrence(whole, original, OccurrencePatch(**values), ANN, LATER)  # type: ignore[arg-type]


def at(whole: str, original: datetime) -> Event:
    found = read_event(whole, ANN).occurrence(original)
    assert found
    assert found.event
    return found.event


def test_an_occurrence_that_is_moved() -> None:
    after = exception(SERIES, start=SECOND + DAY, end=SECOND + DAY + HOUR, subject="Other")
    assert shown(after) == [
        "03-02 10:00 Team",
        "03-10 10:00 Other",
        "03-16 10:00 Team",
        "03-23 10:00 Team",
        "03-30 10:00 Team",
    ]
    assert after.count("X-A:b") == 2
    assert after.count("RRULE:FREQ=WEEKLY") == 1
    assert "RECURRENCE-ID;TZID=Europe/Berlin:20260309T100000" in after
    # The series itself is as it was, but for when it was changed.
    assert "SUMMARY:Team\r\nX-A:b" in after
    assert at(after, SECOND).stamp == LATER


def test_a_change_of_a_change() -> None:
    once = exception(SERIES, start=SECOND + HOUR, end=SECOND + 2 * HOUR)
    twice = exception(once, subject="Other")
    assert "03-09 11:00 Other" in shown(twice)
    assert twice.count("RECURRENCE-ID") == 1
    # A phone up to 14.1 says all that is not as in the series.
    values: dict[str, Any] = {"start": INHERIT, "end": INHERIT, "subject": "Third", "reminder": INHERIT}
    assert "03-09 10:00 Third" in shown(exception(twice, **values))


def test_a_change_that_changes_nothing() -> None:
    after = exception(SERIES, subject="Other")
    assert exception(after, subject="Other", start=SECOND, end=SECOND + HOUR) == after


def test_what_is_inherited_or_removed() -> None:
    series = text(
        "RRULE:FREQ=WEEKLY",
        "SUMMARY:Team",
        "CATEGORIES:a",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER:-PT5M",
        "END:VALARM",
    )
    after = exception(series, subject=None, categories=None, reminder=None)
    found = at(after, SECOND)
    assert (found.subject, found.categories, found.reminder) == ("", (), None)
    back = at(exception(after, subject=INHERIT, categories=INHERIT, reminder=INHERIT), SECOND)
    assert (back.subject, back.categories, back.reminder) == ("Team", ("a",), timedelta(minutes=5))


def test_an_end_that_is_inherited_comes_after_the_start() -> None:
    found = at(exception(SERIES, start=SECOND + 5 * HOUR, end=INHERIT), SECOND)
    assert found.end == SECOND + 6 * HOUR
    with pytest.raises(BadEvent):
        exception(SERIES, start=SECOND + 5 * HOUR)


def test_an_occurrence_that_is_deleted() -> None:
    after = delete_occurrence(SERIES, SECOND, ANN, LATER)
    assert shown(after)[:2] == ["03-02 10:00 Team", "03-16 10:00 Team"]
    assert delete_occurrence(after, SECOND, ANN, LATER) == after
    assert "EXDATE;TZID=Europe/Berlin:20260309T100000" in after
    changed_before = exception(SERIES, subject="Other")
    gone = delete_occurrence(changed_before, SECOND, ANN, LATER)
    assert shown(gone) == shown(after)
    assert "RECURRENCE-ID" not in gone


def test_one_that_was_deleted_is_there_again() -> None:
    both = text(
        "RRULE:FREQ=WEEKLY", "EXDATE;TZID=Europe/Berlin:20260309T100000,20260316T100000", "SUMMARY:Team"
    )
    after = exception(both, subject="Back")
    assert shown(after)[:2] == ["03-02 10:00 Team", "03-09 10:00 Back"]
    assert "03-16 10:00 Team" not in shown(after)


@pytest.mark.parametrize("moment", [SECOND + 3 * DAY, berlin(2025, 3, 3, 10)])
def test_an_occurrence_there_is_not(moment: datetime) -> None:
    with pytest.raises(NotFound):
        delete_occurrence(SERIES, moment, ANN, LATER)
    with pytest.raises(NotFound):
        exception(SERIES, moment, subject="a")
    with pytest.raises(BadEvent) as error:
        patched(SERIES, occurrences=((moment, OccurrencePatch(subject="a")),))
    assert error.value.kind is Kind.INVALID_CONTENT
    # Devices go on telling of exceptions that their series has left behind.
    assert patched(SERIES, occurrences=((moment, None),)) == SERIES
    assert patched(text(), occurrences=((moment, None),)) == text()


def test_a_single_event_has_no_occurrences() -> None:
    with pytest.raises(NotFound):
        delete_occurrence(text(), berlin(2026, 3, 2, 10), ANN, LATER)


def test_occurrences_of_whole_days_are_known_by_their_dates() -> None:
    days = text("RRULE:FREQ=DAILY;COUNT=3", start="DTSTART;VALUE=DATE:20260302", end="")
    for moment in (
        berlin(2026, 3, 3),
        datetime(2026, 3, 3, tzinfo=UTC),
        datetime(2026, 3, 3, tzinfo=NEW_YORK),
    ):
        after = delete_occurrence(days, moment, ANN, LATER)
        assert "EXDATE;VALUE=DATE:20260303" in after
        assert [one[:5] for one in shown(after)] == ["03-02", "03-04"]
    moved = exception(days, berlin(2026, 3, 3), start=berlin(2026, 3, 9), end=berlin(2026, 3, 10))
    assert "RECURRENCE-ID;VALUE=DATE:20260303\r\n" in moved
    assert [one[:5] for one in shown(moved)] == ["03-02", "03-04", "03-09"]
    timed = exception(
        days, berlin(2026, 3, 3), all_day=False, start=berlin(2026, 3, 3, 9), end=berlin(2026, 3, 3, 10)
    )
    assert "RECURRENCE-ID;VALUE=DATE:20260303\r\n" in timed
    assert "03-03 09:00" in shown(timed)


def test_an_exception_in_another_zone() -> None:
    start = datetime(2026, 3, 9, 12, tzinfo=ZoneInfo("Asia/Tokyo"))
    after = exception(SERIES, start=start, end=start + HOUR)
    assert "TZID:Asia/Tokyo" in after
    assert at(after, SECOND).start == start
    assert "Asia/Tokyo" not in exception(after, start=INHERIT, end=INHERIT)


def test_new_values_of_the_series_reach_exceptions_that_had_them() -> None:
    guest = Attendee(Person("x@example.org"))
    once = exception(SERIES, subject="Other")
    twice = exception(once, THIRD, start=THIRD + HOUR, end=THIRD + 2 * HOUR)
    after = patched(twice, subject="New", attendees=(guest,), reminder=timedelta(minutes=5))
    assert shown(after)[:3] == ["03-02 10:00 New", "03-09 10:00 Other", "03-16 11:00 New"]
    assert at(after, SECOND).attendees == (guest,)
    assert at(after, THIRD).reminder == timedelta(minutes=5)


def full() -> str:
    """A series with exceptions of every kind."""
    one = exception(SERIES, subject="Other")
    two = exception(one, THIRD, start=THIRD + 3 * HOUR, end=THIRD + 4 * HOUR)
    return delete_occurrence(two, berlin(2026, 3, 23, 10), ANN, LATER)


def test_exceptions_stay_at_their_days_when_the_time_changes() -> None:
    after = patched(full(), start=berlin(2026, 3, 2, 12), end=berlin(2026, 3, 2, 13, 30))
    assert shown(after) == ["03-02 12:00 Team", "03-09 12:00 Other", "03-16 13:00 Team", "03-30 12:00 Team"]
    assert at(after, berlin(2026, 3, 9, 12)).end == berlin(2026, 3, 9, 13, 30)
    # And back.
    assert shown(patched(after, start=berlin(2026, 3, 2, 10), end=berlin(2026, 3, 2, 11))) == shown(full())


def test_exceptions_stay_at_their_days_in_another_zone() -> None:
    start = datetime(2026, 3, 2, 10, tzinfo=NEW_YORK)
    after = patched(full(), start=start, end=start + HOUR)
    found = read_event(after, ANN)
    assert [one.original for one in found.occurrences] == [start + days * DAY for days in (7, 14, 21)]
    assert shown(after)[0] == "03-02 10:00 Team"
    days = patched(full(), start=berlin(2026, 3, 2), end=berlin(2026, 3, 3), all_day=True)
    assert shown(days, NOW - DAY) == [
        "03-02 00:00 Team",
        "03-09 00:00 Other",
        "03-16 13:00 Team",
        "03-30 00:00 Team",
    ]


def test_exceptions_go_with_the_days_that_the_series_leaves() -> None:
    after = patched(full(), recurrence=Recurrence(Pattern.WEEKLY, 2, days=2))
    assert shown(after) == ["03-02 10:00 Team", "03-16 13:00 Team", "03-30 10:00 Team"]
    assert "EXDATE" not in after
    shorter = patched(
        full(), recurrence=Recurrence(Pattern.WEEKLY, days=2, until=berlin(2026, 3, 9, 10).astimezone(UTC))
    )
    assert shown(shorter) == ["03-02 10:00 Team", "03-09 10:00 Other"]
    assert shorter.count("BEGIN:VEVENT") == 2


def test_a_new_pattern_may_reset_exceptions() -> None:
    """As it does since 16.0; what is not a change of when leaves them."""
    for values in ({"recurrence": Recurrence(Pattern.WEEKLY, days=6)}, {"end": berlin(2026, 3, 2, 12)}):
        after = patched(full(), resets_exceptions=True, **values)
        assert read_event(after, ANN).occurrences == ()
    kept = patched(
        full(), resets_exceptions=True, subject="New", start=berlin(2026, 3, 2, 10), recurrence=WEEKS
    )
    assert len(read_event(kept, ANN).occurrences) == 3


def test_a_series_that_becomes_a_single_event() -> None:
    after = patched(full(), recurrence=None)
    assert shown(after) == ["03-02 10:00 Team"]
    assert not {"RRULE", "EXDATE", "RECURRENCE-ID"} & {
        line[:13].split(";")[0].split(":")[0] for line in after.split("\r\n")[15:]
    }
    assert shown(patched(after, recurrence=WEEKS))[:2] == ["03-02 10:00 Team", "03-09 10:00 Team"]


@pytest.mark.parametrize(
    "rule", ["FREQ=HOURLY;COUNT=3", "FREQ=MONTHLY;BYMONTHDAY=1,15", "FREQ=YEARLY;BYYEARDAY=9"]
)
def test_a_rule_that_phones_cannot_be_told_stays(rule: str) -> None:
    before = text(f"RRULE:{rule}", "SUMMARY:Team")
    assert read_event(before, ANN).recurrence is None
    assert f"RRULE:{rule}" in patched(before, recurrence=None, subject="New")
    assert f"RRULE:{rule}" not in patched(before, recurrence=WEEKS)


@pytest.mark.parametrize(
    "rule", ["FREQ=MONTHLY;BYMONTHDAY=31", "FREQ=DAILY;COUNT=5000", "FREQ=WEEKLY;BYDAY=MO;UNTIL=20260401"]
)
def test_a_rule_stays_as_it_is_written_when_it_is_named(rule: str) -> None:
    before = text(f"RRULE:{rule}")
    found = read_event(before, ANN)
    assert found.recurrence
    assert patched(before, recurrence=found.recurrence) == before


@pytest.mark.parametrize(
    ("rule", "after"),
    [
        ("FREQ=WEEKLY;UNTIL=20260316T090000Z", "FREQ=WEEKLY;UNTIL=20260316T170000Z"),
        ("FREQ=WEEKLY;UNTIL=20260316T100000", "FREQ=WEEKLY;UNTIL=20260316T170000Z"),
        ("FREQ=WEEKLY;UNTIL=20260316", "FREQ=WEEKLY;UNTIL=20260316T170000Z"),
        (
            "FREQ=HOURLY;INTERVAL=168;UNTIL=20260316T090000Z;WKST=SU",
            "FREQ=HOURLY;INTERVAL=168;UNTIL=20260316T170000Z;WKST=SU",
        ),
        ("FREQ=WEEKLY;COUNT=3", "FREQ=WEEKLY;COUNT=3"),
    ],
)
def test_the_last_day_stays_the_last_when_the_time_changes(rule: str, after: str) -> None:
    """An UNTIL counts to the second: at the old time of day it would be before the last occurrence."""
    moved = patched(
        text(f"RRULE:{rule}", more=OLD_BERLIN), start=berlin(2026, 3, 2, 18), end=berlin(2026, 3, 2, 19)
    )
    assert f"RRULE:{after}\r\n" in moved
    assert [one[:5] for one in shown(moved)] == ["03-02", "03-09", "03-16"]
    days = patched(moved, all_day=True)
    assert [one[:5] for one in shown(days, NOW - DAY)] == ["03-02", "03-09", "03-16"]


def test_dates_beside_the_rule_move_with_it() -> None:
    before = text("RRULE:FREQ=WEEKLY;COUNT=2", "RDATE;TZID=Europe/Berlin:20260304T100000")
    after = patched(before, start=berlin(2026, 3, 2, 12), end=berlin(2026, 3, 2, 13))
    assert shown(after) == ["03-02 12:00", "03-04 12:00", "03-09 12:00"]
    assert shown(patched(before, subject="a"))[1] == "03-04 10:00 a"


def test_a_new_series_with_exceptions() -> None:
    patch = EventPatch(
        start=berlin(2026, 3, 2, 10),
        end=berlin(2026, 3, 2, 11),
        subject="Team",
        recurrence=WEEKS,
        occurrences=(
            (SECOND.astimezone(UTC), None),
            (THIRD.astimezone(UTC), OccurrencePatch(subject="Other")),
        ),
    )
    made = new_event(patch, "u", ANN, NOW)
    assert shown(made)[:2] == ["03-02 10:00 Team", "03-16 10:00 Other"]
    # The same again, as a phone up to 14.1 does with each change, changes nothing.
    assert patch_event(made, patch, ANN, LATER) == made


def test_exceptions_of_other_programs() -> None:
    """A date where the series has times, a zone of their own, no times at all, the same one twice."""
    odd = changed("20260309T100000", "SUMMARY:no times")
    date = tuple(
        line.replace("RECURRENCE-ID;TZID=Europe/Berlin:20260309T100000", "RECURRENCE-ID;VALUE=DATE:20260316")
        for line in changed("20260309T100000", "SUMMARY:dated", "DTSTART:20260316T120000Z")
    )
    utc = tuple(
        line.replace(";TZID=Europe/Berlin:20260309T100000", ":20260323T090000Z")
        for line in changed("20260309T100000", "SUMMARY:in UTC", "DTSTART:20260323T120000Z")
    )
    whole = text("RRULE:FREQ=WEEKLY;COUNT=4", more=(*odd, *date, *utc, *utc))
    assert shown(whole) == ["03-02 10:00", "03-09 10:00 no times", "03-16 12:00 dated", "03-23 12:00 in UTC"]
    assert "in UTC" not in delete_occurrence(whole, berlin(2026, 3, 23, 10), ANN, LATER)
    after = patched(whole, start=berlin(2026, 3, 2, 11), end=berlin(2026, 3, 2, 12))
    assert shown(after) == ["03-02 11:00", "03-09 11:00 no times", "03-16 12:00 dated", "03-23 12:00 in UTC"]


def test_exceptions_without_their_series() -> None:
    """Who is invited to one occurrence knows nothing of the others."""
    lone = text("RECURRENCE-ID;TZID=Europe/Berlin:20260302T090000", "SUMMARY:One")
    found = read_event(lone, ANN)
    assert found.original == berlin(2026, 3, 2, 9)
    assert (found.start, found.recurring) == (berlin(2026, 3, 2, 10), False)
    assert read_event(patched(lone, subject="Two"), ANN).original == berlin(2026, 3, 2, 9)


def test_those_of_another_event_are_not_touched() -> None:
    stranger = tuple(line.replace("one@", "two@") for line in changed("20260309T100000", "SUMMARY:Stranger"))
    whole = text("RRULE:FREQ=WEEKLY", more=stranger)
    assert read_event(whole, ANN).occurrences == ()
    assert "\r\n".join(stranger) in patched(whole, start=berlin(2026, 3, 2, 11), end=berlin(2026, 3, 2, 12))


def test_exceptions_are_bounded() -> None:
    daily = text("RRULE:FREQ=DAILY")
    days = [berlin(2026, 3, 2, 10) + number * DAY for number in range(1001)]
    began = time.process_time()
    most = patched(daily, occurrences=tuple((day, None) for day in days[:1000]))
    assert time.process_time() - began < 5
    assert len(read_event(most, ANN).occurrences) == 1000
    with pytest.raises(BadEvent):
        delete_occurrence(most, days[1000], ANN, LATER)
    with pytest.raises(BadEvent):
        exception(most, days[1000], subject="a")


def test_thousands_of_changes_are_not_read() -> None:
    days = (berlin(2026, 3, 2, 10) + number * DAY for number in range(10_000))
    whole = text(
        "RRULE:FREQ=DAILY", more=tuple(line for day in days for line in changed(f"{day:%Y%m%dT%H%M%S}"))
    )
    began = time.process_time()
    with pytest.raises(BadEvent):
        read_event(whole, ANN)
    with pytest.raises(BadEvent):
        delete_occurrence(whole, SECOND, ANN, LATER)
    assert time.process_time() - began < 5


def test_hundreds_of_changes_at_once_cost_little() -> None:
    days = [berlin(2026, 3, 2, 10) + number * DAY for number in range(256)]
    patch = EventPatch(
        start=days[0],
        end=days[0] + HOUR,
        recurrence=Recurrence(Pattern.DAILY, occurrences=300),
        occurrences=tuple(
            (day, OccurrencePatch(subject=str(day.day), start=day + HOUR, end=day + 2 * HOUR)) for day in days
        ),
    )
    began = time.process_time()
    made = new_event(patch, "u", ANN, NOW)
    assert patch_event(made, patch, ANN, LATER) == made
    assert time.process_time() - began < 5
    assert len(read_event(made, ANN).occurrences) == 256


# --- all of it at random ----------------------------------------------------------------------------------

DAYS = 8
subjects = st.sampled_from(["a", "b", "c"])
numbers = st.integers(0, DAYS - 1)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("delete"), numbers),
        st.tuples(st.just("name"), numbers, subjects),
        st.tuples(st.just("shift"), numbers, st.integers(-3, 3)),
        st.tuples(st.just("inherit"), numbers),
        st.tuples(st.just("name all"), subjects),
        st.tuples(st.just("move all"), st.integers(6, 20)),
        st.tuples(st.just("end"), st.integers(1, DAYS)),
    ),
    max_size=12,
)


@dataclass
class Model:
    """A daily series as its owner thinks of it: which days are gone, have a name or a time of their own."""

    name: str = "Team"
    hour: int = 10
    count: int = DAYS
    gone: set[int] = field(default_factory=set)
    names: dict[int, str] = field(default_factory=dict)
    times: dict[int, datetime] = field(default_factory=dict)

    def start(self, day: int) -> datetime:
        return berlin(2026, 3, 27, self.hour) + day * DAY

    def shown(self) -> list[str]:
        days = [one for one in range(self.count) if one not in self.gone]
        found = [(self.times.get(one, self.start(one)), self.names.get(one, self.name)) for one in days]
        return sorted(f"{at:%m-%d %H:%M} {name}" for at, name in found)


def done(model: Model, whole: str, step: tuple[Any, ...]) -> str:
    match step:
        case ("delete", day) if day < model.count:
            at = model.start(day)
            model.gone.add(day)
            model.names.pop(day, None)
            model.times.pop(day, None)
            return delete_occurrence(whole, at, ANN, LATER)
        case ("name", day, name) if day < model.count:
            model.gone.discard(day)
            if name != model.name or day in model.names:
                model.names[day] = name
            return exception(whole, model.start(day), subject=name)
        case ("shift", day, hours) if day < model.count:
            model.gone.discard(day)
            start = model.start(day) + hours * HOUR
            model.times[day] = start
            if not hours:
                del model.times[day]
            return exception(whole, model.start(day), start=start, end=start + HOUR)
        case ("inherit", day) if day < model.count:
            model.gone.discard(day)
            model.names.pop(day, None)
            model.times.pop(day, None)
            return exception(whole, model.start(day), start=INHERIT, end=INHERIT, subject=INHERIT)
        case ("name all", name):
            # A name that is that of the series is not one's own.
            model.names = {day: own for day, own in model.names.items() if own != model.name}
            model.name = name
            model.names = {day: own for day, own in model.names.items() if own != name}
            return patched(whole, subject=name)
        case ("move all", hour):
            model.hour = hour
            model.times = {day: at for day, at in model.times.items() if at != model.start(day)}
            return patched(whole, start=model.start(0), end=model.start(0) + HOUR)
        case ("end", count):
            model.count = count
            left = set(range(count))
            model.gone &= left
            model.names = {day: own for day, own in model.names.items() if day in left}
            model.times = {day: own for day, own in model.times.items() if day in left}
            return patched(whole, recurrence=Recurrence(Pattern.DAILY, occurrences=count))
    return whole


@settings(max_examples=120, deadline=None)
@given(steps)
def test_a_series_is_what_its_owner_thinks(taken: list[tuple[Any, ...]]) -> None:
    """Across a change of the clocks."""
    model = Model()
    patch = EventPatch(
        start=model.start(0),
        end=model.start(0) + HOUR,
        subject="Team",
        recurrence=Recurrence(Pattern.DAILY, occurrences=DAYS),
    )
    whole = new_event(patch, "u", ANN, NOW)
    for step in taken:
        whole = done(model, whole, step)
        assert sorted(shown(whole, NOW, NOW + 60 * DAY)) == model.shown(), step
