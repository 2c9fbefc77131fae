"""MoveItems (MS-ASCMD 2.2.1.12), on servers that tell where a message went and on one that does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from tests.blackbox.test_folder_changes import ALL_KINDS, SOME_KINDS, Place, over, place, places
from tests.support import messages
from tests.support.phone import Phone, change, commands, delete, statuses
from wbxml import Element, element
from wbxml.pages import AirSync, Email, ItemOperations
from wbxml.pages import Move as Page

__all__ = ["place", "places"]


def move(item: str, source: str, *targets: str) -> Element:
    return element(
        Page.Move,
        element(Page.SrcMsgId, item),
        element(Page.SrcFldId, source),
        *(element(Page.DstFldId, target) for target in targets),
    )


def moved(phone: Phone, *moves: Element) -> list[tuple[str, str, str]]:
    """Item, Status and new item of each move asked for."""
    root = phone.post("MoveItems", element(Page.MoveItems, *moves)).root
    found = []
    for response in root:
        names = [child.tag.name for child in response]
        assert names in (["SrcMsgId", "Status"], ["SrcMsgId", "Status", "DstMsgId"]), names
        values = [child.text() for child in response]
        found.append((values[0], values[1], values[2] if len(values) == 3 else ""))
    return found


def at_once(*asked: Callable[[], object]) -> None:
    with ThreadPoolExecutor(len(asked)) as pool:
        for done in [pool.submit(one) for one in asked]:
            done.result()


@dataclass
class Account:
    """Mail in the INBOX, and a phone that is up to date with it and with two further folders."""

    place: Place
    user: str
    version: str
    phone: Phone = field(init=False)

    def __post_init__(self) -> None:
        for name in ("Work", "Home"):
            with self.place.dovecot.imap(self.user) as imap:
                imap.create(self.place.name(name))
        for number in range(4):
            self.place.dovecot.deliver(self.user, messages.plain(f"mail {number}"))
        self.phone = self.in_step("PHONE1", self.version)

    def in_step(self, device: str, version: str = "16.1") -> Phone:
        phone = self.place.phone(self.user, version, device)
        self.folders = phone.folders()
        for name in ("Inbox", "Work", "Home", "Trash"):
            phone.begin(self.folders[name])
            added = phone.sync(self.folders[name]).added
            if name == "Inbox":
                self.items = {data.child_text(Email.Subject): item for item, data in added.items()}
        return phone

    def item(self, number: int) -> str:
        return self.items[f"mail {number}"]

    def subjects(self, *mailbox: str) -> list[str]:
        name = self.place.name(*mailbox) if mailbox else "INBOX"
        with self.place.dovecot.imap(self.user) as imap:
            imap.select(name, readonly=True)
            numbers = imap.search(None, "ALL")[1][0].split()
            found = [imap.fetch(one, "(BODY[HEADER.FIELDS (SUBJECT)])")[1][0] for one in numbers]
        texts = [piece[1].decode() for piece in found if isinstance(piece, tuple)]
        return sorted(text.partition(": ")[2].strip() for text in texts)

    def quiet(self, phone: Phone, *names: str) -> None:
        for name in names:
            served = phone.sync(self.folders[name])
            assert served.status == "1"
            told = {*served.added, *served.changed, *served.deleted, *served.soft_deleted}
            assert not told, name


@pytest.fixture
def account(place: Place, version: str, user: str) -> Account:
    return Account(place, user, version)


@over(ALL_KINDS)
def test_messages_move_and_only_other_phones_are_told(account: Account) -> None:
    phone, other = account.phone, account.in_step("PHONE2")
    inbox, work = account.folders["Inbox"], account.folders["Work"]
    one, two = account.item(1), account.item(2)
    found = moved(phone, move(one, inbox, work), move(two, inbox, work))
    assert [(item, status) for item, status, _ in found] == [(one, "3"), (two, "3")]
    first, second = (item for _, _, item in found)
    assert account.subjects() == ["mail 0", "mail 3"]
    assert account.subjects("Work") == ["mail 1", "mail 2"]
    account.quiet(phone, "Inbox", "Work")
    assert sorted(other.sync(inbox).deleted) == sorted([one, two])
    added = other.sync(work).added
    assert {data.child_text(Email.Subject): item for item, data in added.items()} == {
        "mail 1": first,
        "mail 2": second,
    }
    # The new ids are good at once, and what others do there is told.
    served = phone.sync(work, commands(change(first, element(Email.Read, 1))))
    assert (served.status, served.responses) == ("1", [])
    assert list(other.sync(work).changed) == [first]
    assert not other.sync(work, commands(delete(second))).responses
    assert phone.sync(work).deleted == [second]
    account.quiet(phone, "Inbox", "Work")


@over(SOME_KINDS)
def test_a_repeated_request_gets_the_same_answer_whatever_came_between(account: Account) -> None:
    phone = account.phone
    inbox, work, home = (account.folders[name] for name in ("Inbox", "Work", "Home"))
    ask = [move(account.item(number), inbox, work) for number in range(3)]
    found = moved(phone, *ask)
    assert [status for _, status, _ in found] == ["3"] * 3
    assert moved(phone, *ask) == found
    account.quiet(phone, "Inbox", "Work")
    assert moved(phone, *ask) == found
    # Not even a move of one of them onwards changes what the first move was answered.
    onwards = moved(phone, move(found[0][2], work, home))
    assert onwards[0][1] == "3"
    assert moved(phone, *ask) == found
    assert account.subjects("Work") == ["mail 1", "mail 2"]
    assert account.subjects("Home") == ["mail 0"]
    assert account.subjects() == ["mail 3"]
    # A repeat says where it once was; that it is not there any more comes with the next Sync.
    assert phone.sync(work).deleted == [found[0][2]]
    account.quiet(phone, "Inbox", "Work", "Home")


@over(SOME_KINDS)
def test_what_changed_between_a_lost_answer_and_its_repeat_is_told(account: Account) -> None:
    phone, inbox, work = account.phone, account.folders["Inbox"], account.folders["Work"]
    ask = [move(account.item(number), inbox, work) for number in range(3)]
    lost = moved(phone, *ask)
    with account.place.dovecot.imap(account.user) as imap:
        imap.select(account.place.name("Work"))
        imap.store("1", "+FLAGS", "\\Flagged")
        imap.store("2", "+FLAGS", "\\Deleted")
        imap.expunge()
    told = phone.sync(work)  # of messages that it does not have there yet
    first, second = lost[0][2], lost[1][2]
    assert (list(told.changed), told.deleted) == ([first], [second])
    assert moved(phone, *ask) == lost
    told = phone.sync(work)
    assert list(told.changed) == [first]
    flag = told.changed[first].find(Email.Flag)
    assert flag is not None
    assert flag.child_text(Email.Status) == "2"
    assert told.deleted == [second]
    account.quiet(phone, "Inbox", "Work")


@over(SOME_KINDS)
def test_a_lost_sync_answer_around_a_move(account: Account) -> None:
    """Whichever of the two keys the phone comes with, it hears nothing of its own move, and all else."""
    phone = account.phone
    inbox, work = account.folders["Inbox"], account.folders["Work"]
    before = {name: phone.keys[account.folders[name]] for name in ("Inbox", "Work")}
    for name in ("INBOX", account.place.name("Work")):
        account.place.dovecot.deliver(account.user, messages.plain(f"new in {name}"), mailbox=name)
    lost = [phone.sync(folder) for folder in (inbox, work)]
    assert [len(served.added) for served in lost] == [1, 1]
    ((_, status, item),) = moved(phone, move(account.item(0), inbox, work))
    assert status == "3"
    for folder, name, once in zip((inbox, work), ("Inbox", "Work"), lost, strict=True):
        again = phone.sync(folder, key=before[name])
        assert list(again.added) == list(once.added)
        assert (again.key, again.deleted) == (once.key, [])
    account.quiet(phone, "Inbox", "Work")
    assert phone.sync(work, commands(delete(item))).status == "1"


@over(SOME_KINDS)
def test_each_move_has_its_status(account: Account) -> None:
    phone, folders = account.phone, account.folders
    inbox, work = folders["Inbox"], folders["Work"]
    good, other = account.item(0), account.item(1)
    gone = f"{good.rpartition('.')[0]}.9999"
    found = moved(
        phone,
        move(gone, inbox, work),
        move("nonsense", inbox, work),
        move(other, work, inbox),
        move(other, "999", work),
        move(other, inbox, "999"),
        move(other, inbox, folders["Outbox"]),
        move(other, inbox, "RI"),
        move(other, inbox, inbox),
        move(other, inbox, work, folders["Home"]),
        move(good, inbox, work),
    )
    cache = "105" if phone.number >= 14.0 else "2"
    assert [status for _, status, _ in found] == ["1", "1", "1", "1", "2", "2", cache, "4", "5", "3"]
    assert [item for item, _, _ in found][-1] == good
    assert account.subjects("Work") == ["mail 0"]
    account.quiet(phone, "Work")
    # What was gone by then is told as such.
    with account.place.dovecot.imap(account.user) as imap:
        imap.select("INBOX")
        imap.store("1", "+FLAGS", "\\Deleted")
        imap.expunge()
    ((_, status, _),) = moved(phone, move(other, inbox, work))
    assert status == "1"
    assert phone.sync(inbox).deleted == [other]


@over(SOME_KINDS)
def test_what_is_no_id_concerns_one_move_alone(account: Account) -> None:
    phone, folders = account.phone, account.folders
    inbox, work, long = folders["Inbox"], folders["Work"], "7" * 65
    one, two = account.item(0), account.item(1)
    asked = [("", inbox, work), (long, inbox, work), (one, "", work), (one, long, work)]
    asked += [(two, inbox, ""), (two, inbox, long), (one, inbox, work)]
    found = moved(phone, *(move(*each) for each in asked))
    assert [(item, status) for item, status, _ in found] == [
        (item, expected) for (item, _, _), expected in zip(asked, "1111223", strict=True)
    ]
    assert account.subjects("Work") == ["mail 0"]
    account.quiet(phone, "Inbox", "Work")


@over(SOME_KINDS)
def test_several_folders_in_one_request(account: Account) -> None:
    phone = account.phone
    inbox, work, home, trash = (account.folders[name] for name in ("Inbox", "Work", "Home", "Trash"))
    targets = (work, home, trash, work)
    ask = [move(account.item(number), inbox, target) for number, target in enumerate(targets)]
    found = moved(phone, *ask)
    assert [status for _, status, _ in found] == ["3"] * 4
    assert account.subjects() == []
    assert account.subjects("Work") == ["mail 0", "mail 3"]
    assert account.subjects("Home") == ["mail 1"]
    assert account.subjects("Trash") == ["mail 2"]
    back = [
        move(item, target, inbox) for (_, _, item), target in reversed(list(zip(found, targets, strict=True)))
    ]
    assert [status for _, status, _ in moved(phone, *back)] == ["3"] * 4
    assert account.subjects() == [f"mail {number}" for number in range(4)]
    account.quiet(phone, "Inbox", "Work", "Home", "Trash")


@over(SOME_KINDS)
def test_the_same_message_to_two_folders_goes_to_the_first(account: Account) -> None:
    phone = account.phone
    inbox, work, home = (account.folders[name] for name in ("Inbox", "Work", "Home"))
    item = account.item(0)
    found = moved(phone, move(item, inbox, work), move(item, inbox, home), move(item, inbox, work))
    assert [status for _, status, _ in found] == ["3", "5", "3"]
    assert found[0] == found[2]
    assert account.subjects("Home") == []


@over(SOME_KINDS)
def test_two_phones_at_once_do_not_double_a_message(account: Account) -> None:
    one, two = account.phone, account.in_step("PHONE2")
    inbox, work, home = (account.folders[name] for name in ("Inbox", "Work", "Home"))
    for number, target in ((0, work), (1, home)):
        item = account.item(number)
        at_once(partial(moved, one, move(item, inbox, work)), partial(moved, two, move(item, inbox, target)))
    for number in (2, 3):
        deletion = commands(delete(account.item(number)))
        at_once(partial(one.sync, inbox, deletion), partial(two.sync, inbox, deletion))
    assert account.subjects() == []
    kept = account.subjects("Work") + account.subjects("Home") + account.subjects("Trash")
    assert sorted(kept) == [f"mail {number}" for number in range(4)]


def empty(folder: str) -> Element:
    return element(
        ItemOperations.ItemOperations,
        element(ItemOperations.EmptyFolderContents, element(AirSync.CollectionId, folder)),
    )


@over([("prefix", "12.1"), ("prefix", "16.1")])
def test_what_may_not_be_removed_is_neither_moved_nor_called_deleted(account: Account) -> None:
    phone, inbox, work = account.phone, account.folders["Inbox"], account.folders["Work"]
    (_, _, item), (_, _, other) = moved(
        phone, move(account.item(0), inbox, work), move(account.item(1), inbox, work)
    )
    with read_only(account.place.dovecot.place.mail / account.user / "mail" / ".Work"):
        assert moved(phone, move(item, work, inbox)) == [(item, "5", "")]
        served = phone.sync(work, commands(delete(other)))
        assert statuses(served) == [("Delete", other, "6")]
        assert set(served.added) == {other}
        root = phone.post("ItemOperations", empty(work)).root
        assert [one.text() for one in root.iter() if one.tag is ItemOperations.Status] == ["1", "16"]
        assert account.subjects("Work") == ["mail 0", "mail 1"]
        assert account.subjects() == ["mail 2", "mail 3"]


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A mailbox that the server may read only, and so opens for reading."""
    below = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    modes = {path: path.stat().st_mode for path in below}
    try:
        for path in below:
            path.chmod(0o555)
        yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


