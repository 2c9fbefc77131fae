"""Scheduling messages in the calendar of the one they came to: new, again, overtaken, forged."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.pim.events.model import Busy, EventPatch, OccurrencePatch, Participation, Response
from gateway.pim.itip.incoming import outdated
from gateway.pim.itip.message import Message, read_message
from gateway.pim.itip.verdicts import Verdict
from tests.pim.itip.meetings import (
    CID,
    NOW,
    PEOPLE,
    at,
    message,
    occurrence,
    request,
    seen,
    series,
    stored,
    take,
    taken,
    vevent,
)
from tests.pim.itip.texts import answered
from tests.support import invitations
from tests.support.events import delete_occurrence, patch_event, patch_occurrence
from tests.support.invitations import ANN, BOB

NEW = request(series())


def accepted(text: str) -> str:
    return answered(text, None, Participation.ACCEPTED, "mark", ANN, NOW)


# --- invitations -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [name for name, text in invitations.SHAPES.items() if "METHOD:REQUEST" in text]
)
def test_an_invitation_becomes_a_tentative_event(name: str) -> None:
    told = read_message(invitations.SHAPES[name])
    assert told is not None
    event = seen(taken(told))
    assert event.received
    assert event.response is Response.NOT_RESPONDED
    free = "TRANSPARENT" in invitations.SHAPES[name] or "INTENDEDSTATUS:FREE" in invitations.SHAPES[name]
    assert event.busy is (Busy.FREE if free else Busy.TENTATIVE)


def test_it_is_never_accepted_by_itself() -> None:
    sure = tuple(line.replace("NEEDS-ACTION", "ACCEPTED") for line in PEOPLE)
    event = seen(taken(request(series(people=sure))))
    assert event.response is Response.NOT_RESPONDED


@pytest.mark.parametrize("named", ["x-activesync-file:7", " X-ActiveSync-File:7", "\xa0x-activesync-file:7"])
def test_what_only_the_gateway_says_is_not_believed(named: str) -> None:
    told = request(
        series(
            "X-ACTIVESYNC-ANSWERED:x",
            f"ATTACH;MANAGED-ID=7:{named}",
            "X-MICROSOFT-CDO-REPLYTIME:20260301T000000Z",
        )
    )
    event = seen(taken(told))
    assert event.files == ()
    assert event.reply_time is None


def test_the_same_again_changes_nothing() -> None:
    text = taken(NEW)
    assert take(NEW, text).verdict is Verdict.OLD
    assert take(request(series("LOCATION:elsewhere")), text).verdict is Verdict.OLD


def test_an_update_keeps_what_is_the_users_own() -> None:
    text = accepted(taken(NEW))
    patch = EventPatch(categories=("red",), reminder=timedelta(minutes=5))
    text = patch_event(text, patch, ANN, NOW)
    changed = request(series("LOCATION:Room 2", "CATEGORIES:theirs", sequence=1))
    event = seen(taken(changed, text))
    assert event.location is not None
    assert (event.location.name, event.categories, event.reminder) == (
        "Room 2",
        ("red",),
        timedelta(minutes=5),
    )
    assert (event.response, event.busy) == (Response.ACCEPTED, Busy.BUSY)
    assert event.reply_time == NOW


def test_another_time_asks_again() -> None:
    text = accepted(taken(NEW))
    event = seen(taken(request(series(clock="20260302T140000", sequence=1)), text))
    assert (event.response, event.busy, event.reply_time) == (Response.NOT_RESPONDED, Busy.TENTATIVE, None)
    assert event.start.hour == 14


def test_a_newer_stamp_is_enough() -> None:
    later = request(series("LOCATION:Room 2", stamp="20260301T080001Z"))
    event = seen(taken(later, taken(NEW)))
    assert event.location is not None


def test_what_phones_change_does_not_make_it_newer_than_the_organizers() -> None:
    text = patch_event(taken(NEW), EventPatch(reminder=None, subject="mine"), ANN, NOW + timedelta(days=1))
    later = request(series("LOCATION:Room 2", stamp="20260301T080001Z"))
    assert take(later, text).verdict is Verdict.APPLIED


# --- occurrences -------------------------------------------------------------------------------------------


def test_one_occurrence_is_moved() -> None:
    text = accepted(taken(NEW))
    text = taken(request(occurrence("20260309", clock="20260310T120000", sequence=1)), text)
    event = seen(text)
    (exception,) = event.occurrences
    assert exception.event is not None
    assert (exception.original, exception.event.start.day) == (at(9), 10)
    assert exception.event.response is Response.NOT_RESPONDED
    assert event.response is Response.ACCEPTED


def test_an_occurrence_where_it_was_keeps_the_answer() -> None:
    text = accepted(taken(NEW))
    text = taken(request(occurrence("20260309", "LOCATION:Room 3", sequence=1)), text)
    (exception,) = seen(text).occurrences
    assert exception.event is not None
    assert exception.event.response is Response.ACCEPTED


def test_an_occurrence_the_user_deleted_comes_back_with_news() -> None:
    text = delete_occurrence(taken(NEW), at(9), ANN, NOW)
    text = taken(request(occurrence("20260309", "LOCATION:Room 3", sequence=1)), text)
    (exception,) = seen(text).occurrences
    assert exception.event is not None


def test_an_occurrence_the_user_deleted_stays_away_when_the_series_is_told_again() -> None:
    text = delete_occurrence(taken(NEW), at(9), ANN, NOW)
    kept = taken(request(series("LOCATION:Room 2", sequence=1)), text)
    assert [one.event for one in seen(kept).occurrences] == [None]
    moved = taken(request(series(clock="20260302T140000", sequence=1)), text)
    assert seen(moved).occurrences == ()


def test_who_is_invited_to_all_but_one() -> None:
    """Also when that one was cancelled for him, and a later version of the series has it for the others."""
    others = tuple(line for line in PEOPLE if "ann@" not in line)
    alone = ("ORGANIZER:mailto:bob@example.org",)
    told = request(series(), occurrence("20260309", people=others), occurrence("20260316", people=alone))
    event = seen(taken(told))
    assert [one.event and one.event.cancelled for one in event.occurrences] == [True, False]
    assert not event.cancelled
    cancelled = message("CANCEL", occurrence("20260309", stamp="20260301T090000Z"))
    newer = request(
        series(sequence=1, stamp="20260301T100000Z"),
        occurrence("20260309", sequence=1, stamp="20260301T100000Z", people=others),
    )
    (one,) = seen(taken(newer, taken(cancelled, taken(request(series()))))).occurrences
    assert one.event
    assert one.event.cancelled


def test_an_orphan_occurrence_and_then_its_series() -> None:
    text = taken(request(occurrence("20260309", clock="20260310T120000", sequence=1)))
    assert seen(text).original == at(9)
    whole = seen(taken(request(series(sequence=2)), text))
    assert whole.original is None
    assert whole.recurring
    assert [one.original for one in whole.occurrences] == [at(9)]


def test_exceptions_go_with_the_series_they_are_of() -> None:
    text = taken(request(occurrence("20260309", clock="20260310T120000", sequence=1)), taken(NEW))
    moved = taken(request(series(clock="20260302T140000", sequence=2)), text)
    assert seen(moved).occurrences == ()
    kept = taken(request(series("LOCATION:Room 2", sequence=2)), text)
    assert len(seen(kept).occurrences) == 1


@pytest.mark.parametrize("sequence", [1, 2])
@pytest.mark.parametrize("method", ["REQUEST", "CANCEL"])
def test_what_was_said_of_an_occurrence_before_its_series_moved(method: str, sequence: int) -> None:
    moved = request(series(clock="20260302T140000", sequence=1, stamp="20260301T090000Z"))
    older = message(
        method, occurrence("20260309", clock="20260310T120000", sequence=sequence, stamp="20260301T083000Z")
    )
    text = taken(moved, taken(NEW))
    assert take(older, text).verdict is Verdict.OLD
    assert seen(text).occurrences == ()
    in_order = taken(moved, taken(older, taken(NEW)))
    assert seen(in_order).occurrences == ()


def test_what_is_said_of_an_occurrence_afterwards_counts_by_its_own_sequence() -> None:
    later = request(occurrence("20260309", "LOCATION:Room 3", sequence=0, stamp="20260301T100000Z"))
    text = taken(request(series(sequence=3, stamp="20260301T090000Z")), taken(NEW))
    assert len(seen(taken(later, text)).occurrences) == 1


def test_an_invitation_is_outdated_once_the_time_is_another_one() -> None:
    text = accepted(taken(NEW))
    elsewhere = request(series("LOCATION:Room 2", sequence=1))
    moved = request(series(clock="20260302T140000", sequence=2, stamp="20260301T083000Z"))
    cancelled = message("CANCEL", series("STATUS:CANCELLED", sequence=1))
    assert not outdated(NEW, text)
    assert not outdated(NEW, taken(elsewhere, text))
    assert not outdated(moved, text)
    assert outdated(NEW, taken(moved, text))
    assert outdated(NEW, taken(cancelled, text))


def test_an_invitation_to_an_occurrence_is_outdated() -> None:
    one = request(occurrence("20260309", clock="20260310T120000", sequence=1))
    text = taken(one, taken(NEW))
    assert not outdated(one, text)
    again = request(occurrence("20260309", clock="20260310T150000", sequence=2))
    assert outdated(one, taken(again, text))
    moved = request(series(clock="20260302T140000", sequence=3, stamp="20260301T083000Z"))
    assert outdated(one, taken(moved, text))
    assert not outdated(one, taken(NEW))


def test_all_occurrences_from_one_on_are_left_to_people() -> None:
    told = calendar_with("RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260309T100000")
    assert told is None


def calendar_with(line: str) -> object:
    return read_message(invitations.calendar(*vevent(line, "SUMMARY:x")))


# --- cancellations -----------------------------------------------------------------------------------------


def test_a_meeting_is_cancelled() -> None:
    told = message("CANCEL", series("STATUS:CANCELLED", sequence=1))
    text = taken(told, accepted(taken(NEW)))
    event = seen(text)
    assert (event.cancelled, event.busy) == (True, Busy.FREE)
    assert take(told, text).verdict is Verdict.OLD
    assert take(NEW, text).verdict is Verdict.OLD


def test_a_cancelled_meeting_takes_place_after_all() -> None:
    text = taken(message("CANCEL", series("STATUS:CANCELLED", sequence=1)), taken(NEW))
    event = seen(taken(request(series(sequence=2)), text))
    assert (event.cancelled, event.response) == (False, Response.NOT_RESPONDED)


def test_one_occurrence_is_cancelled() -> None:
    told = message("CANCEL", occurrence("20260309", "STATUS:CANCELLED", sequence=1))
    text = taken(told, taken(NEW))
    event = seen(text)
    assert not event.cancelled
    (exception,) = event.occurrences
    assert exception.event is not None
    assert exception.event.cancelled
    assert take(told, text).verdict is Verdict.OLD
    late = request(occurrence("20260309", clock="20260310T120000"))
    assert take(late, text).verdict is Verdict.OLD


def test_what_is_not_there_cannot_be_cancelled() -> None:
    told = message("CANCEL", series("STATUS:CANCELLED", sequence=1))
    assert take(told).verdict is Verdict.UNKNOWN
    tuesday = message("CANCEL", occurrence("20260310", "STATUS:CANCELLED", sequence=1))
    assert take(tuesday, taken(NEW)).verdict is Verdict.UNKNOWN


# --- in any order ------------------------------------------------------------------------------------------


def test_any_order_ends_the_same() -> None:
    history = [
        NEW,
        request(occurrence("20260309", clock="20260310T120000", sequence=1, stamp="20260301T081000Z")),
        message("CANCEL", occurrence("20260316", "STATUS:CANCELLED", sequence=1, stamp="20260301T082000Z")),
        request(occurrence("20260309", clock="20260310T150000", sequence=2, stamp="20260301T083000Z")),
    ]

    def outcome(order: list[int]) -> object:
        text = taken(NEW)
        for index in order:
            text = take(history[index], text).text or text
        event = seen(text)
        return event.start, {
            one.original: (one.event.start, one.event.cancelled) if one.event else None
            for one in event.occurrences
        }

    expected = outcome([0, 1, 2, 3])
    chance = random.Random(1)
    for _ in range(20):
        order = [chance.randrange(4) for _ in range(4)] + chance.sample(range(4), 4)
        assert outcome(order) == expected


# --- whom to believe ---------------------------------------------------------------------------------------


def test_mail_of_somebody_else_changes_nothing() -> None:
    text = taken(NEW)
    update = request(series("LOCATION:trap", sequence=5))
    cancel = message("CANCEL", series("STATUS:CANCELLED", sequence=5))
    for told in (update, cancel):
        assert take(told, text, sender="mallory@example.net").verdict is Verdict.FORGED
    assert take(NEW, sender="mallory@example.net").verdict is Verdict.FORGED


def test_an_event_is_not_taken_over_by_another_organizer() -> None:
    people = ("ORGANIZER:mailto:mallory@example.net", *PEOPLE[1:])
    told = request(series(sequence=5, people=people))
    text = taken(NEW)
    assert take(told, text, sender="mallory@example.net").verdict is Verdict.FORGED
    assert take(told, text, sender="mallory@example.net", trusted=True).verdict is Verdict.FORGED


def test_an_event_of_ones_own_cannot_be_changed_by_mail() -> None:
    own = stored(series(people=("ORGANIZER:mailto:ann@example.org", *PEOPLE[2:])))
    assert take(request(series(sequence=5)), own).verdict is Verdict.FORGED
    told = message("CANCEL", series(sequence=5))
    assert take(told, own).verdict is Verdict.FORGED


def test_a_copy_of_ones_own_invitation() -> None:
    assert take(NEW, owner=BOB).verdict is Verdict.OWN


def by_secretary(address: str) -> tuple[str, ...]:
    return (f'ORGANIZER;SENT-BY="mailto:{address}":mailto:bob@example.org', *PEOPLE[1:])


@pytest.mark.parametrize(
    ("sender", "delegate", "verdict"),
    [
        ("secretary@example.org", "secretary@example.org", Verdict.APPLIED),
        ("mallory@example.org", "mallory@example.org", Verdict.FORGED),
        ("mallory@example.org", "secretary@example.org", Verdict.FORGED),
    ],
)
def test_a_secretary_whom_the_organizer_named_speaks_for_him(
    sender: str, delegate: str, verdict: Verdict
) -> None:
    text = taken(request(series(people=by_secretary("secretary@example.org"))))
    people = by_secretary(delegate)
    for told in (
        request(series(people=people, sequence=1)),
        message("CANCEL", series("STATUS:CANCELLED", people=people, sequence=1)),
    ):
        assert take(told, text, sender=sender).verdict is verdict


def test_nobody_speaks_for_an_organizer_who_has_not_named_him() -> None:
    people = by_secretary("mallory@example.org")
    cancel = message("CANCEL", series("STATUS:CANCELLED", people=people, sequence=1))
    assert take(cancel, taken(NEW), sender="mallory@example.org").verdict is Verdict.FORGED
    assert take(request(series(people=people)), sender="mallory@example.org").verdict is Verdict.FORGED


def test_who_was_forwarded_an_invitation_may_take_it_himself() -> None:
    assert take(NEW, sender="friend@example.net", trusted=True).verdict is Verdict.APPLIED


def test_an_invitation_without_an_organizer() -> None:
    assert take(request(series(people=PEOPLE[2:]))).verdict is Verdict.FORGED


# --- answers -----------------------------------------------------------------------------------------------

OWN = stored(series())


def answer(
    status: str, *more: str, who: str = ANN, stamp: str = "20260301T090000Z", sequence: int | None = 0
) -> tuple[str, ...]:
    line = f"ATTENDEE;PARTSTAT={status}:mailto:{who}"
    people = (PEOPLE[0], line)
    return series(*more, people=people, stamp=stamp, sequence=sequence)


def heard(told: Message, text: str = OWN, sender: str = ANN) -> str:
    """Bob's event after an answer that counts."""
    return taken(told, text, sender=sender, owner=BOB)


