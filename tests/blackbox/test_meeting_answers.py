"""MeetingResponse by mail and by event, for all and for an occurrence, and what it is refused for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.blackbox.conftest import MakePerson
from tests.blackbox.meeting import (
    ACCEPT,
    DECLINE,
    MONDAY,
    TENTATIVE,
    Person,
    attendees,
    compact,
    eventually,
    exceptions,
    status_of,
)
from tests.support.phone import add, change
from wbxml import Element, element
from wbxml.pages import AirSync, AirSyncBase, Calendar, Email, Email2, Search
from wbxml.pages import MeetingResponse as Page

WEEK = timedelta(days=7)
HOUR = timedelta(hours=1)


@pytest.fixture
def bob(person: MakePerson) -> Person:
    return person("bob")


@pytest.fixture
def ann(person: MakePerson) -> Person:
    return person("ann")


def instance(weeks: int) -> Element:
    moment = MONDAY + weeks * WEEK
    return element(Page.InstanceId, f"{moment:%Y-%m-%dT%H:%M:%S}.000Z")


def only(people: dict[str, Element]) -> str:
    (name,) = people
    return name


def status(result: Element) -> str | None:
    return result.child_text(Page.Status)


# --- by the event ------------------------------------------------------------------------------------------


def test_the_event_is_answered_again_and_again(bob: Person, ann: Person) -> None:
    bob.invite(ann)
    ann.sees(lambda _: True)
    name = only(ann.events)
    for answer, told in ((ACCEPT, "3"), (TENTATIVE, "2"), (ACCEPT, "3")):
        for _ in range(2):
            result = ann.respond(answer, ann.calendar, name, element(Page.SendResponse))
            assert (status(result), result.child_text(Page.CalendarId)) == ("1", name)
        bob.sees(lambda event, told=told: status_of(event, ann) == told)  # type: ignore[misc]
    assert [subject for subject, _ in ann.letters()] == [
        "Accepted: Planning",
        "Tentative: Planning",
        "Accepted: Planning",
    ]


def test_the_event_is_declined(bob: Person, ann: Person) -> None:
    bob.invite(ann)
    ann.sees(lambda _: True)
    name = only(ann.events)
    for _ in range(2):
        result = ann.respond(DECLINE, ann.calendar, name, element(Page.SendResponse))
        assert (status(result), result.find(Page.CalendarId)) == ("1", None)
    ann.sync()
    assert ann.events == {}
    bob.sees(lambda event: status_of(event, ann) == "4")
    assert len(ann.letters()) == 1


def test_one_occurrence_is_answered(bob: Person, ann: Person) -> None:
    bob.invite(ann, weekly=True)
    ann.sees(lambda event: event.find(Calendar.Recurrence) is not None)
    name = only(ann.events)
    result = ann.respond(ACCEPT, ann.calendar, name, instance(1), element(Page.SendResponse))
    assert status(result) == "1"
    assert result.child_text(Page.InstanceId) == instance(1).text()
    event = ann.sees(lambda event: bool(exceptions(event)))
    (exception,) = exceptions(event)
    assert exception.child_text(AirSyncBase.InstanceId) == compact(MONDAY + WEEK)
    assert exception.child_text(Calendar.ResponseType) == "3"
    assert event.child_text(Calendar.ResponseType) == "5"
    event = bob.sees(lambda event: bool(exceptions(event)))
    assert status_of(exceptions(event)[0], ann) == "3"
    result = ann.respond(DECLINE, ann.calendar, name, instance(2), element(Page.SendResponse))
    assert status(result) == "1"
    event = ann.sees(lambda event: len(exceptions(event)) == 2)
    assert [one.child_text(Calendar.Deleted) for one in exceptions(event)] == [None, "1"]


def test_no_reply_is_mailed_unless_asked_for(bob: Person, ann: Person) -> None:
    bob.invite(ann)
    invitation = ann.invitation()
    assert status(ann.respond(ACCEPT, ann.inbox, invitation)) == "1"
    ann.sees(lambda event: event.child_text(Calendar.ResponseType) == "3")
    assert ann.letters() == []


def test_other_times_are_proposed(bob: Person, ann: Person) -> None:
    bob.invite(ann)
    invitation = ann.invitation()
    wanted = MONDAY + timedelta(days=1)
    sent = element(
        Page.SendResponse,
        element(Page.ProposedStartTime, compact(wanted)),
        element(Page.ProposedEndTime, compact(wanted + HOUR)),
    )
    assert status(ann.respond(TENTATIVE, ann.inbox, invitation, sent)) == "1"
    event = bob.sees(lambda event: status_of(event, ann) == "2")
    listed = event.find(Calendar.Attendees)
    assert listed is not None
    proposed = [one.child_text(Page.ProposedStartTime) for one in listed]
    assert compact(wanted) in proposed
    assert event.child_text(Calendar.StartTime) == compact(MONDAY)

    def counter() -> Element | None:
        bob.sync_mail()
        return next((one for one in bob.mail.values() if one.find(Email.MeetingRequest)), None)

    mail = eventually(counter)
    assert mail.child_text(Email.Subject) == "New time proposed: Planning"
    assert mail.child_text(Email.MessageClass) == "IPM.Schedule.Meeting.Resp.Tent"
    request = mail.find(Email.MeetingRequest)
    assert request is not None
    assert request.child_text(Page.ProposedStartTime) == compact(wanted)


@pytest.mark.parametrize("place", ["inbox", "calendar"])
def test_by_the_long_id(bob: Person, ann: Person, place: str) -> None:
    bob.invite(ann)
    ann.invitation()
    ann.sees(lambda event: event.child_text(Calendar.Subject) == "Planning")
    query = element(
        Search.Query,
        element(
            Search.And,
            element(AirSync.CollectionId, getattr(ann, place)),
            element(Search.FreeText, "Planning"),
        ),
    )
    store = element(
        Search.Store,
        element(Search.Name, "Mailbox"),
        query,
        element(Search.Options, element(Search.Range, "0-5")),
    )
    root = ann.phone.post("Search", element(Search.Search, store)).root
    names = [node.text() for node in root.iter() if node.tag is Search.LongId]
    request = element(
        Page.Request,
        element(Page.UserResponse, ACCEPT),
        element(Search.LongId, names[0]),
        element(Page.SendResponse),
    )
    root = ann.phone.post("MeetingResponse", element(Page.MeetingResponse, request)).root
    (result,) = root
    assert (status(result), result.find(Page.RequestId)) == ("1", None)
    bob.sees(lambda event: status_of(event, ann) == "3")


# --- after the answer --------------------------------------------------------------------------------------


def test_what_is_the_users_own_outlives_an_update(bob: Person, ann: Person) -> None:
    name = bob.invite(ann)
    ann.sees(lambda _: True)
    own = only(ann.events)
    ann.respond(ACCEPT, ann.calendar, own, element(Page.SendResponse))
    ann.sync()
    red = element(Calendar.Categories, element(Calendar.Category, "red"))
    ann.sync(change(own, element(Calendar.Reminder, 7), red))
    bob.sees(lambda event: status_of(event, ann) == "3")
    bob.sync(change(name, element(Calendar.Subject, "Planning the year")))
    event = ann.sees(lambda event: event.child_text(Calendar.Subject) == "Planning the year")
    assert event.child_text(Calendar.Reminder) == "7"
    assert event.find(Calendar.Categories) is not None
    assert event.child_text(Calendar.ResponseType) == "3"
    later = MONDAY + HOUR
    bob.sync(change(name, *times(later)))
    event = ann.sees(lambda event: event.child_text(Calendar.StartTime) == compact(later))
    assert event.child_text(Calendar.ResponseType) == "5"
    assert event.child_text(Calendar.Reminder) == "7"


def times(start: object) -> tuple[Element, Element]:
    assert isinstance(start, type(MONDAY))
    return element(Calendar.StartTime, compact(start)), element(Calendar.EndTime, compact(start + HOUR))


def test_an_appointment_becomes_a_meeting(bob: Person, ann: Person) -> None:
    (answer,) = bob.sync(add("c1", *times(MONDAY), element(Calendar.Subject, "Planning")))
    name = answer.child_text(AirSync.ServerId) or ""
    assert bob.letters() == []
    bob.sync(change(name, element(Calendar.MeetingStatus, 1), attendees(ann)))
    event = ann.sees(lambda event: event.child_text(Calendar.MeetingStatus) == "3")
    assert event.child_text(Calendar.OrganizerEmail) == bob.address


def test_attendees_come_and_go(bob: Person, ann: Person, person: MakePerson) -> None:
    cid = person("cid")
    name = bob.invite(ann)
    ann.sees(lambda _: True)
    bob.sync(change(name, attendees(cid)))
    cid.sees(lambda event: event.child_text(Calendar.MeetingStatus) == "3")
    ann.sees(lambda event: event.child_text(Calendar.MeetingStatus) == "7")
    assert [subject for subject, _ in bob.letters()] == ["Planning", "Canceled: Planning", "Planning"]


def told_starts(event: Element) -> list[str | None]:
    return [one.child_text(Calendar.StartTime) for one in exceptions(event)]


def test_who_invites_changes_another_occurrence_before_he_hears(bob: Person, ann: Person) -> None:
    name = bob.invite(ann, weekly=True)
    ann.sees(lambda _: True)
    sent = element(Page.SendResponse)
    assert status(ann.respond(DECLINE, ann.calendar, only(ann.events), instance(1), sent)) == "1"

    def arrived() -> bool:
        bob.sync_mail()
        classes = [data.child_text(Email.MessageClass) for data in bob.mail.values()]
        return "IPM.Schedule.Meeting.Resp.Neg" in classes

    eventually(lambda: "declined" if arrived() else None)
    third = MONDAY + 2 * WEEK
    moved = change(name, *times(third + HOUR))
    moved.children.insert(1, element(AirSyncBase.InstanceId, compact(third)))
    assert [one.child_text(AirSync.Status) for one in bob.sync(moved)] in ([], ["1"])
    ann.sees(lambda event: compact(third + HOUR) in told_starts(event))
    event = bob.sees(lambda event: len(exceptions(event)) == 2)
    (declined,) = [
        one for one in exceptions(event) if compact(third + HOUR) != one.child_text(Calendar.StartTime)
    ]
    assert status_of(declined, ann) == "4"


# --- refusals ----------------------------------------------------------------------------------------------


def test_what_cannot_be_answered(bob: Person, ann: Person) -> None:
    name = bob.invite(ann)
    invitation = ann.invitation()
    ann.sees(lambda _: True)
    single = only(ann.events)
    sent = element(Page.SendResponse)
    assert status(bob.respond(ACCEPT, bob.calendar, name, sent)) == "2"
    assert status(ann.respond(4, ann.inbox, invitation)) == "2"
    assert status(ann.respond(ACCEPT, ann.inbox, f"{ann.inbox}:zz.9")) == "2"
    assert status(ann.respond(ACCEPT, ann.calendar, f"{ann.calendar}:999999")) == "2"
    assert status(ann.respond(ACCEPT, ann.inbox, single)) == "2"
    assert status(ann.respond(ACCEPT, ann.inbox, invitation, instance(0))) == "2"
    assert status(ann.respond(ACCEPT, ann.calendar, single, instance(0))) == "146"
    assert status(ann.respond(ACCEPT, ann.calendar, single, element(Page.InstanceId))) == "2"
    assert status(ann.respond(ACCEPT, ann.calendar, single, element(Page.InstanceId, "tomorrow"))) == "104"
    half = element(Page.SendResponse, element(Page.ProposedStartTime, compact(MONDAY)))
    assert status(ann.respond(ACCEPT, ann.inbox, invitation, half)) == "2"
    ann.sync(add("c1", *times(MONDAY), element(Calendar.Subject, "alone")))
    bob.sync_mail()
    assert ann.letters() == []
    assert invitation in ann.mail


def test_an_invitation_that_is_outdated(bob: Person, ann: Person) -> None:
    name = bob.invite(ann)
    outdated = ann.invitation()
    bob.sync(change(name, *times(MONDAY + HOUR)))
    ann.sees(lambda event: event.child_text(Calendar.StartTime) == compact(MONDAY + HOUR))
    sent = element(Page.SendResponse)
    assert status(ann.respond(ACCEPT, ann.inbox, outdated, sent)) == "2"
    newest = eventually(lambda: (found := ann.invitation()) != outdated and found)
    ann.phone.begin(ann.inbox)
    ann.sync_mail()
    assert {name: message_type(ann.mail[name]) for name in (outdated, newest)} == {outdated: "4", newest: "2"}
    assert status(ann.respond(ACCEPT, ann.inbox, newest, sent)) == "1"
    assert len(eventually(ann.letters)) == 1
    bob.sync(change(name, element(Calendar.Subject, "Planning it")))
    ann.sees(lambda event: event.child_text(Calendar.Subject) == "Planning it")
    latest = eventually(lambda: (found := ann.invitation()) not in {outdated, newest} and found)
    assert message_type(ann.mail[latest]) == "3"  # nobody asks for an answer


def message_type(mail: Element) -> str | None:
    request = mail.find(Email.MeetingRequest)
    return request.child_text(Email2.MeetingMessageType) if request else None


def test_an_occurrence_that_is_none(bob: Person, ann: Person) -> None:
    bob.invite(ann, weekly=True)
    ann.sees(lambda _: True)
    wrong = element(Page.InstanceId, f"{MONDAY + timedelta(days=1):%Y-%m-%dT%H:%M:%S}.000Z")
    assert status(ann.respond(ACCEPT, ann.calendar, only(ann.events), wrong)) == "2"


@pytest.mark.parametrize("version", ["12.1", "14.0"])
def test_older_phones_answer_mail_alone(version: str, bob: Person, person: MakePerson) -> None:
    ann = person("ann", version)
    bob.invite(ann)
    ann.sees(lambda _: True)
    assert status(ann.respond(ACCEPT, ann.calendar, only(ann.events))) == "2"
    assert status(ann.respond(ACCEPT, ann.inbox, ann.invitation(), instance(0))) == "2"
    assert status(ann.respond(ACCEPT, ann.inbox, ann.invitation())) == "1"


def test_too_many_at_once(ann: Person) -> None:
    one = element(
        Page.Request,
        element(Page.UserResponse, ACCEPT),
        element(Page.CollectionId, ann.inbox),
        element(Page.RequestId, f"{ann.inbox}:zz.9"),
    )
    root = ann.phone.post("MeetingResponse", element(Page.MeetingResponse, *([one] * 101))).root
    assert [status(result) for result in root] == ["103"]
    root = ann.phone.post("MeetingResponse", element(Page.MeetingResponse, *([one] * 3))).root
    assert [status(result) for result in root] == ["2"] * 3