@over(SOME_KINDS)
def test_twins_without_message_id_keep_apart(account: Account) -> None:
    phone = account.phone
    inbox, work = account.folders["Inbox"], account.folders["Work"]
    twin = b"Subject: twin\r\nFrom: a@example.test\r\n\r\nthe same\r\n"
    for _ in range(3):
        account.place.dovecot.deliver(account.user, twin)
    items = list(phone.sync(inbox).added)
    assert len(items) == 3
    found = moved(phone, *(move(item, inbox, work) for item in items[:2]))
    assert len({item for _, status, item in found if status == "3"}) == 2
    assert account.subjects("Work") == ["twin", "twin"]
    account.quiet(phone, "Inbox", "Work")


@over(SOME_KINDS)
def test_a_folder_the_phone_does_not_sync(account: Account) -> None:
    phone = account.phone
    archive = account.folders["Archive"]
    ((_, status, item),) = moved(phone, move(account.item(0), account.folders["Inbox"], archive))
    assert status == "3"
    account.quiet(phone, "Inbox")
    phone.begin(archive)
    assert list(phone.sync(archive).added) == [item]
    # What it marked without an answer so far is not lost by the move.
    assert not phone.sync(archive, commands(change(item, element(Email.Read, 1)))).responses
    account.quiet(phone, "Archive")


