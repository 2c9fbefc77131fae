"""Scheduling messages as mail: what Outlook, Google and Apple need to take one for an invitation."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy

from gateway.mail import imip
from gateway.mail.addresses import Address
from gateway.mail.compose import prepare
from gateway.mail.imip import SchedulingMail

CALENDAR = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nSUMMARY:Käse\r\nEND:VCALENDAR\r\n"
MAIL = SchedulingMail(
    sender=Address("Bjørn", "bob@example.org"),
    recipients=(Address("Ann, of Example", "ann@example.org"), Address("", "room-1@example.org")),
    subject="Käse",
    text="What:  Käse\n",
    date=datetime(2026, 3, 1, 9, tzinfo=UTC),
    name="notice-1",
    method="REQUEST",
    calendar=CALENDAR,
)


def test_a_request() -> None:
    mail = message_from_bytes(imip.write(MAIL), policy=policy.default)
    assert mail["From"] == "Bjørn <bob@example.org>"
    assert [one.addr_spec for one in mail["To"].addresses] == ["ann@example.org", "room-1@example.org"]
    assert mail["To"].addresses[0].display_name == "Ann, of Example"
    assert mail["Subject"] == "Käse"
    assert mail["Content-Class"] == "urn:content-classes:calendarmessage"
    assert mail.get_content_type() == "multipart/alternative"
    text, calendar = mail.iter_parts()
    assert text.get_content().splitlines() == ["What:  Käse"]
    assert calendar.get_content_type() == "text/calendar"
    assert (calendar.get_param("method"), calendar.get_content_charset()) == ("REQUEST", "utf-8")
    payload = calendar.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode() == CALENDAR


def test_html_stands_between_the_plain_text_and_the_calendar() -> None:
    rich = SchedulingMail(
        sender=MAIL.sender,
        recipients=MAIL.recipients,
        subject="x",
        text="<p>Come</p>",
        date=MAIL.date,
        name="n",
        method="REPLY",
        calendar=CALENDAR,
        rich=True,
    )
    mail = message_from_bytes(imip.write(rich), policy=policy.default)
    kinds = [part.get_content_type() for part in mail.iter_parts()]
    assert kinds == ["text/plain", "text/html", "text/calendar"]


def test_a_note_to_people_has_no_calendar() -> None:
    note = SchedulingMail(MAIL.sender, MAIL.recipients, "s", "text", MAIL.date, "n")
    mail = message_from_bytes(imip.write(note), policy=policy.default)
    assert mail.get_content_type() == "text/plain"
    assert mail["Content-Class"] is None


def test_the_same_notice_makes_the_same_message() -> None:
    assert imip.write(MAIL) == imip.write(MAIL)
    name = imip.message_id("Bob@Example.org", "notice-1")
    assert name == imip.message_id("bob@example.org", "notice-1") != imip.message_id("bob@example.org", "2")
    assert message_from_bytes(imip.write(MAIL))["Message-ID"].strip() == name


def test_it_can_be_submitted() -> None:
    outgoing = prepare(
        imip.write(MAIL),
        sender="bob@example.org",
        sender_name="",
        may_send_as=lambda _: False,
        now=MAIL.date,
        unique="c",
    )
    assert outgoing.recipients == ("ann@example.org", "room-1@example.org")
    assert outgoing.envelope_from == "bob@example.org"
    assert all(len(line) <= 998 for line in bytes(outgoing.message).split(b"\r\n"))
