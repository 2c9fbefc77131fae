"""ItemSync: what goes along with changes and is kept beside them: notices, files, options."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from gateway.items import Item, ItemNumber, Notice, Right
from gateway.sync.itemcursor import ItemCursor
from gateway.sync.itemoperations import AddItem, ChangeItem, Given, Made, NewFile
from gateway.types import DeviceId
from tests.support.notices import pending_notices
from tests.sync.itemmodel import (
    ANN,
    BOB,
    Phone,
    Store,
    adds,
    changes,
    deletes,
    stored,
)


async def test_notices_are_stored_with_the_change_and_once(store: Store, phone: Phone) -> None:
    operation = adds("c1", "a", notice="invite")
    lost = await phone.ask(operation)
    again = await phone.ask(operation)
    assert (lost.noticed, again.noticed) == (True, False)
    assert [notice.key for notice in await pending_notices(store.items, ANN)] == ["invite"]
    phone.key = again.key
    reply = await phone.ask(changes(lost.answers[0].number, "b", notice="update"), deletes(999, notice="no"))
    assert reply.noticed
    assert [notice.key for notice in await pending_notices(store.items, ANN)] == ["invite", "update"]


def telling(
    number: ItemNumber, text: str, *people: str, whole: bool = True, current: bool = True
) -> ChangeItem:
    """A change that people are told of."""

    def change(item: Item, _given: Given) -> Made:
        stored, keys = replace(item.stored, text=text), frozenset({text})
        notices = [Notice(text, people, b"")]
        return Made(
            stored,
            notices,
            current=keys if current else frozenset(),
            whole=keys if whole else frozenset(),
        )

    return ChangeItem(number, text, change)


async def test_who_is_told_all_of_an_item_is_not_told_what_it_was_in_between(
    store: Store, phone: Phone
) -> None:
    first, second = (await phone.do(adds("c1", "a"), adds("c2", "b"))).answers
    await phone.do(
        telling(first.number, "one", "x", "y"),
        telling(second.number, "of another item", "x"),
        telling(first.number, "to more", "x", "y", "z"),
        telling(first.number, "of a part", "x", whole=False),
        telling(first.number, "farewell", "y", whole=False, current=False),
        telling(first.number, "last", "y", "x"),
    )
    keys = [notice.key for notice in await pending_notices(store.items, ANN)]
    assert keys == ["of another item", "to more", "farewell", "last"]
    await phone.do(telling(first.number, "in the next request", "x", "y"))
    assert len(await pending_notices(store.items, ANN)) == 5


async def test_notices_of_a_shared_folder_are_its_owners(store: Store) -> None:
    await store.items.share_item_folder(store.folder, BOB, Right.WRITE)
    guest = Phone(store, "g", user=BOB)
    await guest.settle()
    reply = await guest.do(adds("c1", "a", notice="n"))
    assert reply.noticed
    assert [one.key for one in await pending_notices(store.items, ANN)] == ["n"]
    assert not await pending_notices(store.items, BOB)


async def test_files_are_stored_first_and_their_numbers_answered_again(store: Store, phone: Phone) -> None:
    def make(given: Any) -> Made:
        return Made(StoredFiles(given.files.values()))

    def StoredFiles(numbers: Any) -> Any:  # noqa: N802
        item = stored("with a file")
        return type(item)(item.uid, item.text, item.starts, item.ends, frozenset(numbers))

    new = NewFile("f1", "plan.pdf", "application/pdf", b"content")
    operation = AddItem("c1", "d", make, lambda item, given: Made(item.stored), files=(new,))  # noqa: ARG005
    lost = await phone.ask(operation)
    again = await phone.ask(operation)
    number = lost.answers[0].files["f1"]
    assert again.answers == lost.answers
    info = await store.items.item_file(store.folder, number)
    assert info is not None
    assert (info.name, info.size) == ("plan.pdf", 7)


async def test_options_stick_and_supported_is_that_of_key_0(store: Store) -> None:
    seen: list[bytes] = []

    def supported(options: bytes) -> frozenset[str]:
        seen.append(options)
        return frozenset({"Subject"})

    phone = Phone(store, "p", options=lambda stored: stored or b"first", supported=supported)
    await phone.settle()
    await phone.do(adds("c1", "a"))
    assert set(seen) == {b"first"}
    state = await store.state.load_sync(ANN, DeviceId("p"), store.folder)
    assert state is not None
    assert state.options == b"first"


async def test_an_item_other_releases_could_not_show_is_told_again_once(store: Store, phone: Phone) -> None:
    number = await store.put("a")
    await phone.settle()
    await store.state.note_poison(ANN, store.folder, str(number), "1", "why")
    newer = Phone(store, "p", release="2")
    newer.key, newer.items = phone.key, phone.items
    reply = await newer.do()
    assert [item.number for item in reply.told.changed] == [number]
    assert (await newer.ask()).silent


def test_a_cursor_is_stored_whole() -> None:
    cursor = ItemCursor(7, datetime(2026, 1, 1, tzinfo=UTC), release="1").noting((), 9)
    assert ItemCursor.unpack(cursor.pack()) == cursor
    assert ItemCursor.unpack(b"") == ItemCursor()
    older = {name: value for name, value in json.loads(cursor.pack()).items() if name != "answered"}
    assert ItemCursor.unpack(json.dumps(older).encode()) == cursor
