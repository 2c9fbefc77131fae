"""Folders of items: default ones, those users make, and what goes with a deleted one."""

from __future__ import annotations

import asyncio

import pytest

from gateway.errors import NotFound
from gateway.items import ItemFolder, ItemKind, Right
from gateway.ports import Items
from gateway.types import CollectionId
from tests.ports.items.helpers import Content, add, event, the
from tests.ports.known import ANNA, BERT, FIRST, NOON, PHONE, TABLET
from tests.support.stores import Store

NO_FOLDERS = ["", "i", "i0", "i01", "i2", "i1 ", "i-1", "1", "I1", "i١", "i" + "9" * 30, "mail"]


async def test_a_user_begins_without_folders(items: Items) -> None:
    assert list(await items.item_folders(ANNA)) == []


async def test_the_default_folder_of_a_kind_is_made_once(items: Items) -> None:
    made = await items.provide_item_folder(ANNA, ItemKind.CALENDAR, "Calendar")
    assert made == ItemFolder(made.id, ANNA, ItemKind.CALENDAR, "Calendar", default=True)
    assert made.id.startswith("i")
    assert await items.provide_item_folder(ANNA, ItemKind.CALENDAR, "Kalender") == made
    contacts = await items.provide_item_folder(ANNA, ItemKind.CONTACTS, "Contacts")
    berts = await items.provide_item_folder(BERT, ItemKind.CALENDAR, "Calendar")
    assert len({made.id, contacts.id, berts.id}) == 3
    assert list(await items.item_folders(ANNA)) == [made, contacts]
    assert list(await items.item_folders(BERT)) == [berts]


async def test_devices_that_ask_at_once_get_the_same_default_folder(items: Items) -> None:
    provided = await asyncio.gather(
        *(items.provide_item_folder(ANNA, ItemKind.CALENDAR, f"Calendar {n}") for n in range(20))
    )
    assert len(set(provided)) == 1
    assert list(await items.item_folders(ANNA)) == [provided[0]]


async def test_default_folders_of_several_kinds_are_made_at_once(items: Items, calendar: ItemFolder) -> None:
    names = {ItemKind.RECIPIENTS: "Recipients", ItemKind.CALENDAR: "Kalender", ItemKind.TASKS: "Tasks"}
    provided = await asyncio.gather(*(items.provide_item_folders(ANNA, names) for _ in range(5)))
    seen = await items.item_folders(ANNA)
    assert [(one.kind, one.name, one.default) for one in seen] == [
        (ItemKind.CALENDAR, "Calendar", True),
        (ItemKind.RECIPIENTS, "Recipients", True),
        (ItemKind.TASKS, "Tasks", True),
    ]
    assert seen[0] == calendar
    assert all(list(folders) == list(seen) for folders in provided)


async def test_more_folders_of_a_kind(store: Store, calendar: ItemFolder) -> None:
    trips = await store.items.create_item_folder(ANNA, ItemKind.CALENDAR, "Trips ✈", calendar.id)
    same = await store.items.create_item_folder(ANNA, ItemKind.CALENDAR, "Trips ✈")
    assert trips == ItemFolder(trips.id, ANNA, ItemKind.CALENDAR, "Trips ✈", parent=calendar.id)
    assert same == ItemFolder(same.id, ANNA, ItemKind.CALENDAR, "Trips ✈")
    assert list(await store.items.item_folders(ANNA)) == [calendar, trips, same]
    await store.restart()
    assert list(await store.items.item_folders(ANNA)) == [calendar, trips, same]
    assert await store.items.item_folder(ANNA, trips.id) == trips


async def test_a_folder_is_nobody_elses(items: Items, calendar: ItemFolder) -> None:
    assert await items.item_folder(BERT, calendar.id) is None
    assert list(await items.item_folders(BERT)) == []


async def test_the_folders_of_everybody(items: Items, calendar: ItemFolder) -> None:
    berts = await items.provide_item_folder(BERT, ItemKind.CALENDAR, "Calendar")
    trips = await items.create_item_folder(ANNA, ItemKind.CALENDAR, "Trips", calendar.id)
    await items.share_item_folder(trips.id, BERT, Right.READ)
    assert list(await items.all_item_folders()) == [calendar, trips, berts]


