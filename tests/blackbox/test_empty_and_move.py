"""ItemOperations: emptying folders and moving conversations (MS-ASCMD 2.2.3.58, 2.2.3.117.1)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.blackbox.test_folder_changes import SOME_KINDS, Place, over, place, places
from tests.blackbox.test_foldersync import deleted
from tests.blackbox.test_foldersync import key as key_of
from tests.blackbox.test_itemoperations import post
from tests.support import messages
from tests.support.phone import Phone
from wbxml import Element, element
from wbxml.pages import AirSync, Email2
from wbxml.pages import ItemOperations as Page

__all__ = ["place", "places"]

KINDS = [("full", "12.0"), ("full", "14.1"), *SOME_KINDS]
CONVERSATIONS = [("full", "14.0"), ("bare", "14.1"), ("prefix", "16.1")]


def empty(folder: str, *, deep: bool = False) -> Element:
    options = [element(Page.Options, element(Page.DeleteSubFolders))] if deep else []
    return element(Page.EmptyFolderContents, element(AirSync.CollectionId, folder), *options)


def move(conversation: Element | bytes, target: str, *options: Element) -> Element:
    named = conversation.value if isinstance(conversation, Element) else conversation
    return element(
        Page.Move,
        Element(Page.ConversationId, named),
        element(Page.DstFldId, target),
        *([element(Page.Options, *options)] if options else []),
    )


ALWAYS = element(Page.MoveAlways)


def answers(phone: Phone, *operations: Element) -> list[tuple[str, str]]:
    """Kind and Status of each answer."""
    root = post(phone, *operations).root
    assert root.child_text(Page.Status) == "1", root
    response = root.find(Page.Response)
    assert response is not None
    for asked, told in zip(operations, response, strict=True):
        assert [child.tag for child in told] == [Page.Status, asked.children[0].tag]
        assert (told.children[1].value or "") == (asked.children[0].value or "")
    return [(one.tag.name, one.child_text(Page.Status) or "") for one in response]


def contents(place: Place, user: str, *levels: str) -> int:
    with place.dovecot.imap(user) as imap:
        mailbox = place.name(*levels) if levels else "INBOX"
        status, data = imap.select(f'"{mailbox}"', readonly=True)
        assert status == "OK", data
        return int(data[0] or b"0")


def fill(place: Place, user: str, count: int, *levels: str) -> None:
    with place.dovecot.imap(user) as imap:
        mailbox = place.name(*levels) if levels else "INBOX"
        imap.create(f'"{mailbox}"')
        for number in range(count):
            imap.append(f'"{mailbox}"', "", "", messages.plain(f"{mailbox} {number}"))


@over(KINDS)
def test_the_trash_is_emptied_and_what_is_below_stays(place: Place, version: str, user: str) -> None:
    phone = place.phone(user, version)
    fill(place, user, 5, "Trash")
    fill(place, user, 2, "Trash", "Below")
    fill(place, user, 1)
    folders = phone.folders()
    trash = folders["Trash"]
    phone.begin(trash)
    held = set(phone.sync(trash).added)
    assert answers(phone, empty(trash)) == [("EmptyFolderContents", "1")]
    assert contents(place, user, "Trash") == 0
    assert contents(place, user, "Trash", "Below") == 2
    assert contents(place, user) == 1
    assert set(phone.sync(trash).deleted) == held
    assert answers(phone, empty(trash), empty(folders["Below"])) == [("EmptyFolderContents", "1")] * 2
    assert contents(place, user, "Trash", "Below") == 0


@over(KINDS)
def test_folders_below_go_when_asked_for(place: Place, version: str, user: str) -> None:
    phone = place.phone(user, version)
    fill(place, user, 3, "Trash")
    fill(place, user, 1, "Trash", "Old")
    fill(place, user, 1, "Trash", "Old", "Older")
    fill(place, user, 1, "Keep")
    first = phone.folder_sync()
    folders = phone.folders()
    assert answers(phone, empty(folders["Trash"], deep=True)) == [("EmptyFolderContents", "1")]
    assert contents(place, user, "Trash") == 0
    assert contents(place, user, "Keep") == 1
    left = place.mailboxes(user)
    assert not {place.name("Trash", "Old"), place.name("Trash", "Old", "Older")} & left
    assert place.name("Trash") in left
    told = phone.folder_sync(key_of(first))
    assert set(deleted(told)) == {folders["Old"], folders["Older"]}
    assert answers(phone, empty(folders["Trash"], deep=True)) == [("EmptyFolderContents", "1")]


@over(SOME_KINDS)
def test_emptying_the_inbox_spares_the_other_mailboxes(place: Place, version: str, user: str) -> None:
    """On some servers all mailboxes are below INBOX by name; no device sees them there."""
    phone = place.phone(user, version)
    fill(place, user, 3)
    fill(place, user, 1, "Keep")
    before = place.mailboxes(user)
    assert answers(phone, empty(phone.folders()["Inbox"], deep=True)) == [("EmptyFolderContents", "1")]
    assert contents(place, user) == 0
    assert contents(place, user, "Keep") == 1
    assert place.mailboxes(user) == before


@over([("full", "12.1"), ("full", "16.1")])
def test_what_cannot_be_emptied(place: Place, version: str, user: str) -> None:
    phone = place.phone(user, version)
    folders = phone.folders()
    nameless = element(Page.EmptyFolderContents, element(AirSync.CollectionId, ""))
    strange = empty(folders["Inbox"], deep=True)
    strange.children[-1].append(ALWAYS)
    fill(place, user, 1)
    assert answers(phone, empty("999"), empty("RI"), nameless, strange, empty(folders["Outbox"])) == [
        ("EmptyFolderContents", status) for status in ("6", "16" if version == "16.1" else "6", "2", "2", "1")
    ]
    assert contents(place, user) == 1


@over([("full", "16.1"), ("bare", "16.1")])
def test_a_large_folder_is_emptied_and_what_others_marked_is_spared(
    place: Place, version: str, user: str
) -> None:
    phone = place.phone(user, version)
    fill(place, user, 1200, "Trash")
    with place.dovecot.imap(user) as imap:
        imap.select(place.name("Trash"))
        imap.store("7", "+FLAGS", "\\Deleted")
    trash = phone.folders()["Trash"]
    assert answers(phone, empty(trash)) == [("EmptyFolderContents", "1")]
    assert contents(place, user, "Trash") == 1


def thread(number: int, root: str) -> bytes:
    return (
        f"From: a@example.test\r\nSubject: Re: thread\r\nMessage-ID: <{root}-{number}@example.test>\r\n"
        + (f"References: <{root}-0@example.test>\r\n" if number else "")
        + "Date: Sun, 01 Mar 2026 09:15:00 +0000\r\n\r\ntext\r\n"
    ).encode()


def conversations(place: Place, user: str, phone: Phone) -> tuple[dict[str, str], Element]:
    """Two conversations over several folders; the id of the first."""
    with place.dovecot.imap(user) as imap:
        imap.create(place.name("Work"))
    spread = ("INBOX", "INBOX", place.name("Work"), place.name("Sent"), place.name("Trash"))
    for number, mailbox in enumerate(spread):
        place.dovecot.deliver(user, thread(number, "one"), mailbox=mailbox)
    place.dovecot.deliver(user, thread(0, "two"))
    folders = phone.folders()
    phone.begin(folders["Inbox"])
    # A reply, of which the first conversation alone has one here, has more than the five octets of a start.
    (reply,) = [
        data
        for data in phone.sync(folders["Inbox"]).added.values()
        if (index := data.find(Email2.ConversationIndex)) and len(index.data()) > 5
    ]
    found = reply.find(Email2.ConversationId)
    assert found is not None
    return folders, found


@over(CONVERSATIONS)
def test_a_conversation_moves_from_all_folders_but_sent(place: Place, version: str, user: str) -> None:
    phone = place.phone(user, version)
    folders, conversation = conversations(place, user, phone)
    assert answers(phone, move(conversation, folders["Archive"], ALWAYS)) == [("Move", "1")]
    assert contents(place, user, "Archive") == 4
    assert [contents(place, user, name) for name in ("Work", "Sent", "Trash")] == [0, 1, 0]
    assert contents(place, user) == 1
    # This phone too is told by Sync where they are.
    assert len(phone.sync(folders["Inbox"]).deleted) == 2
    phone.begin(folders["Archive"])
    assert len(phone.sync(folders["Archive"]).added) == 4
    assert answers(phone, move(conversation, folders["Archive"], ALWAYS)) == [("Move", "1")]
    assert contents(place, user, "Archive") == 4


@over(CONVERSATIONS)
def test_what_is_added_to_the_conversation_later_moves_too(place: Place, version: str, user: str) -> None:
    phones = [place.phone(user, version, device=name) for name in ("ACTS", "OTHER")]
    folders, conversation = conversations(place, user, phones[0])
    inbox, archive, work = (folders[name] for name in ("Inbox", "Archive", "Work"))
    phones[1].begin(inbox)
    phones[1].sync(inbox)
    assert answers(phones[0], move(conversation, archive, ALWAYS)) == [("Move", "1")]
    for phone in phones:
        phone.begin(archive)
        phone.begin(work)
        assert len(phone.sync(inbox).deleted) == 2
        assert len(phone.sync(archive).added) == 4
        phone.sync(work)
    for number, mailbox in ((7, "INBOX"), (8, place.name("Work")), (9, place.name("Trash"))):
        place.dovecot.deliver(user, thread(number, "one"), mailbox=mailbox)
    place.dovecot.deliver(user, thread(1, "two"))
    # Two devices at once, and one of them again: each message moves once, and no device is told of it before.
    with ThreadPoolExecutor() as pool:
        served = [*pool.map(lambda phone: phone.sync(inbox), phones)]
    assert [len(one.added) for one in served] == [1, 1]
    for phone in phones:
        assert not phone.sync(inbox).added
        assert not phone.sync(work).added
        assert len(phone.sync(archive).added) == 2
    assert [contents(place, user, name) for name in ("Archive", "Work", "Trash")] == [6, 0, 1]
    with place.dovecot.imap(user) as imap:  # somebody wants it back
        imap.select(place.name("Archive"))
        imap.copy("5", "INBOX")
        imap.store("5", "+FLAGS", "\\Deleted")
        imap.expunge()
    assert [len(phone.sync(inbox).added) for phone in phones] == [1, 1]
    assert contents(place, user) == 3


@over(CONVERSATIONS)
def test_a_conversation_that_cannot_move(place: Place, version: str, user: str) -> None:
    phone = place.phone(user, version)
    folders, conversation = conversations(place, user, phone)
    archive = folders["Archive"]
    cases = [
        (move(conversation, archive), "155"),
        (move(conversation, archive, element(Page.DeleteSubFolders)), "155"),
        (move(conversation, archive, ALWAYS, element(Page.DeleteSubFolders)), "2"),
        (move(conversation, "RI", ALWAYS), "105"),
        (move(conversation, "999", ALWAYS), "6"),
        (move(conversation, folders["Outbox"], ALWAYS), "156"),
        (move(conversation, folders["Drafts"], ALWAYS), "156"),
        (move(b"x" * 16, archive, ALWAYS), "6"),
        (move(b"short", archive, ALWAYS), "2"),
    ]
    found = answers(phone, *(operation for operation, _ in cases))
    assert [status for _, status in found] == [expected for _, expected in cases]
    assert contents(place, user, "Archive") == 0


@pytest.mark.parametrize("place", ["full"], indirect=True)
def test_before_14_there_is_no_move(place: Place, user: str) -> None:
    phone = place.phone(user, "12.1")
    root = post(phone, move(b"x" * 16, "1", ALWAYS)).root
    assert [(child.tag.name, child.text()) for child in root] == [("Status", "2")]