def statuses(text: str) -> dict[str, Participation | None]:
    return {one.person.address.lower(): one.status for one in seen(text, BOB).attendees}


def test_nobody_answers_for_another_one() -> None:
    line = f'ATTENDEE;PARTSTAT=DECLINED;SENT-BY="mailto:mallory@example.org":mailto:{ANN}'
    reply = message("REPLY", series(people=(PEOPLE[0], line), stamp="20260301T090000Z"))
    assert take(reply, OWN, sender="mallory@example.org", owner=BOB).verdict is Verdict.FORGED


def test_an_attendee_answers() -> None:
    reply = message("REPLY", answer("ACCEPTED"))
    text = heard(reply)
    assert statuses(text)[ANN] is Participation.ACCEPTED
    assert statuses(text)[CID] is Participation.NEEDS_ACTION
    assert take(reply, text, sender=ANN, owner=BOB).verdict is Verdict.OLD
    changed = taken(
        message("REPLY", answer("DECLINED", stamp="20260301T100000Z")), text, sender=ANN, owner=BOB
    )
    assert statuses(changed)[ANN] is Participation.DECLINED
    assert take(reply, changed, sender=ANN, owner=BOB).verdict is Verdict.OLD


def test_an_answer_does_not_make_the_event_newer() -> None:
    before, after = (
        seen(OWN, BOB),
        seen(heard(message("REPLY", answer("ACCEPTED"))), BOB),
    )
    assert (before.sequence, before.stamp) == (after.sequence, after.stamp)
    assert replace(before, attendees=()) == replace(after, attendees=())


