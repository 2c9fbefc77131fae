"""A delegate gets the meeting mail of another user too: once, as plain mail, over real servers."""

from __future__ import annotations

import subprocess
import sys

from tests.blackbox.conftest import MakePerson
from tests.blackbox.meeting import ACCEPT, Person, eventually, status_of
from tests.support.gateway import Gateway
from wbxml import Element, element
from wbxml.pages import Email
from wbxml.pages import MeetingResponse as Page


def calendars(gateway: Gateway, *args: str) -> str:
    program = [sys.executable, "-m", "gateway", "calendars", *args, "--config", str(gateway.config)]
    return subprocess.run(program, check=True, capture_output=True, text=True, timeout=40).stdout


def about(person: Person, subject: str) -> list[Element]:
    """The mail somebody has with a subject."""
    person.sync_mail()
    return [data for data in person.mail.values() if data.child_text(Email.Subject) == subject]


def test_a_delegate_is_told_of_an_invitation(person: MakePerson, meeting_gateway: Gateway) -> None:
    bob, ann, cid = person("bob"), person("ann"), person("cid")
    calendars(meeting_gateway, "delegate", ann.phone.user, cid.phone.user)
    assert calendars(meeting_gateway, "delegate", ann.phone.user) == f"delegate\n{cid.phone.user}\n"
    bob.invite(ann)
    ann.sees(lambda _: True)
    told = f"For {ann.address}: Planning"

    def told_of() -> Element | None:
        ann.sync()  # who mails it is Ann, on her requests
        return next(iter(about(cid, told)), None)

    note = eventually(told_of)
    assert note.child_text(Email.MessageClass) == "IPM.Note"
    assert ann.address in (note.child_text(Email.From) or "")
    assert note.find(Email.MeetingRequest) is None
    cid.sync()
    assert not cid.events
    ann.respond(ACCEPT, ann.inbox, ann.invitation(), element(Page.SendResponse))
    bob.sees(lambda event: status_of(event, ann) == "3")
    meeting_gateway.restart()
    for one in (bob, ann, cid):
        one.phone.port = meeting_gateway.port
        one.sync()
    assert len(about(cid, told)) == 1
    calendars(meeting_gateway, "delegate", ann.phone.user, cid.phone.user, "--remove")
    assert calendars(meeting_gateway, "delegate", ann.phone.user) == "delegate\n"
