"""Ping: its statuses, its stored parameters, and what ends it (MS-ASCMD 2.2.1.13, 3.1.5.8)."""

from __future__ import annotations

import shutil
import time

import pytest

from tests.blackbox.conftest import MakePhone
from tests.support import held, messages
from tests.support.dovecot import Dovecot
from tests.support.dovecot_config import Options, mail_owner
from tests.support.gateway import Gateway
from tests.support.phone import Answer, Phone
from tests.support.smtp_sink import SmtpSink
from wbxml import Element, element
from wbxml.pages import FolderHierarchy, Move, Ping

SHORT = {"eas": {"heartbeat_min": 1}}


def folder(identity: str, kind: str = "Email") -> Element:
    return element(Ping.Folder, element(Ping.Id, identity), element(Ping.Class, kind))


def request(interval: int | str | None, *folders: Element) -> Element:
    made = element(Ping.Ping)
    if interval is not None:
        made.add(Ping.HeartbeatInterval, str(interval))
    if folders:
        made.append(element(Ping.Folders, *folders))
    return made


def told(answer: Answer) -> list[tuple[str, str]]:
    assert answer.root.tag is Ping.Ping
    return [(child.tag.name, child.text()) for child in answer.root]


def changed(answer: Answer) -> list[str]:
    """The folders of an answer with Status 2: each the text of a Folder element."""
    assert [child.tag.name for child in answer.root] == ["Status", "Folders"]
    assert answer.root.child_text(Ping.Status) == "2"
    folders = answer.root.children[1]
    assert all(one.tag is Ping.Folder and not one.children for one in folders)
    return [one.text() for one in folders]


SOON = 20
"""Seconds, on a busy machine too: less than until a Ping of a minute ends."""
LONG = 600
"""A Ping of so many seconds looks for nothing by itself: what ends it was told by the mail server."""


class Held(held.Held):
    """A Ping under way in a thread."""

    def __init__(self, phone: Phone, body: Element | None) -> None:
        super().__init__(phone, lambda: phone.post("Ping", body, seconds=held.SECONDS))
        assert not self.answers


def ready(phone: Phone, *names: str) -> list[str]:
    """The ids of folders that the phone has synchronised."""
    folders = phone.folders()
    for name in names:
        phone.begin(folders[name])
        phone.sync(folders[name])
    return [folders[name] for name in names]


def test_new_mail_ends_it_long_before_mailboxes_are_polled(some_phone: Phone, dovecot: Dovecot) -> None:
    (inbox,) = ready(some_phone, "Inbox")
    held = Held(some_phone, request(LONG, folder(inbox)))
    answer = held.answer_to(lambda: dovecot.deliver(some_phone.user, messages.plain("pushed")))
    assert changed(answer) == [inbox]


def test_mail_in_another_folder_ends_it_too(phone: Phone, dovecot: Dovecot) -> None:
    with dovecot.imap(phone.user) as imap:
        imap.create("Work")
    inbox, work = ready(phone, "Inbox", "Work")
    held = Held(phone, request(LONG, folder(inbox), folder(work)))
    answer = held.answer_to(lambda: dovecot.deliver(phone.user, messages.plain("pushed"), "Work"))
    assert changed(answer) == [work]


def test_mail_that_waits_already_is_told_at_once(each_phone: Phone, dovecot: Dovecot) -> None:
    (inbox,) = ready(each_phone, "Inbox")
    dovecot.deliver(each_phone.user, messages.plain("new"))
    started = time.monotonic()
    assert changed(each_phone.post("Ping", request(60, folder(inbox)))) == [inbox]
    assert changed(each_phone.post("Ping", request(60, folder(inbox)))) == [inbox]  # a Ping proves nothing
    assert time.monotonic() - started < SOON


def test_what_the_device_moved_itself_does_not_end_it(phone: Phone, dovecot: Dovecot) -> None:
    dovecot.deliver(phone.user, messages.plain("to be moved"))
    inbox, archive = ready(phone, "Inbox", "Archive")
    dovecot.deliver(phone.user, messages.plain("to be moved too"))
    (item,) = phone.sync(inbox).added
    held = Held(phone, request(3, folder(archive), folder(inbox)))
    asked = element(
        Move.Move,
        element(Move.SrcMsgId, item),
        element(Move.SrcFldId, inbox),
        element(Move.DstFldId, archive),
    )
    (moved,) = phone.post("MoveItems", element(Move.MoveItems, asked)).root
    assert moved.child_text(Move.Status) == "3"
    assert told(held.answer()) == [("Status", "1")]
    held = Held(phone, request(60, folder(archive)))
    dovecot.deliver(phone.user, messages.plain("pushed"), "Archive")
    assert changed(held.answer()) == [archive]


