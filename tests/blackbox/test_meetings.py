"""Meetings of two users of one gateway, by real mail between them: invited, answered, moved, cancelled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.blackbox.conftest import MakePerson
from tests.blackbox.meeting import (
    ACCEPT,
    DECLINE,
    MONDAY,
    Person,
    attendees,
    compact,
    eventually,
    exceptions,
    status_of,
)
from tests.support.phone import change, commands, delete
from wbxml import Element, element
from wbxml.pages import AirSync, AirSyncBase, Calendar, Email
from wbxml.pages import MeetingResponse as Page

VERSIONS = [("16.1", "16.1"), ("16.0", "14.1"), ("14.1", "16.1"), ("14.1", "12.1")]


@pytest.fixture(params=VERSIONS, ids=["-".join(pair) for pair in VERSIONS])
def two(request: pytest.FixtureRequest, person: MakePerson) -> tuple[Person, Person]:
    """Bob, who invites, and Ann."""
    bob, ann = request.param
    return person("bob", bob), person("ann", ann)


def test_an_invitation_is_a_tentative_event_before_any_answer(two: tuple[Person, Person]) -> None:
    bob, ann = two
    bob.invite(ann)
    event = ann.sees(lambda _: True)
    assert event.child_text(Calendar.Subject) == "Planning"
    assert event.child_text(Calendar.StartTime) == compact(MONDAY)
    assert event.child_text(Calendar.BusyStatus) == "1"
    assert event.child_text(Calendar.MeetingStatus) == "3"
    assert event.child_text(Calendar.OrganizerEmail) == bob.address
    if ann.phone.number >= 14:
        assert event.child_text(Calendar.ResponseType) == "5"
    assert ann.invitation()
    assert len(ann.events) == 1


def test_it_is_accepted_by_the_mail(two: tuple[Person, Person]) -> None:
    bob, ann = two
    bob.invite(ann)
    invitation = ann.invitation()
    ann.sees(lambda _: True)
    (name,) = ann.events
    sent = [element(Page.SendResponse)] if ann.phone.number >= 16 else []
    result = ann.respond(ACCEPT, ann.inbox, invitation, *sent)
    assert result.child_text(Page.Status) == "1"
    assert result.child_text(Page.RequestId) == invitation
    assert result.child_text(Page.CalendarId) == name
    event = ann.sees(lambda event: event.child_text(Calendar.BusyStatus) == "2")
    if ann.phone.number >= 14:
        assert event.child_text(Calendar.ResponseType) == "3"
    ann.sync_mail()
    assert invitation not in ann.mail
    again = ann.respond(ACCEPT, ann.inbox, invitation, *sent)
    assert [again.child_text(tag) for tag in (Page.Status, Page.CalendarId)] == ["1", name]
    if ann.phone.number >= 16:
        bob.sees(lambda event: status_of(event, ann) == "3")
        assert [subject for subject, _ in ann.letters()] == ["Accepted: Planning"]
    else:
        assert ann.letters() == []


@pytest.mark.parametrize("version", ["16.1", "14.1"])
def test_an_answer_is_in_the_way_of_no_change(version: str, person: MakePerson) -> None:
    bob, ann = person("bob", version), person("ann", "16.1")
    name = bob.invite(ann)
    ann.respond(ACCEPT, ann.inbox, ann.invitation(), element(Page.SendResponse))

    def replied() -> Element | None:
        bob.sync_mail()
        mails = bob.mail.values()
        return next((one for one in mails if one.child_text(Email.Subject) == "Accepted: Planning"), None)

    eventually(replied)
    data = [
        element(Calendar.StartTime, compact(MONDAY)),
        element(Calendar.EndTime, compact(MONDAY + timedelta(hours=1))),
        element(Calendar.Subject, "Other"),
        attendees(ann),
    ]
    assert all(answer.child_text(AirSync.Status) == "1" for answer in bob.sync(change(name, *data)))
    event = bob.sees(lambda event: event.child_text(Calendar.Subject) == "Other")
    assert status_of(event, ann) == "3"


def test_one_occurrence_is_moved(two: tuple[Person, Person]) -> None:
    bob, ann = two
    name = bob.invite(ann, weekly=True)
    ann.sees(lambda event: event.find(Calendar.Recurrence) is not None)
    week, moved = MONDAY + timedelta(days=7), MONDAY + timedelta(days=8)
    if bob.phone.number >= 16:
        times = (
            element(Calendar.StartTime, compact(moved)),
            element(Calendar.EndTime, compact(moved + timedelta(hours=1))),
        )
        one = element(
            AirSync.Change,
            element(AirSync.ServerId, name),
            element(AirSyncBase.InstanceId, compact(week)),
            element(AirSync.ApplicationData, *times),
        )
        assert all(answer.child_text(AirSync.Status) == "1" for answer in bob.sync(one))
    else:
        uid = ann.event.child_text(Calendar.UID) or ""
        bob.send("REQUEST", uid, ann, start=moved, original=week, sequence=1)
    event = ann.sees(lambda event: bool(exceptions(event)))
    (exception,) = exceptions(event)
    assert exception.child_text(Calendar.StartTime) == compact(moved)
    key = AirSyncBase.InstanceId if ann.phone.number >= 16 else Calendar.ExceptionStartTime
    assert exception.child_text(key) == compact(week)


def test_it_is_cancelled(two: tuple[Person, Person]) -> None:
    bob, ann = two
    name = bob.invite(ann)
    event = ann.sees(lambda _: True)
    assert [one.child_text(AirSync.Status) for one in bob.sync(delete(name))] in ([], ["1"])
    if bob.phone.number < 16:
        bob.send("CANCEL", event.child_text(Calendar.UID) or "", ann, sequence=1)
    event = ann.sees(lambda event: event.child_text(Calendar.MeetingStatus) == "7")
    assert event.child_text(Calendar.BusyStatus) == "0"


def test_it_is_declined(two: tuple[Person, Person]) -> None:
    bob, ann = two
    bob.invite(ann)
    invitation = ann.invitation()
    ann.sees(lambda _: True)
    comment = element(AirSyncBase.Body, element(AirSyncBase.Type, 1), element(AirSyncBase.Data, "On holiday"))
    sent = [element(Page.SendResponse, comment)] if ann.phone.number >= 16 else []
    for _ in range(2):
        result = ann.respond(DECLINE, ann.inbox, invitation, *sent)
        assert result.child_text(Page.Status) == "1"
        assert result.find(Page.CalendarId) is None
    ann.sync()
    assert ann.events == {}
    if ann.phone.number >= 16:
        bob.sees(lambda event: status_of(event, ann) == "4")
        ((subject, mail),) = ann.letters()
        assert subject == "Declined: Planning"
        text = mail.get_payload()[0].get_payload(decode=True)  # type: ignore[union-attr, index]
        assert b"On holiday" in text


def test_a_newer_phone_moves_what_an_older_one_invited_to(person: MakePerson) -> None:
    bob, ann = person("bob", "14.1"), person("ann")
    name = bob.invite(ann)
    uid = ann.sees(lambda _: True).child_text(Calendar.UID) or ""
    for days in (1, 2):
        start = MONDAY + timedelta(days=days)
        bob.sync(change(name, *_hour(start), attendees(ann), element(Calendar.OrganizerEmail, bob.address)))
        bob.send("REQUEST", uid, ann, start=start, sequence=days)
        ann.sees(_begins(start))
    newer = replace(bob.phone, version="16.1", device="NEWER", keys={}, policy_key=None)
    newer.provision()
    newer.begin(bob.calendar)
    newer.sync(bob.calendar)
    start = MONDAY + timedelta(days=3)
    assert newer.sync(bob.calendar, commands(change(name, *_hour(start)))).responses == []
    ann.sees(_begins(start))


def _begins(start: datetime) -> Callable[[Element], bool]:
    return lambda event: event.child_text(Calendar.StartTime) == compact(start)


def _hour(start: datetime) -> tuple[Element, Element]:
    end = start + timedelta(hours=1)
    return element(Calendar.StartTime, compact(start)), element(Calendar.EndTime, compact(end))
