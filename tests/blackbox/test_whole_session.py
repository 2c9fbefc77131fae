"""A phone's whole day in each protocol version: set up, list, read, mark, delete, send, be pushed."""

from __future__ import annotations

import base64

from gateway.demo.samples import samples
from tests.blackbox.test_itemoperations import fetched, file, item, post
from tests.blackbox.test_ping import Held, changed, folder, request
from tests.blackbox.test_sendmail import mime, send
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.phone import Phone
from tests.support.smtp_sink import SmtpSink
from wbxml import Element, element
from wbxml.pages import AirSync, AirSyncBase, Email, ItemOperations

HTML = element(
    AirSyncBase.BodyPreference, element(AirSyncBase.Type, 2), element(AirSyncBase.TruncationSize, 4096)
)
WINDOW = element(AirSync.WindowSize, 5)
OPTIONS = element(AirSync.Options, element(AirSync.FilterType, 0), HTML)


def synced(phone: Phone, inbox: str) -> dict[str, Element]:
    """All windows of a folder."""
    phone.begin(inbox)
    held: dict[str, Element] = {}
    while True:
        served = phone.sync(inbox, WINDOW, OPTIONS)
        assert len(served.added) <= 5
        assert not held.keys() & served.added.keys()
        held |= served.added
        if not served.more:
            return held


def commands(*operations: Element) -> Element:
    return element(AirSync.Commands, *operations)


def test_the_whole_session(each_phone: Phone, dovecot: Dovecot, sink: SmtpSink) -> None:
    phone = each_phone
    for sample in samples(messages.DATE):
        if sample.mailbox == "INBOX":
            dovecot.deliver(phone.user, sample.message, flags=sample.flags, received=sample.received)
    file_message = messages.with_attachments(
        "with a file", messages.Attachment("a.txt", "text/plain", b"abc")
    )
    dovecot.deliver(phone.user, file_message)

    folders = phone.folders()
    inbox = folders["Inbox"]
    held = synced(phone, inbox)
    with dovecot.imap(phone.user) as imap:
        assert int(imap.select("INBOX", readonly=True)[1][0] or 0) == len(held)
    assert all(data.find(AirSyncBase.Body) for data in held.values())

    (name,) = [name for name, data in held.items() if data.child_text(Email.Subject) == "with a file"]
    attachments = held[name].find(AirSyncBase.Attachments)
    assert attachments is not None
    reference = attachments.children[0].child_text(AirSyncBase.FileReference) or ""
    whole, part = fetched(post(phone, item(inbox, name), file(reference)).root)
    shown = whole.find(ItemOperations.Properties)
    assert shown is not None
    assert shown.child_text(Email.Subject) == "with a file"
    data = part.find(ItemOperations.Properties)
    assert data is not None
    assert base64.b64decode(data.child_text(ItemOperations.Data) or "") == b"abc"

    unread = next(one for one, data in held.items() if data.child_text(Email.Read) == "0" and one != name)
    read = element(
        AirSync.Change,
        element(AirSync.ServerId, unread),
        element(AirSync.ApplicationData, element(Email.Read, 1)),
    )
    gone = element(AirSync.Delete, element(AirSync.ServerId, name))
    served = phone.sync(inbox, commands(read, gone))
    assert (served.status, served.responses, served.changed, served.deleted) == ("1", [], {}, [])
    with dovecot.imap(phone.user) as imap:
        imap.select("Trash", readonly=True)
        assert imap.search(None, "SUBJECT", '"with a file"')[1] == [b"1"]

    ping = Held(phone, request(30, folder(inbox)))
    assert send(phone, mime(phone, f"To: {phone.user}@example.test"), save=True).empty
    (sent,) = sink.received
    dovecot.deliver(phone.user, sent.data)
    assert changed(ping.answer()) == [inbox]
    served = phone.sync(inbox)
    assert [data.child_text(Email.Subject) for data in served.added.values()] == ["greeting"]
    (copy,) = synced(phone, folders["Sent"]).values()
    assert copy.child_text(Email.Read) == "1"
