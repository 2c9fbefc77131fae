"""Notes over HTTP: what phones have of them since 14.0, and what older ones see."""

from __future__ import annotations

import pytest

from tests.blackbox.conftest import MakePhone
from tests.support.itemfolders import all_of, estimate, folder_types, named, ping
from tests.support.phone import Phone, add, change, collections_of, commands, delete, statuses
from wbxml import Element, element
from wbxml.pages import AirSync, AirSyncBase, GetItemEstimate, ItemOperations, Notes, Ping


@pytest.fixture(params=("14.0", "14.1", "16.1"))
def phone(request: pytest.FixtureRequest, new_phone: MakePhone) -> Phone:
    made = new_phone(request.param)
    made.provision()
    return made


def note(subject: str, text: str = "", **named: str) -> list[Element]:
    made = [element(Notes.Subject, subject), element(Notes.MessageClass, named.get("kind", "IPM.StickyNote"))]
    if text:
        written = element(AirSyncBase.Body, element(AirSyncBase.Type, 1), element(AirSyncBase.Data, text))
        made.append(written)
    return made


def notes(phone: Phone) -> str:
    folder = phone.folders()["Notes"]
    phone.begin(folder)
    phone.sync(folder)
    return folder


def test_what_one_phone_writes_the_other_reads(phone: Phone, other: Phone) -> None:
    folder = notes(phone)
    assert folder_types(phone)["Notes"] == "10"
    assert notes(other) == folder
    home = element(Notes.Categories, element(Notes.Category, "Home"))
    name = named(phone.sync(folder, commands(add("c1", *note("Shopping", "milk"), home))))
    data = other.sync(folder).added[name]
    body = data.find(AirSyncBase.Body)
    assert body is not None
    assert body.child_text(AirSyncBase.Data) == "milk"
    assert data.child_text(Notes.MessageClass) == "IPM.StickyNote"
    written = data.child_text(Notes.LastModifiedDate) or ""
    assert len(written) == len("20260302T091000Z")
    other.sync(folder, commands(change(name, *note("SHOPPING"))))
    changed = phone.sync(folder).changed[name]
    assert changed.child_text(Notes.Subject) == "SHOPPING"
    assert changed.find(Notes.Categories) is None, "what a Change leaves out goes"
    body = changed.find(AirSyncBase.Body)
    assert body is not None
    assert body.child_text(AirSyncBase.Data) == "milk"
    phone.sync(folder, commands(delete(name)))
    assert other.sync(folder).deleted == [name]


def test_a_lost_answer_is_given_again(phone: Phone, other: Phone) -> None:
    folder = notes(phone)
    asked = phone.collection(folder, commands(add("c1", *note("one", "text"))))
    first = phone.post_sync(asked)
    assert phone.post_sync(asked).root == first.root
    assert [*all_of(other, folder)] == [named(collections_of(first.root)[0])]


def test_what_is_no_note_is_refused(phone: Phone, other: Phone) -> None:
    folder = notes(phone)
    served = phone.sync(folder, commands(add("c1", *note("mail", kind="IPM.Note")), add("c2", *note("good"))))
    assert [status for _, _, status in statuses(served)] == ["6", "1"]
    assert len(all_of(other, folder)) == 1
    supported = element(AirSync.Supported, element(Notes.Subject))
    assert phone.sync(folder, supported, key="0").status == "4"


def test_a_note_is_fetched_and_counted_and_waited_for(phone: Phone, other: Phone) -> None:
    folder = notes(phone)
    notes(other)
    name = named(other.sync(folder, commands(add("c1", *note("one", "text")))))
    response = estimate(phone, folder, name="Notes").find(GetItemEstimate.Collection)
    assert response is not None
    assert response.child_text(GetItemEstimate.Estimate) == "1"
    assert ping(phone, folder, name="Notes").child_text(Ping.Status) == "2"
    asked = element(
        ItemOperations.Fetch,
        element(ItemOperations.Store, "Mailbox"),
        element(AirSync.CollectionId, folder),
        element(AirSync.ServerId, name),
    )
    root = phone.post("ItemOperations", element(ItemOperations.ItemOperations, asked)).root
    assert [one.text() for one in root.iter() if one.tag is Notes.Subject] == ["one"]


@pytest.mark.parametrize("version", ["2.5", "12.1"])
def test_an_old_phone_sees_the_folder_and_nothing_in_it(
    version: str, new_phone: MakePhone, other: Phone
) -> None:
    folder = notes(other)
    old = new_phone(version)
    old.provision()
    assert folder_types(old)["Notes"] == "10"
    assert old.sync(folder, key="0").status == "4"
    assert ping(old, folder, name="Notes", seconds=2).child_text(Ping.Status) == "1"
    if version != "2.5":
        response = estimate(old, folder, name="Notes")
        assert response.child_text(GetItemEstimate.Status) == "2"
