"""A password that changes while a phone is at work: the next request says so, whatever it is."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from click.testing import CliRunner

from gateway.cli import main
from tests.blackbox.test_ping import folder, ready, request
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.phone import Answer, Phone
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import eventually
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


def test_who_is_signed_out_has_to_show_the_password_of_now(own_dovecot: Dovecot, user: str) -> None:
    """Requests that wait are answered, and what was good a moment ago is checked anew."""
    with SmtpSink(auth=True) as sink, Gateway(own_dovecot, sink) as gateway:
        phone = Phone(gateway.host, gateway.port, user, own_dovecot.password)
        phone.provision()
        (inbox,) = ready(phone, "Inbox")

        def signed_out_while_it_waits() -> Answer:
            with ThreadPoolExecutor(1) as threads:
                waiting = threads.submit(phone.post, "Ping", request(60, folder(inbox)), seconds=90)
                # Once the mail server refuses the password, it is not held for long.
                eventually(lambda: waiting.done() or gateway.metric("eas_requests_held") == 1)
                done = CliRunner().invoke(main, ["users", "sign-out", user, "--config", str(gateway.config)])
                assert done.exit_code == 0, done.output
                return waiting.result()

        assert signed_out_while_it_waits().code == 200
        own_dovecot.change_password("another")
        assert signed_out_while_it_waits().code == 401


def test_the_log_says_what_a_sync_refused(own_dovecot: Dovecot, user: str) -> None:
    with SmtpSink(auth=True) as sink, Gateway(own_dovecot, sink) as gateway:
        phone = Phone(gateway.host, gateway.port, user, own_dovecot.password)
        phone.provision()
        inbox = phone.folders()["Inbox"]
        phone.begin(inbox)
        phone.post_sync(phone.collection("99"))
        phone.post_sync(phone.collection(inbox, key="made.up"))
        eventually(lambda: "status=3" in gateway.log())  # the line follows the answer
        log = gateway.log()
    assert "collection 99: no such folder" in log
    assert "status=12" in log
    assert f"collection {inbox}: unknown key" in log