def test_mail_that_comes_while_the_mail_server_is_away_is_told(user: str) -> None:
    with (
        Dovecot(Options(storage="maildir")) as dovecot,
        SmtpSink() as sink,
        Gateway(dovecot, sink) as gateway,
    ):
        phone = Phone(gateway.host, gateway.port, user, dovecot.password)
        phone.provision()
        (inbox,) = ready(phone, "Inbox")
        held = Held(phone, request(60, folder(inbox)))
        dovecot.stop()
        arriving = dovecot.place.mail / user / "mail" / "new" / "1.delivered.test"
        arriving.write_bytes(messages.plain("while nobody watched"))
        shutil.chown(arriving, *mail_owner())
        assert not held.answers
        dovecot.restart()
        assert changed(held.answer()) == [inbox]


def test_the_interval_ends_it_with_1(some_phone: Phone) -> None:
    (inbox,) = ready(some_phone, "Inbox")
    assert told(some_phone.post("Ping", request(1, folder(inbox)))) == [("Status", "1")]


def test_a_short_one_looks_once_more_where_mailboxes_are_polled(dovecot_bare: Dovecot, user: str) -> None:
    with SmtpSink(auth=True) as sink, Gateway(dovecot_bare, sink, sections=SHORT) as gateway:
        phone = Phone(gateway.host, gateway.port, user, dovecot_bare.password)
        phone.provision()
        inbox, trash = ready(phone, "Inbox", "Trash")
        with dovecot_bare.imap(user) as imap:
            names = [
                line.split()[-1].strip(b'"').decode() for line in imap.list()[1] if isinstance(line, bytes)
            ]
        (mailbox,) = [name for name in names if name.endswith("Trash")]
        held = Held(phone, request(10, folder(inbox), folder(trash)))
        dovecot_bare.deliver(user, messages.plain("not told of"), mailbox)
        assert changed(held.answer()) == [trash]


def test_changes_and_deletions_do_not_end_it(phone: Phone, dovecot: Dovecot) -> None:
    for number in range(3):
        dovecot.deliver(phone.user, messages.plain(f"mail {number}"))
    (inbox,) = ready(phone, "Inbox")
    held = Held(phone, request(3, folder(inbox)))
    with dovecot.imap(phone.user) as imap:
        imap.select("INBOX")
        imap.store("1", "+FLAGS", "\\Seen")
        imap.store("2", "+FLAGS", "\\Deleted")
        imap.expunge()
    assert told(held.answer()) == [("Status", "1")]


def test_nothing_stored_is_3(each_phone: Phone) -> None:
    (inbox,) = ready(each_phone, "Inbox")
    assert told(each_phone.post("Ping")) == [("Status", "3")]
    assert told(each_phone.post("Ping", request(60))) == [("Status", "3")]
    assert told(each_phone.post("Ping", request(None, folder(inbox)))) == [("Status", "3")]


def test_parameters_are_stored_each_for_itself(phone: Phone, dovecot: Dovecot) -> None:
    inbox, trash = ready(phone, "Inbox", "Trash")
    expired = [("Status", "1")]
    assert told(phone.post("Ping", request(1, folder(inbox)))) == expired
    assert told(phone.post("Ping")) == expired
    assert told(phone.post("Ping", request(None, folder(trash)))) == expired
    dovecot.deliver(phone.user, messages.plain("in the inbox"))
    assert told(phone.post("Ping")) == expired  # the trash alone is watched
    assert told(phone.post("Ping", request(1))) == expired
    assert changed(phone.post("Ping", request(None, folder(inbox)))) == [inbox]


def test_a_folder_may_be_text(phone: Phone, dovecot: Dovecot) -> None:
    (inbox,) = ready(phone, "Inbox")
    dovecot.deliver(phone.user, messages.plain("new"))
    assert changed(phone.post("Ping", request(60, element(Ping.Folder, inbox)))) == [inbox]


