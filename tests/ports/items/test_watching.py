"""Watches: who is told of which change, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from gateway.errors import StateConflict
from gateway.items import Edit, ItemFolder, ItemKind, Notice, Right
from gateway.ports import Commit, Items
from gateway.types import CollectionId, UserId
from tests.ports.items.helpers import LIST, Content, add, edit, event, revision
from tests.ports.known import ANNA, BERT, CARL, FIRST, NOON, PHONE
from tests.support.stores import Store


class Watch:
    """What one user was told since it was asked last."""

    def __init__(self, items: Items, user: UserId) -> None:
        self._heard: set[CollectionId] = set()
        self.unsubscribe: Callable[[], None] = items.watch_items(user, self._heard.add)

    def heard(self) -> set[CollectionId]:
        heard = set(self._heard)
        self._heard.clear()
        return heard


@pytest.fixture
def annas(items: Items, calendar: ItemFolder) -> Watch:
    """A watch of Anna's, who has a calendar."""
    return Watch(items, ANNA)


@pytest.fixture
def berts(items: Items, calendar: ItemFolder) -> Watch:
    return Watch(items, BERT)


async def test_changes_are_told_when_they_are_stored(
    items: Items, calendar: ItemFolder, annas: Watch, berts: Watch
) -> None:
    (number,) = await add(items, calendar.id, event("a"))
    assert annas.heard() == {calendar.id}
    await edit(items, calendar.id, number, None)
    assert annas.heard() == {calendar.id}
    assert berts.heard() == set()


async def test_what_is_told_can_be_read(items: Items, calendar: ItemFolder) -> None:
    seen: list[asyncio.Task[int]] = []
    items.watch_items(ANNA, lambda folder: seen.append(asyncio.ensure_future(revision(items, folder))))
    await add(items, calendar.id, event("a"))
    assert await asyncio.gather(*seen) == [1]


async def test_what_changes_no_item_is_not_told(items: Items, calendar: ItemFolder, annas: Watch) -> None:
    await add(items, calendar.id, event("a"))
    annas.heard()
    with pytest.raises(StateConflict):
        await add(items, calendar.id, event("a"))
    await items.commit_items(
        Commit(ANNA, calendar.id, device=PHONE, state=FIRST, notices=[Notice("n", (), b"")])
    )
    await items.add_item_file("plan.txt", "text/plain", Content(1, 1))
    await items.provide_item_folder(ANNA, ItemKind.CALENDAR, "Calendar")
    await items.prune_items(NOON)
    assert annas.heard() == set()


async def test_those_a_folder_is_shared_with_are_told(
    items: Items, calendar: ItemFolder, annas: Watch, berts: Watch
) -> None:
    carls = Watch(items, CARL)
    await items.share_item_folder(calendar.id, BERT, Right.WRITE)
    assert berts.heard() == {LIST}
    await add(items, calendar.id, event("a"))
    assert (annas.heard(), berts.heard(), carls.heard()) == ({calendar.id}, {calendar.id}, set())
    await add(items, calendar.id, event("b"), user=BERT)
    assert (annas.heard(), berts.heard(), carls.heard()) == ({calendar.id}, {calendar.id}, set())
    await items.share_item_folder(calendar.id, BERT, None)
    assert berts.heard() == {LIST}
    await add(items, calendar.id, event("c"))
    assert (annas.heard(), berts.heard()) == ({calendar.id}, set())


async def test_changes_of_the_list_are_told(
    items: Items, calendar: ItemFolder, annas: Watch, berts: Watch
) -> None:
    trips = await items.create_item_folder(ANNA, ItemKind.CALENDAR, "Trips")
    assert (annas.heard(), berts.heard()) == ({LIST}, set())
    await items.share_item_folder(trips.id, BERT, Right.READ)
    assert berts.heard() == {LIST}
    annas.heard()
    await items.update_item_folder(trips.id, "Journeys", "")
    assert (annas.heard(), berts.heard()) == ({LIST}, {LIST})
    await items.delete_item_folder(trips.id)
    assert (annas.heard(), berts.heard()) == ({LIST}, {LIST})
    await items.provide_item_folder(BERT, ItemKind.CALENDAR, "Calendar")
    assert (annas.heard(), berts.heard()) == (set(), {LIST})


async def test_all_who_saw_a_deleted_folder_or_one_below_it_are_told(
    items: Items, calendar: ItemFolder, annas: Watch, berts: Watch
) -> None:
    carls = Watch(items, CARL)
    trips = await items.create_item_folder(ANNA, ItemKind.CALENDAR, "Trips")
    below = await items.create_item_folder(ANNA, ItemKind.CALENDAR, "Spain", trips.id)
    await items.share_item_folder(trips.id, BERT, Right.READ)
    await items.share_item_folder(below.id, CARL, Right.READ)
    for watch in (annas, berts, carls):
        watch.heard()
    await items.delete_item_folder(trips.id)
    assert [watch.heard() for watch in (annas, berts, carls)] == [{LIST}, {LIST}, {LIST}]


async def test_a_move_is_told_of_both_folders(items: Items, calendar: ItemFolder, annas: Watch) -> None:
    trips = await items.create_item_folder(ANNA, ItemKind.CALENDAR, "Trips")
    (number,) = await add(items, calendar.id, event("a"))
    annas.heard()
    await items.move_item(number, calendar.id, trips.id, 1000)
    assert annas.heard() == {calendar.id, trips.id}


async def test_all_watches_of_a_user_are_told_until_they_end(
    items: Items, calendar: ItemFolder, annas: Watch
) -> None:
    others = [Watch(items, ANNA) for _ in range(3)]
    for _ in range(2):
        others[1].unsubscribe()
    await add(items, calendar.id, event("a"))
    assert [watch.heard() for watch in (annas, *others)] == [
        {calendar.id},
        {calendar.id},
        set(),
        {calendar.id},
    ]


async def test_the_same_call_may_watch_twice(items: Items, calendar: ItemFolder) -> None:
    heard: list[CollectionId] = []
    first, second = items.watch_items(ANNA, heard.append), items.watch_items(ANNA, heard.append)
    first()
    first()
    await add(items, calendar.id, event("a"))
    assert heard == [calendar.id]
    second()
    await add(items, calendar.id, event("b"))
    assert heard == [calendar.id]


async def test_a_call_may_end_watches(items: Items, calendar: ItemFolder) -> None:
    heard: list[CollectionId] = []
    ends: list[Callable[[], None]] = []
    errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))

    def end_all(folder: CollectionId) -> None:
        heard.append(folder)
        for end in ends:
            end()

    ends.extend(items.watch_items(ANNA, end_all) for _ in range(3))
    await add(items, calendar.id, event("a"))
    assert set(heard) == {calendar.id}
    heard.clear()
    await add(items, calendar.id, event("b"))
    assert (heard, errors) == ([], [])


async def test_a_change_whose_request_was_cut_off_is_told(
    store: Store, calendar: ItemFolder, annas: Watch
) -> None:
    (number,) = await store.items.new_item_numbers(1)
    commit = Commit(ANNA, calendar.id, [Edit(number, 0, event("a"))])
    request = asyncio.ensure_future(store.items.commit_items(commit))
    await asyncio.sleep(0)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    async with asyncio.timeout(10):
        while not (heard := annas.heard()):
            await asyncio.sleep(0.001)
    assert heard == {calendar.id}
    assert set(await store.items.load_items(calendar.id, [number])) == {number}