@pytest.mark.parametrize("name", NO_FOLDERS)
async def test_other_ids_are_no_folders(items: Items, calendar: ItemFolder, name: str) -> None:
    folder = CollectionId(name)
    assert calendar.id == "i1"
    assert await items.item_folder(ANNA, folder) is None
    assert await items.load_items(folder, [1]) == {}
    assert list(await items.item_changes(folder, 0)) == []
    assert list(await items.items_between([folder], NOON, NOON)) == []
    assert await items.item_folder_shares(folder) == {}
    for change in (
        items.update_item_folder(folder, "x", ""),
        items.share_item_folder(folder, BERT, Right.READ),
    ):
        with pytest.raises(NotFound):
            await change
    await items.delete_item_folder(folder)
    assert await items.item_folder(ANNA, calendar.id) == calendar


async def test_a_folder_gets_another_name_and_place(items: Items, calendar: ItemFolder) -> None:
    trips = await items.create_item_folder(ANNA, ItemKind.CALENDAR, "Trips")
    await items.update_item_folder(trips.id, "Journeys", calendar.id)
    expected = ItemFolder(trips.id, ANNA, ItemKind.CALENDAR, "Journeys", parent=calendar.id)
    assert await items.item_folder(ANNA, trips.id) == expected
    assert list(await items.item_folders(ANNA)) == [calendar, expected]


async def test_deleting_a_folder_takes_all_in_it(store: Store, calendar: ItemFolder) -> None:
    items = store.items
    trips = await items.create_item_folder(ANNA, ItemKind.CALENDAR, "Trips")
    file = await items.add_item_file("plan.txt", "text/plain", Content(1, 4))
    await add(items, trips.id, event("a", files=frozenset({file})), event("b"))
    (kept,) = await add(items, calendar.id, event("a"))
    await items.delete_item_folder(trips.id)
    await items.delete_item_folder(trips.id)
    assert list(await items.item_folders(ANNA)) == [await items.item_folder(ANNA, calendar.id)]
    assert await items.item_folder(ANNA, trips.id) is None
    assert list(await items.item_changes(trips.id, 0)) == []
    assert await items.item_file(trips.id, file) is None
    assert [item.number for item in await items.find_items(ANNA, ItemKind.CALENDAR, "a")] == [kept]
    assert (await the(items, calendar.id, kept)).stored == event("a")
    with pytest.raises(NotFound):
        await items.update_item_folder(trips.id, "Trips", "")


async def test_what_devices_know_of_a_folder_goes_with_it(store: Store, calendar: ItemFolder) -> None:
    items, state = store.items, store.state
    trips = await items.create_item_folder(ANNA, ItemKind.CALENDAR, "Trips")
    await items.share_item_folder(trips.id, BERT, Right.READ)
    for user in (ANNA, BERT):
        for device in (PHONE, TABLET):
            await state.save_sync(user, device, trips.id, FIRST)
            await state.save_sync(user, device, calendar.id, FIRST)
            await state.save_intents(user, device, trips.id, {"add:1": b"x"})
        await state.note_poison(user, trips.id, "i2:1", "0.1", "broken")
    await items.delete_item_folder(trips.id)
    for user in (ANNA, BERT):
        for device in (PHONE, TABLET):
            assert await state.load_sync(user, device, trips.id) is None
            assert await state.load_sync(user, device, calendar.id) is not None
            assert await state.load_intents(user, device, trips.id) == {}
    assert list(await state.list_poison()) == []


async def test_folders_below_go_with_it(items: Items, calendar: ItemFolder) -> None:
    trips = await items.create_item_folder(ANNA, ItemKind.CALENDAR, "Trips")
    below = await items.create_item_folder(ANNA, ItemKind.CALENDAR, "Spain", trips.id)
    deepest = await items.create_item_folder(ANNA, ItemKind.CALENDAR, "Madrid", below.id)
    strange = await items.create_item_folder(BERT, ItemKind.CALENDAR, "Bert's", trips.id)
    await items.update_item_folder(trips.id, "Trips", deepest.id)  # a circle ends nothing but itself
    await items.delete_item_folder(below.id)
    assert list(await items.item_folders(ANNA)) == [calendar]
    assert list(await items.item_folders(BERT)) == [strange]


async def test_the_id_of_a_deleted_folder_is_given_to_no_other(store: Store, calendar: ItemFolder) -> None:
    newest = await store.items.create_item_folder(ANNA, ItemKind.CALENDAR, "Trips")
    await store.items.delete_item_folder(newest.id)
    await store.restart()
    again = await store.items.create_item_folder(ANNA, ItemKind.CALENDAR, "Trips")
    assert again.id not in (calendar.id, newest.id)


async def test_a_deleted_default_folder_is_made_anew(items: Items, calendar: ItemFolder) -> None:
    await items.delete_item_folder(calendar.id)
    again = await items.provide_item_folder(ANNA, ItemKind.CALENDAR, "Calendar")
    assert again.default
    assert again.id != calendar.id
