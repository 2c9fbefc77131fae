"""Text messages that phones upload (class SMS): kept once as mail, and answered alike however often."""

from __future__ import annotations

import email
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.policy import default
from typing import cast

import pytest

from tests.blackbox.conftest import MakePhone
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.dovecot_config import Options
from tests.support.gateway import Gateway
from tests.support.phone import Phone, Served, change, commands, delete, options, statuses
from tests.support.smtp_sink import SmtpSink
from wbxml import Element, element
from wbxml.pages import AirSync, AirSyncBase, Email

TIME = "2026-03-04T12:00:00.000Z"


@pytest.fixture(scope="module")
def gateway(dovecot: Dovecot) -> Iterator[Gateway]:
    with SmtpSink(auth=True) as sink, Gateway(dovecot, sink, sections={"eas": {"sms_mailbox": "SMS"}}) as it:
        yield it


@pytest.fixture(params=["14.0", "14.1", "16.1"])
def phone(request: pytest.FixtureRequest, gateway: Gateway, dovecot: Dovecot, user: str) -> Phone:
    made = Phone(gateway.host, gateway.port, user, dovecot.password, version=request.param)
    made.provision()
    return made


def data(text: str = "hello", *, read: int = 1) -> Element:
    body = element(AirSyncBase.Body, element(AirSyncBase.Type, 1), element(AirSyncBase.Data, text))
    return element(
        AirSync.ApplicationData,
        element(Email.To, "[MOBILE:+491701]"),
        element(Email.From, '"Ann" [MOBILE:+491702]'),
        element(Email.DateReceived, TIME),
        element(Email.Read, read),
        body,
    )


def text(client_id: str, content: Element | None = None) -> Element:
    named = element(AirSync.Class, "SMS"), element(AirSync.ClientId, client_id)
    return element(AirSync.Add, *named, content or data())


def both() -> Element:
    return options(element(AirSync.Class, "SMS"), element(AirSync.FilterType, 3))


def ready(phone: Phone, name: str = "Inbox") -> str:
    folder = phone.folders()[name]
    phone.begin(folder)
    mail = options(element(AirSync.Class, "Email"), element(AirSync.FilterType, 0))
    phone.sync(folder, mail, both())
    return folder


def kept(dovecot: Dovecot, user: str) -> list[EmailMessage]:
    with dovecot.imap(user) as client:
        if client.select("SMS", readonly=True)[0] != "OK":
            return []
        count = len(client.search(None, "ALL")[1][0].split())
        found = [client.fetch(str(number + 1), "(BODY.PEEK[])")[1][0] for number in range(count)]
    raw = [cast("tuple[bytes, bytes]", one)[1] for one in found]
    return [email.message_from_bytes(one, policy=default) for one in raw]


def item(served: Served) -> str:
    (answer,) = served.responses
    assert [child.tag.name for child in answer] == ["Class", "ClientId", "ServerId", "Status"]
    assert answer.child_text(AirSync.Class) == "SMS"
    assert answer.child_text(AirSync.Status) == "1"
    return answer.child_text(AirSync.ServerId) or ""


@pytest.mark.parametrize("name", ["Inbox", "Outbox"])
def test_once_whatever_is_repeated(phone: Phone, dovecot: Dovecot, name: str) -> None:
    folder = ready(phone, name)
    before = phone.keys[folder]
    served = phone.sync(folder, commands(text("c1")))
    assert not served.more
    first = item(served)
    assert first.startswith(f"{folder}:")
    assert len(first) <= 64
    assert item(phone.sync(folder, commands(text("c1")), key=before)) == first, "the reply was lost"
    assert phone.sync(folder).added == {}, "its own is not told to it"
    assert item(phone.sync(folder, commands(text("c2")))) == first, "the device starts again"
    phone.device = "PHONE2"
    phone.provision()
    folder = ready(phone, name)
    assert item(phone.sync(folder, commands(text("c3")))) == first, "another device has it too"
    (mail,) = kept(dovecot, phone.user)
    assert mail["From"].startswith("Ann <+491702@")
    assert mail.get_content().strip() == "hello"


def test_marked_and_deleted(phone: Phone, dovecot: Dovecot) -> None:
    folder = ready(phone)
    name = item(phone.sync(folder, commands(text("c1", data(read=0)))))
    other = item(phone.sync(folder, commands(text("c2", data("other")))))
    assert statuses(phone.sync(folder, commands(change(name, element(Email.Read, 1))))) == []
    with dovecot.imap(phone.user) as client:
        client.select("SMS", readonly=True)
        assert len(client.search(None, "SEEN")[1][0].split()) == 2
    assert statuses(phone.sync(folder, commands(delete(name)))) == []
    assert [mail.get_content().strip() for mail in kept(dovecot, phone.user)] == ["other"]
    assert statuses(phone.sync(folder, commands(delete(name)))) == [], "gone is gone"
    gone = phone.sync(folder, commands(change(name, element(Email.Read, 0))))
    assert statuses(gone) == [("Change", name, "8")]
    assert statuses(phone.sync(folder, commands(change(other, element(Email.Read, 0))))) == []


