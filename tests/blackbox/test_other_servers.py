"""A phone's session on servers other than the usual: no extension alike, and only an INBOX to begin with."""

from __future__ import annotations

import imaplib
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.blackbox.test_folder_changes import create, created, status
from tests.blackbox.test_foldersync import key
from tests.blackbox.test_itemoperations import fetched, item, post
from tests.blackbox.test_moveitems import move, moved
from tests.blackbox.test_ping import Held, changed, folder, request
from tests.blackbox.test_sendmail import mime, send
from tests.support import messages
from tests.support.courier import Courier
from tests.support.cyrus import Cyrus
from tests.support.dovecot import Dovecot
from tests.support.dovecot_config import PASSWORD, Options
from tests.support.gateway import Gateway
from tests.support.phone import Phone, change, commands, delete, statuses
from tests.support.smtp_sink import SmtpSink
from wbxml import element
from wbxml.pages import AirSyncBase, Email, ItemOperations


@dataclass(frozen=True, slots=True)
class Place:
    """A mail server that names mailboxes in its way, the gateway before it, and where its mail goes."""

    host: str
    port: int
    prefix: str
    delimiter: str
    gateway: Gateway
    sink: SmtpSink

    def imap(self, user: str) -> imaplib.IMAP4:
        client = imaplib.IMAP4(self.host, self.port, timeout=10)
        client.login(user, PASSWORD)
        return client

    def deliver(self, user: str, *several: bytes, mailbox: str = "INBOX") -> None:
        with self.imap(user) as client:
            for message in several:
                assert client.append(mailbox, "", "", message)[0] == "OK"

    def phone(self, user: str, version: str, device: str = "PHONE1") -> Phone:
        phone = Phone(self.gateway.host, self.gateway.port, user, PASSWORD, version=version, device=device)
        phone.provision()
        return phone

    def subjects(self, user: str, mailbox: str) -> list[str]:
        with self.imap(user) as client:
            assert (
                client.select(self.prefix + mailbox if mailbox != "INBOX" else mailbox, readonly=True)[0]
                == "OK"
            )
            numbers = client.search(None, "ALL")[1][0].split()
            found = [client.fetch(one, "(BODY[HEADER.FIELDS (SUBJECT)])")[1][0] for one in numbers]
        texts = [piece[1].decode() for piece in found if isinstance(piece, tuple)]
        return sorted(text.partition(": ")[2].strip() for text in texts)

    def flags(self, user: str, subject: str) -> set[str]:
        with self.imap(user) as client:
            client.select("INBOX", readonly=True)
            (number,) = client.search(None, "SUBJECT", f'"{subject}"')[1][0].split()
            told = client.fetch(number, "(FLAGS)")[1][0]
        assert isinstance(told, bytes)
        return set(re.findall(r"\\\w+|\$\w+", told.decode())) - {"\\Recent"}


