"""Meetings where the mail server has no extensions: invited, answered, the invitation put away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.blackbox.meeting import ACCEPT, Person, status_of
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.smtp_sink import SmtpSink, delivering
from wbxml import element
from wbxml.pages import Calendar
from wbxml.pages import MeetingResponse as Page


@pytest.fixture(scope="module")
def bare_post(dovecot_bare: Dovecot) -> Iterator[SmtpSink]:
    with SmtpSink(auth=True, deliver=delivering(dovecot_bare)) as running:
        yield running


@pytest.fixture(scope="module")
def bare_gateway(dovecot_bare: Dovecot, bare_post: SmtpSink) -> Iterator[Gateway]:
    with Gateway(dovecot_bare, bare_post, sections={"eas": {"heartbeat_min": 1}}) as running:
        yield running


def test_an_invitation_is_accepted(bare_gateway: Gateway, dovecot_bare: Dovecot, bare_post: SmtpSink) -> None:
    bob, ann = (Person(name, "16.1", bare_gateway, dovecot_bare, bare_post) for name in ("bob", "ann"))
    bob.invite(ann)
    invitation = ann.invitation()
    ann.sees(lambda event: event.child_text(Calendar.MeetingStatus) == "3")
    for _ in range(2):
        result = ann.respond(ACCEPT, ann.inbox, invitation, element(Page.SendResponse))
        assert result.child_text(Page.Status) == "1"
    bob.sees(lambda event: status_of(event, ann) == "3")
    ann.sync_mail()
    assert invitation not in ann.mail
    assert len(ann.letters()) == 1
