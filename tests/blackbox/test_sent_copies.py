"""The copy of a sent message gets into Sent, once, whatever is down when the message is sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.blackbox.test_outage import folder_sync
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.phone import Phone
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import eventually
from wbxml import Element, element
from wbxml.pages import ComposeMail

MIME = b"To: ben@example.test\r\nMessage-ID: <one@phone>\r\nSubject: one\r\n\r\nhello\r\n"


@pytest.fixture
def own_dovecot() -> Iterator[Dovecot]:
    with Dovecot() as running:
        yield running


def sending(client_id: str) -> Element:
    return element(
        ComposeMail.SendMail,
        element(ComposeMail.ClientId, client_id),
        element(ComposeMail.SaveInSentItems),
        element(ComposeMail.Mime, MIME),
    )


def copies(dovecot: Dovecot, user: str) -> int:
    with dovecot.imap(user) as imap:
        imap.select("Sent", readonly=True)
        return len(imap.search(None, "ALL")[1][0].split())


@pytest.mark.parametrize("crash", [False, True], ids=["alive", "killed"])
@pytest.mark.parametrize("folders_known", [True, False])
def test_a_copy_waits_for_the_mailbox(
    own_dovecot: Dovecot, user: str, crash: bool, folders_known: bool
) -> None:
    with SmtpSink(auth=True) as sink, Gateway(own_dovecot, sink) as gateway:
        phone = Phone(gateway.host, gateway.port, user, own_dovecot.password)
        phone.provision()
        inbox = phone.folders()["Inbox"] if folders_known else ""
        own_dovecot.stop()
        answer = phone.post("SendMail", sending("c1"))
        assert (answer.code, answer.body) == (200, b"")
        if crash:
            gateway.kill()
            gateway.start()
        own_dovecot.restart()
        # Not at once: a server that was down a moment ago is left alone for a while.
        eventually(lambda: phone.post("FolderSync", folder_sync()).code == 200)
        inbox = inbox or phone.folders()["Inbox"]
        phone.begin(inbox)
        eventually(lambda: bool(copies(own_dovecot, user)))
        assert phone.post("SendMail", sending("c1")).root.child_text(ComposeMail.Status) == "118"
        assert copies(own_dovecot, user) == 1
        assert len(sink.received) == 1


def test_two_devices_with_one_message_send_it_once(own_dovecot: Dovecot, user: str) -> None:
    with SmtpSink(auth=True) as sink, Gateway(own_dovecot, sink) as gateway:
        phones = [
            Phone(gateway.host, gateway.port, user, own_dovecot.password, device=device)
            for device in ("PHONE1", "PHONE2")
        ]
        for phone in phones:
            phone.provision()
        threads = [
            threading.Thread(target=phone.post, args=("SendMail", sending(f"c{number}")))
            for number, phone in enumerate(phones)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(sink.received) == 1
        assert copies(own_dovecot, user) == 1
