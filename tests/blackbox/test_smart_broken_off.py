"""SmartReply and SmartForward broken off on the way: once, with its copy and its mark, whatever dies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.blackbox.test_sendmail import kept, refused_as
from tests.blackbox.test_smart import deliver, flags, parsed, smart, written
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.phone import Phone
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import eventually


@pytest.fixture
def own_dovecot() -> Iterator[Dovecot]:
    with Dovecot() as running:
        yield running


def phone_of(gateway: Gateway, user: str, dovecot: Dovecot) -> Phone:
    phone = Phone(gateway.host, gateway.port, user, dovecot.password)
    phone.provision()
    return phone


@pytest.mark.parametrize("crash", [False, True], ids=["alive", "killed"])
def test_copy_and_mark_wait_for_the_mailbox(own_dovecot: Dovecot, user: str, crash: bool) -> None:
    """The mail server goes down the moment the reply is out."""
    with (
        SmtpSink(auth=True, deliver=lambda _: own_dovecot.stop()) as sink,
        Gateway(own_dovecot, sink) as gateway,
    ):
        phone = phone_of(gateway, user, own_dovecot)
        original = deliver(own_dovecot, phone, messages.with_attachments("files"))
        assert smart(phone, "SmartForward", original, written(phone), save=True).empty
        if crash:
            gateway.kill()
            gateway.start()
        own_dovecot.restart()
        # Not at once: a server that was down a moment ago is left alone for a while.
        eventually(lambda: phone.post_sync(phone.collection(original[0])).code == 200)
        eventually(lambda: "$Forwarded" in flags(own_dovecot, phone) and bool(kept(own_dovecot, phone)))
        answer = smart(phone, "SmartForward", original, written(phone), save=True)
        assert refused_as("SmartForward", phone, answer) == "118"
        (copy,) = kept(own_dovecot, phone)
        assert len(list(parsed(copy).iter_attachments())) == 2
        assert len(sink.received) == 1
        assert "\\Answered" not in flags(own_dovecot, phone)


def test_a_repeat_after_a_crash_sends_the_same(own_dovecot: Dovecot, user: str) -> None:
    """The gateway dies after the server took the message, before it could note that: the gap of SMTP."""
    running: list[Gateway] = []

    def kill_once(_: object) -> None:
        if running:
            running.pop().kill()

    with SmtpSink(auth=True, deliver=kill_once) as sink, Gateway(own_dovecot, sink) as gateway:
        phone = phone_of(gateway, user, own_dovecot)
        original = deliver(own_dovecot, phone, messages.with_attachments("files"))
        mine = b"Date: Mon, 02 Mar 2026 10:00:00 +0000\r\n" + written(phone)
        running.append(gateway)
        with pytest.raises(ConnectionError):
            smart(phone, "SmartReply", original, mine, save=True)
        assert "\\Answered" not in flags(own_dovecot, phone)
        gateway.start()
        assert smart(phone, "SmartReply", original, mine, save=True).empty
        assert len(kept(own_dovecot, phone)) == 1
        assert "\\Answered" in flags(own_dovecot, phone)
        first, second = sink.received
        assert first.data == second.data
        answer = smart(phone, "SmartReply", original, mine, save=True)
        assert refused_as("SmartReply", phone, answer) == "118"


def test_a_repeat_after_an_unknown_end_finds_it_in_sent(own_dovecot: Dovecot, user: str) -> None:
    """Where the server puts mail into Sent by itself, a repeat sends nothing, and marks the original."""
    with SmtpSink(auth=True) as sink, Gateway(own_dovecot, sink) as gateway:
        phone = phone_of(gateway, user, own_dovecot)
        original = deliver(own_dovecot, phone, messages.plain())
        sink.switches.die_after_data = True
        assert refused_as("SmartReply", phone, smart(phone, "SmartReply", original, written(phone))) == "111"
        sink.switches.die_after_data = False
        with own_dovecot.imap(user) as imap:
            imap.append("Sent", "", "", sink.received[0].data)
        answer = smart(phone, "SmartReply", original, written(phone), save=True)
        assert refused_as("SmartReply", phone, answer) == "118"
        assert len(sink.received) == len(kept(own_dovecot, phone)) == 1
        assert "\\Answered" in flags(own_dovecot, phone)


def test_an_original_that_goes_on_the_way(own_dovecot: Dovecot, user: str) -> None:
    """The reply is out, and the original deleted, before it can be marked: nothing is left to be done."""

    def delete(_: object) -> None:
        with own_dovecot.imap(user) as imap:
            imap.select("INBOX")
            imap.store("1", "+FLAGS", "\\Deleted")
            imap.expunge()

    with SmtpSink(auth=True, deliver=delete) as sink, Gateway(own_dovecot, sink) as gateway:
        phone = phone_of(gateway, user, own_dovecot)
        original = deliver(own_dovecot, phone, messages.plain())
        assert smart(phone, "SmartReply", original, written(phone), save=True).empty
        assert phone.sync(original[0]).deleted == [original[1]]
        assert len(kept(own_dovecot, phone)) == 1
