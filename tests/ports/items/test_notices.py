"""Scheduling messages to be mailed: once, whatever is repeated."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.errors import NotFound
from gateway.items import Edit, FileInfo, ItemFolder, Notice, NoticeFile, PendingNotice
from gateway.ports import Commit, Items
from tests.ports.items.helpers import Content, add, event, revision
from tests.ports.known import ANNA, BERT, HOUR, NOON
from tests.support.notices import pending_notices
from tests.support.stores import Store

INVITATION = Notice("i1:1/REQUEST/0", ("bert@example.com", "Ünï@example.com"), bytes(range(256)))
CANCELLATION = Notice("i1:1/CANCEL/1", ("bert@example.com",), b"mail")


async def test_notices_wait_in_order(store: Store, calendar: ItemFolder) -> None:
    assert await pending_notices(store.items, ANNA) == []
    await store.items.commit_items(Commit(ANNA, calendar.id, notices=[INVITATION, CANCELLATION]))
    third = Notice("a first key by name", (), b"")
    await store.items.commit_items(Commit(ANNA, calendar.id, notices=[third]))
    await store.restart()
    assert await pending_notices(store.items, ANNA) == [INVITATION, CANCELLATION, third]
    assert await revision(store.items, calendar.id) == 0


async def test_notices_are_those_of_their_user(items: Items, calendar: ItemFolder) -> None:
    berts = await items.provide_item_folder(BERT, calendar.kind, "Calendar")
    for user, folder in ((ANNA, calendar), (BERT, berts)):
        await items.commit_items(Commit(user, folder.id, notices=[INVITATION]))
    await items.drop_notice(BERT, INVITATION.key)
    assert await pending_notices(items, ANNA) == [INVITATION]
    assert await pending_notices(items, BERT) == []


async def test_the_same_key_again_changes_nothing(items: Items, calendar: ItemFolder) -> None:
    again = Notice(INVITATION.key, (), b"another")
    await items.commit_items(Commit(ANNA, calendar.id, notices=[INVITATION, again]))
    await items.commit_items(Commit(ANNA, calendar.id, notices=[again]))
    assert await pending_notices(items, ANNA) == [INVITATION]


async def test_notices_take_turns(store: Store, calendar: ItemFolder) -> None:
    items = store.items
    await items.commit_items(Commit(ANNA, calendar.id, notices=[INVITATION, CANCELLATION]))
    for user in (ANNA, BERT):
        await items.note_attempt(user, INVITATION.key)
    assert await pending_notices(items, ANNA) == [CANCELLATION, INVITATION]
    await items.note_attempt(ANNA, CANCELLATION.key)
    await store.restart()
    items = store.items
    assert await pending_notices(items, ANNA) == [INVITATION, CANCELLATION]
    first = await items.next_notice(ANNA)
    assert first is not None
    assert first.tried == NOON
    store.clock.moment += HOUR
    await items.note_attempt(ANNA, INVITATION.key)
    again = await items.next_notice(ANNA, [CANCELLATION.key])
    assert again == first
    await items.note_told(ANNA, INVITATION.key)
    told = await items.next_notice(ANNA, [CANCELLATION.key])
    assert told == PendingNotice(replace(INVITATION, recipients=()))


async def test_of_one_event_everybody_hears_in_order(items: Items, calendar: ItemFolder) -> None:
    bert, cora = "bert@example.com", "cora@example.com"
    first = Notice("1", (bert, cora), b"", "uid")
    other = Notice("2", (bert, "dora@example.com"), b"", "another")
    second = Notice("3", (bert.upper(), "dora@example.com"), b"", "uid")
    third = Notice("4", (cora,), b"", "uid")
    await items.commit_items(Commit(ANNA, calendar.id, notices=[first, other, second, third]))
    assert await items.next_notice(ANNA) == PendingNotice(first, first.recipients)
    assert await items.next_notice(ANNA, ["1"]) == PendingNotice(other, other.recipients)
    assert await items.next_notice(ANNA, ["1", "2"]) == PendingNotice(second, ("dora@example.com",))
    assert await items.next_notice(ANNA, ["1", "2", "3"]) is None
    await items.split_notice(ANNA, "1", {"b": (bert,), "c": (cora,)}, {"c"})
    await items.drop_notice(ANNA, "b")
    assert await items.next_notice(ANNA) == PendingNotice(other, other.recipients)
    assert await items.next_notice(ANNA, ["2"]) == PendingNotice(second, second.recipients)
    assert await items.next_notice(ANNA, ["2", "3", "c"]) is None
    await items.note_told(ANNA, "c")
    assert await items.next_notice(ANNA, ["2", "3", "c"]) == PendingNotice(third, third.recipients)


async def test_a_notice_goes_apart(store: Store, calendar: ItemFolder) -> None:
    items = store.items
    people = ("bert@example.com", "cora@example.com", "dora@example.com")
    notice = Notice("n", people, b"mail", "uid")
    await items.commit_items(Commit(ANNA, calendar.id, notices=[notice, CANCELLATION]))
    parts = {"a": people[:1], "b": people[1:]}
    for _ in range(2):
        await items.split_notice(ANNA, "n", parts, {"a"})
    await items.commit_items(Commit(ANNA, calendar.id, notices=[notice]))
    await store.restart()
    items = store.items
    one, two = (
        replace(notice, key="a", recipients=people[:1]),
        replace(notice, key="b", recipients=people[1:]),
    )
    assert await pending_notices(items, ANNA) == [two, CANCELLATION, one]
    assert await items.next_notice(ANNA) == PendingNotice(two, two.recipients, apart=True)
    tried = await items.next_notice(ANNA, ["b", CANCELLATION.key])
    assert tried == PendingNotice(one, one.recipients, apart=True, tried=NOON)
    await items.drop_notice(ANNA, "a")
    assert await pending_notices(items, ANNA) == [two, CANCELLATION]


async def test_files_stay_for_those_who_are_to_get_them(store: Store, calendar: ItemFolder) -> None:
    items = store.items
    plan = Content(1, 300)
    kept, foreign = [await items.add_item_file("plan.pdf", "application/pdf", plan) for _ in "ab"]
    (number,) = await items.new_item_numbers(1)
    files = (NoticeFile(kept, "cid", inline=True), NoticeFile(foreign), NoticeFile(999))
    notice = Notice("n", ("bert@example.com",), b"mail", "a", files)
    edits = [Edit(number, 0, event("a", files=frozenset({kept})))]
    await items.commit_items(Commit(ANNA, calendar.id, edits, notices=[notice]))
    at = await revision(items, calendar.id)
    await items.commit_items(Commit(ANNA, calendar.id, [Edit(number, at, None)]))
    await items.split_notice(ANNA, "n", {"a": notice.recipients, "b": ()})
    for _ in range(2):
        await items.prune_items(NOON + HOUR)
        await store.restart()
        items = store.items
    # Of files, those of the events of the folder alone: a text may name any.
    pending = await items.next_notice(ANNA)
    assert pending is not None
    assert pending.notice.files == files[:1]
    assert pending.files == (FileInfo(kept, "plan.pdf", "application/pdf", 300),)
    assert await items.read_item_file(kept, 0, 1000) == b"".join(plan)
    await items.leave_out_files(ANNA, "a")
    bare = await items.next_notice(ANNA, ["b"])
    assert bare is not None
    assert (bare.notice.files, bare.files) == ((), ())
    for key in ("a", "b"):
        await items.drop_notice(ANNA, key)
    await items.prune_items(NOON + HOUR)
    with pytest.raises(NotFound):
        await items.read_item_file(kept, 0, 1000)


async def test_a_dropped_notice_is_not_taken_again(store: Store, calendar: ItemFolder) -> None:
    items = store.items
    await items.commit_items(Commit(ANNA, calendar.id, notices=[INVITATION, CANCELLATION]))
    for _ in range(2):
        await items.drop_notice(ANNA, INVITATION.key)
    await items.drop_notice(ANNA, "no such key")
    assert await pending_notices(items, ANNA) == [CANCELLATION]
    await store.restart()
    items = store.items
    (number,) = await items.new_item_numbers(1)
    edits = [Edit(number, 0, event("a"))]
    await items.commit_items(Commit(ANNA, calendar.id, edits, notices=[INVITATION]))
    assert await pending_notices(items, ANNA) == [CANCELLATION]
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
        assert await pending_notices(items, ANNA) == pending


async def test_a_second_drop_does_not_prolong_the_memory(store: Store, calendar: ItemFolder) -> None:
    items = store.items
    await items.commit_items(Commit(ANNA, calendar.id, notices=[INVITATION]))
    await items.drop_notice(ANNA, INVITATION.key)
    store.clock.moment = NOON + 10 * HOUR
    await items.drop_notice(ANNA, INVITATION.key)
    await items.prune_items(NOON + HOUR)
    await items.commit_items(Commit(ANNA, calendar.id, notices=[INVITATION]))
    assert await pending_notices(items, ANNA) == [INVITATION]


async def test_notices_outlive_the_folder(items: Items, calendar: ItemFolder) -> None:
    await add(items, calendar.id, event("a"))
    await items.commit_items(Commit(ANNA, calendar.id, notices=[CANCELLATION]))
    await items.delete_item_folder(calendar.id)
    assert await pending_notices(items, ANNA) == [CANCELLATION]
