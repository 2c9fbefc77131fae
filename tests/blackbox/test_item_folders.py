"""Address books, task lists and folders of notes that users make: types 14, 15 and 17, as phones see them."""

from __future__ import annotations

import pytest

from gateway.items import Right
from tests.blackbox.conftest import MakePhone
from tests.support.gateway import Gateway
from tests.support.itemfolders import all_of, folder_types, named, new_folder, share
from tests.support.phone import Phone, add, change, commands, delete, statuses
from wbxml import Element, Tag, element
from wbxml.pages import AirSync, Contacts, FolderHierarchy, Notes, Tasks

CLASSES: dict[int, tuple[str, Tag]] = {
    14: ("Contacts", Contacts.FirstName),
    15: ("Tasks", Tasks.Subject),
    17: ("Notes", Notes.Subject),
}
CASES = [("12.1", 14), ("12.1", 15), *((version, kind) for version in ("14.1", "16.1") for kind in CLASSES)]


class Maker:
    """A phone that makes folders of a type and puts items into them."""

    def __init__(self, phone: Phone, kind: int) -> None:
        self.phone = phone
        self.kind = kind
        self.name, self.called = CLASSES[kind]

    def item(self, text: str) -> list[Element]:
        needed = [element(Tasks.Complete, 0)] if self.kind == 15 else []
        return [element(self.called, text), *needed]

    def texts(self, phone: Phone, folder: str) -> dict[str, str | None]:
        """What a phone that begins anew is told of a folder."""
        phone.classes[folder] = self.name
        return {name: data.child_text(self.called) for name, data in all_of(phone, folder).items()}

    def call(self, tag: Tag, *asked: Element) -> str | None:
        """The Status of a FolderUpdate or FolderDelete."""
        key = self.phone.folder_sync().child_text(FolderHierarchy.SyncKey) or ""
        request = element(tag, element(FolderHierarchy.SyncKey, key), *asked)
        return self.phone.post(tag.name, request).root.child_text(FolderHierarchy.Status)


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def maker(request: pytest.FixtureRequest, new_phone: MakePhone) -> Maker:
    version, kind = request.param
    phone = new_phone(version)
    phone.provision()
    return Maker(phone, kind)


def test_a_folder_is_made_filled_renamed_and_deleted(maker: Maker, other: Phone) -> None:
    phone = maker.phone
    other.folders()
    folder = new_folder(phone, "Garden", maker.kind)
    assert (folder_types(phone)["Garden"], folder_types(other)["Garden"]) == (str(maker.kind),) * 2
    assert new_folder(phone, "Garden", maker.kind) == "", "twice"

    assert maker.texts(phone, folder) == {}
    name = named(phone.sync(folder, commands(add("c1", *maker.item("Ann")))))
    assert maker.texts(other, folder) == {name: "Ann"}
    assert not other.sync(folder, commands(change(name, *maker.item("Ben")))).responses
    assert phone.sync(folder).changed[name].child_text(maker.called) == "Ben"

    below = new_folder(phone, "Roses", maker.kind)
    identity = element(FolderHierarchy.ServerId, below)
    moved = (element(FolderHierarchy.ParentId, folder), element(FolderHierarchy.DisplayName, "Tulips"))
    assert maker.call(FolderHierarchy.FolderUpdate, identity, *moved) == "1"
    assert other.folders()["Tulips"] == below
    whole = element(FolderHierarchy.ServerId, folder)
    assert maker.call(FolderHierarchy.FolderDelete, whole) == "1"
    assert not {folder, below} & {*other.folders().values(), *phone.folders().values()}
    assert maker.call(FolderHierarchy.FolderDelete, whole) == "4"
    assert other.sync(folder).status == "12"


def test_a_folder_is_shared_and_not_any_more(maker: Maker, guest: Phone, shared_gateway: Gateway) -> None:
    phone = maker.phone
    folder = new_folder(phone, "Garden", maker.kind)
    shown = f"Garden ({phone.user})"
    maker.texts(phone, folder)
    name = named(phone.sync(folder, commands(add("c1", *maker.item("Ann")))))
    share(shared_gateway, phone.user, folder, guest.user, Right.READ)
    assert folder_types(guest)[shown] == str(maker.kind)
    assert maker.texts(guest, folder) == {name: "Ann"}
    served = guest.sync(folder, commands(change(name, *maker.item("mine")), delete(name)))
    assert [status for _, _, status in statuses(served)] == ["6", "6"]
    assert maker.texts(guest, folder) == {name: "Ann"}
    share(shared_gateway, phone.user, folder, guest.user, Right.WRITE)
    mine = named(guest.sync(folder, commands(add("c2", *maker.item("Ben")))))
    assert maker.texts(phone, folder) == {name: "Ann", mine: "Ben"}
    gone = element(FolderHierarchy.ServerId, folder)
    assert Maker(guest, maker.kind).call(FolderHierarchy.FolderDelete, gone) == "3", "it is not his"
    share(shared_gateway, phone.user, folder, guest.user, None)
    assert shown not in guest.folders()
    assert guest.sync(folder, commands(add("c3", *maker.item("late")))).status == "12"
    assert maker.texts(phone, folder) == {name: "Ann", mine: "Ben"}


def test_a_phone_without_notes_is_told_of_their_folders_and_nothing_in_them(
    new_phone: MakePhone, other: Phone
) -> None:
    old = new_phone("12.1")
    old.provision()
    folder = new_folder(other, "Garden", 17)
    assert folder_types(old)["Garden"] == "17"
    old.classes[folder] = "Notes"
    root = old.post_sync(old.collection(folder, key="0")).root
    statuses_told = [one.text() for one in root.iter() if one.tag is AirSync.Status]
    assert statuses_told == ["4"]