def test_an_empty_list_of_folders_means_those_stored(phone: Phone, dovecot: Dovecot) -> None:
    (inbox,) = ready(phone, "Inbox")
    phone.post("Ping", request(1, folder(inbox)))
    dovecot.deliver(phone.user, messages.plain("new"))
    body = element(Ping.Ping, element(Ping.HeartbeatInterval, 60), element(Ping.Folders))
    assert changed(phone.post("Ping", body)) == [inbox]


@pytest.mark.parametrize(
    "body",
    [
        request(60, folder("1"), folder("1")),
        request("soon", folder("1")),
        request(60, element(Ping.Folder, element(Ping.Class, "Email"))),
        request(60, element(Ping.Folder)),
    ],
    ids=["twice", "no number", "no id", "empty"],
)
def test_what_makes_no_sense_is_4(some_phone: Phone, body: Element) -> None:
    some_phone.folders()
    assert told(some_phone.post("Ping", body)) == [("Status", "4")]


@pytest.mark.parametrize(
    ("interval", "allowed"),
    [(0, "1"), (-1, "1"), (3541, "3540"), (10**10, "3540"), ("9" * 5000, "3540")],
    ids=["0", "-1", "3541", "11 digits", "5000 digits"],
)
def test_an_interval_out_of_bounds_is_5(some_phone: Phone, interval: int | str, allowed: str) -> None:
    (inbox,) = ready(some_phone, "Inbox")
    answer = some_phone.post("Ping", request(interval, folder(inbox)))
    assert told(answer) == [("Status", "5"), ("HeartbeatInterval", allowed)]


def test_too_many_folders_are_6(some_phone: Phone) -> None:
    many = [folder(f"x{number}") for number in range(21)]
    assert told(some_phone.post("Ping", request(60, *many))) == [("Status", "6"), ("MaxFolders", "20")]


def test_a_folder_that_is_not_there_is_7(some_phone: Phone, dovecot: Dovecot) -> None:
    with dovecot.imap(some_phone.user) as imap:
        imap.create("Work")
    inbox, work = ready(some_phone, "Inbox", "Work")
    assert told(some_phone.post("Ping", request(60, folder(inbox), folder("999")))) == [("Status", "7")]
    with dovecot.imap(some_phone.user) as imap:
        imap.delete("Work")
    assert told(some_phone.post("Ping", request(60, folder(inbox), folder(work)))) == [("Status", "7")]


@pytest.mark.parametrize("how", ["deleted", "renamed"])
def test_a_folder_that_goes_while_it_is_watched_is_7(phone: Phone, dovecot: Dovecot, how: str) -> None:
    with dovecot.imap(phone.user) as imap:
        imap.create("Work")
    inbox, work = ready(phone, "Inbox", "Work")
    held = Held(phone, request(60, folder(inbox), folder(work)))
    with dovecot.imap(phone.user) as imap:
        if how == "deleted":
            imap.delete("Work")
        else:
            imap.rename("Work", "Job")
    assert told(held.answer()) == [("Status", "7")]


HIERARCHY_CHANGED, EXPIRED = [("Status", "7")], [("Status", "1")]


def create(phone: Phone, key: str, name: str, kind: int = 12) -> str:
    """Have a phone create a folder; returns its next key."""
    answer = phone.post(
        "FolderCreate",
        element(
            FolderHierarchy.FolderCreate,
            element(FolderHierarchy.SyncKey, key),
            element(FolderHierarchy.ParentId, "0"),
            element(FolderHierarchy.DisplayName, name),
            element(FolderHierarchy.Type, kind),
        ),
    )
    assert answer.root.child_text(FolderHierarchy.Status) == "1"
    return answer.root.child_text(FolderHierarchy.SyncKey) or ""


def hierarchy(phone: Phone, key: str = "0") -> tuple[str, int]:
    """The next key of a FolderSync, and how many changes it told."""
    asked = element(FolderHierarchy.FolderSync, element(FolderHierarchy.SyncKey, key))
    root = phone.post("FolderSync", asked).root
    changes = root.find(FolderHierarchy.Changes)
    assert changes is not None
    return root.child_text(FolderHierarchy.SyncKey) or "", int(changes.child_text(FolderHierarchy.Count) or 0)


