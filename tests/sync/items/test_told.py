"""ItemSync: what devices are told of items, in which windows."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import Any

import pytest

from gateway.errors import NotFound
from gateway.sync.itemoperations import AddItem, Given, Made
from tests.sync.itemmodel import (
    BOB,
    START,
    Phone,
    Store,
    adds,
    changes,
    deletes,
    other,
    stored,
)

# --- computing ---------------------------------------------------------------------------------------------


async def test_the_event_loop_goes_on_while_operations_are_done(store: Store, phone: Phone) -> None:
    begun, turned = threading.Semaphore(0), threading.Semaphore(0)

    def slow(_: Given) -> Made:
        begun.release()
        assert turned.acquire(timeout=20), "the event loop stands still"
        return Made(stored("slow"))

    operations = [AddItem(f"c{number}", "", slow, lambda *_: Made(stored("slow"))) for number in range(3)]
    asked = asyncio.create_task(phone.ask(*operations))
    while not asked.done():
        await asyncio.sleep(0.001)
        if begun.acquire(blocking=False):
            turned.release()
    assert len((await asked).answers) == 3


# --- telling -----------------------------------------------------------------------------------------------


async def test_what_others_do_is_told(store: Store, phone: Phone) -> None:
    one, two, three = [await store.put(text) for text in ("a", "b", "c")]
    await phone.settle()
    assert phone.items == {one: "a", two: "b", three: "c"}
    await store.write(one, "A")
    await store.remove(two)
    reply = await phone.do()
    assert ([item.number for item in reply.told.changed], [*reply.told.removed]) == ([one], [two])
    assert phone.items == await store.content()


async def test_a_long_listing_comes_in_windows_newest_first(store: Store, phone: Phone) -> None:
    numbers = [await store.put(str(number)) for number in range(10)]
    seen = []
    for _ in range(4):
        reply = await phone.do(limit=3)
        seen.append(sorted(item.number for item in reply.told.added))
        assert reply.more == (len(seen) < 4)
    assert seen == [numbers[7:], numbers[4:7], numbers[1:4], numbers[:1]]


async def test_long_texts_come_in_several_replies(store: Store, phone: Phone) -> None:
    numbers = [await store.put("long" * (1 << 16)) for _ in range(50)]
    small = [await store.put("small") for _ in range(60)]
    first = await phone.do()
    assert first.more
    assert {item.number for item in first.told.added} >= set(small)
    assert len(first.told.added) < len(numbers + small)
    assert await phone.settle() == 2
    assert phone.items == await store.content()


async def test_what_comes_and_goes_between_two_windows_is_not_told(store: Store, phone: Phone) -> None:
    numbers = [await store.put(str(number)) for number in range(4)]
    await phone.do(limit=2)
    await store.remove(numbers[0])
    gone = await store.put("new")
    await store.remove(gone)
    await phone.settle()
    assert phone.items == await store.content()


async def test_without_news_nothing_is_listed_and_the_key_stays(
    store: Store, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.put("a")
    await phone.settle()

    async def listing(*_: Any) -> Any:
        raise AssertionError("read without need")

    for method in ("item_changes", "items_ending", "load_items", "commit_items"):
        monkeypatch.setattr(store.items, method, listing)
    monkeypatch.setattr(store.state, "save_sync", listing)
    reply = await phone.ask()
    assert (reply.silent, reply.key) == (True, phone.key)


async def test_a_device_is_not_told_what_it_did(store: Store, phone: Phone) -> None:
    reply = await phone.do(adds("c1", "a"), adds("c2", "b"))
    one, two = (answer.number for answer in reply.answers)
    reply = await phone.do(changes(one, "A"), deletes(two))
    assert not len(reply.told)
    assert (await phone.ask()).silent
    assert phone.items == await store.content() == {one: "A"}
    assert (await other(store)).items == {one: "A"}


async def test_changes_that_are_not_wanted_wait(store: Store, phone: Phone) -> None:
    number = await store.put("a")
    reply = await phone.ask(get_changes=False)
    assert (reply.silent, reply.more) == (True, False)
    await phone.settle()
    assert phone.items == {number: "a"}


async def test_a_folder_that_is_gone_or_not_shared_any_more(store: Store, phone: Phone) -> None:
    stranger = Phone(store, "s", user=BOB)
    with pytest.raises(NotFound):
        await stranger.ask()
    await store.items.delete_item_folder(store.folder)
    with pytest.raises(NotFound):
        await phone.ask()


# --- the window --------------------------------------------------------------------------------------------


async def test_items_leave_and_enter_the_window(store: Store) -> None:
    start = [START]
    phone = Phone(store, "p", since=lambda _: start[0])
    ends = [START + timedelta(days=days) for days in (-1, 0, 10, 20)]
    old, edge, middle, late = [await store.put(str(end), ends=end) for end in ends]
    endless = await store.put("series")
    await phone.settle()
    assert set(phone.items) == {edge, middle, late, endless}
    start[0] += timedelta(days=15)
    reply = await phone.do()
    assert (set(reply.told.aged), len(reply.told)) == ({edge, middle}, 2)
    start[0] = START - timedelta(days=5)
    reply = await phone.do()
    assert {item.number for item in reply.told.added} == {old, edge, middle}
    start[0] = None  # type: ignore[call-overload]
    assert (await phone.ask()).silent
    assert set(phone.items) == {old, edge, middle, late, endless}


async def test_an_item_that_is_changed_to_be_outside_or_inside_the_window(store: Store) -> None:
    phone = Phone(store, "p", since=lambda _: START)
    before, after = START - timedelta(days=1), START + timedelta(days=1)
    one, two = await store.put("a", ends=after), await store.put("b", ends=before)
    await phone.settle()
    await store.write(one, "a", ends=before)
    await store.write(two, "b", ends=after)
    reply = await phone.do()
    assert ([*reply.told.aged], [item.number for item in reply.told.added]) == ([one], [two])
    await store.remove(one)
    assert (await phone.ask()).silent
