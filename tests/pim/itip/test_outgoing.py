"""Whom the organizer's changes are told, and what: each change, each occurrence, and nobody for nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.items import NoticeFile
from gateway.pim.events.model import (
    Attendee,
    AttendeeType,
    Busy,
    EventPatch,
    File,
    Location,
    OccurrencePatch,
    Participation,
    Person,
    Recurrence,
    Response,
)
from gateway.pim.invitation import Method, read_invitation
from gateway.pim.itip.message import Message, read_message
from gateway.pim.itip.outgoing import Post, Told
from gateway.pim.itip.verdicts import Verdict
from gateway.pim.recurrence import Pattern
from tests.pim.itip.meetings import CID, NOW, at, seen, series, stored, take, taken
from tests.pim.itip.texts import self_told, told
from tests.support.events import delete_occurrence, new_event, patch_event, patch_occurrence
from tests.support.invitations import ANN, BOB

LATER = NOW + timedelta(minutes=1)
ALL = frozenset({ANN, CID})
DAN = Attendee(Person("dan@example.org", "Dan"))
MEETING = stored(series())


def changed(patch: EventPatch, before: str = MEETING) -> Told:
    return told(before, patch_event(before, patch, BOB, LATER), BOB, LATER)


def summary(outcome: Told) -> list[tuple[Method, frozenset[str]]]:
    return [(post.method, frozenset(one.address.lower() for one in post.to)) for post in outcome.posts]


def only(outcome: Told) -> Post:
    (post,) = outcome.posts
    return post


def text_of(outcome: Told) -> str:
    assert outcome.text is not None
    return outcome.text


def people(text: str = MEETING) -> tuple[Attendee, ...]:
    return seen(text, BOB).attendees


def without(address: str) -> tuple[Attendee, ...]:
    return tuple(one for one in people() if one.person.address.lower() != address)


# --- a meeting ---------------------------------------------------------------------------------------------


def test_a_new_meeting() -> None:
    patch = EventPatch(
        start=at(3),
        end=at(3, 10),
        subject="Planning",
        organizer=Person(BOB, "Bob"),
        attendees=(
            Attendee(Person(ANN, "Ann")),
            Attendee(Person(CID), AttendeeType.OPTIONAL),
            Attendee(Person("room@example.org"), AttendeeType.RESOURCE),
        ),
        response_requested=True,
        reminder=timedelta(minutes=10),
        categories=("secret",),
        busy=Busy.OUT_OF_OFFICE,
    )
    outcome = told(None, new_event(patch, "u1", BOB, NOW), BOB, NOW)
    assert summary(outcome) == [(Method.REQUEST, ALL | {"room@example.org"})]
    post = only(outcome)
    assert not post.again
    for private in ("VALARM", "secret", "X-ACTIVESYNC", "BUSYSTATUS"):
        assert private not in post.calendar
    message = read_message(post.calendar)
    assert message is not None
    event = seen(taken(message))
    assert (event.subject, event.start, event.busy) == ("Planning", at(3), Busy.TENTATIVE)
    invitation = read_invitation(post.calendar)
    assert invitation is not None
    assert invitation.busy is Busy.OUT_OF_OFFICE
    assert invitation.wants_answer(ANN)


def test_an_appointment_is_told_nobody() -> None:
    text = new_event(EventPatch(start=at(3), end=at(3, 10), subject="alone"), "u1", BOB, NOW)
    assert told(None, text, BOB, NOW) == Told(text)
    assert told(text, None, BOB, NOW) == Told(None)


def test_a_version_is_newer_than_those_that_a_device_mailed_by_itself() -> None:
    text = MEETING
    for hour in (11, 12, 13):
        moved = patch_event(text, EventPatch(start=at(2, hour), end=at(2, hour + 1)), BOB, NOW)
        text = self_told(text, moved, BOB)
    assert self_told(text, text, BOB) == text
    outcome = changed(EventPatch(start=at(2, 14), end=at(2, 15)), text)
    assert "SEQUENCE:4" in only(outcome).calendar
    assert "SELF-TOLD" not in only(outcome).calendar
    again = changed(EventPatch(start=at(2, 15), end=at(2, 16)), text_of(outcome))
    assert "SEQUENCE:5" in only(again).calendar


def test_what_a_guest_changes_by_himself_is_no_version() -> None:
    text = taken_by_ann()
    moved = patch_event(text, EventPatch(reminder=timedelta(minutes=5)), ANN, LATER)
    assert self_told(text, moved, ANN) == moved


def test_somebody_elses_meeting_is_told_nobody() -> None:
    text = taken_by_ann()
    moved = patch_event(text, EventPatch(start=at(2, 12), end=at(2, 13)), ANN, LATER)
    assert told(text, moved, ANN, LATER) == Told(moved)
    assert told(text, None, ANN, LATER) == Told(None)


def taken_by_ann() -> str:
    message = read_message(only(told(None, MEETING, BOB, NOW)).calendar)
    assert message is not None
    return taken(message)


@pytest.mark.parametrize(
    ("patch", "raised", "asks"),
    [
        (EventPatch(start=at(2, 12), end=at(2, 13)), True, True),
        (EventPatch(end=at(2, 12)), True, True),
        (EventPatch(recurrence=Recurrence(Pattern.DAILY)), True, True),
        (EventPatch(location=Location("Room 9")), True, False),
        (EventPatch(subject="Other"), False, False),
    ],
    ids=["moved", "longer", "rhythm", "place", "title"],
)
def test_a_change_for_all(patch: EventPatch, raised: bool, asks: bool) -> None:
    before = patch_event(
        MEETING,
        EventPatch(
            attendees=tuple(
                Attendee(one.person, one.type, Participation.ACCEPTED) if one.person.address == ANN else one
                for one in people()
            )
        ),
        BOB,
        NOW,
    )
    outcome = changed(patch, before)
    assert summary(outcome) == [(Method.REQUEST, ALL)]
    assert only(outcome).again
    event = seen(text_of(outcome), BOB)
    assert (event.sequence, event.stamp) == (int(raised), LATER)
    ann = event.attendee(ANN)
    assert ann is not None
    assert ann.status is (Participation.NEEDS_ACTION if asks else Participation.ACCEPTED)
    organizer = event.attendee(BOB)
    assert organizer is not None
    assert organizer.status is Participation.ACCEPTED


def test_files_go_out_with_what_they_belong_to() -> None:
    plan, map_ = File(7, "plan.pdf", "application/pdf", 30), File(8, "map.png", content_id="m", inline=True)
    outcome = changed(EventPatch(files=(plan,)))
    assert summary(outcome) == [(Method.REQUEST, ALL)]
    assert only(outcome).files == (NoticeFile(7),)
    assert "ATTACH" not in only(outcome).calendar
    text = text_of(outcome)
    assert seen(text, BOB).sequence == 0
    only_here = patch_occurrence(text, at(9, 10), OccurrencePatch(files=(plan, map_)), BOB, LATER)
    one = told(text, only_here, BOB, LATER)
    assert only(one).files == (NoticeFile(7), NoticeFile(8, "m", inline=True))
    everybody = told(only_here, patch_event(only_here, EventPatch(subject="x"), BOB, LATER), BOB, LATER)
    assert only(everybody).files == (NoticeFile(7), NoticeFile(8, "m", inline=True))
    assert only(told(text, None, BOB, LATER)).files == ()


@pytest.mark.parametrize(
    "patch",
    [
        EventPatch(categories=("red",)),
        EventPatch(reminder=timedelta(minutes=30)),
        EventPatch(busy=Busy.FREE),
    ],
    ids=["categories", "reminder", "busy"],
)
def test_a_change_for_oneself(patch: EventPatch) -> None:
    outcome = changed(patch)
    assert outcome.posts == ()
    assert seen(text_of(outcome), BOB).sequence == 0


def test_attendees_come_and_go() -> None:
    outcome = changed(EventPatch(attendees=(*without(CID), DAN)))
    assert summary(outcome) == [
        (Method.CANCEL, frozenset({CID})),
        (Method.REQUEST, frozenset({"dan@example.org"})),
    ]
    gone, new = outcome.posts
    assert not new.again
    assert "ann@example.org" not in gone.calendar
    assert "STATUS:CANCELLED" in gone.calendar
    assert seen(text_of(outcome), BOB).sequence == 0
    everybody = changed(EventPatch(attendees=(*people(), DAN), subject="x"))
    assert {(post.again, len(post.to)) for post in everybody.posts} == {(True, 2), (False, 1)}


def test_changes_within_a_second_are_told_apart() -> None:
    first = changed(EventPatch(subject="a"))
    again = told(first.text, patch_event(text_of(first), EventPatch(subject="b"), BOB, LATER), BOB, LATER)
    stamps = [seen(text_of(one), BOB).stamp for one in (first, again)]
    assert stamps[0] is not None
    assert stamps[1] is not None
    assert stamps[1] - stamps[0] == timedelta(seconds=1)


def test_an_occurrence_is_newer_than_a_series_that_changed_often_within_a_second() -> None:
    bobs, anns = MEETING, taken_by_ann()
    for subject in "abcd":
        outcome = changed(EventPatch(subject=subject), bobs)
        bobs, anns = text_of(outcome), taken(understood(only(outcome)), anns)
    for day in (9, 16):
        outcome = change_one(OccurrencePatch(start=at(day, 11), end=at(day, 12)), bobs, day)
        bobs, anns = text_of(outcome), taken(understood(only(outcome)), anns)
    assert [one.event and one.event.start for one in seen(anns).occurrences] == [at(9, 11), at(16, 11)]


def test_a_meeting_is_called_off() -> None:
    outcome = told(MEETING, None, BOB, LATER)
    assert summary(outcome) == [(Method.CANCEL, ALL)]
    marked = changed(EventPatch(cancelled=True))
    assert summary(marked) == [(Method.CANCEL, ALL)]
    assert told(marked.text, None, BOB, LATER).posts == ()
    for one in (outcome, marked):
        message = read_message(only(one).calendar)
        assert message is not None
        event = seen(taken(message, taken_by_ann()))
        assert event.cancelled
        assert event.sequence == 1


def test_of_what_is_over_nobody_is_told() -> None:
    past = stored(series("RRULE:FREQ=WEEKLY;COUNT=2")).replace("RRULE:FREQ=WEEKLY;BYDAY=MO\r\n", "")
    much_later = at(1, month=6)
    outcome = told(past, patch_event(past, EventPatch(subject="x"), BOB, much_later), BOB, much_later)
    assert outcome.posts == ()
    assert told(past, None, BOB, much_later).posts == ()
    again = patch_event(past, EventPatch(start=at(2, month=7), end=at(2, 10, month=7)), BOB, much_later)
    assert summary(told(past, again, BOB, much_later)) == [(Method.REQUEST, ALL)]


# --- its occurrences ---------------------------------------------------------------------------------------


def change_one(patch: OccurrencePatch, before: str = MEETING, day: int = 9) -> Told:
    return told(before, patch_occurrence(before, at(day), patch, BOB, LATER), BOB, LATER)


def test_one_occurrence_is_moved() -> None:
    outcome = change_one(OccurrencePatch(start=at(10, 11), end=at(10, 12)))
    assert summary(outcome) == [(Method.REQUEST, ALL)]
    assert "RRULE" not in only(outcome).calendar.partition("BEGIN:VEVENT")[2]
    message = read_message(only(outcome).calendar)
    assert message is not None
    event = seen(taken(message, taken_by_ann()))
    (exception,) = event.occurrences
    assert exception.event is not None
    assert exception.event.start == at(10, 11)
    assert exception.event.response is Response.NOT_RESPONDED
    assert seen(text_of(outcome), BOB).sequence == 0
    again = change_one(OccurrencePatch(subject="x"), text_of(outcome))
    assert summary(again) == [(Method.REQUEST, ALL)]
    (exception,) = seen(text_of(again), BOB).occurrences
    assert exception.event is not None
    assert exception.event.sequence == 1


def test_one_occurrence_is_deleted() -> None:
    outcome = told(MEETING, delete_occurrence(MEETING, at(9), BOB, LATER), BOB, LATER)
    assert summary(outcome) == [(Method.CANCEL, ALL)]
    message = read_message(only(outcome).calendar)
    assert message is not None
    event = seen(taken(message, taken_by_ann()))
    (exception,) = event.occurrences
    assert exception.event is not None
    assert exception.event.cancelled
    assert exception.original == at(9)


def test_an_exception_is_deleted() -> None:
    moved = text_of(change_one(OccurrencePatch(start=at(10, 11), end=at(10, 12))))
    outcome = told(moved, delete_occurrence(moved, at(9), BOB, LATER), BOB, LATER)
    assert summary(outcome) == [(Method.CANCEL, ALL)]
    assert "SEQUENCE:2" in only(outcome).calendar


def test_an_occurrence_for_other_people() -> None:
    outcome = change_one(OccurrencePatch(attendees=(*without(CID), DAN)))
    assert summary(outcome) == [
        (Method.CANCEL, frozenset({CID})),
        (Method.REQUEST, frozenset({"dan@example.org"})),
    ]
    assert all("RECURRENCE-ID" in post.calendar for post in outcome.posts)
    orphan = read_message(outcome.posts[1].calendar)
    assert orphan is not None
    assert seen(taken(orphan, owner="dan@example.org"), "dan@example.org").original == at(9)
    off = told(outcome.text, None, BOB, LATER)
    assert sorted(summary(off), key=str) == sorted(
        [(Method.CANCEL, ALL), (Method.CANCEL, frozenset({"dan@example.org"}))], key=str
    )


def test_a_series_that_moves_takes_its_exceptions_along_in_one_message() -> None:
    moved = text_of(change_one(OccurrencePatch(start=at(10, 11), end=at(10, 12))))
    outcome = changed(EventPatch(start=at(2, 12), end=at(2, 13), resets_exceptions=True), moved)
    assert summary(outcome) == [(Method.REQUEST, ALL)]


def test_a_series_that_moves_is_newer_than_its_exceptions_were() -> None:
    once = text_of(change_one(OccurrencePatch(start=at(10, 11), end=at(10, 12))))
    again = change_one(OccurrencePatch(start=at(11, 11), end=at(11, 12)), once)
    outcome = changed(EventPatch(start=at(2, 12), end=at(2, 13), resets_exceptions=True), text_of(again))
    message, older = read_message(only(outcome).calendar), read_message(only(again).calendar)
    assert message is not None
    assert older is not None
    assert "SEQUENCE:3" in only(outcome).calendar
    in_order = taken(message, taken(older, taken_by_ann()))
    assert seen(in_order).occurrences == ()
    overtaken = taken(message, taken_by_ann())
    assert take(older, overtaken).verdict is Verdict.OLD


def moved_often() -> tuple[str, str]:
    """The series as Bob and as Ann have it after one occurrence was moved three times within a second."""
    bobs, anns = MEETING, taken_by_ann()
    for hour in (11, 12, 13):
        outcome = change_one(OccurrencePatch(start=at(9, hour), end=at(9, hour + 1)), bobs)
        bobs, anns = text_of(outcome), taken(understood(only(outcome)), anns)
    return bobs, anns


def understood(post: Post) -> Message:
    """A message as those have it who get it."""
    found = read_message(post.calendar, post.method)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "called_off",
    [None, EventPatch(cancelled=True), EventPatch(attendees=())],
    ids=["gone", "status", "people"],
)
def test_an_occurrence_that_was_moved_often_goes_with_its_series(called_off: EventPatch | None) -> None:
    """It counts its changes for itself, and has had more of them than the series."""
    before, held = moved_often()
    after = patch_event(before, called_off, BOB, LATER) if called_off else None
    post = only(told(before, after, BOB, LATER))
    (exception,) = seen(taken(understood(post), held)).occurrences
    assert exception.event
    assert exception.event.cancelled
    assert exception.event.sequence >= 3  # what was said of it before stays old


def test_who_was_asked_to_one_occurrence_hears_that_it_went_with_the_days_of_the_series() -> None:
    asked = text_of(change_one(OccurrencePatch(attendees=(*people(), DAN))))
    moved = EventPatch(start=at(2, 12), end=at(2, 13), resets_exceptions=True)
    assert summary(changed(moved, asked)) == [
        (Method.REQUEST, ALL),
        (Method.CANCEL, frozenset({DAN.person.address})),
    ]


def test_who_comes_and_goes_does_so_in_exceptions_too() -> None:
    """Whatever others answered for those: they are invited to the same as ever."""
    ill = tuple(
        replace(one, status=Participation.DECLINED) if one.person.address == ANN else one for one in people()
    )
    before = patch_occurrence(MEETING, at(9), OccurrencePatch(attendees=ill), BOB, LATER)
    more = told(before, patch_event(before, EventPatch(attendees=(*people(), DAN)), BOB, LATER), BOB, LATER)
    assert summary(more) == [(Method.REQUEST, frozenset({DAN.person.address}))]
    (occurrence,) = seen(text_of(more), BOB).occurrences
    assert occurrence.event
    assert {one.person.address: one.status for one in occurrence.event.attendees} == {
        one.person.address: one.status for one in (*ill, DAN)
    }
    patch = EventPatch(attendees=(*without(ANN), DAN))
    fewer = told(text_of(more), patch_event(text_of(more), patch, BOB, LATER), BOB, LATER)
    assert summary(fewer) == [(Method.CANCEL, frozenset({ANN}))]
    (occurrence,) = seen(text_of(fewer), BOB).occurrences
    assert occurrence.event
    assert ANN not in {one.person.address for one in occurrence.event.attendees}


def test_every_message_is_understood_and_its_repetition_is_old() -> None:
    text = taken_by_ann()
    current = MEETING
    for patch in (
        EventPatch(subject="a"),
        EventPatch(start=at(2, 12), end=at(2, 13)),
        EventPatch(subject="b"),
    ):
        outcome = changed(patch, current)
        current = text_of(outcome)
        message = read_message(only(outcome).calendar)
        assert message is not None
        text = taken(message, text)
        assert take(message, text).verdict is Verdict.OLD
    assert seen(text).subject == "b"
    assert seen(text).start == at(2, 12)