def test_beside_mail(phone: Phone, dovecot: Dovecot) -> None:
    dovecot.deliver(phone.user, messages.plain("mail"))
    folder = phone.folders()["Inbox"]
    phone.begin(folder)
    mail = options(element(AirSync.Class, "Email"), element(AirSync.FilterType, 0))
    (one,) = phone.sync(folder, mail, both()).added
    served = phone.sync(
        folder, commands(text("c1"), delete(one), text("bad", element(AirSync.ApplicationData)))
    )
    assert [status for _, _, status in statuses(served)] == ["1", "6"]
    assert len(kept(dovecot, phone.user)) == 1
    with dovecot.imap(phone.user) as client:
        client.select("INBOX", readonly=True)
        assert client.search(None, "ALL")[1] == [b""]


def test_a_killed_gateway_keeps_it_once(gateway: Gateway, phone: Phone, dovecot: Dovecot) -> None:
    folder = ready(phone)
    before = phone.keys[folder]
    first = item(phone.sync(folder, commands(text("c1"))))
    gateway.kill()
    gateway.start()
    assert item(phone.sync(folder, commands(text("c1")), key=before)) == first
    assert len(kept(dovecot, phone.user)) == 1


@pytest.mark.parametrize("wrong", [element(AirSync.FilterType, 8), element(AirSync.Conflict, 7)])
def test_bad_options(phone: Phone, wrong: Element) -> None:
    folder = phone.folders()["Inbox"]
    phone.begin(folder)
    mail = options(element(AirSync.Class, "Email"))
    assert phone.sync(folder, mail, options(element(AirSync.Class, "SMS"), wrong)).status == "4"


def test_elsewhere_they_are_refused(phone: Phone, dovecot: Dovecot) -> None:
    folder = phone.folders()["Sent"]
    phone.begin(folder)
    assert statuses(phone.sync(folder, commands(text("c1")))) == [("Add", "c1", "6")]
    assert kept(dovecot, phone.user) == []


@pytest.mark.parametrize("version", ["12.1", "14.1", "16.1"])
def test_they_are_refused_unless_wanted(new_phone: MakePhone, dovecot: Dovecot, version: str) -> None:
    phone = new_phone(version)
    phone.provision()
    folder = phone.folders()["Inbox"]
    phone.begin(folder)
    served = phone.sync(folder, commands(text("c1")))
    assert statuses(served) == [("Add", "c1", "6")]
    assert kept(dovecot, phone.user) == []


@pytest.mark.parametrize(
    "server",
    [Options("bare"), Options(separator=".", prefix="INBOX.", storage="maildir"), Options(messages=1)],
    ids=["bare", "prefix", "full"],
)
def test_on_other_servers(server: Options, user: str) -> None:
    with SmtpSink(auth=True) as sink, Dovecot(server) as dovecot:
        with Gateway(dovecot, sink, sections={"eas": {"sms_mailbox": "SMS"}}) as gateway:
            phone = Phone(gateway.host, gateway.port, user, dovecot.password)
            phone.provision()
            folder = ready(phone)
            before = phone.keys[folder]
            first = phone.sync(folder, commands(text("c1"), text("c2", data("other"))))
            again = phone.sync(folder, commands(text("c1"), text("c2", data("other"))), key=before)
        assert statuses(again) == statuses(first)
        with dovecot.imap(user) as client:
            assert client.select(f"{server.prefix}SMS", readonly=True)[0] == "OK"
            count = len(client.search(None, "ALL")[1][0].split())
    if server.messages:
        assert [status for _, _, status in statuses(first)] == ["1", "9"]
        assert count == 1
    else:
        assert [status for _, _, status in statuses(first)] == ["1", "1"]
        assert count == 2


def test_two_devices_at_once(gateway: Gateway, dovecot: Dovecot, user: str) -> None:
    phones = [
        Phone(gateway.host, gateway.port, user, dovecot.password, device=f"PHONE{number}")
        for number in range(4)
    ]
    folders = []
    for one in phones:
        one.provision()
        folders.append(ready(one))

    def upload(one: Phone) -> str:
        return item(one.sync(folders[0], commands(text(f"of {one.device}"))))

    with ThreadPoolExecutor(len(phones)) as together:
        assert len(set(together.map(upload, phones))) == 1
    assert len(kept(dovecot, user)) == 1
