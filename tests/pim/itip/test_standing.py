"""How an invitation stands to the calendar: new, an update that asks for an answer or does not, outdated."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from gateway.pim.events.document import Document
from gateway.pim.events.model import EventPatch, Participation
from gateway.pim.invitation import Invitation, read_invitation
from gateway.pim.itip.message import read_message
from gateway.pim.itip.responding import answered
from gateway.pim.itip.standing import Standing, standing
from tests.pim.itip.meetings import NOW, ZONE, occurrence, series, taken
from tests.support.events import patch_event
from tests.support.invitations import ANN, calendar

FIRST = series()
TEXT = series("DESCRIPTION:more", stamp="20260301T150000Z")
ROOM = series("LOCATION:Room 2", sequence=1, stamp="20260301T150000Z")
MOVED = series(clock="20260302T140000", sequence=1, stamp="20260301T150000Z")


def mail(*events: tuple[str, ...], method: str = "REQUEST") -> str:
    return calendar(*ZONE, *(line for event in events for line in event), method=method)


def shown(event: tuple[str, ...]) -> Invitation:
    found = read_invitation(mail(event))
    assert found is not None
    return found


def held(*several: tuple[str, ...], cancelled: tuple[str, ...] | None = None) -> str:
    """The event after some invitations, and a cancellation."""
    text = None
    for one in several:
        message = read_message(mail(one))
        assert message is not None
        text = taken(message, text)
    if cancelled:
        message = read_message(mail(cancelled, method="CANCEL"))
        assert message is not None
        text = taken(message, text)
    assert text is not None
    return text


def answer(text: str, at: datetime = NOW, status: Participation = Participation.ACCEPTED) -> str:
    return answered(Document(text), None, status, "mark", ANN, at).text


def of(event: tuple[str, ...], text: str | None) -> Standing:
    return standing(shown(event), Document(text) if text else None, ANN)


def test_without_an_event_it_is_what_it_says() -> None:
    assert of(FIRST, None) is Standing.INITIAL
    assert of(MOVED, None) is Standing.UPDATE


def test_an_answer_to_it_changes_nothing() -> None:
    text = answer(held(FIRST))
    assert of(FIRST, text) is Standing.INITIAL
    assert of(MOVED, answer(held(FIRST, MOVED), NOW + timedelta(hours=9))) is Standing.UPDATE


@pytest.mark.parametrize("update", [TEXT, ROOM])
def test_an_update_that_leaves_the_answer_is_for_information(update: tuple[str, ...]) -> None:
    before = answer(held(FIRST))
    message = read_message(mail(update))
    assert message is not None
    text = taken(message, before)
    assert of(update, text) is Standing.INFORMATION
    assert of(update, held(FIRST, update)) is not Standing.INFORMATION
    declined = taken(message, answer(held(FIRST), status=Participation.DECLINED))
    assert of(update, declined) is not Standing.INFORMATION


def test_an_update_that_asks_anew_is_one() -> None:
    message = read_message(mail(MOVED))
    assert message is not None
    assert of(MOVED, taken(message, answer(held(FIRST)))) is Standing.UPDATE


def test_what_was_overtaken_is_outdated() -> None:
    assert of(FIRST, held(FIRST, MOVED)) is Standing.OUTDATED
    assert of(FIRST, held(FIRST, ROOM)) is Standing.OUTDATED
    assert of(FIRST, held(FIRST, TEXT)) is Standing.INITIAL  # the meeting is the same
    gone = series("STATUS:CANCELLED", stamp="20260301T150000Z")
    assert of(FIRST, held(FIRST, cancelled=gone)) is Standing.OUTDATED
    again = series(sequence=2, stamp="20260301T180000Z")
    assert of(again, held(FIRST, again)) is Standing.UPDATE


def test_what_the_user_changes_for_himself_outdates_nothing() -> None:
    text = patch_event(held(FIRST), EventPatch(categories=("red",)), ANN, NOW + timedelta(days=1))
    assert of(FIRST, text) is Standing.INITIAL


def test_an_occurrence_by_itself() -> None:
    one = occurrence("20260309", clock="20260310T120000", sequence=1, stamp="20260301T150000Z")
    other = occurrence("20260309", clock="20260311T120000", sequence=2, stamp="20260301T160000Z")
    assert of(one, held(FIRST, one)) is Standing.UPDATE
    assert of(one, held(FIRST, one, other)) is Standing.OUTDATED
    assert of(FIRST, held(FIRST, one, other)) is Standing.INITIAL
    later = series(clock="20260302T140000", sequence=3, stamp="20260301T180000Z")
    assert of(one, held(FIRST, one, later)) is Standing.OUTDATED
    # Programs count for each occurrence by itself: what is said after the series was last told holds.
    after = occurrence("20260316", "LOCATION:x", sequence=0, stamp="20260301T190000Z")
    assert of(after, held(FIRST, later)) is Standing.INITIAL
