"""Folders that other users see: with which right, and what is left when it is taken away."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.errors import Kind, NotFound, Refused, StateConflict
from gateway.items import Edit, ItemFolder, ItemKind, Right
from gateway.ports import Commit, Items
from gateway.store.tables import itemfolders
from gateway.types import UserId
from tests.ports.items.helpers import add, edit, event, revision, the
from tests.ports.known import ANNA, BERT, CARL, FIRST, PHONE
from tests.support.stores import Store


async def test_a_shared_folder_is_seen_with_its_right(store: Store, calendar: ItemFolder) -> None:
    items = store.items
    berts = await items.provide_item_folder(BERT, ItemKind.CALENDAR, "Calendar")
    await items.share_item_folder(calendar.id, BERT, Right.READ)
    await items.share_item_folder(calendar.id, CARL, Right.WRITE)
    await store.restart()
    items = store.items
    assert await items.item_folder_shares(calendar.id) == {BERT: Right.READ, CARL: Right.WRITE}
    assert await items.item_folder(BERT, calendar.id) == replace(calendar, right=Right.READ)
    assert list(await items.item_folders(BERT)) == [replace(calendar, right=Right.READ), berts]
    assert list(await items.item_folders(CARL)) == [replace(calendar, right=Right.WRITE)]
    assert await items.item_folder(ANNA, calendar.id) == calendar
    assert list(await items.item_folders(ANNA)) == [calendar]


async def test_a_right_is_changed_and_taken_away(items: Items, calendar: ItemFolder) -> None:
    await items.share_item_folder(calendar.id, BERT, Right.READ)
    await items.share_item_folder(calendar.id, BERT, Right.WRITE)
    assert await items.item_folder_shares(calendar.id) == {BERT: Right.WRITE}
    await items.share_item_folder(calendar.id, BERT, None)
    await items.share_item_folder(calendar.id, BERT, None)
    assert await items.item_folder_shares(calendar.id) == {}
    assert await items.item_folder(BERT, calendar.id) is None
    assert list(await items.item_folders(BERT)) == []


@pytest.mark.parametrize("right", [Right.READ, None])
async def test_the_owner_stays_the_owner(items: Items, calendar: ItemFolder, right: Right | None) -> None:
    await items.share_item_folder(calendar.id, ANNA, right)
    assert await items.item_folder_shares(calendar.id) == {}
    assert list(await items.item_folders(ANNA)) == [calendar]
    await add(items, calendar.id, event("a"))


async def test_others_see_a_folder_at_their_root(items: Items, calendar: ItemFolder) -> None:
    trips = await items.create_item_folder(ANNA, ItemKind.CALENDAR, "Trips", calendar.id)
    await items.share_item_folder(trips.id, BERT, Right.READ)
    seen = await items.item_folder(BERT, trips.id)
    assert seen == replace(trips, parent="", right=Right.READ)
    assert list(await items.item_folders(BERT)) == [seen]


async def test_with_the_right_to_write_items_are_changed(items: Items, calendar: ItemFolder) -> None:
    await items.share_item_folder(calendar.id, BERT, Right.WRITE)
    (number,) = await add(items, calendar.id, event("a"), user=BERT)
    await edit(items, calendar.id, number, event("a", text="changed"), user=BERT)
    assert (await the(items, calendar.id, number)).stored.text == "changed"
    assert await revision(items, calendar.id, BERT) == 2


async def test_with_the_right_to_read_nothing_is_changed(store: Store, calendar: ItemFolder) -> None:
    items = store.items
    await items.share_item_folder(calendar.id, BERT, Right.READ)
    (number,) = await add(items, calendar.id, event("a"))
    with pytest.raises(Refused) as refused:
        await items.commit_items(
            Commit(BERT, calendar.id, [Edit(number, 1, None)], device=PHONE, state=FIRST)
        )
    assert refused.value.kind is Kind.ACCESS_DENIED
    assert await store.state.load_sync(BERT, PHONE, calendar.id) is None
    assert (await the(items, calendar.id, number)).revision == 1
    saved = await items.commit_items(Commit(BERT, calendar.id, device=PHONE, state=FIRST))
    assert saved == replace(FIRST, revision=1)
    assert await store.state.load_sync(BERT, PHONE, calendar.id) == saved


async def test_without_a_right_there_is_no_such_folder(store: Store, calendar: ItemFolder) -> None:
    for commit in (
        Commit(BERT, calendar.id, [Edit(99, 0, event("a"))]),
        Commit(BERT, calendar.id, device=PHONE, state=FIRST),
    ):
        with pytest.raises(NotFound):
            await store.items.commit_items(commit)
    assert await store.state.load_sync(BERT, PHONE, calendar.id) is None
    assert list(await store.items.item_changes(calendar.id, 0)) == []


async def test_shares_have_a_bound(
    store: Store, calendar: ItemFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of whoever makes them and of whoever gets them: nobody fills another one's list of folders."""
    monkeypatch.setattr(itemfolders, "MOST_SHARES", 2)
    items = store.items
    await items.share_item_folder(calendar.id, BERT, Right.READ)
    await items.share_item_folder(calendar.id, CARL, Right.READ)
    with pytest.raises(Refused, match="end a share first"):
        await items.share_item_folder(calendar.id, UserId("dora"), Right.READ)
    await items.share_item_folder(calendar.id, CARL, Right.WRITE)
    await items.share_item_folder(calendar.id, CARL, None)
    await items.share_item_folder(calendar.id, UserId("dora"), Right.READ)
    for owner in ("e", "f"):
        made = await items.create_item_folder(UserId(owner), ItemKind.CALENDAR, "Trips")
        if owner == "e":
            await items.share_item_folder(made.id, BERT, Right.READ)
        else:
            with pytest.raises(Refused, match="folders of others"):
                await items.share_item_folder(made.id, BERT, Right.READ)


