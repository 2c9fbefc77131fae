"""FolderSync: keys, differences that another IMAP client makes, names (MS-ASCMD 2.2.1.5)."""

from __future__ import annotations

import pytest

from tests.blackbox.conftest import MakePhone
from tests.support.dovecot import Dovecot
from tests.support.phone import Phone
from wbxml import Element, element
from wbxml.pages import FolderHierarchy

INBOX, DRAFTS, DELETED, SENT, OUTBOX, MAIL = "2", "3", "4", "5", "6", "12"


def tags(parent: Element | None) -> list[str]:
    assert parent is not None
    return [child.tag.name for child in parent]


def changes(root: Element) -> Element:
    found = root.find(FolderHierarchy.Changes)
    assert found is not None
    assert found.child_text(FolderHierarchy.Count) == str(len(found) - 1)
    return found


def rows(root: Element, kind: str) -> dict[str, tuple[str, str, str]]:
    """Display name to ServerId, ParentId and Type."""
    found: dict[str, tuple[str, str, str]] = {}
    for one in changes(root):
        if one.tag.name == kind:
            assert tags(one) == ["ServerId", "ParentId", "DisplayName", "Type"]
            identity, parent, name, type_ = (child.text() for child in one)
            assert name not in found
            found[name] = (identity, parent, type_)
    return found


def deleted(root: Element) -> list[str]:
    removed = [one for one in changes(root) if one.tag is FolderHierarchy.Delete]
    assert all(tags(one) == ["ServerId"] for one in removed)
    return [one.child_text(FolderHierarchy.ServerId) or "" for one in removed]


def key(root: Element) -> str:
    assert root.child_text(FolderHierarchy.Status) == "1"
    return root.child_text(FolderHierarchy.SyncKey) or ""


def quoted(name: str) -> str:
    return f'"{name}"'


def test_key_0_tells_every_folder(each_phone: Phone) -> None:
    request = element(FolderHierarchy.FolderSync, element(FolderHierarchy.SyncKey, 0))
    answer = each_phone.post("FolderSync", request)
    assert tags(answer.root) == ["Status", "SyncKey", "Changes"]
    found = rows(answer.root, "Add")
    assert changes(answer.root).children[0].tag is FolderHierarchy.Count
    types = {type_ for _, _, type_ in found.values()}
    assert {INBOX, DRAFTS, DELETED, SENT, OUTBOX} <= types
    assert found["Inbox"][1:] == ("0", INBOX)
    assert len({identity for identity, _, _ in found.values()}) == len(found)
    assert "16.1" in answer.headers["MS-ASProtocolVersions"]
    assert "Sync" in answer.headers["MS-ASProtocolCommands"]


def test_a_later_key_tells_the_difference(each_phone: Phone, dovecot: Dovecot) -> None:
    first = each_phone.folder_sync()
    again = each_phone.folder_sync(key(first))
    assert key(again)
    assert tags(changes(again)) == ["Count"]
    with dovecot.imap(each_phone.user) as imap:
        imap.create("Work")
        imap.create(quoted("Work/Year 2026"))
    made = each_phone.folder_sync(key(again))
    added = rows(made, "Add")
    assert set(added) == {"Work", "Year 2026"}
    assert added["Work"][1:] == ("0", MAIL)
    assert added["Year 2026"][1] == added["Work"][0]
    assert list(added) == ["Work", "Year 2026"]  # parents first
    with dovecot.imap(each_phone.user) as imap:
        imap.rename("Work", "Job")
    renamed = each_phone.folder_sync(key(made))
    assert rows(renamed, "Update") == {"Job": added["Work"]}
    assert not rows(renamed, "Add")
    assert not deleted(renamed)
    with dovecot.imap(each_phone.user) as imap:
        imap.delete(quoted("Job/Year 2026"))
    assert deleted(each_phone.folder_sync(key(renamed))) == [added["Year 2026"][0]]


def test_a_repeated_key_gets_the_same_answer(phone: Phone, dovecot: Dovecot) -> None:
    first = phone.folder_sync()
    with dovecot.imap(phone.user) as imap:
        imap.create("Later")
    newest = phone.folder_sync(key(first))
    assert set(rows(newest, "Add")) == {"Later"}
    assert phone.folder_sync(key(first)) == newest
    assert tags(changes(phone.folder_sync(key(newest)))) == ["Count"]


def test_ids_are_the_same_after_a_fresh_start_and_on_another_device(
    phone: Phone, new_phone: MakePhone, dovecot: Dovecot
) -> None:
    with dovecot.imap(phone.user) as imap:
        imap.create("Keep")
    other = new_phone("14.0", device="PHONE2")
    other.provision()
    assert phone.folders() == phone.folders() == other.folders()


def test_names_in_any_script(some_phone: Phone, dovecot: Dovecot) -> None:
    with dovecot.imap(some_phone.user) as imap:
        imap.create(quoted("Entw&APw-rfe"))  # modified UTF-7 (RFC 3501 5.1.3)
        imap.create(quoted("&ZeVnLIqe-/&2D3eAA-"))
        imap.create(quoted("Q&-A"))
    found = rows(some_phone.folder_sync(), "Add")
    assert {"Entwürfe", "日本語", "😀", "Q&A"} <= set(found)
    assert found["😀"][1] == found["日本語"][0]


@pytest.mark.parametrize("bad", ["1", "nonsense", "abcdef.1", "{}.1", "9" * 60])
def test_an_unknown_key_is_9(some_phone: Phone, bad: str) -> None:
    some_phone.folder_sync()
    root = some_phone.folder_sync(bad)
    assert [(child.tag.name, child.text()) for child in root] == [("Status", "9")]


def test_a_key_of_another_user_or_device_is_9(phone: Phone, new_phone: MakePhone) -> None:
    foreign = key(phone.folder_sync())
    other = new_phone(device="PHONE2")
    other.provision()
    other.folder_sync()
    assert other.folder_sync(foreign).child_text(FolderHierarchy.Status) == "9"


def test_no_key_is_10(each_phone: Phone) -> None:
    root = each_phone.post("FolderSync", element(FolderHierarchy.FolderSync)).root
    assert [(child.tag.name, child.text()) for child in root] == [("Status", "10")]
