"""Scheduling messages to be mailed: once, whatever is repeated."""

from __future__ import annotations

from dataclasses import replace

from gateway.items import Edit, ItemFolder, Notice
from gateway.ports import Commit, Items
from tests.ports.items.helpers import ANNA, BERT, HOUR, NOON, Store, add, event, revision

INVITATION = Notice("i1:1/REQUEST/0", ("bert@example.com", "Ünï@example.com"), bytes(range(256)))
CANCELLATION = Notice("i1:1/CANCEL/1", ("bert@example.com",), b"mail")


async def test_notices_wait_in_order(store: Store, calendar: ItemFolder) -> None:
    assert list(await store.items.pending_notices(ANNA)) == []
    await store.items.commit_items(Commit(ANNA, calendar.id, notices=[INVITATION, CANCELLATION]))
    third = Notice("a first key by name", (), b"")
    await store.items.commit_items(Commit(ANNA, calendar.id, notices=[third]))
    await store.restart()
    assert list(await store.items.pending_notices(ANNA)) == [INVITATION, CANCELLATION, third]
    assert await revision(store.items, calendar.id) == 0


async def test_notices_are_those_of_their_user(items: Items, calendar: ItemFolder) -> None:
    berts = await items.provide_item_folder(BERT, calendar.kind, "Calendar")
    for user, folder in ((ANNA, calendar), (BERT, berts)):
        await items.commit_items(Commit(user, folder.id, notices=[INVITATION]))
    await items.drop_notice(BERT, INVITATION.key)
    assert list(await items.pending_notices(ANNA)) == [INVITATION]
    assert list(await items.pending_notices(BERT)) == []


async def test_the_same_key_again_changes_nothing(items: Items, calendar: ItemFolder) -> None:
    again = Notice(INVITATION.key, (), b"another")
    await items.commit_items(Commit(ANNA, calendar.id, notices=[INVITATION, again]))
    await items.commit_items(Commit(ANNA, calendar.id, notices=[again]))
    assert list(await items.pending_notices(ANNA)) == [INVITATION]


async def test_when_a_notice_was_refused_first_is_noted(store: Store, calendar: ItemFolder) -> None:
    await store.items.commit_items(Commit(ANNA, calendar.id, notices=[INVITATION, CANCELLATION]))
    for user in (ANNA, BERT):
        await store.items.note_attempt(user, INVITATION.key)
    (first, second) = await store.items.pending_notices(ANNA)
    assert first.tried is not None
    store.clock.moment += HOUR
    await store.items.note_attempt(ANNA, INVITATION.key)
    assert (
        list(await store.items.pending_notices(ANNA))
        == [first, second]
        == [
            replace(INVITATION, tried=first.tried),
            CANCELLATION,
        ]
    )


async def test_a_dropped_notice_is_not_taken_again(store: Store, calendar: ItemFolder) -> None:
    items = store.items
    await items.commit_items(Commit(ANNA, calendar.id, notices=[INVITATION, CANCELLATION]))
    for _ in range(2):
        await items.drop_notice(ANNA, INVITATION.key)
    await items.drop_notice(ANNA, "no such key")
    assert list(await items.pending_notices(ANNA)) == [CANCELLATION]
    await store.restart()
    items = store.items
    (number,) = await items.new_item_numbers(1)
    edits = [Edit(number, 0, event("a"))]
    await items.commit_items(Commit(ANNA, calendar.id, edits, notices=[INVITATION]))
    assert list(await items.pending_notices(ANNA)) == [CANCELLATION]
    assert set(await items.load_items(calendar.id, [number])) == {number}


async def test_keys_of_dropped_notices_are_forgotten_after_a_while(
    store: Store, calendar: ItemFolder
) -> None:
    items = store.items
    await items.commit_items(Commit(ANNA, calendar.id, notices=[INVITATION, CANCELLATION]))
    await items.drop_notice(ANNA, INVITATION.key)
    for before, pending in ((NOON, [CANCELLATION]), (NOON + HOUR, [CANCELLATION, INVITATION])):
        await items.prune_items(before)
        await items.commit_items(Commit(ANNA, calendar.id, notices=[INVITATION]))
        assert list(await items.pending_notices(ANNA)) == pending


async def test_a_second_drop_does_not_prolong_the_memory(store: Store, calendar: ItemFolder) -> None:
    items = store.items
    await items.commit_items(Commit(ANNA, calendar.id, notices=[INVITATION]))
    await items.drop_notice(ANNA, INVITATION.key)
    store.clock.moment = NOON + 10 * HOUR
    await items.drop_notice(ANNA, INVITATION.key)
    await items.prune_items(NOON + HOUR)
    await items.commit_items(Commit(ANNA, calendar.id, notices=[INVITATION]))
    assert list(await items.pending_notices(ANNA)) == [INVITATION]


async def test_notices_outlive_the_folder(items: Items, calendar: ItemFolder) -> None:
    await add(items, calendar.id, event("a"))
    await items.commit_items(Commit(ANNA, calendar.id, notices=[CANCELLATION]))
    await items.delete_item_folder(calendar.id)
    assert list(await items.pending_notices(ANNA)) == [CANCELLATION]
