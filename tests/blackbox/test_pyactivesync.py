"""PyPI's pyactivesync (16.1), a client written by others, against the gateway process and a real Dovecot."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from pyactivesync import Client, Contact, ContactChange, EmailChange, Folder, FolderType, SyncResult

from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.phone import Phone
from tests.support.smtp_sink import SmtpSink
from wbxml.pages import Contacts

SOON = 20
"""Seconds, on a busy machine too: less than until mailboxes are polled."""


@pytest.fixture(scope="module")
def sink() -> Iterator[SmtpSink]:
    with SmtpSink(auth=True) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(dovecot: Dovecot, sink: SmtpSink) -> Iterator[Gateway]:
    with Gateway(dovecot, sink, sections={"eas": {"heartbeat_min": 1}}) as running:
        yield running


@pytest.fixture
def client(gateway: Gateway, dovecot: Dovecot, user: str) -> Iterator[Client]:
    with Client("unused", user, dovecot.password, device_id="pyactivesync01") as made:
        made._transport.base_url = f"{gateway.url}/Microsoft-Server-ActiveSync"  # it only builds https ones
        yield made


def folder(client: Client, kind: FolderType) -> Folder:
    return next(f for f in client.list_folders() if f.type == kind)


def synced(client: Client, identity: str) -> SyncResult:
    return client.sync_folder(identity, client.sync_folder(identity).sync_key)


def test_provision_gives_a_key(client: Client) -> None:
    assert int(client.provision()) > 0


def test_folders_have_their_types(client: Client) -> None:
    kinds = {f.type for f in client.list_folders()}
    assert {
        FolderType.INBOX,
        FolderType.DRAFTS,
        FolderType.DELETED_ITEMS,
        FolderType.SENT_ITEMS,
        FolderType.OUTBOX,
    } <= kinds


def test_mail_and_attachments_arrive_as_they_are(client: Client, dovecot: Dovecot, user: str) -> None:
    file = messages.Attachment("Preise für März.csv", "text/csv", b"a;b\r\n1;2\r\n")
    dovecot.deliver(user, messages.with_attachments("with a file", file))
    dovecot.deliver(user, messages.html("only HTML", "<p>hello <b>world</b></p>"))
    inbox = folder(client, FolderType.INBOX)
    found = {item.fields["Email.Subject"]: item for item in synced(client, inbox.id).added}
    assert set(found) == {"with a file", "only HTML"}
    shown = client.fetch_item(inbox.id, found["only HTML"].server_id)
    assert "<b>world</b>" in (shown.bodies[0].data or "")
    (attachment,) = client.fetch_item(inbox.id, found["with a file"].server_id).attachments
    assert attachment.display_name == "Preise für März.csv"
    assert 10 <= (attachment.estimated_data_size or 0) <= 14
    assert not attachment.is_inline
    assert client.fetch_attachment(attachment.file_reference) == b"a;b\r\n1;2\r\n"


def test_estimate_counts_what_sync_would_bring(client: Client, dovecot: Dovecot, user: str) -> None:
    inbox = folder(client, FolderType.INBOX)
    key = client.sync_folder(inbox.id).sync_key
    for number in range(3):
        dovecot.deliver(user, messages.plain(f"mail {number}"))
    assert client.get_item_estimate(inbox.id, key) == 3
    key = client.sync_folder(inbox.id, key).sync_key
    assert client.get_item_estimate(inbox.id, key) == 0


def test_changes_reach_the_mailbox(client: Client, dovecot: Dovecot, user: str) -> None:
    for number in range(3):
        dovecot.deliver(user, messages.plain(f"mail {number}"))
    inbox = folder(client, FolderType.INBOX)
    result = synced(client, inbox.id)
    ids = {item.fields["Email.Subject"]: item.server_id for item in result.added}
    done = client.apply_email_changes(
        inbox.id,
        result.sync_key,
        [
            EmailChange(ids["mail 0"], read=True),
            EmailChange(ids["mail 1"], flagged=True),
            EmailChange(ids["mail 2"], delete=True),
        ],
    )
    assert set(done.statuses.values()) == {"1"}
    with dovecot.imap(user) as imap:
        imap.select("INBOX")
        assert imap.search(None, "SEEN")[1] == [b"1"]
        assert imap.search(None, "FLAGGED")[1] == [b"2"]
        assert imap.search(None, "ALL")[1] == [b"1 2"]
        imap.select("Trash")
        assert imap.search(None, "SUBJECT", '"mail 2"')[1] == [b"1"]
    after = client.sync_folder(inbox.id, done.sync_key)
    assert not after.added
    assert not after.changed
    assert not after.deleted


def test_mail_is_sent_and_kept(client: Client, dovecot: Dovecot, sink: SmtpSink, user: str) -> None:
    message = EmailMessage()
    message["To"] = "Ben <ben@example.test>"
    message["Bcc"] = "hidden@example.test"
    message["Subject"] = f"from {user}"
    message.set_content("Grüße\n")
    client.send_mail(message)
    (received,) = [mail for mail in sink.received if f"from {user}".encode() in mail.data]
    assert received.rcpt_tos == ("ben@example.test", "hidden@example.test")
    assert b"hidden@" not in received.data
    sent = folder(client, FolderType.SENT_ITEMS)
    (copy,) = synced(client, sent.id).added
    assert copy.fields["Email.Subject"] == f"from {user}"
    assert copy.fields["Email.Read"] == "1"


def test_new_mail_ends_a_ping(client: Client, dovecot: Dovecot, user: str) -> None:
    inbox = folder(client, FolderType.INBOX)
    synced(client, inbox.id)
    answered = threading.Event()

    def deliver() -> None:
        pause = 1.0
        while not answered.wait(pause):  # until Dovecot tells of it
            dovecot.deliver(user, messages.plain("pushed"))
            pause = 10.0

    delivering = threading.Thread(target=deliver)
    delivering.start()
    try:
        result = client.ping(inbox.id, heartbeat=600, timeout=150)
    finally:
        answered.set()
        delivering.join()
    assert result.status == "2"
    assert result.changed_folder_ids == [inbox.id]


def test_a_ping_without_news_ends_with_its_interval(client: Client) -> None:
    inbox = folder(client, FolderType.INBOX)
    synced(client, inbox.id)
    started = time.monotonic()
    assert client.ping(inbox.id, heartbeat=2, timeout=30).status == "1"
    assert 0.9 < time.monotonic() - started < SOON


def test_a_contact_is_made_changed_and_deleted(
    client: Client, gateway: Gateway, dovecot: Dovecot, user: str
) -> None:
    book = folder(client, FolderType.CONTACTS).id
    contact = Contact(
        first_name="Ann", last_name="Lee", birthday="1980-02-29T11:59:00.000Z", categories=["a"]
    )
    made = client.create_contact(book, synced(client, book).sync_key, contact)
    assert (made.status, bool(made.server_id)) == ("1", True)
    name = made.server_id or ""
    changed = Contact(last_name="Lee", job_title="Engineer", home_address_city="Berlin")
    result = client.apply_contact_changes(book, made.sync_key, [ContactChange(name, changed)])
    assert result.statuses == {name: "1"}
    phone = Phone(gateway.host, gateway.port, user, dovecot.password)
    phone.provision()
    phone.begin(book)
    shown = phone.sync(book).added[name]
    said = {Contacts.LastName: "Lee", Contacts.JobTitle: "Engineer", Contacts.HomeAddressCity: "Berlin"}
    assert {tag: shown.child_text(tag) for tag in said} == said
    assert not {Contacts.FirstName, Contacts.Birthday, Contacts.Categories} & {one.tag for one in shown}
    result = client.apply_contact_changes(book, result.sync_key, [ContactChange(name, delete=True)])
    assert result.statuses == {name: "1"}
    assert phone.sync(book).deleted == [name]