@pytest.fixture(scope="module", params=["prefix", "cyrus", "courier"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with ExitStack() as stack:
        server: Dovecot | Cyrus | Courier
        if request.param == "prefix":
            server = Dovecot(Options(separator=".", prefix="INBOX.", storage="maildir"))
        else:
            server = Cyrus() if request.param == "cyrus" else Courier()
        stack.enter_context(server)
        sink = stack.enter_context(SmtpSink(auth=True))
        sections = {"imap": {"poll_interval": 1}, "eas": {"heartbeat_min": 1}}
        gateway = stack.enter_context(Gateway(server, sink, sections=sections))
        prefix = "" if request.param == "cyrus" else "INBOX."
        delimiter = "/" if request.param == "cyrus" else "."
        yield Place(server.host, server.port, prefix, delimiter, gateway, sink)


@pytest.mark.parametrize("version", ["12.1", "14.0", "16.1"])
def test_the_whole_session(place: Place, user: str, version: str) -> None:
    place.sink.clear()
    place.deliver(user, *(messages.plain(f"mail {number}") for number in range(8)))
    phone = place.phone(user, version)
    folders = phone.folders()
    assert {"Inbox", "Drafts", "Outbox"} <= set(folders)
    inbox = folders["Inbox"]
    phone.begin(inbox)
    items = {data.child_text(Email.Subject) or "": name for name, data in phone.sync(inbox).added.items()}
    assert sorted(items) == [f"mail {number}" for number in range(8)]

    # Reading, flagging, and what another program does to the same message.
    (whole,) = fetched(post(phone, item(inbox, items["mail 0"])).root)
    shown = whole.find(ItemOperations.Properties)
    assert shown is not None
    assert shown.find(AirSyncBase.Body) is not None
    flag = element(Email.Flag, element(Email.Status, 2), element(Email.FlagType, "for Follow Up"))
    marks = commands(
        change(items["mail 0"], element(Email.Read, 1)), change(items["mail 1"], element(Email.Read, 1), flag)
    )
    served = phone.sync(inbox, marks)
    assert (served.status, served.responses, served.changed) == ("1", [], {})
    assert place.flags(user, "mail 0") == {"\\Seen"}
    assert place.flags(user, "mail 1") == {"\\Seen", "\\Flagged"}
    with place.imap(user) as client:
        client.select("INBOX")
        client.store("1", "-FLAGS", "(\\Seen)")
    served = phone.sync(inbox)
    assert [served.changed[items["mail 0"]].child_text(Email.Read)] == ["0"]
    assert (served.added, served.deleted) == ({}, [])

    # Deleting goes to Trash, which may have to be made first; a second phone sees it go.
    other = place.phone(user, "16.1", "PHONE2")
    other.folders()
    other.begin(inbox)
    assert sorted(other.sync(inbox).added) == sorted(items.values())
    served = phone.sync(inbox, commands(delete(items["mail 2"]), delete(items["mail 3"])))
    assert (served.status, statuses(served), served.deleted) == ("1", [], []), place.gateway.log()[-6000:]
    assert place.subjects(user, "Trash") == ["mail 2", "mail 3"]
    assert sorted(other.sync(inbox).deleted) == sorted([items["mail 2"], items["mail 3"]])

    # Moving into a folder made by the phone, and back.
    work, _ = created(phone, key(phone.folder_sync()), "0", "Work & Play")
    (answer,) = moved(phone, move(items["mail 4"], inbox, work))
    assert answer[:2] == (items["mail 4"], "3")
    phone.begin(work)
    held = phone.sync(work).added
    assert {name: data.child_text(Email.Subject) for name, data in held.items()} == {answer[2]: "mail 4"}
    (back,) = moved(phone, move(answer[2], work, inbox))
    assert back[1] == "3"
    assert len(place.subjects(user, "INBOX")) == 6

    # Sending with a copy, and being told of what comes back.
    phone.sync(inbox)
    ping = Held(phone, request(30, folder(inbox)))
    assert send(phone, mime(phone, f"To: {phone.user}@example.test"), save=True).empty
    (sent,) = place.sink.received
    place.deliver(user, sent.data)
    assert changed(ping.answer()) == [inbox]
    served = phone.sync(inbox)
    assert "greeting" in [data.child_text(Email.Subject) for data in served.added.values()]
    assert place.subjects(user, "Sent") == ["greeting"]
    sent_folder = phone.folders()["Sent"]
    phone.begin(sent_folder)
    (copy,) = phone.sync(sent_folder).added.values()
    assert copy.child_text(Email.Read) == "1"
    assert place.sink.received == [sent]


def test_a_folder_without_one_above_it_and_names_that_differ_in_case(place: Place, user: str) -> None:
    name = f"{place.prefix}Above{place.delimiter}Below"
    with place.imap(user) as client:
        assert client.create(name)[0] == "OK"
    place.deliver(user, messages.plain("deep"), mailbox=name)
    phone = place.phone(user, "16.1")
    folders = phone.folders()
    (below,) = [folder for shown, folder in folders.items() if shown.endswith("Below")]
    phone.begin(below)
    (item,) = phone.sync(below).added
    ((_, outcome, _),) = moved(phone, move(item, below, folders["Inbox"]))
    assert outcome == "3"
    _, current = created(phone, key(phone.folder_sync()), "0", "Work")
    assert status(phone, create(current, "0", "WORK")) == "2"
    assert "WORK" not in phone.folders()