@pytest.mark.parametrize("kind", [12, 13], ids=["of mail", "of items"])
def test_a_folder_another_device_makes_is_7_until_it_is_known(
    phone: Phone, new_phone: MakePhone, kind: int
) -> None:
    (inbox,) = ready(phone, "Inbox")
    key, _ = hierarchy(phone)
    other = new_phone(device="PHONE2")
    other.provision()
    others, _ = hierarchy(other)
    assert told(phone.post("Ping", request(1, folder(inbox)))) == EXPIRED
    others = create(other, others, "Before", kind)
    assert told(phone.post("Ping", request(60, folder(inbox)))) == HIERARCHY_CHANGED
    assert told(phone.post("Ping", request(60, folder(inbox)))) == HIERARCHY_CHANGED
    key, count = hierarchy(phone, key)
    assert count == 1
    assert told(phone.post("Ping", request(1, folder(inbox)))) == EXPIRED
    held = Held(phone, request(60, folder(inbox)))
    create(other, others, "Meanwhile", kind)
    assert told(held.answer()) == HIERARCHY_CHANGED
    key, count = hierarchy(phone, key)
    assert count == 1
    assert told(phone.post("Ping", request(1, folder(inbox)))) == EXPIRED


def test_a_folder_the_device_makes_itself_does_not_end_it(phone: Phone) -> None:
    (inbox,) = ready(phone, "Inbox")
    key, _ = hierarchy(phone)
    held = Held(phone, request(3, folder(inbox)))
    create(phone, key, "Mine")
    assert told(held.answer()) == EXPIRED


@pytest.mark.parametrize("how", ["created", "deleted", "renamed"])
def test_a_mailbox_that_comes_or_goes_elsewhere_is_7(phone: Phone, dovecot: Dovecot, how: str) -> None:
    with dovecot.imap(phone.user) as imap:
        imap.create("Work")
    (inbox,) = ready(phone, "Inbox")
    held = Held(phone, request(60, folder(inbox)))
    with dovecot.imap(phone.user) as imap:
        if how == "created":
            imap.create("Job")
        elif how == "deleted":
            imap.delete("Work")
        else:
            imap.rename("Work", "Job")
    assert told(held.answer()) == HIERARCHY_CHANGED
    key, _ = hierarchy(phone)
    assert told(phone.post("Ping", request(1, folder(inbox)))) == EXPIRED
    assert hierarchy(phone, key)[1] == 0


def test_a_folder_never_synchronised_is_no_error(phone: Phone, dovecot: Dovecot) -> None:
    inbox = phone.folders()["Inbox"]
    dovecot.deliver(phone.user, messages.plain("there before"))
    held = Held(phone, request(60, folder(inbox)))
    answer = held.answer_to(lambda: dovecot.deliver(phone.user, messages.plain("new")))
    assert changed(answer) == [inbox]


def test_the_outbox_may_be_watched(phone: Phone) -> None:
    (outbox,) = ready(phone, "Outbox")
    assert told(phone.post("Ping", request(1, folder(outbox)))) == [("Status", "1")]


def test_a_newer_ping_ends_the_older_but_not_that_of_another_device(
    phone: Phone, new_phone: MakePhone, dovecot: Dovecot
) -> None:
    (inbox,) = ready(phone, "Inbox")
    other = new_phone(device="PHONE2")
    other.provision()
    ready(other, "Inbox")
    older, others = Held(phone, request(60, folder(inbox))), Held(other, request(60, folder(inbox)))
    started = time.monotonic()
    assert told(phone.post("Ping", request(1, folder(inbox)))) == [("Status", "1")]
    assert told(older.answer()) == [("Status", "1")]
    assert time.monotonic() - started < SOON
    assert not others.answers
    dovecot.deliver(phone.user, messages.plain("pushed"))
    assert changed(others.answer()) == [inbox]


def test_the_server_answers_what_it_holds_when_it_stops(dovecot: Dovecot, user: str) -> None:
    with SmtpSink(auth=True) as sink, Gateway(dovecot, sink) as gateway:
        phone = Phone(gateway.host, gateway.port, user, dovecot.password)
        phone.provision()
        (inbox,) = ready(phone, "Inbox")
        held = Held(phone, request(600, folder(inbox)))
        started = time.monotonic()
        assert gateway.terminate() == 0
        assert told(held.answer()) == [("Status", "1")]
        assert time.monotonic() - started < SOON
