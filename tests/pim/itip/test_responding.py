"""The user's answers: in his calendar, and as messages the organizer understands."""

from __future__ import annotations

import pytest

from gateway.errors import NotFound
from gateway.pim.events.model import Busy, Participation, Person, Response
from gateway.pim.invitation import Answer, Method, read_invitation
from gateway.pim.itip.message import read_message
from tests.pim.itip.meetings import NOW, at, occurrence, request, seen, series, stored, taken, vevent
from tests.pim.itip.texts import answered, last_answer, reply
from tests.support import invitations
from tests.support.invitations import ANN, BOB

INVITED = taken(request(series("X-MICROSOFT-CDO-INTENDEDSTATUS:OOF")))
OWNER = Person(ANN, "Ann")


def say(status: Participation, text: str = INVITED, day: int = 0) -> str:
    return answered(text, at(day) if day else None, status, "mark", ANN, NOW)


@pytest.mark.parametrize(
    ("status", "response", "busy"),
    [
        (Participation.ACCEPTED, Response.ACCEPTED, Busy.OUT_OF_OFFICE),
        (Participation.TENTATIVE, Response.TENTATIVE, Busy.TENTATIVE),
        (Participation.DECLINED, Response.DECLINED, Busy.TENTATIVE),
    ],
)
def test_a_series_is_answered(status: Participation, response: Response, busy: Busy) -> None:
    text = say(status)
    event = seen(text)
    assert (event.response, event.busy, event.reply_time) == (response, busy, NOW)
    assert last_answer(text, None) == "mark"
    assert last_answer(INVITED, None) == ""


def test_an_invitation_that_takes_no_time() -> None:
    text = taken(request(series("TRANSP:TRANSPARENT")))
    assert seen(text).busy is Busy.FREE
    assert seen(say(Participation.ACCEPTED, text)).busy is Busy.FREE


def test_one_occurrence_is_answered() -> None:
    text = say(Participation.ACCEPTED, day=9)
    event = seen(text)
    assert event.response is Response.NOT_RESPONDED
    (exception,) = event.occurrences
    assert exception.event is not None
    assert (exception.event.response, exception.event.busy) == (Response.ACCEPTED, Busy.OUT_OF_OFFICE)
    assert last_answer(text, at(9)) == "mark"


def test_one_occurrence_is_declined() -> None:
    for text in (INVITED, taken(request(occurrence("20260309", "LOCATION:x", sequence=1)), INVITED)):
        (exception,) = seen(say(Participation.DECLINED, text, day=9)).occurrences
        assert (exception.original, exception.event) == (at(9), None)


def test_an_orphan_is_answered() -> None:
    text = taken(request(occurrence("20260309")))
    assert seen(say(Participation.ACCEPTED, text, day=9)).response is Response.ACCEPTED
    assert seen(say(Participation.DECLINED, text, day=9)).response is Response.DECLINED


@pytest.mark.parametrize("day", [10, 3])
def test_there_is_no_such_occurrence(day: int) -> None:
    for status in (Participation.ACCEPTED, Participation.DECLINED):
        with pytest.raises(NotFound):
            say(status, day=day)


def test_a_single_event_has_no_occurrences() -> None:
    with pytest.raises(NotFound):
        say(Participation.ACCEPTED, taken(request(vevent("SUMMARY:x"))), day=9)


def test_an_answer_to_all_is_one_to_each_exception() -> None:
    text = taken(request(occurrence("20260309", "LOCATION:x", sequence=1)), INVITED)
    (exception,) = seen(say(Participation.ACCEPTED, text)).occurrences
    assert exception.event is not None
    assert exception.event.response is Response.ACCEPTED


def test_who_was_forwarded_an_invitation_answers_too() -> None:
    text = answered(INVITED, None, Participation.ACCEPTED, "m", "dan@example.org", NOW)
    assert seen(text, "dan@example.org").response is Response.ACCEPTED
    told = reply(text, None, Participation.ACCEPTED, Person("dan@example.org"), NOW)
    assert "ATTENDEE;PARTSTAT=ACCEPTED:mailto:dan@example.org" in told


def test_the_organizer_understands_a_reply() -> None:
    message = read_message(reply(INVITED, None, Participation.DECLINED, OWNER, NOW, "Sorry, not; today"))
    assert message is not None
    assert message.method is Method.REPLY
    (event,) = message.parts.events.values()
    assert event.component.text("COMMENT") == "Sorry, not; today"
    assert len(list(event.component.all("ATTENDEE"))) == 1
    assert event.component.get("RRULE") is None
    ann = seen(taken(message, stored(series()), sender=ANN, owner=BOB), BOB).attendee(ANN)
    assert ann is not None
    assert (ann.status, ann.replied) == (Participation.DECLINED, NOW)


def test_the_organizer_understands_a_reply_for_an_occurrence() -> None:
    message = read_message(reply(INVITED, at(9), Participation.ACCEPTED, OWNER, NOW))
    assert message is not None
    (exception,) = seen(taken(message, stored(series()), sender=ANN, owner=BOB), BOB).occurrences
    assert exception.event is not None
    assert exception.original == at(9)
    ann = exception.event.attendee(ANN)
    assert ann is not None
    assert ann.status is Participation.ACCEPTED


def test_the_organizer_understands_a_counter_proposal() -> None:
    told = reply(INVITED, None, Participation.TENTATIVE, OWNER, NOW, "", (at(3), at(3, 10)))
    shown = read_invitation(told)
    assert shown is not None
    assert (shown.proposed, shown.start, shown.end) == ((at(3), at(3, 10)), at(2), at(2, 10))
    message = read_message(told)
    assert message is not None
    assert message.method is Method.COUNTER
    ann = seen(taken(message, stored(series()), sender=ANN, owner=BOB), BOB).attendee(ANN)
    assert ann is not None
    assert (ann.status, ann.proposed) == (Participation.TENTATIVE, (at(3), at(3, 10)))


@pytest.mark.parametrize(
    "name", [name for name, text in invitations.SHAPES.items() if "METHOD:REQUEST" in text]
)
def test_every_shape_can_be_answered(name: str) -> None:
    told = read_message(invitations.SHAPES[name])
    assert told is not None
    text = say(Participation.ACCEPTED, taken(told))
    assert seen(text).response is Response.ACCEPTED
    (instance,) = list(told.parts.events)
    shown = read_invitation(reply(text, instance, Participation.ACCEPTED, OWNER, NOW))
    assert shown is not None
    assert shown.uid == told.parts.uid
    assert [one.answer for one in shown.attendees] == [Answer.ACCEPTED]
