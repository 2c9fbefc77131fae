"""SmartForward of an event with Forwardees (16.x): the server invites them, and the organizer is told."""

from __future__ import annotations

import uuid
from email.message import Message

import pytest

from tests.blackbox.conftest import MakePerson
from tests.blackbox.meeting import ACCEPT, Person, eventually, exceptions, status_of
from tests.blackbox.test_meeting_answers import instance, only
from wbxml import Element, element
from wbxml.pages import AirSyncBase, Calendar, ComposeMail, Email
from wbxml.pages import MeetingResponse as Page


@pytest.fixture
def bob(person: MakePerson) -> Person:
    return person("bob")


@pytest.fixture
def ann(person: MakePerson) -> Person:
    return person("ann", "16.0")


@pytest.fixture
def cid(person: MakePerson) -> Person:
    return person("cid")


def forward(
    sender: Person, item: str, *people: Person, client_id: str = "", instance: str = ""
) -> Element | None:
    """SmartForward; None is success."""
    source = element(
        ComposeMail.Source,
        element(ComposeMail.FolderId, sender.calendar),
        element(ComposeMail.ItemId, item),
        *([element(ComposeMail.InstanceId, instance)] if instance else []),
    )
    listed = element(
        ComposeMail.Forwardees,
        *(element(ComposeMail.Forwardee, element(ComposeMail.Email, one.address)) for one in people),
    )
    body = element(AirSyncBase.Body, element(AirSyncBase.Type, 1), element(AirSyncBase.Data, "Come too"))
    client = element(ComposeMail.ClientId, client_id or uuid.uuid4().hex)
    answer = sender.phone.post(
        "SmartForward", element(ComposeMail.SmartForward, client, source, body, listed)
    )
    return answer.root if answer.body else None


def status(refusal: Element | None) -> str | None:
    assert refusal is not None
    return refusal.child_text(ComposeMail.Status)


def text_of(mail: Message) -> str:
    part = mail.get_payload(0) if mail.is_multipart() else mail
    assert isinstance(part, Message)
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    return data.decode()


def test_an_attendee_sends_the_invitation_on(bob: Person, ann: Person, cid: Person) -> None:
    bob.invite(ann)
    ann.sees(lambda _: True)
    name = only(ann.events)
    assert forward(ann, name, cid, client_id="f1") is None
    assert status(forward(ann, name, cid, client_id="f1")) == "118"
    letters = eventually(lambda: ann.letters() if len(ann.letters()) == 2 else None)
    sent, told = (mail for _, mail in letters)
    assert (sent["To"], sent["Subject"]) == (cid.address, "FW: Planning")
    assert text_of(sent).startswith("Come too")
    assert (told["To"], told["Subject"]) == (bob.address, "Meeting Forward Notification: Planning")
    assert cid.address in text_of(told)
    invitation = cid.invitation()
    request = cid.mail[invitation].find(Email.MeetingRequest)
    assert request is not None
    assert request.child_text(Email.Organizer) == bob.address
    cid.sync()
    assert cid.events == {}  # it came from somebody else than its organizer: not without being asked
    result = cid.respond(ACCEPT, cid.inbox, invitation, element(Page.SendResponse))
    assert result.child_text(Page.Status) == "1"
    event = cid.sees(lambda _: True)
    assert event.child_text(Calendar.ResponseType) == "3"
    eventually(cid.letters)
    bob.phone.begin(bob.calendar)
    event = bob.sees(lambda _: True)
    assert status_of(event, cid) is None  # whom the organizer did not invite is no attendee


def test_the_organizer_invites_more_people(bob: Person, ann: Person, cid: Person) -> None:
    name = bob.invite(ann)
    assert forward(bob, name, cid, ann) is None
    cid.sees(lambda event: event.child_text(Calendar.MeetingStatus) == "3")
    event = bob.sees(lambda event: status_of(event, cid) is not None)
    assert status_of(event, ann) is not None
    assert [mail["To"] for _, mail in bob.letters()][1:] == [cid.address]


def test_one_occurrence_is_sent_on(bob: Person, ann: Person, cid: Person) -> None:
    bob.invite(ann, weekly=True)
    ann.sees(lambda _: True)
    assert forward(ann, only(ann.events), cid, instance=instance(1).text()) is None
    request = cid.mail[cid.invitation()].find(Email.MeetingRequest)
    assert request is not None
    assert request.find(Email.RecurrenceId) is not None


def test_the_organizer_invites_more_people_to_one_occurrence(bob: Person, ann: Person, cid: Person) -> None:
    name = bob.invite(ann, weekly=True)
    assert forward(bob, name, cid, instance=instance(1).text()) is None
    event = bob.sees(lambda event: bool(exceptions(event)))
    assert status_of(exceptions(event)[0], cid) is not None
    assert status_of(event, cid) is None
    cid.sees(lambda event: event.find(AirSyncBase.InstanceId) is not None)


def test_what_a_phone_writes_itself_it_is_to_send_itself(bob: Person, ann: Person) -> None:
    """Phones send by SendMail what SmartForward answers with Status 150."""
    name = bob.invite(ann)
    source = element(
        ComposeMail.Source, element(ComposeMail.FolderId, bob.calendar), element(ComposeMail.ItemId, name)
    )
    request = element(
        ComposeMail.SmartForward,
        element(ComposeMail.ClientId, uuid.uuid4().hex),
        source,
        element(ComposeMail.Mime, b"To: x@example.test\r\n\r\nhello\r\n"),
    )
    assert status(bob.phone.post("SmartForward", request).root) == "150"


def test_what_cannot_be_sent_on(bob: Person, ann: Person) -> None:
    name = bob.invite(ann)
    assert status(forward(bob, f"{bob.calendar}:999999", ann)) == "150"
    assert status(forward(bob, name, ann, instance="tomorrow")) == "104"
    assert status(forward(bob, name, ann, instance=instance(1).text())) == "146"
    assert status(forward(bob, name)) == "179"
