"""Scheduling messages as programs write them, and what is understood of each."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.pim.invitation import (
    Answer,
    Busy,
    Invitation,
    Method,
    Person,
    Sensitivity,
    read_invitation,
)
from gateway.pim.limits import MOST_ATTENDEES
from gateway.pim.recurrence import Pattern, Recurrence
from gateway.pim.timezones import RuleZone, pack, rules_at
from tests.support import invitations
from tests.support.invitations import ANN, SHAPES, calendar, event, reply, timezone

BERLIN, NEW_YORK, KOLKATA = (ZoneInfo(name) for name in ("Europe/Berlin", "America/New_York", "Asia/Kolkata"))


def understood(text: str, method: str = "") -> Invitation:
    found = read_invitation(text, method)
    assert found
    return found


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def test_google() -> None:
    found = understood(invitations.GOOGLE_SINGLE)
    assert found == Invitation(
        Method.REQUEST,
        "1a2b3c4d5e6f@google.com",
        utc(2026, 3, 2, 9),
        utc(2026, 3, 2, 10),
        UTC,
        stamp=utc(2026, 3, 1, 8),
        summary="Team",
        location="Room 1, left",
        description="Agenda\n\nJoin: https://meet.example.org/abc",
        organizer=Person("bob@example.org", "Bob"),
        attendees=found.attendees,
    )
    assert found.attendee("ANN@example.org") == found.attendees[0]
    assert found.wants_answer(ANN)


def test_google_series() -> None:
    found = understood(invitations.GOOGLE_SERIES)
    assert (found.start, found.zone, found.sequence) == (utc(2026, 3, 2, 9), BERLIN, 2)
    assert found.recurrence == Recurrence(Pattern.WEEKLY, until=utc(2026, 6, 29, 8), days=2 + 8)


def test_outlook() -> None:
    found = understood(invitations.OUTLOOK_SERIES)
    assert (found.uid, found.zone, found.end) == (invitations.OUTLOOK_UID, BERLIN, utc(2026, 3, 2, 10))
    assert found.recurrence == Recurrence(Pattern.MONTHLY_NTH, 2, 10, days=2, week=1)
    assert (found.busy, found.sensitivity) == (Busy.OUT_OF_OFFICE, Sensitivity.PRIVATE)
    assert (found.reminder, found.may_counter) == (timedelta(minutes=15), False)
    assert found.location == "Raum Köln"
    assert found.attendee(ANN)


def test_outlook_exception() -> None:
    found = understood(invitations.OUTLOOK_EXCEPTION)
    assert (found.start, found.recurrence_id) == (utc(2026, 3, 10, 11), utc(2026, 3, 9, 9))
    assert found.recurrence is None


def test_a_zone_nobody_knows_keeps_its_rules() -> None:
    found = understood(invitations.OUTLOOK_CUSTOM_ZONE)
    assert found.start == utc(2026, 7, 2, 7, 37)
    assert isinstance(found.zone, RuleZone)
    rules = rules_at(found.zone, utc(2026, 7, 2))
    assert (rules.standard, rules.daylight) == (83, 143)
    assert found.recurrence == Recurrence(Pattern.DAILY, occurrences=5)


def test_a_zone_without_a_usable_name_is_known_by_its_rules() -> None:
    found = understood(invitations.OUTLOOK_NAMELESS_ZONE)
    assert (found.start, found.zone) == (utc(2026, 7, 2, 8), BERLIN)


def test_the_same_without_a_definition() -> None:
    lines = [line for line in invitations.OUTLOOK_NAMELESS_ZONE.split("\r\n") if "TZOFFSET" not in line]
    found = understood("\r\n".join(lines))
    assert found.start == utc(2026, 7, 2, 8)
    assert str(found.zone) == "Europe/Amsterdam"
    there = understood(calendar(*event(start='DTSTART;TZID="GMT -0300 (Standard)":20260702T100000')))
    assert there.start == utc(2026, 7, 2, 13)


def test_whole_days() -> None:
    found = understood(invitations.OUTLOOK_ALL_DAY)
    assert found.all_day
    assert found.busy is Busy.FREE
    assert found.start
    assert found.end
    assert found.start.replace(tzinfo=None) == datetime(2026, 3, 2)  # noqa: DTZ001 - a date
    assert found.end.replace(tzinfo=None) == datetime(2026, 3, 4)  # noqa: DTZ001 - a date


def test_whole_days_as_times() -> None:
    text = calendar(
        *timezone("Europe/Berlin", *invitations.CENTRAL_EUROPE),
        *event(
            "DTEND;TZID=Europe/Berlin:20260330T000000",
            "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE",
            start="DTSTART;TZID=Europe/Berlin:20260329T000000",
        ),
    )
    assert understood(text).all_day
    assert not understood(text.replace("ALLDAYEVENT:TRUE", "ALLDAYEVENT:FALSE")).all_day


def test_apple() -> None:
    found = understood(invitations.APPLE_ALL_DAY_SERIES)
    assert found.all_day
    assert (found.start, found.end) == (utc(2026, 3, 2), utc(2026, 3, 3))
    assert found.recurrence == Recurrence(Pattern.YEARLY, until=utc(2030, 3, 2), day_of_month=2, month=3)
    assert (found.busy, found.reminder) == (Busy.FREE, timedelta(days=7))
    assert found.attendees[0].person == Person("ann@example.org", "Ann; of Example")


def test_apple_with_an_empty_definition() -> None:
    found = understood(invitations.APPLE_YEARLY)
    assert (found.zone, found.start, found.end) == (
        NEW_YORK,
        utc(2026, 11, 26, 17),
        utc(2026, 11, 26, 17, 45),
    )
    assert found.recurrence == Recurrence(Pattern.YEARLY_NTH, days=16, week=4, month=11)


def test_thunderbird() -> None:
    found = understood(invitations.THUNDERBIRD)
    assert (found.start, found.zone) == (utc(2026, 3, 2, 9), BERLIN)
    assert found.recurrence == Recurrence(Pattern.DAILY, 3)
    assert found.sensitivity is Sensitivity.CONFIDENTIAL
    assert not found.wants_answer(ANN)
    assert not found.wants_answer("cy@example.org")


def test_times_without_a_zone() -> None:
    found = understood(invitations.FLOATING)
    assert (found.start, found.zone) == (utc(2026, 3, 2, 4, 30), KOLKATA)
    homeless = invitations.FLOATING.replace("X-WR-TIMEZONE:Asia/Kolkata\r\n", "")
    there = read_invitation(homeless, zone=NEW_YORK)
    assert there
    assert there.zone == NEW_YORK


def test_a_name_that_is_defined_otherwise_is_what_it_is_defined_as() -> None:
    text = calendar(
        *timezone("Europe/Berlin", *invitations.NOWHERE),
        *event(start="DTSTART;TZID=Europe/Berlin:20260702T100000"),
    )
    assert understood(text).start == utc(2026, 7, 2, 7, 37)


def test_a_series_in_utc_stays_there() -> None:
    lines = ["X-WR-TIMEZONE:Europe/Berlin", *event("RRULE:FREQ=DAILY")]
    assert understood(calendar(*lines)).zone == UTC
    lines.remove("RRULE:FREQ=DAILY")
    assert understood(calendar(*lines)).zone == BERLIN


def test_cancelled() -> None:
    found = understood(invitations.CANCEL)
    assert (found.method, found.start, found.sequence) == (Method.CANCEL, utc(2026, 3, 2, 9), 1)
    bare = [line for line in invitations.CANCEL.split("\r\n") if not line.startswith(("DTSTART", "DTEND"))]
    assert understood("\r\n".join(bare)).start is None


@pytest.mark.parametrize("answer", Answer)
def test_answers(answer: Answer) -> None:
    found = understood(reply(answer.value))
    assert (found.method, found.attendees[0].answer) == (Method.REPLY, answer)


def test_a_counter_proposal() -> None:
    found = understood(invitations.COUNTER)
    assert (found.start, found.end) == (utc(2026, 3, 2, 9), utc(2026, 3, 2, 10))
    assert found.proposed == (utc(2026, 3, 3, 9), utc(2026, 3, 3, 10))
    plain = [line for line in invitations.COUNTER.split("\r\n") if not line.startswith("X-MS-OLK")]
    assert understood("\r\n".join(plain)).start == utc(2026, 3, 3, 9)


def test_the_series_is_taken_where_its_exceptions_come_along() -> None:
    exception = event("RECURRENCE-ID:20260309T090000Z", start="DTSTART:20260310T090000Z")
    found = understood(calendar(*exception, *event("RRULE:FREQ=WEEKLY")))
    assert found.recurrence_id is None
    assert found.recurrence
    assert found.start == utc(2026, 3, 2, 9)


def test_the_method_of_the_part_stands_in() -> None:
    text = calendar(*event()).replace("METHOD:REQUEST\r\n", "")
    assert read_invitation(text) is None
    assert understood(text, "request").method is Method.REQUEST
    assert understood(calendar(*event(), method="CANCEL"), "cancel").method is Method.CANCEL


def test_methods_that_contradict_each_other_make_an_ordinary_mail() -> None:
    assert read_invitation(calendar(*event(), method="CANCEL"), "REQUEST") is None
    assert read_invitation(calendar(*event(), method="PUBLISH"), "REQUEST") is None
    assert read_invitation(calendar(*event()), "PUBLISH") is None


def test_who_wants_an_answer_when_nobody_says_so() -> None:
    silent = understood(calendar(*event(attendee="ATTENDEE:mailto:ann@example.org")))
    assert silent.wants_answer(ANN)
    assert silent.wants_answer("")
    others = understood(calendar(*event("ATTENDEE;RSVP=FALSE:mailto:cy@example.org")))
    assert others.wants_answer(ANN)
    assert not others.wants_answer("cy@example.org")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "BEGIN:VCALENDAR",
        "BEGIN:VCALENDAR\nMETHOD:REQUEST\nEND:VCALENDAR",
        calendar(*event(), method="PUBLISH"),
        calendar(*event(), method="REFRESH"),
        calendar(*event(uid="")),
        calendar(*event(uid="x" * 2000)),
        calendar(*event(start="DTSTART:soon")),
        calendar(*event(start="DTSTART:00010101T000000Z")),
        calendar(*event(start="DTSTART:99991231T235959Z")),
        calendar(*event(start="DTSTART:20260231T000000Z")),
        calendar("BEGIN:VTODO", "UID:1", "DTSTART:20260101T000000Z", "END:VTODO"),
        invitations.GOOGLE_SINGLE[:120],
    ],
)
def test_what_is_no_scheduling_message(text: str) -> None:
    assert read_invitation(text) is None


@pytest.mark.parametrize(
    ("more", "end"),
    [
        (("DTEND:20260302T080000Z",), utc(2026, 3, 2, 9)),
        (("DTEND:nonsense",), utc(2026, 3, 2, 9)),
        (("DURATION:-PT1H",), utc(2026, 3, 2, 9)),
        (("DURATION:P1DT2H3M4S",), utc(2026, 3, 3, 11, 3, 4)),
        (("DURATION:P2W",), utc(2026, 3, 16, 9)),
        (("DURATION:P999999W",), utc(2026, 3, 2, 9)),
        (("DTEND;VALUE=DATE:20260303", "DURATION:PT1H"), utc(2026, 3, 2, 10)),
    ],
)
def test_ends(more: tuple[str, ...], end: datetime) -> None:
    assert understood(calendar(*event(*more))).end == end


@pytest.mark.parametrize(
    ("trigger", "reminder"),
    [
        ("TRIGGER:-PT30M", timedelta(minutes=30)),
        ("TRIGGER:PT0S", timedelta()),
        ("TRIGGER;VALUE=DATE-TIME:20260302T083000Z", timedelta(minutes=30)),
        ("TRIGGER:PT30M", None),
        ("TRIGGER;RELATED=END:-PT30M", None),
        ("TRIGGER:whenever", None),
    ],
)
def test_reminders(trigger: str, reminder: timedelta | None) -> None:
    text = calendar(*event("BEGIN:VALARM", trigger, "END:VALARM"))
    assert understood(text).reminder == reminder


def test_people() -> None:
    lines = (
        "ATTENDEE;CN=Q: A:mailto:qa@example.org",
        'ATTENDEE;CN="A, B":MailTo:<ab@example.org>',
        "ATTENDEE:cy@example.org",
        "ATTENDEE;CN=Nobody:invalid:nomail",
    )
    found = understood(calendar(*event(*lines))).attendees[1:]
    assert [one.person for one in found] == [
        Person("qa@example.org", "Q"),
        Person("ab@example.org", "A, B"),
        Person("cy@example.org"),
        Person("", "Nobody"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        invitations.GOOGLE_SERIES.replace("\r\n", "\n"),
        invitations.GOOGLE_SERIES.replace("\r\n", "\r"),
        "\ufeff" + invitations.GOOGLE_SERIES,
        invitations.GOOGLE_SERIES.replace("SUMMARY:Team", "SUMMARY:Team\r\nbroken line\r\n:\r\n;;;"),
        invitations.GOOGLE_SERIES.replace("END:VCALENDAR", ""),
        invitations.GOOGLE_SERIES.replace("END:VEVENT\r\nEND:VCALENDAR\r\n", ""),
        invitations.GOOGLE_SERIES.replace("END:STANDARD\r\n", ""),
        invitations.GOOGLE_SERIES.lower().replace("europe/berlin", "Europe/Berlin"),
    ],
)
def test_broken_but_readable(text: str) -> None:
    found = understood(text)
    assert (found.start, found.zone) == (utc(2026, 3, 2, 9), BERLIN)
    assert found.recurrence


def broken(text: str, seed: int) -> str:
    """Cut, doubled and spoiled at some places."""
    chance = random.Random(seed)
    pieces = list(text)
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(pieces))
        match chance.randrange(4):
            case 0:
                pieces[at] = chance.choice('\0\n\r;:",\\=-+9AZ\u00e9\U0001f600')
            case 1:
                del pieces[at : at + chance.randint(1, 60)]
            case 2:
                pieces[at:at] = pieces[chance.randrange(len(pieces)) :][: chance.randint(1, 80)]
            case _:
                pieces[at:at] = str(chance.choice([0, -1, 99, 10**6, 10**20]))
    return "".join(pieces)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(SHAPES)), st.integers(0, 2**32))
def test_anything_is_understood_or_left_alone(name: str, seed: int) -> None:
    found = read_invitation(broken(SHAPES[name], seed), "REQUEST")
    if found and found.start and found.end:
        assert found.start <= found.end
        assert pack(rules_at(found.zone, found.start.astimezone(UTC)))


def test_a_large_calendar_is_read_soon() -> None:
    many = [
        line for number in range(3000) for line in event(f"RECURRENCE-ID:2026{number % 9 + 1:02}02T090000Z")
    ]
    assert understood(calendar(*many, *event("RRULE:FREQ=WEEKLY"))).recurrence
    too_many = ["ATTENDEE:mailto:a@b.example"] * (MOST_ATTENDEES + 1)
    assert len(understood(calendar(*event(*too_many))).attendees) == MOST_ATTENDEES
