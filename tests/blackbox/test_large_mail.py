"""What large mail costs: the memory of the process at its peak (Linux)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.blackbox.test_itemoperations import fetched, item, post, properties
from tests.blackbox.test_sendmail import document, refused_as
from tests.blackbox.test_smart import deliver, smart, written
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.messages import Attachment
from tests.support.phone import (
    MIME,
    Phone,
    body_preference,
    collections_of,
    commands,
    fetch,
    options,
    statuses,
)
from tests.support.smtp_sink import SmtpSink
from wbxml import element
from wbxml.pages import AirSync, AirSyncBase

MEGABYTE = 1024 * 1024
LINE = b"A" * 76 + b"\r\n"


class Peak:
    """How far the memory of a process rose since this was made."""

    def __init__(self, pid: int) -> None:
        self._process = Path(f"/proc/{pid}")
        (self._process / "clear_refs").write_text("5")
        self._before = self._value("VmRSS")

    def _value(self, name: str) -> int:
        for line in (self._process / "status").read_text().splitlines():
            key, _, value = line.partition(":")
            if key == name:
                return int(value.split()[0]) * 1024
        raise AssertionError(name)

    @property
    def risen(self) -> float:
        """Megabytes."""
        return (self._value("VmHWM") - self._before) / MEGABYTE


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink(auth=True) as running:
        yield running


@pytest.fixture
def gateway(dovecot: Dovecot, sink: SmtpSink) -> Iterator[Gateway]:
    with Gateway(dovecot, sink) as running:
        yield running


@pytest.mark.parametrize("version", ["12.1", "16.1"])
def test_sending_thirty_megabytes(
    gateway: Gateway, dovecot: Dovecot, sink: SmtpSink, user: str, version: str
) -> None:
    phone = Phone(gateway.host, gateway.port, user, dovecot.password, version=version)
    phone.provision()
    head = (
        b"To: ben@example.test\r\nBcc: cy@example.test\r\nSubject: large\r\nContent-Type: text/plain\r\n\r\n"
    )
    message = head + LINE * (30 * MEGABYTE // len(LINE))
    peak = Peak(gateway.pid)
    if version == "16.1":
        answer = phone.post("SendMail", document(message, save=True))
    else:
        answer = phone.post("SendMail", message, content_type=MIME, SaveInSent="T")
    assert answer.empty
    # The body as it came, the message in it, and pieces on their way.
    assert peak.risen < 30 * 2.3
    assert len(sink.received[0].data) > 30 * MEGABYTE


@pytest.mark.parametrize("command", ["Sync", "ItemOperations"])
def test_fetching_twenty_megabytes(gateway: Gateway, dovecot: Dovecot, user: str, command: str) -> None:
    phone = Phone(gateway.host, gateway.port, user, dovecot.password)
    phone.provision()
    inbox = phone.folders()["Inbox"]
    whole = options(element(AirSync.MIMESupport, 2), body_preference(4, 1000))
    phone.begin(inbox, whole)
    message = messages.plain("large", "large\n") + LINE * (20 * MEGABYTE // len(LINE))
    dovecot.deliver(user, message)
    (name,) = phone.sync(inbox).added
    peak = Peak(gateway.pid)
    if command == "Sync":
        served = phone.sync(inbox, commands(fetch(name)))
        (data,) = [one.find(AirSync.ApplicationData) for one in served.responses]
    else:
        wanted = item(inbox, name, element(AirSync.MIMESupport, 2), body_preference(4))
        (one,) = fetched(post(phone, wanted).root)
        data = properties(one)
    assert data is not None
    body = data.find(AirSyncBase.Body)
    assert body is not None
    assert (body.child_text(AirSyncBase.Data) or "").encode() == message
    assert peak.risen < 24


def test_all_collections_of_a_sync_share_a_bound(gateway: Gateway, dovecot: Dovecot, user: str) -> None:
    phone = Phone(gateway.host, gateway.port, user, dovecot.password)
    phone.provision()
    folders = phone.folders()
    inbox, sent = folders["Inbox"], folders["Sent"]
    whole = options(element(AirSync.MIMESupport, 2), body_preference(4))
    for folder in (inbox, sent):
        phone.begin(folder, whole)
    text = LINE * (18 * MEGABYTE // len(LINE))
    names: list[str] = []
    for number in range(3):
        dovecot.deliver(user, messages.plain(str(number)) + text)
        names += phone.sync(inbox).added
    dovecot.deliver(user, messages.plain("sent") + text, "Sent")
    first, second, third = names
    wanted = commands(*map(fetch, (first, second, first, third)))
    answer = phone.post_sync(phone.collection(inbox, wanted), phone.collection(sent))
    asked, told = collections_of(answer.root)
    assert statuses(asked) == [("Fetch", first, "1"), ("Fetch", second, "1"), ("Fetch", third, "5")]
    assert [one.find(AirSync.ApplicationData) is None for one in asked.responses] == [False, False, True]
    ((_, data),) = told.added.items()
    body = data.find(AirSyncBase.Body)
    assert body is not None
    assert body.find(AirSyncBase.Data) is None
    assert body.child_text(AirSyncBase.Truncated) == "1"
    assert int(body.child_text(AirSyncBase.EstimatedDataSize) or "") > len(text)


def test_forwarding_twenty_five_megabytes(
    gateway: Gateway, dovecot: Dovecot, sink: SmtpSink, user: str
) -> None:
    phone = Phone(gateway.host, gateway.port, user, dovecot.password)
    phone.provision()
    large = Attachment("large.bin", "application/octet-stream", os.urandom(MEGABYTE) * 23)
    original = deliver(dovecot, phone, messages.with_attachments("large", large))
    peak = Peak(gateway.pid)
    assert smart(phone, "SmartForward", original, written(phone), save=True).empty
    assert peak.risen < 12
    assert len(sink.received[0].data) > 30 * MEGABYTE


def test_forwarding_more_than_the_mail_server_takes(
    gateway: Gateway, dovecot: Dovecot, sink: SmtpSink, user: str
) -> None:
    phone = Phone(gateway.host, gateway.port, user, dovecot.password)
    phone.provision()
    large = Attachment("large.bin", "application/octet-stream", os.urandom(MEGABYTE) * 28)
    original = deliver(dovecot, phone, messages.with_attachments("large", large))
    peak = Peak(gateway.pid)
    answer = smart(phone, "SmartForward", original, written(phone), save=True)
    assert refused_as("SmartForward", phone, answer) == "122"
    assert peak.risen < 12
    assert not sink.received
