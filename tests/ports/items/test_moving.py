"""Items put into another folder, once."""

from __future__ import annotations

import asyncio

import pytest

from gateway.errors import NotFound, StateConflict
from gateway.items import Edit, Item, ItemChange, ItemFolder, ItemKind
from gateway.ports import Commit, Items
from gateway.types import CollectionId
from tests.ports.items.helpers import Content, add, edit, event, revision, the
from tests.ports.known import ANNA, HOUR, NOON
from tests.support.stores import Store


@pytest.fixture
async def trips(items: Items) -> ItemFolder:
    """Another calendar of Anna's, with one item in it, of revision 1."""
    folder = await items.create_item_folder(ANNA, ItemKind.CALENDAR, "Trips")
    await add(items, folder.id, event("there"))
    return folder


async def move(items: Items, number: int, source: ItemFolder, target: ItemFolder) -> tuple[int, int]:
    """Move an item as if nobody had tried before: the number reserved for it, and the one it got."""
    (moved,) = await items.new_item_numbers(1)
    return moved, await items.move_item(number, source.id, target.id, moved)


async def test_a_moved_item_is_there_and_not_here(
    store: Store, calendar: ItemFolder, trips: ItemFolder
) -> None:
    items = store.items
    file = await items.add_item_file("plan.txt", "text/plain", Content(1, 4))
    stored = event("a", NOON, None, text="all of it", files=frozenset({file}))
    (number,) = await add(items, calendar.id, stored)
    store.clock.moment = NOON + HOUR
    reserved, moved = await move(items, number, calendar, trips)
    assert moved == reserved
    await store.restart()
    items = store.items
    assert await the(items, trips.id, moved) == Item(moved, trips.id, 2, stored, NOON, NOON)
    assert await items.load_items(calendar.id, [number, moved]) == {}
    assert list(await items.item_changes(calendar.id, 1)) == [ItemChange(number, 2, gone=True)]
    assert list(await items.item_changes(trips.id, 1)) == [
        ItemChange(moved, 2, gone=False, starts=NOON, ends=None)
    ]
    assert await items.item_file(calendar.id, file) is None
    assert await items.item_file(trips.id, file) is not None
    assert [item.number for item in await items.find_items(ANNA, ItemKind.CALENDAR, "a")] == [moved]


async def test_a_repeated_move_tells_the_first_number(
    store: Store, calendar: ItemFolder, trips: ItemFolder
) -> None:
    (number,) = await add(store.items, calendar.id, event("a"))
    _, moved = await move(store.items, number, calendar, trips)
    await store.restart()
    items = store.items
    for _ in range(2):
        assert (await move(items, number, calendar, trips))[1] == moved
    assert await items.move_item(number, calendar.id, trips.id, moved) == moved
    assert (await revision(items, calendar.id), await revision(items, trips.id)) == (2, 2)
    await edit(items, trips.id, moved, event("a", text="changed since"))
    assert (await move(items, number, calendar, trips))[1] == moved
    assert (await the(items, trips.id, moved)).stored.text == "changed since"
    await edit(items, trips.id, moved, None)
    assert (await move(items, number, calendar, trips))[1] == moved
    assert await revision(items, trips.id) == 4


async def test_moves_at_once_make_one_item(items: Items, calendar: ItemFolder, trips: ItemFolder) -> None:
    (number,) = await add(items, calendar.id, event("a"))
    moves = await asyncio.gather(*(move(items, number, calendar, trips) for _ in range(10)))
    assert len({got for _, got in moves}) == 1
    assert await revision(items, trips.id) == 2


async def test_an_item_moves_on_and_back(items: Items, calendar: ItemFolder, trips: ItemFolder) -> None:
    (first,) = await add(items, calendar.id, event("a"))
    _, second = await move(items, first, calendar, trips)
    _, third = await move(items, second, trips, calendar)
    assert len({first, second, third}) == 3
    assert set(await items.load_items(calendar.id, [first, second, third])) == {third}
    assert (await move(items, first, calendar, trips))[1] == second
    assert set(await items.load_items(trips.id, [first, second, third])) == set()


async def test_an_item_that_is_in_neither_is_not_moved(
    items: Items, calendar: ItemFolder, trips: ItemFolder
) -> None:
    other = await items.create_item_folder(ANNA, ItemKind.CALENDAR, "Other")
    gone, elsewhere, there = await add(items, calendar.id, event("a"), event("b"), event("c"))
    await edit(items, calendar.id, gone, None)
    await move(items, elsewhere, calendar, other)
    for number in (gone, elsewhere, 4294967295):
        with pytest.raises(NotFound):
            await move(items, number, calendar, trips)
    for source, target in ((other, trips), (trips, other)):
        with pytest.raises(NotFound):
            await move(items, there, source, target)
    assert await revision(items, trips.id) == 1


async def test_a_folder_that_is_gone_takes_nothing(
    items: Items, calendar: ItemFolder, trips: ItemFolder
) -> None:
    (number,) = await add(items, calendar.id, event("a"))
    await items.delete_item_folder(trips.id)
    for target in (trips.id, CollectionId("")):
        with pytest.raises(NotFound):
            await items.move_item(number, calendar.id, target, 1000)
    assert (await the(items, calendar.id, number)).revision == 1
    assert await revision(items, calendar.id) == 1


async def test_a_folder_with_its_uid_takes_no_item(
    items: Items, calendar: ItemFolder, trips: ItemFolder
) -> None:
    (number,) = await add(items, calendar.id, event("there"))
    with pytest.raises(StateConflict):
        await move(items, number, calendar, trips)
    assert (await the(items, calendar.id, number)).stored == event("there")
    assert (await revision(items, calendar.id), await revision(items, trips.id)) == (1, 1)
    await edit(items, calendar.id, number, event("else"))
    await move(items, number, calendar, trips)


async def test_an_edit_that_comes_after_the_move_is_a_conflict(
    items: Items, calendar: ItemFolder, trips: ItemFolder
) -> None:
    (number,) = await add(items, calendar.id, event("a"))
    _, moved = await move(items, number, calendar, trips)
    with pytest.raises(StateConflict):
        await items.commit_items(Commit(ANNA, calendar.id, [Edit(number, 1, event("a"))]))
    with pytest.raises(StateConflict):
        await items.commit_items(Commit(ANNA, trips.id, [Edit(moved, 1, event("a"))]))