def test_an_answer_to_an_older_version_is_none() -> None:
    moved = stored(series(sequence=2))
    assert take(message("REPLY", answer("ACCEPTED")), moved, sender=ANN, owner=BOB).verdict is Verdict.OLD
    untold = message("REPLY", answer("ACCEPTED", sequence=None))
    assert take(untold, moved, sender=ANN, owner=BOB).verdict is Verdict.APPLIED


def test_nobody_answers_for_another() -> None:
    reply = message("REPLY", answer("ACCEPTED"))
    assert take(reply, OWN, sender=CID, owner=BOB).verdict is Verdict.FORGED
    crasher = message("REPLY", answer("ACCEPTED", who="dan@example.org"))
    assert take(crasher, OWN, sender="dan@example.org", owner=BOB).verdict is Verdict.UNKNOWN
    assert take(reply, None, sender=ANN, owner=BOB).verdict is Verdict.UNKNOWN
    assert take(reply, taken(NEW), sender=ANN, owner=ANN).verdict is Verdict.UNKNOWN


def test_an_attendee_sends_somebody_else() -> None:
    line = 'ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO="mailto:dan@example.org":mailto:ann@example.org'
    text = taken(
        message("REPLY", series(people=(PEOPLE[0], line), stamp="20260301T090000Z")),
        OWN,
        sender=ANN,
        owner=BOB,
    )
    assert statuses(text)[ANN] is Participation.DELEGATED
    line = 'ATTENDEE;PARTSTAT=ACCEPTED;DELEGATED-FROM="mailto:ann@example.org":mailto:dan@example.org'
    reply = message("REPLY", series(people=(PEOPLE[0], line), stamp="20260301T091000Z"))
    text = heard(reply, text, "dan@example.org")
    assert statuses(text)["dan@example.org"] is Participation.ACCEPTED


