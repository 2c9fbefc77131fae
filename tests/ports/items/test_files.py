"""Files of items: in and out piece by piece, and forgotten when no item refers to them."""

from __future__ import annotations

import asyncio

import pytest

from gateway.errors import NotFound, StateConflict
from gateway.items import Edit, FileInfo, FileNumber, ItemFolder, ItemKind
from gateway.ports import Commit, Items
from tests.ports.items.helpers import Content, add, edit, event, the
from tests.ports.known import ANNA, HOUR, NOON
from tests.support.stores import Store

PLAN = Content(1, 100)


async def plan(items: Items) -> FileNumber:
    return await items.add_item_file("plan.txt", "text/plain", PLAN)


async def is_kept(items: Items, number: FileNumber) -> bool:
    """Whether the octets are still there."""
    try:
        await items.read_item_file(number, 0, 1)
    except NotFound:
        return False
    return True


@pytest.mark.parametrize(
    "content",
    [
        Content(0, 0),
        Content(1, 1),
        Content(1, 256 * 1024),
        Content(3, 256 * 1024),
        Content(1, 1000001),
        Content(7, 100003),
        Content(3000, 300),
    ],
    ids=lambda content: f"{len(content)}",
)
async def test_a_file_comes_back_in_pieces_of_any_size(
    store: Store, calendar: ItemFolder, content: Content
) -> None:
    number = await store.items.add_item_file("Plän ✈.bin", "application/x-plan", content)
    await add(store.items, calendar.id, event("a", files=frozenset({number})))
    await store.restart()
    items = store.items
    info = await items.item_file(calendar.id, number)
    assert info == FileInfo(number, "Plän ✈.bin", "application/x-plan", len(content))
    whole = bytes(content)
    for size in (len(whole) + 1, 65536, 262144, 262145, 400000):
        parts: list[bytes] = []
        while part := await items.read_item_file(number, sum(map(len, parts)), size):
            parts.append(part)
        assert b"".join(parts) == whole
        assert {len(part) for part in parts[:-1]} <= {size}
    for offset in (0, 1, 262143, 262144, len(whole) - 1, len(whole), len(whole) + 5):
        for size in (0, 1, 2, 262144):
            start = max(offset, 0)
            assert await items.read_item_file(number, start, size) == whole[start : start + size]


async def test_a_file_is_not_read_ahead_while_it_is_stored(store: Store) -> None:
    content = Content(12, 256 * 1024)
    storing = asyncio.ensure_future(store.items.add_item_file("large", "x/y", content))
    steps = 0
    while not storing.done():
        before = content.taken
        await asyncio.sleep(0)
        steps += content.taken > before
        assert content.taken <= before + 2
    assert steps >= 6
    assert await store.items.read_item_file(await storing, 0, len(content)) == bytes(content)


async def test_a_file_is_of_its_item_and_its_folder(items: Items, calendar: ItemFolder) -> None:
    trips = await items.create_item_folder(ANNA, ItemKind.CALENDAR, "Trips")
    number = await plan(items)
    assert await items.item_file(calendar.id, number) is None
    stored = event("a", files=frozenset({number}))
    (item,) = await add(items, calendar.id, stored)
    assert await items.item_file(trips.id, number) is None
    assert (await the(items, calendar.id, item)).stored == stored


async def test_files_come_and_go_with_edits(items: Items, calendar: ItemFolder) -> None:
    one, two, three = await plan(items), await plan(items), await plan(items)
    (item,) = await add(items, calendar.id, event("a", files=frozenset({one, two})))
    await edit(items, calendar.id, item, event("a", files=frozenset({two, three})))
    assert (await the(items, calendar.id, item)).stored.files == {two, three}
    assert await items.item_file(calendar.id, one) is None
    assert await items.item_file(calendar.id, two) is not None
    await edit(items, calendar.id, item, event("a", files=frozenset({one})))
    assert (await the(items, calendar.id, item)).stored.files == {one}
    await edit(items, calendar.id, item, None)
    assert await items.item_file(calendar.id, one) is None


async def test_a_file_is_of_one_item(items: Items, calendar: ItemFolder) -> None:
    number = await plan(items)
    (item,) = await add(items, calendar.id, event("a", files=frozenset({number})))
    with pytest.raises(StateConflict):
        await add(items, calendar.id, event("b", files=frozenset({number})))
    (fresh,) = await items.new_item_numbers(1)
    handed_over = [Edit(item, 1, None), Edit(fresh, 0, event("a", files=frozenset({number})))]
    await items.commit_items(Commit(ANNA, calendar.id, handed_over))
    assert (await the(items, calendar.id, fresh)).stored.files == {number}


async def test_an_item_cannot_refer_to_a_file_that_is_not_there(items: Items, calendar: ItemFolder) -> None:
    number = await plan(items)
    with pytest.raises(StateConflict):
        await add(items, calendar.id, event("a", files=frozenset({number, number + 1})))
    assert list(await items.item_changes(calendar.id, 0)) == []
    assert await items.item_file(calendar.id, number) is None


async def test_files_no_item_ever_referred_to_are_forgotten(store: Store, calendar: ItemFolder) -> None:
    items = store.items
    used, unused = await plan(items), await plan(items)
    await add(items, calendar.id, event("a", files=frozenset({used})))
    store.clock.moment = NOON + HOUR
    newer = await plan(items)
    await items.prune_items(NOON)
    assert [await is_kept(items, each) for each in (used, unused, newer)] == [True, True, True]
    await items.prune_items(NOON + HOUR)
    assert [await is_kept(items, each) for each in (used, unused, newer)] == [True, False, True]
    await items.prune_items(NOON + 2 * HOUR)
    assert [await is_kept(items, each) for each in (used, unused, newer)] == [True, False, False]
    with pytest.raises(StateConflict):
        await add(items, calendar.id, event("b", files=frozenset({unused})))


async def test_a_file_taken_from_an_item_can_be_read_to_its_end(store: Store, calendar: ItemFolder) -> None:
    items = store.items
    trips = await items.create_item_folder(ANNA, ItemKind.CALENDAR, "Trips")
    removed, deleted, dropped = await plan(items), await plan(items), await plan(items)
    one, two = await add(
        items,
        calendar.id,
        event("a", files=frozenset({removed})),
        event("b", files=frozenset({deleted})),
    )
    await add(items, trips.id, event("c", files=frozenset({dropped})))
    store.clock.moment = NOON + HOUR
    await edit(items, calendar.id, one, event("a"))
    await edit(items, calendar.id, two, None)
    await items.delete_item_folder(trips.id)
    await items.prune_items(NOON + HOUR)
    for number in (removed, deleted, dropped):
        assert await items.read_item_file(number, 0, 1000) == bytes(PLAN)
    await items.prune_items(NOON + 2 * HOUR)
    for number in (removed, deleted, dropped):
        assert not await is_kept(items, number)


async def test_the_number_of_a_file_is_given_to_no_other(store: Store) -> None:
    number = await plan(store.items)
    await store.items.prune_items(NOON + HOUR)
    await store.restart()
    assert await plan(store.items) > number
    with pytest.raises(NotFound):
        await store.items.read_item_file(number, 0, 1)
    with pytest.raises(NotFound):
        await store.items.read_item_file(0, 0, 1)


async def test_items_of_other_kinds_have_files_too(items: Items) -> None:
    notes = await items.create_item_folder(ANNA, ItemKind.NOTES, "Notes")
    number = await plan(items)
    await add(items, notes.id, event("a", None, None, files=frozenset({number})))
    assert (await items.item_file(notes.id, number)) == FileInfo(number, "plan.txt", "text/plain", 100)
