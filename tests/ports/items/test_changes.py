"""What changed after a revision: the newest change of each item, once."""

from __future__ import annotations

from gateway.items import Edit, ItemChange, ItemFolder, ItemKind
from gateway.ports import Commit, Items
from tests.ports.items.helpers import add, edit, event, revision, the
from tests.ports.known import ANNA, HOUR, NOON
from tests.support.stores import Store


async def test_changes_are_told_by_revision(items: Items, calendar: ItemFolder) -> None:
    one, two, three = await add(
        items, calendar.id, event("a"), event("b", None, None), event("c", NOON, None)
    )
    assert list(await items.item_changes(calendar.id, 0)) == [
        ItemChange(one, 1, gone=False, starts=NOON, ends=NOON + HOUR),
        ItemChange(two, 2, gone=False),
        ItemChange(three, 3, gone=False, starts=NOON),
    ]
    assert [change.number for change in await items.item_changes(calendar.id, 1)] == [two, three]
    assert list(await items.item_changes(calendar.id, 3)) == []
    assert list(await items.item_changes(calendar.id, 99)) == []


async def test_of_an_item_only_the_newest_change_is_told(items: Items, calendar: ItemFolder) -> None:
    one, two = await add(items, calendar.id, event("a"), event("b"))
    await edit(items, calendar.id, one, event("a", NOON + HOUR, NOON + 2 * HOUR))
    await edit(items, calendar.id, one, event("a", None, NOON))
    expected = ItemChange(one, 4, gone=False, ends=NOON)
    for after in (2, 3):
        assert list(await items.item_changes(calendar.id, after)) == [expected]
    changes = await items.item_changes(calendar.id, 0)
    assert [change.number for change in changes] == [two, one]


async def test_what_differs_by_answers_alone_says_from_when_on(items: Items, calendar: ItemFolder) -> None:
    (number,) = await add(items, calendar.id, event("a"))
    told = []
    for answers in (True, True, False, True):
        revision = (await the(items, calendar.id, number)).revision
        changed = Edit(number, revision, event("a", text=str(revision)), answers)
        await items.commit_items(Commit(ANNA, calendar.id, [changed]))
        (change,) = await items.item_changes(calendar.id, 0)
        assert [change] == list(await items.items_ending(calendar.id, NOON, NOON + 2 * HOUR))
        told.append((change.revision, change.alike))
    assert told == [(2, 1), (3, 1), (4, None), (5, 4)]
    await edit(items, calendar.id, number, None)
    assert list(await items.item_changes(calendar.id, 0)) == [ItemChange(number, 6, gone=True)]


async def test_that_an_item_is_gone_is_told_for_good(store: Store, calendar: ItemFolder) -> None:
    items = store.items
    one, two = await add(items, calendar.id, event("a"), event("b"))
    await edit(items, calendar.id, one, None)
    await items.prune_items(NOON + 10000 * HOUR)
    await store.restart()
    for after in (1, 2):
        changes = await store.items.item_changes(calendar.id, after)
        assert changes[-1] == ItemChange(one, 3, gone=True)
    assert [change.number for change in await store.items.item_changes(calendar.id, 0)] == [two, one]


async def test_an_item_made_and_gone_between_is_told_as_gone(items: Items, calendar: ItemFolder) -> None:
    (number,) = await add(items, calendar.id, event("a"))
    await edit(items, calendar.id, number, None)
    assert list(await items.item_changes(calendar.id, 0)) == [ItemChange(number, 2, gone=True)]


async def test_changes_are_told_from_any_revision_on(items: Items, calendar: ItemFolder) -> None:
    numbers = await add(items, calendar.id, *(event(f"{n}") for n in range(10)))
    await edit(items, calendar.id, numbers[0], event("0", text="new"))
    told: list[int] = []
    after = 0
    while changes := await items.item_changes(calendar.id, after):
        after = changes[0].revision
        told.append(changes[0].number)
    assert told == [*numbers[1:], numbers[0]]
    assert after == await revision(items, calendar.id)


async def test_each_folder_has_its_own_changes(items: Items, calendar: ItemFolder) -> None:
    trips = await items.create_item_folder(ANNA, ItemKind.CALENDAR, "Trips")
    (one,) = await add(items, calendar.id, event("a"))
    (two,) = await add(items, trips.id, event("a"))
    assert [change.number for change in await items.item_changes(calendar.id, 0)] == [one]
    assert [change.number for change in await items.item_changes(trips.id, 0)] == [two]


async def test_ten_thousand_items_in_one_commit(items: Items, calendar: ItemFolder) -> None:
    numbers = await items.new_item_numbers(10000)
    edits = [
        Edit(number, 0, event(f"{number}", NOON + number * HOUR, NOON + number * HOUR)) for number in numbers
    ]
    await items.commit_items(Commit(ANNA, calendar.id, edits))
    changes = await items.item_changes(calendar.id, 0)
    assert [change.number for change in changes] == list(numbers)
    loaded = await items.load_items(calendar.id, reversed(numbers))
    assert len(loaded) == 10000
    assert all(item.number == number for number, item in loaded.items())
