"""Commits: everything at once or nothing, and once when two want the same."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from gateway.errors import NotFound, StateConflict
from gateway.items import Edit, Item, ItemFolder, ItemKind, Notice
from gateway.ports import Commit, Items
from gateway.types import CollectionId, SyncState
from tests.ports.items.helpers import add, edit, event, revision, the
from tests.ports.known import ANNA, BERT, FIRST, HOUR, NOON, PHONE, TABLET
from tests.support.notices import pending_notices
from tests.support.stores import Store

NOTICE = Notice("n1", ("bert@example.com",), b"mail")


async def assert_nothing_happened(store: Store, folder: CollectionId, at: int) -> None:
    """Neither the folder, nor what the phone knows, nor what is to be mailed differs from before."""
    assert await revision(store.items, folder) == at
    assert await store.state.load_sync(ANNA, PHONE, folder) is None
    assert await pending_notices(store.items, ANNA) == []


async def test_an_item_comes_back_as_it_was_stored(store: Store, calendar: ItemFolder) -> None:
    text = "BEGIN:VCALENDAR\r\nSUMMARY:Ünï ✈ \U0001f600\x00\r\n" * 2000
    zone = timezone(timedelta(hours=5, minutes=45))
    stored = event("u-1@example.com", NOON.astimezone(zone), NOON.astimezone(zone) + HOUR, text=text)
    (number,) = await add(store.items, calendar.id, stored)
    await store.restart()
    item = await the(store.items, calendar.id, number)
    assert item == Item(number, calendar.id, 1, stored, NOON, NOON)
    assert item.stored.starts is not None
    assert item.stored.starts.utcoffset() is not None


async def test_times_without_bounds(items: Items, calendar: ItemFolder) -> None:
    numbers = await add(items, calendar.id, event("a", None), event("b", NOON, None), event("c", None, None))
    loaded = await items.load_items(calendar.id, numbers)
    assert [(item.stored.starts, item.stored.ends) for item in loaded.values()] == [
        (None, NOON + HOUR),
        (NOON, None),
        (None, None),
    ]


async def test_those_that_are_there_are_loaded(items: Items, calendar: ItemFolder) -> None:
    trips = await items.create_item_folder(ANNA, ItemKind.CALENDAR, "Trips")
    one, two = await add(items, calendar.id, event("a"), event("b"))
    (elsewhere,) = await add(items, trips.id, event("a"))
    await edit(items, calendar.id, two, None)
    assert set(await items.load_items(calendar.id, [two, one, elsewhere, one, 4294967295])) == {one}
    assert await items.load_items(calendar.id, []) == {}


async def test_each_edit_has_the_next_revision_in_their_order(items: Items, calendar: ItemFolder) -> None:
    one, two, three = await add(items, calendar.id, event("a"), event("b"), event("c"))
    await items.commit_items(
        Commit(
            ANNA,
            calendar.id,
            [Edit(three, 3, event("c", text="new")), Edit(one, 1, None), Edit(two, 2, event("b"))],
        )
    )
    loaded = await items.load_items(calendar.id, [one, two, three])
    assert {number: item.revision for number, item in loaded.items()} == {three: 4, two: 6}
    changes = await items.item_changes(calendar.id, 3)
    assert [(change.number, change.revision) for change in changes] == [(three, 4), (one, 5), (two, 6)]
    assert await revision(items, calendar.id) == 6


async def test_an_edit_keeps_when_the_item_was_made(store: Store, calendar: ItemFolder) -> None:
    (number,) = await add(store.items, calendar.id, event("a"))
    store.clock.moment = NOON + HOUR
    later = event("other-uid", NOON + HOUR, None, text="other")
    await edit(store.items, calendar.id, number, later)
    expected = Item(number, calendar.id, 2, later, NOON, NOON + HOUR)
    assert await the(store.items, calendar.id, number) == expected


async def test_folders_have_revisions_of_their_own(items: Items, calendar: ItemFolder) -> None:
    trips = await items.create_item_folder(ANNA, ItemKind.CALENDAR, "Trips")
    await add(items, calendar.id, event("a"), event("b"))
    (number,) = await add(items, trips.id, event("a"))
    assert (await the(items, trips.id, number)).revision == 1
    assert (await revision(items, calendar.id), await revision(items, trips.id)) == (2, 1)


async def test_edits_state_and_notices_are_stored_together(store: Store, calendar: ItemFolder) -> None:
    items, state = store.items, store.state
    (number,) = await items.new_item_numbers(1)
    commit = Commit(
        ANNA,
        calendar.id,
        [Edit(number, 0, event("a"))],
        revision=0,
        device=PHONE,
        state=FIRST,
        notices=[NOTICE],
    )
    saved = await items.commit_items(commit)
    assert saved == replace(FIRST, revision=1)
    assert await state.load_sync(ANNA, PHONE, calendar.id) == saved
    assert await pending_notices(items, ANNA) == [NOTICE]
    assert (await the(items, calendar.id, number)).revision == 1
    again = replace(saved, number=2, cursor=b"two", previous=b"one")
    assert await items.commit_items(Commit(ANNA, calendar.id, device=PHONE, state=again)) == replace(
        again, revision=2
    )
    assert await revision(items, calendar.id) == 1
    assert await items.commit_items(Commit(ANNA, calendar.id, [Edit(number, 1, None)])) is None


async def test_the_state_of_another_device_is_another(store: Store, calendar: ItemFolder) -> None:
    for device in (PHONE, TABLET):
        await store.items.commit_items(Commit(ANNA, calendar.id, device=device, state=FIRST))
    states = await store.state.load_syncs(ANNA, TABLET)
    assert states == {calendar.id: replace(FIRST, revision=1)}


async def test_a_state_saved_with_a_commit_ends_the_intents(store: Store, calendar: ItemFolder) -> None:
    await store.state.save_intents(ANNA, PHONE, calendar.id, {"add:1": b"x"})
    await store.items.commit_items(Commit(ANNA, calendar.id, device=PHONE, state=FIRST))
    assert await store.state.load_intents(ANNA, PHONE, calendar.id) == {}


async def test_an_item_that_changed_meanwhile_is_a_conflict(store: Store, calendar: ItemFolder) -> None:
    items = store.items
    one, two, three = await add(items, calendar.id, event("a"), event("b"), event("c"))
    await edit(items, calendar.id, one, event("a", text="new"))
    await edit(items, calendar.id, three, None)
    (fresh,) = await items.new_item_numbers(1)
    for stale in (
        Edit(one, 1, event("a", text="lost")),
        Edit(one, 1, None),
        Edit(one, 0, event("z")),
        Edit(one, 9, event("a")),
        Edit(three, 3, event("c")),
        Edit(three, 3, None),
        Edit(three, 5, event("c")),
        Edit(three, 0, event("c")),
        Edit(fresh, 1, event("z")),
        Edit(fresh, 0, None),
    ):
        commit = Commit(
            ANNA,
            calendar.id,
            [Edit(two, 2, event("b", text="half")), stale],
            device=PHONE,
            state=FIRST,
            notices=[NOTICE],
        )
        with pytest.raises(StateConflict):
            await items.commit_items(commit)
        await assert_nothing_happened(store, calendar.id, 5)
    assert (await the(items, calendar.id, two)).stored == event("b")
    assert (await the(items, calendar.id, one)).stored.text == "new"


async def test_an_item_of_another_folder_is_not_to_be_had(store: Store, calendar: ItemFolder) -> None:
    items = store.items
    trips = await items.create_item_folder(ANNA, ItemKind.CALENDAR, "Trips")
    (number,) = await add(items, trips.id, event("a"))
    for strange in (Edit(number, 1, event("b")), Edit(number, 0, event("b")), Edit(number, 1, None)):
        with pytest.raises(StateConflict):
            await items.commit_items(Commit(ANNA, calendar.id, [strange]))
    assert (await the(items, trips.id, number)).stored == event("a")
    assert await revision(items, calendar.id) == 0


async def test_an_item_is_edited_once_in_a_commit(items: Items, calendar: ItemFolder) -> None:
    (number,) = await add(items, calendar.id, event("a"))
    twice = [Edit(number, 1, event("a", text="one")), Edit(number, 1, event("a", text="two"))]
    with pytest.raises(StateConflict):
        await items.commit_items(Commit(ANNA, calendar.id, twice))
    assert (await the(items, calendar.id, number)).stored == event("a")


async def test_a_state_that_changed_meanwhile_is_a_conflict(store: Store, calendar: ItemFolder) -> None:
    items = store.items
    await store.state.save_sync(ANNA, PHONE, calendar.id, FIRST)
    (number,) = await items.new_item_numbers(1)
    edits = [Edit(number, 0, event("a"))]
    for stale in (FIRST, replace(FIRST, revision=2)):
        with pytest.raises(StateConflict):
            await items.commit_items(
                Commit(ANNA, calendar.id, edits, device=PHONE, state=stale, notices=[NOTICE])
            )
    assert await items.load_items(calendar.id, [number]) == {}
    assert await revision(items, calendar.id) == 0
    assert await pending_notices(items, ANNA) == []


async def test_a_folder_that_changed_meanwhile_is_a_conflict(store: Store, calendar: ItemFolder) -> None:
    items = store.items
    await add(items, calendar.id, event("a"))
    (number,) = await items.new_item_numbers(1)
    edits = [Edit(number, 0, event("b"))]
    for at in (0, 2):
        with pytest.raises(StateConflict):
            await items.commit_items(
                Commit(ANNA, calendar.id, edits, revision=at, device=PHONE, state=FIRST, notices=[NOTICE])
            )
        await assert_nothing_happened(store, calendar.id, 1)
    await items.commit_items(Commit(ANNA, calendar.id, edits, revision=1))
    assert (await the(items, calendar.id, number)).revision == 2


async def test_a_uid_is_there_once_in_a_folder(items: Items, calendar: ItemFolder) -> None:
    trips = await items.create_item_folder(ANNA, ItemKind.CALENDAR, "Trips")
    one, two = await add(items, calendar.id, event("a"), event("b"))
    with pytest.raises(StateConflict):
        await add(items, calendar.id, event("c"), event("a"))
    with pytest.raises(StateConflict):
        await edit(items, calendar.id, two, event("a"))
    with pytest.raises(StateConflict):
        await add(items, trips.id, event("same"), event("same"))
    await add(items, trips.id, event("a"))
    await add(items, calendar.id, event("A"))
    await edit(items, calendar.id, one, event("a", text="still the same"))
    assert await revision(items, calendar.id) == 4
    assert await revision(items, trips.id) == 1


async def test_the_uid_of_an_item_that_goes_is_free(items: Items, calendar: ItemFolder) -> None:
    (old,) = await add(items, calendar.id, event("a"))
    (new,) = await items.new_item_numbers(1)
    await items.commit_items(Commit(ANNA, calendar.id, [Edit(new, 0, event("a")), Edit(old, 1, None)]))
    changes = await items.item_changes(calendar.id, 1)
    assert [(change.number, change.revision, change.gone) for change in changes] == [
        (new, 2, False),
        (old, 3, True),
    ]
    await edit(items, calendar.id, new, None)
    await add(items, calendar.id, event("a"))


async def test_of_two_commits_on_one_item_one_is_done(items: Items, calendar: ItemFolder) -> None:
    one, two = await add(items, calendar.id, event("a"), event("b"))
    commits = [
        Commit(
            ANNA,
            calendar.id,
            [Edit(two, 2, event("b", text=f"{n}")), Edit(one, 1, event("a", text=f"{n}"))],
            device=PHONE,
            state=replace(FIRST, cursor=b"%d" % n),
            notices=[Notice(f"{n}", (), b"")],
        )
        for n in range(20)
    ]
    outcomes = await asyncio.gather(*map(items.commit_items, commits), return_exceptions=True)
    assert sum(isinstance(outcome, StateConflict) for outcome in outcomes) == 19
    (winner,) = [n for n, outcome in enumerate(outcomes) if not isinstance(outcome, BaseException)]
    loaded = await items.load_items(calendar.id, [one, two])
    assert {item.stored.text for item in loaded.values()} == {f"{winner}"}
    assert await revision(items, calendar.id) == 4
    assert [notice.key for notice in await pending_notices(items, ANNA)] == [f"{winner}"]


async def test_commits_on_different_items_all_happen(items: Items, calendar: ItemFolder) -> None:
    await asyncio.gather(*(add(items, calendar.id, event(f"{n}"), event(f"{n}'")) for n in range(20)))
    changes = await items.item_changes(calendar.id, 0)
    assert [change.revision for change in changes] == list(range(1, 41))
    assert await revision(items, calendar.id) == 40


async def test_a_folder_deleted_meanwhile_takes_the_commit_with_it(store: Store) -> None:
    """Whichever of the two is first, nothing is left of what is in the folder."""
    items = store.items
    for _ in range(10):
        folder = await items.create_item_folder(ANNA, ItemKind.CALENDAR, "Trips")
        (number,) = await items.new_item_numbers(1)
        commit = Commit(
            ANNA, folder.id, [Edit(number, 0, event("a"))], device=PHONE, state=FIRST, notices=[NOTICE]
        )
        _, outcome = await asyncio.gather(
            items.delete_item_folder(folder.id), items.commit_items(commit), return_exceptions=True
        )
        assert await items.load_items(folder.id, [number]) == {}
        assert await store.state.load_sync(ANNA, PHONE, folder.id) is None
        if isinstance(outcome, NotFound):
            assert await pending_notices(items, ANNA) == []
        else:
            assert isinstance(outcome, SyncState)
            await items.drop_notice(ANNA, NOTICE.key)
            await items.prune_items(NOON + HOUR)


async def test_numbers_are_given_once(store: Store, calendar: ItemFolder) -> None:
    batches = await asyncio.gather(*(store.items.new_item_numbers(count) for count in (1, 5, 20) * 10))
    given = [number for batch in batches for number in batch]
    assert len(set(given)) == len(given) == 260
    assert min(given) > 0
    assert list(await store.items.new_item_numbers(0)) == []
    (kept,) = await add(store.items, calendar.id, event("a"))
    await edit(store.items, calendar.id, kept, None)
    await store.items.delete_item_folder(calendar.id)
    await store.restart()
    berts = await store.items.provide_item_folder(BERT, ItemKind.CALENDAR, "Calendar")
    (number,) = await add(store.items, berts.id, event("a"), user=BERT)
    assert number > max(*given, kept)
