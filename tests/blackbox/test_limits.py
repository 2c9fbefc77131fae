"""A mailbox that is full, and one that may only be read: what is refused, what waits, and what goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.blackbox.test_folder_changes import create
from tests.blackbox.test_foldersync import key
from tests.blackbox.test_moveitems import move, moved
from tests.blackbox.test_sendmail import kept, mime, send
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.dovecot_config import Options
from tests.support.gateway import Gateway
from tests.support.phone import Phone, change, commands, delete, statuses
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import eventually
from wbxml import element
from wbxml.pages import AirSync, AirSyncBase, Email, FolderHierarchy

ROOM = 3


@dataclass(frozen=True, slots=True)
class Place:
    """A server with room for few messages and a mailbox that is read only, and the gateway before it."""

    dovecot: Dovecot
    gateway: Gateway
    sink: SmtpSink

    def phone(self, user: str, version: str = "16.1") -> Phone:
        phone = Phone(self.gateway.host, self.gateway.port, user, self.dovecot.password, version=version)
        phone.provision()
        return phone


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with ExitStack() as stack:
        dovecot = stack.enter_context(Dovecot(Options(messages=ROOM, read_only="Archive")))
        sink = stack.enter_context(SmtpSink(auth=True))
        yield Place(dovecot, stack.enter_context(Gateway(dovecot, sink)), sink)


def full(place: Place, phone: Phone) -> tuple[dict[str, str], list[str]]:
    """The folders, and the messages in the INBOX after which there is no more room."""
    for number in range(ROOM):
        place.dovecot.deliver(phone.user, messages.plain(f"mail {number}"))
    folders = phone.folders()
    phone.begin(folders["Inbox"])
    return folders, list(phone.sync(folders["Inbox"]).added)


def test_what_is_sent_is_kept_when_there_is_room_again(place: Place, user: str) -> None:
    place.sink.clear()
    phone = place.phone(user)
    folders, items = full(place, phone)
    assert send(phone, mime(phone), save=True).empty
    assert len(place.sink.received) == 1
    assert kept(place.dovecot, phone) == []
    served = phone.sync(folders["Inbox"], element(AirSync.DeletesAsMoves, 0), commands(delete(items[0])))
    assert (served.status, statuses(served)) == ("1", [])
    eventually(lambda: bool(kept(place.dovecot, phone)))
    assert len(kept(place.dovecot, phone)) == 1
    assert len(place.sink.received) == 1


def test_deleting_and_moving_need_no_room(place: Place, user: str) -> None:
    phone = place.phone(user)
    folders, items = full(place, phone)
    served = phone.sync(folders["Inbox"], commands(delete(items[0])))
    assert (served.status, statuses(served)) == ("1", [])
    ((_, status, _),) = moved(phone, move(items[1], folders["Inbox"], folders["Junk"]))
    assert status == "3"


def test_a_draft_is_refused_as_there_is_no_room(place: Place, user: str) -> None:
    phone = place.phone(user)
    folders, _ = full(place, phone)
    drafts = folders["Drafts"]
    phone.begin(drafts)
    body = element(AirSyncBase.Body, element(AirSyncBase.Type, 1), element(AirSyncBase.Data, "text"))
    data = element(AirSync.ApplicationData, element(Email.Subject, "draft"), body)
    served = phone.sync(drafts, commands(element(AirSync.Add, element(AirSync.ClientId, "d1"), data)))
    assert (served.status, statuses(served)) == ("1", [("Add", "d1", "9")])


def test_a_mailbox_that_may_only_be_read(place: Place, user: str) -> None:
    phone = place.phone(user)
    place.dovecot.deliver(user, messages.plain("mail"))
    folders = phone.folders()
    inbox, archive = folders["Inbox"], folders["Archive"]
    phone.begin(inbox)
    phone.begin(archive)
    (item,) = phone.sync(inbox).added
    ((_, status, _),) = moved(phone, move(item, inbox, archive))
    assert status == "5"
    served = phone.sync(inbox, commands(change(item, element(Email.Read, 1))))
    assert (served.status, statuses(served), served.deleted) == ("1", [], [])
    below = phone.post("FolderCreate", create(key(phone.folder_sync()), archive, "Below")).root
    assert below.child_text(FolderHierarchy.Status) not in {None, "1"}
    assert "Below" not in phone.folders()