async def test_devices_forget_a_folder_not_shared_any_more(store: Store, calendar: ItemFolder) -> None:
    items, state = store.items, store.state
    await items.share_item_folder(calendar.id, BERT, Right.WRITE)
    berts = await state.save_sync(BERT, PHONE, calendar.id, FIRST)
    annas = await state.save_sync(ANNA, PHONE, calendar.id, FIRST)
    await items.share_item_folder(calendar.id, BERT, Right.READ)
    assert await state.load_sync(BERT, PHONE, calendar.id) == berts
    await items.share_item_folder(calendar.id, BERT, None)
    assert await state.load_sync(BERT, PHONE, calendar.id) is None
    assert await state.load_sync(ANNA, PHONE, calendar.id) == annas
    await items.share_item_folder(calendar.id, BERT, Right.WRITE)
    with pytest.raises(StateConflict):
        await items.commit_items(Commit(BERT, calendar.id, device=PHONE, state=berts))


async def test_an_item_is_found_by_uid_among_ones_own(items: Items, calendar: ItemFolder) -> None:
    trips = await items.create_item_folder(ANNA, ItemKind.CALENDAR, "Trips")
    contacts = await items.create_item_folder(ANNA, ItemKind.CONTACTS, "Contacts")
    berts = await items.provide_item_folder(BERT, ItemKind.CALENDAR, "Calendar")
    await items.share_item_folder(berts.id, ANNA, Right.WRITE)
    for folder in (trips.id, contacts.id):
        await add(items, folder, event("same"))
    await add(items, berts.id, event("same"), event("other"), user=BERT)
    await add(items, calendar.id, event("else"), event("same"))
    found = await items.find_items(ANNA, ItemKind.CALENDAR, "same")
    assert [item.folder for item in found] == [calendar.id, trips.id]
    assert found[0] == await the(items, calendar.id, found[0].number)
    assert list(await items.find_items(ANNA, ItemKind.CALENDAR, "other")) == []
    assert list(await items.find_items(ANNA, ItemKind.CALENDAR, "")) == []
    assert list(await items.find_items(ANNA, ItemKind.CALENDAR)) == []
    several = await items.find_items(ANNA, ItemKind.CALENDAR, "other", "same", "else", "sa'me\"")
    assert [(item.folder, item.stored.uid) for item in several if item.folder != trips.id] in (
        [(calendar.id, "same"), (calendar.id, "else")],
        [(calendar.id, "else"), (calendar.id, "same")],
    )
    assert several[2:] == found[1:]
    await edit(items, calendar.id, found[0].number, None)
    assert list(await items.find_items(ANNA, ItemKind.CALENDAR, "same")) == [found[1]]