@over(SOME_KINDS)
def test_the_marks_the_phone_knows_go_along(account: Account) -> None:
    phone = account.phone
    inbox, work = account.folders["Inbox"], account.folders["Work"]
    phone.sync(inbox, commands(change(account.item(0), element(Email.Read, 1))))
    account.place.dovecot.deliver(account.user, messages.plain("proves that the answer came"))
    phone.sync(inbox)
    with account.place.dovecot.imap(account.user) as imap:
        imap.select("INBOX")
        imap.store("2", "+FLAGS", "\\Seen")  # which the phone has not heard
    found = moved(phone, *(move(account.item(number), inbox, work) for number in range(2)))
    served = phone.sync(work)
    assert {item: data.child_text(Email.Read) for item, data in served.changed.items()} == {found[1][2]: "1"}
    account.quiet(phone, "Inbox", "Work")


@over([("full", "12.0"), ("full", "12.1"), ("full", "14.0"), ("full", "16.1")])
def test_what_is_no_request_is_refused_as_a_whole(account: Account) -> None:
    phone = account.phone
    inbox, work = account.folders["Inbox"], account.folders["Work"]
    item = account.item(0)
    whole = move(item, inbox, work)
    wrong = [
        element(Page.MoveItems),
        element(Page.MoveItems, whole, element(AirSync.Fetch)),
        *(
            element(Page.MoveItems, element(Page.Move, *(child for child in whole if child is not without)))
            for without in whole
        ),
        element(Page.MoveItems, *(move(f"x{number}", inbox, work) for number in range(1001))),
    ]
    for request in wrong:
        answer = phone.post("MoveItems", request)
        if phone.number < 14:
            assert answer.code == 400
        else:
            assert [(child.tag.name, child.text()) for child in answer.root] == [("Status", "103")]
    assert account.subjects("Work") == []
    many = [move(f"x{number}", inbox, work) for number in range(999)]
    found = moved(phone, *many, whole)
    assert [status for _, status, _ in found] == ["1"] * 999 + ["3"]
