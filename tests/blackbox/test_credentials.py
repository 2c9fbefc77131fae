"""A password that changes while a phone is at work: the next request says so, whatever it is."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.phone import Phone
from tests.support.smtp_sink import SmtpSink
from wbxml import element
from wbxml.pages import AirSync, FolderHierarchy, ItemOperations


@pytest.fixture
def own_dovecot() -> Iterator[Dovecot]:
    with Dovecot() as running:
        yield running


@pytest.mark.parametrize("version", ["12.1", "16.1"])
@pytest.mark.parametrize("command", ["FolderSync", "Sync", "ItemOperations"])
def test_a_changed_password_is_asked_for_at_once(
    own_dovecot: Dovecot, command: str, version: str, user: str
) -> None:
    with SmtpSink(auth=True) as sink, Gateway(own_dovecot, sink) as gateway:
        phone = Phone(gateway.host, gateway.port, user, own_dovecot.password, version=version)
        phone.provision()
        inbox = phone.folders()["Inbox"]
        own_dovecot.deliver(user, messages.plain())
        phone.begin(inbox)
        (item,) = phone.sync(inbox).added
        own_dovecot.change_password("another")
        if command == "FolderSync":
            document = element(FolderHierarchy.FolderSync, element(FolderHierarchy.SyncKey, "0"))
            answer = phone.post("FolderSync", document)
        elif command == "Sync":
            answer = phone.post_sync(phone.collection(inbox))
        else:
            fetch = element(
                ItemOperations.Fetch,
                element(ItemOperations.Store, "Mailbox"),
                element(AirSync.CollectionId, inbox),
                element(AirSync.ServerId, item),
            )
            answer = phone.post("ItemOperations", element(ItemOperations.ItemOperations, fetch))
        assert answer.code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_the_log_says_what_a_sync_refused(own_dovecot: Dovecot, user: str) -> None:
    with SmtpSink(auth=True) as sink, Gateway(own_dovecot, sink) as gateway:
        phone = Phone(gateway.host, gateway.port, user, own_dovecot.password)
        phone.provision()
        inbox = phone.folders()["Inbox"]
        phone.begin(inbox)
        phone.post_sync(phone.collection("99"))
        phone.post_sync(phone.collection(inbox, key="made.up"))
        deadline = time.monotonic() + 20
        while "status=3" not in (log := gateway.log()) and time.monotonic() < deadline:
            time.sleep(0.05)  # the line follows the answer
    assert "collection 99: no such folder" in log
    assert "status=12" in log
    assert f"collection {inbox}: unknown key" in log
    assert "status=3" in log
