"""What proves that an answer arrived: the next request of the same kind, by its key, and nothing else."""

from __future__ import annotations

import pytest

from tests.blackbox.test_getitemestimate import asked
from tests.blackbox.test_getitemestimate import post as estimate
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.phone import Phone, change, commands, delete
from wbxml import Element, element
from wbxml.pages import AirSync, Email, FolderHierarchy, ItemOperations, Ping


def begun(phone: Phone, dovecot: Dovecot, count: int) -> tuple[str, list[str]]:
    for number in range(count):
        dovecot.deliver(phone.user, messages.plain(f"mail {number}"))
    folder = phone.folders()["Inbox"]
    phone.begin(folder)
    return folder, sorted(phone.sync(folder).added)


def trash(dovecot: Dovecot, user: str) -> list[bytes]:
    with dovecot.imap(user) as client:
        return [client.select("Trash")[1][0] or b""]


def ping(phone: Phone, folder: str) -> None:
    watched = element(Ping.Folder, element(Ping.Id, folder), element(Ping.Class, "Email"))
    request = element(Ping.Ping, element(Ping.HeartbeatInterval, 1), element(Ping.Folders, watched))
    assert phone.post("Ping", request).root.child_text(Ping.Status) in {"1", "2"}


def fetch(phone: Phone, folder: str, item: str) -> None:
    named = element(AirSync.CollectionId, folder), element(AirSync.ServerId, item)
    one = element(ItemOperations.Fetch, element(ItemOperations.Store, "Mailbox"), *named)
    phone.post("ItemOperations", element(ItemOperations.ItemOperations, one))


def test_what_is_no_sync_proves_no_key(some_phone: Phone, dovecot: Dovecot) -> None:
    folder, (gone, kept, *_) = begun(some_phone, dovecot, 3)
    dovecot.deliver(some_phone.user, messages.plain("new"))
    key = some_phone.keys[folder]
    operations = commands(delete(gone), change(kept, element(Email.Read, 1)))
    lost = some_phone.sync(folder, operations)
    for told in (key, lost.key):
        estimate(some_phone, asked(some_phone, folder, told))
    ping(some_phone, folder)
    fetch(some_phone, folder, kept)
    some_phone.folder_sync()
    again = some_phone.sync(folder, operations, key=key)
    assert (again.key, again.responses, list(again.added)) == (lost.key, lost.responses, list(lost.added))
    assert len(again.added) == 1
    assert trash(dovecot, some_phone.user) == [b"1"]


def test_a_key_proves_nothing_of_another_collection(some_phone: Phone, dovecot: Dovecot) -> None:
    folder, (gone, *_) = begun(some_phone, dovecot, 2)
    bin_ = some_phone.folders()["Trash"]
    some_phone.begin(bin_)
    key = some_phone.keys[folder]
    lost = some_phone.sync(folder, commands(delete(gone)))
    for _ in range(2):
        some_phone.sync(bin_)
    some_phone.begin(bin_)
    some_phone.sync(bin_)
    assert some_phone.sync(folder, commands(delete(gone)), key=key).key == lost.key
    assert trash(dovecot, some_phone.user) == [b"1"]


def test_a_fresh_hierarchy_leaves_the_collections_alone(some_phone: Phone, dovecot: Dovecot) -> None:
    folder, items = begun(some_phone, dovecot, 2)
    key = some_phone.keys[folder]
    for _ in range(2):
        root = some_phone.folder_sync()
        assert root.child_text(FolderHierarchy.Status) == "1"
    served = some_phone.sync(folder)
    assert (served.status, served.added, some_phone.keys[folder]) == ("1", {}, key)
    assert len(items) == 2


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_key_0_takes_nothing_away_before_its_key_is_used(
    some_phone: Phone, dovecot: Dovecot, lost: int
) -> None:
    folder, _ = begun(some_phone, dovecot, 2)
    key = some_phone.keys[folder]
    first: list[Element] = [some_phone.sync(folder, key="0").element for _ in range(lost)]
    assert len({one.child_text(AirSync.SyncKey) for one in first}) == lost, "new beginnings"
    dovecot.deliver(some_phone.user, messages.plain("new"))
    assert len(some_phone.sync(folder, key=key).added) == 1
