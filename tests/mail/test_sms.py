"""Text messages as mail: who, when, what, and which are the same."""

from __future__ import annotations

import email
from dataclasses import replace
from datetime import UTC, datetime
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.sms import TextMessage, compose, message_id

DATE = datetime(2026, 3, 1, 9, 15, tzinfo=UTC)
RECEIVED = TextMessage(False, '"Zoë" [MOBILE:+49 170 1234]', "", DATE, "Grüße\nfrom here")


def test_a_text_message_as_mail() -> None:
    mail = email.message_from_bytes(compose(RECEIVED, "jo@example.test"), policy=default)
    assert mail["From"] == "Zoë <+491701234@sms.invalid>"
    assert mail["To"] == "jo@example.test"
    assert mail["Subject"] == "Grüße from here"
    assert mail["Date"].datetime == DATE
    assert mail["Message-ID"] == message_id(RECEIVED.digest)
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().split() == ["Grüße", "from", "here"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("+49 170 1234", "+491701234@sms.invalid"),
        ("[MOBILE:0170]; Ann [MOBILE:0171]", "0170@sms.invalid, Ann <0171@sms.invalid>"),
        ("Bank", "Bank <unknown@sms.invalid>"),
        ("", "jo@example.test"),
    ],
)
def test_recipients(written: str, expected: str) -> None:
    sent = TextMessage(True, "", written, DATE, "hello")
    mail = email.message_from_bytes(compose(sent, "jo@example.test"), policy=default)
    assert mail["To"] == expected
    assert mail["From"] == "jo@example.test"


def test_which_are_the_same() -> None:
    others = [
        replace(RECEIVED, outgoing=True),
        replace(RECEIVED, sender="x"),
        replace(RECEIVED, recipients="x"),
        replace(RECEIVED, date=DATE.replace(second=1)),
        replace(RECEIVED, text="x"),
    ]
    assert replace(RECEIVED).digest == RECEIVED.digest
    assert len({one.digest for one in (RECEIVED, *others)}) == 6


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=200), st.text(max_size=20))
def test_any_text_makes_a_mail(sender: str, recipients: str, text: str, owner: str) -> None:
    made = compose(TextMessage(False, sender, recipients, DATE, text), owner)
    mail = email.message_from_bytes(made, policy=default)
    assert mail["Message-ID"]
    assert mail.keys()[:5] == ["From", "To", "Subject", "Date", "Message-ID"]