def test_an_answer_for_one_occurrence() -> None:
    line = "ATTENDEE;PARTSTAT=DECLINED:mailto:ann@example.org"
    reply = message("REPLY", occurrence("20260309", people=(PEOPLE[0], line), stamp="20260301T090000Z"))
    text = heard(reply)
    event = seen(text, BOB)
    assert statuses(text)[ANN] is Participation.NEEDS_ACTION
    (exception,) = event.occurrences
    assert exception.event is not None
    own = exception.event.attendee(ANN)
    assert own is not None
    assert own.status is Participation.DECLINED
    assert take(reply, text, sender=ANN, owner=BOB).verdict is Verdict.OLD
    no_monday = message("REPLY", occurrence("20260310", people=(PEOPLE[0], line), stamp="20260301T093000Z"))
    assert take(no_monday, text, sender=ANN, owner=BOB).verdict is Verdict.UNKNOWN


def test_an_answer_to_the_series_counts_for_exceptions_not_answered() -> None:
    text = stored(series(), occurrence("20260309", clock="20260310T120000", sequence=1))
    text = heard(message("REPLY", answer("ACCEPTED")), text)
    (exception,) = seen(text, BOB).occurrences
    assert exception.event is not None
    own = exception.event.attendee(ANN)
    assert own is not None
    assert own.status is Participation.ACCEPTED


