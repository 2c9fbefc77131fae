"""ItemMover: what a device knows of an item that it moves, whatever is lost or killed meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.items import ItemFolder, ItemKind
from gateway.store.sqlite import Database
from gateway.sync.itemmoves import ItemMover
from gateway.types import DeviceId
from tests.support.killed import Fuse, Killed
from tests.sync.itemmodel import ANN, Phone, Store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Database.open(tmp_path / "gateway.db") as database:
        opened = Store.over(database)
        opened.folder = (await opened.items.provide_item_folder(ANN, ItemKind.CALENDAR, "Calendar")).id
        yield opened


async def test_a_repeat_after_a_crash_is_not_followed_by_another_add(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moved, killed, told of it by an Add that is lost, moved again, and told of it again, as a Change."""
    source = await store.items.item_folder(ANN, store.folder)
    assert isinstance(source, ItemFolder)
    target = await store.items.create_item_folder(ANN, ItemKind.CALENDAR, "Family")
    number = await store.put("a")
    phone = Phone(replace(store, folder=target.id), "p")
    await phone.settle()
    mover = ItemMover(store.state, store.items, ANN, DeviceId("p"))
    with monkeypatch.context() as patch:
        Fuse(2).put(patch, store.items, "move_item")
        with pytest.raises(Killed):
            await mover.move(number, source, target)
    lost = await phone.ask()
    (there,) = (item.number for item in lost.told.added)
    assert await mover.move(number, source, target) == there
    again = await phone.ask()
    assert ([*again.told.added], [item.number for item in again.told.changed]) == ([], [there])


@pytest.mark.parametrize("heard", [False, True])
async def test_a_late_copy_of_a_move_takes_nothing_from_a_new_beginning(store: Store, heard: bool) -> None:
    """Moved, the other folder begun anew, and the move repeated: who hears of that has the item again."""
    source = await store.items.item_folder(ANN, store.folder)
    assert isinstance(source, ItemFolder)
    target = await store.items.create_item_folder(ANN, ItemKind.CALENDAR, "Family")
    number = await store.put("a")
    phone = Phone(replace(store, folder=target.id), "p")
    mover = ItemMover(store.state, store.items, ANN, DeviceId("p"))
    there = await mover.move(number, source, target)
    phone.apply(await phone.ask())
    assert await mover.move(number, source, target) == there
    if heard:
        phone.items[there] = "a"
    await phone.settle()
    assert phone.items == {there: "a"}
