"""Several processes on one PostgreSQL: nobody overwrites another, reads past a change, or sends twice."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.errors import StateConflict
from gateway.items import Edit, ItemKind, Right, StoredItem
from gateway.ports import Commit, Items, State
from gateway.types import (
    Access,
    CollectionId,
    Device,
    DeviceId,
    Folder,
    FolderList,
    OutboxEntry,
    OutboxStage,
    SyncState,
    UserId,
)
from tests.ports.items.helpers import event
from tests.ports.known import ANNA, BERT, NOON, PHONE, TABLET
from tests.support.stores import PostgresStore

INBOX = CollectionId("1")


async def test_of_two_that_save_from_the_same_revision_one_wins(
    here: PostgresStore, there: PostgresStore
) -> None:
    """Of everything that is compared and set."""
    state = await here.state.save_sync(ANNA, PHONE, INBOX, SyncState("e", 1, b""))
    folders = await here.state.save_folders(ANNA, FolderList(0, 1))
    for _ in range(20):
        saved = await asyncio.gather(
            *(store.state.save_sync(ANNA, PHONE, INBOX, state) for store in (here, there)),
            *(store.state.save_folders(ANNA, folders) for store in (here, there)),
            return_exceptions=True,
        )
        (state,) = [one for one in saved if isinstance(one, SyncState)]
        (folders,) = [one for one in saved if isinstance(one, FolderList)]
        assert sum(isinstance(one, StateConflict) for one in saved) == 2


async def test_a_first_save_of_two_is_one(here: PostgresStore, there: PostgresStore) -> None:
    for number in range(10):
        collection = CollectionId(f"{number}")
        saved = await asyncio.gather(
            *(
                store.state.save_sync(ANNA, PHONE, collection, SyncState("e", 1, b""))
                for store in (here, there)
            ),
            *(
                store.state.reset_sync(ANNA, TABLET, collection, SyncState("e", 1, b""))
                for store in (here, there)
            ),
            return_exceptions=True,
        )
        assert sum(isinstance(one, StateConflict) for one in saved[:2]) == 1
        assert sorted(one.revision for one in saved[2:] if isinstance(one, SyncState)) == [1, 2]


async def test_a_message_is_sent_by_one(here: PostgresStore, there: PostgresStore) -> None:
    for number in range(10):
        entry = OutboxEntry(0, ANNA, PHONE, "", f"<{number}@phone>", "00", True, OutboxStage.ACCEPTED, NOON)
        begun = await asyncio.gather(
            *(
                store.state.begin_send(replace(entry, device=device), NOON - timedelta(hours=1))
                for store in (here, there)
                for device in (PHONE, TABLET)
            )
        )
        assert sum(new for _, new in begun) == 1
        assert len({stored.id for stored, _ in begun}) == 1


async def test_a_default_folder_is_made_once(here: PostgresStore, there: PostgresStore) -> None:
    made, *others = await asyncio.gather(
        *(store.items.provide_item_folders(ANNA, dict.fromkeys(ItemKind, "It")) for store in (here, there)),
        *(store.items.provide_item_folders(ANNA, dict.fromkeys(ItemKind, "It")) for store in (here, there)),
    )
    assert {folder.kind for folder in made} == {*ItemKind}
    assert others == [made] * 3
    single = await asyncio.gather(
        *(store.items.provide_item_folder(BERT, kind, "It") for store in (here, there) for kind in ItemKind)
    )
    assert len({folder.id for folder in single}) == len(ItemKind)
    assert len(await here.items.item_folders(ANNA)) == len(ItemKind)


async def test_processes_that_edit_one_item_do_not_overwrite_each_other(
    here: PostgresStore, there: PostgresStore
) -> None:
    calendar = (await here.items.provide_item_folder(ANNA, ItemKind.CALENDAR, "Calendar")).id
    (number,) = await here.items.new_item_numbers(1)
    await here.items.commit_items(Commit(ANNA, calendar, [Edit(number, 0, StoredItem("u", ""))]))

    async def write(items: Items, name: str) -> list[int]:
        done: list[int] = []
        while len(done) < 15:
            item = (await items.load_items(calendar, [number]))[number]
            text = f"{item.stored.text}{name}"
            with suppress(StateConflict):
                await items.commit_items(
                    Commit(ANNA, calendar, [Edit(number, item.revision, StoredItem("u", text))])
                )
                done.append(item.revision + 1)
        return done

    edits = await asyncio.gather(write(here.items, "1"), write(there.items, "2"))
    text = (await here.items.load_items(calendar, [number]))[number].stored.text
    by_revision = {at: name for name, done in zip("12", edits, strict=True) for at in done}
    assert text == "".join(by_revision[at] for at in sorted(by_revision))
    assert sorted(by_revision) == list(range(2, 32))


async def test_a_reader_of_the_change_log_misses_nothing(here: PostgresStore, there: PostgresStore) -> None:
    """What gets a lower revision is never committed after what has a higher one."""
    calendar = (await here.items.provide_item_folder(ANNA, ItemKind.CALENDAR, "Calendar")).id
    written = asyncio.Event()

    async def write(items: Items, name: str) -> None:
        for count in range(20):
            (number,) = await items.new_item_numbers(1)
            await items.commit_items(Commit(ANNA, calendar, [Edit(number, 0, event(f"{name}{count}"))]))

    async def follow(items: Items) -> list[int]:
        seen: list[int] = []
        while True:
            last = written.is_set()
            seen += [
                change.revision for change in await items.item_changes(calendar, seen[-1] if seen else 0)
            ]
            if last:
                return seen
            await asyncio.sleep(0)

    async def write_all() -> None:
        await asyncio.gather(
            *(write(store.items, name) for name, store in zip("abcdef", [here, there] * 3, strict=True))
        )
        written.set()

    read, also, _ = await asyncio.gather(follow(here.items), follow(there.items), write_all())
    assert read == also == list(range(1, 121))


async def test_no_decision_is_missed(here: PostgresStore, there: PostgresStore) -> None:
    decided = asyncio.Event()

    async def decide(state: State, name: str) -> None:
        for count in range(20):
            await state.set_access(BERT, DeviceId(f"{name}{count}"), Access.BLOCK)

    async def decide_all() -> None:
        await asyncio.gather(*(decide(store.state, name) for name, store in (("a", here), ("b", there))))
        decided.set()

    async def obey(state: State) -> set[DeviceId]:
        newest, seen = 0, set[DeviceId]()
        while True:
            last = decided.is_set()
            newest, devices = await state.decided_devices(newest)
            seen |= {device for _, device in devices}
            if last:
                return seen
            await asyncio.sleep(0)

    seen, _ = await asyncio.gather(obey(here.state), decide_all())
    assert len(seen) == 40


async def test_revisions_of_annotations_are_given_once(here: PostgresStore, there: PostgresStore) -> None:
    saved = await asyncio.gather(
        *(
            store.state.save_annotations(ANNA, INBOX, 7, {uid: {"flag": b"a"}})
            for uid, store in enumerate([here, there] * 15, 1)
        )
    )
    assert sorted(at for one in saved for at in one.values()) == list(range(1, 31))


async def test_changes_are_told_to_the_other_process(here: PostgresStore, there: PostgresStore) -> None:
    """Of items, folders, annotations and decisions, once they can be read there."""
    heard: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    there.items.watch_items(ANNA, lambda folder: heard.put_nowait(("items", folder)))
    there.state.watch_folders(ANNA, lambda folder: heard.put_nowait(("folders", folder)))
    there.state.watch_annotations(ANNA, lambda folder: heard.put_nowait(("annotations", folder)))
    there.state.watch_decisions(lambda: heard.put_nowait(("decisions", "")))
    calendar = await here.items.provide_item_folder(ANNA, ItemKind.CALENDAR, "Calendar")
    assert await heard.get() == ("items", "")
    assert await there.items.item_folder(ANNA, calendar.id) == calendar
    (number,) = await here.items.new_item_numbers(1)
    await here.items.commit_items(Commit(ANNA, calendar.id, [Edit(number, 0, event("a"))]))
    assert await heard.get() == ("items", calendar.id)
    assert set(await there.items.load_items(calendar.id, [number])) == {number}
    await here.state.save_folders(ANNA, FolderList(0, 2, (Folder(INBOX, "INBOX"),)))
    assert await heard.get() == ("folders", "")
    await here.state.save_annotations(ANNA, INBOX, 7, {1: {"flag": b"a"}})
    assert await heard.get() == ("annotations", INBOX)
    await here.state.set_access(BERT, PHONE, Access.BLOCK)
    assert await heard.get() == ("decisions", "")
    # What is about others, or was not committed, is told to nobody.
    await here.state.save_folders(BERT, FolderList(0, 1))
    with pytest.raises(StateConflict):
        await here.items.commit_items(Commit(ANNA, calendar.id, [Edit(number, 5, event("b"))]))
    await here.state.save_annotations(ANNA, INBOX, 7, {2: {"flag": b"a"}})
    assert await heard.get() == ("annotations", INBOX)
    assert heard.empty()


async def test_very_many_are_told_of_one_folder(here: PostgresStore, there: PostgresStore) -> None:
    users = [ANNA, *(UserId(f"user-{number}-{'ü' * 30}@example.com") for number in range(200))]
    calendar = await here.items.provide_item_folder(ANNA, ItemKind.CALENDAR, "Calendar")
    await asyncio.gather(*(here.items.share_item_folder(calendar.id, user, Right.READ) for user in users[1:]))
    (number,) = await here.items.new_item_numbers(1)
    heard: asyncio.Queue[str] = asyncio.Queue()

    def watch(user: UserId) -> None:
        def told(folder: CollectionId) -> None:
            if folder:
                heard.put_nowait(user)

        there.items.watch_items(user, told)

    for user in users:
        watch(user)
    await here.items.commit_items(Commit(ANNA, calendar.id, [Edit(number, 0, event("a"))]))
    assert {await heard.get() for _ in users} == set(users)


async def test_a_lease_is_held_by_one_process_at_a_time(here: PostgresStore, there: PostgresStore) -> None:
    holders: list[str] = []
    most = 0

    async def work(state: State, name: str) -> None:
        nonlocal most
        for _ in range(5):
            async with state.lease(ANNA, PHONE, "send"):
                holders.append(name)
                most = max(most, len(holders))
                await asyncio.sleep(0.001)
                holders.remove(name)

    await asyncio.gather(*(work(store.state, f"{n}") for n, store in enumerate([here, there] * 3)))
    assert most == 1
    async with here.state.lease(ANNA, PHONE, "send"), there.state.lease(ANNA, PHONE, "1"):
        pass  # of other names


async def test_a_lease_given_back_while_cancelled_is_free(here: PostgresStore, there: PostgresStore) -> None:
    held = asyncio.Event()

    async def hold() -> None:
        async with here.state.lease(ANNA, PHONE, "send"):
            held.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hold())
    await held.wait()
    task.cancel()
    await asyncio.wait([task])
    async with there.state.lease(ANNA, PHONE, "send"):
        await there.state.save_device(Device(user=ANNA, id=PHONE, type="x"))