def test_another_time_is_proposed_and_withdrawn() -> None:
    line = "ATTENDEE;PARTSTAT=TENTATIVE:mailto:ann@example.org"
    counter = message(
        "COUNTER", series(people=(PEOPLE[0], line), clock="20260302T150000", stamp="20260301T090000Z")
    )
    text = heard(counter)
    own = seen(text, BOB).attendee(ANN)
    assert own is not None
    assert own.status is Participation.TENTATIVE
    assert own.proposed == (at(2, 14), at(2, 15))
    assert seen(text, BOB).start == at(2)
    text = heard(message("REPLY", answer("ACCEPTED", stamp="20260301T100000Z")), text)
    own = seen(text, BOB).attendee(ANN)
    assert own is not None
    assert own.proposed is None


def test_patches_of_the_organizer_keep_answers() -> None:
    text = heard(message("REPLY", answer("ACCEPTED")))
    text = patch_occurrence(text, at(9), OccurrencePatch(subject="special"), BOB, NOW)
    assert statuses(text)[ANN] is Participation.ACCEPTED


def test_times_in_a_zone_nobody_knows_are_in_that_of_the_users() -> None:
    start = "DTSTART;TZID=Mars/Base:20260302T100000"
    told = invitations.calendar("BEGIN:VEVENT", "UID:m", *PEOPLE, start, "END:VEVENT")
    found = read_message(told, "REQUEST", ZoneInfo("Asia/Tokyo"))
    assert found is not None
    assert found.parts.main.component.get("DTSTART").params["TZID"] == "Asia/Tokyo"  # type: ignore[union-attr]
