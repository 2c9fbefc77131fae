"""Whether two versions of an event differ by answers alone."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from gateway.pim.events.document import read_event
from gateway.pim.events.model import EventPatch, OccurrencePatch, Participation
from gateway.pim.timezones import pack, rules_at
from tests.pim.itip.meetings import NOW, at, message, occurrence, request, series, stored, taken
from tests.pim.itip.texts import answered, differ_by_answers
from tests.support.events import delete_occurrence, patch_event, patch_occurrence
from tests.support.invitations import ANN, BOB

INVITED = taken(request(series()))
OWN = stored(series(), occurrence("20260309", "LOCATION:x"))
YES = ("ORGANIZER:mailto:bob@example.org", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@example.org")


def said(day: str = "") -> str:
    """Bob's event with an answer of Ann's in it."""
    event = occurrence(day, people=YES) if day else series(people=YES, stamp="20260301T090000Z")
    return taken(message("REPLY", event), OWN, sender=ANN, owner=BOB)


@pytest.mark.parametrize("day", ["", "20260309"])
def test_the_answer_of_an_attendee(day: str) -> None:
    assert said(day) != OWN
    assert differ_by_answers(OWN, said(day), BOB)


def test_an_answer_that_makes_an_exception() -> None:
    assert "20260316T100000" in said("20260316")
    assert differ_by_answers(OWN, said("20260316"), BOB)
    assert differ_by_answers(OWN, said("20260330"), BOB)  # in summer time


def test_the_zone_as_a_phone_sent_it_is_the_series_alone() -> None:
    blob = pack(rules_at(ZoneInfo("Europe/Berlin"), at(2)))
    sent = patch_event(OWN, EventPatch(start=at(2), end=at(2, 11), blob=blob), BOB, NOW)
    assert read_event(sent, BOB).blob == blob
    event = occurrence("20260316", people=YES, stamp="20260301T130000Z")
    after = taken(message("REPLY", event), sent, sender=ANN, owner=BOB)
    assert len(read_event(after, BOB).occurrences) == 2
    assert differ_by_answers(sent, after, BOB)


@pytest.mark.parametrize(
    "patch", [OccurrencePatch(subject="x"), OccurrencePatch(end=at(16, 12)), OccurrencePatch(attendees=())]
)
def test_an_exception_that_is_otherwise_is_more(patch: OccurrencePatch) -> None:
    assert not differ_by_answers(OWN, patch_occurrence(OWN, at(16), patch, BOB, NOW), BOB)
    assert not differ_by_answers(OWN, delete_occurrence(OWN, at(16), BOB, NOW), BOB)


@pytest.mark.parametrize("status", [Participation.ACCEPTED, Participation.DECLINED])
def test_the_answer_of_the_user_himself(status: Participation) -> None:
    assert differ_by_answers(INVITED, answered(INVITED, None, status, "mark", ANN, NOW), ANN)
    # An occurrence that is declined is deleted.
    gone = status is Participation.DECLINED
    assert differ_by_answers(INVITED, answered(INVITED, at(9), status, "mark", ANN, NOW), ANN) != gone


@pytest.mark.parametrize(
    "line",
    ["SUMMARY:Tuesday", "LOCATION:x", "DTSTART;TZID=Europe/Berlin:20260302T110000", "ATTENDEE:mailto:d@x.y"],
)
def test_anything_else_is_more(line: str) -> None:
    name = line.partition(":")[0].partition(";")[0]
    kept = [one for one in INVITED.split("\r\n") if name == "ATTENDEE" or not one.startswith(name)]
    at_end = kept.index("END:VEVENT")
    assert not differ_by_answers(INVITED, "\r\n".join([*kept[:at_end], line, *kept[at_end:]]), ANN)
