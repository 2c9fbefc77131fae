"""What was acknowledged of items is there after a kill, with all that was committed with it."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

import pytest

from gateway.items import Edit, ItemKind, Notice, StoredItem
from gateway.ports import Commit
from gateway.store.sqlite import Database, SqliteItems, SqliteState
from gateway.types import CollectionId, DeviceId, SyncState, UserId
from tests.ports.items.helpers import Content, Time
from tests.ports.known import NOON
from tests.store.sqlite.killing import check_file, kill_and_read, start
from tests.support.notices import pending_notices

DEVICE = DeviceId("PHONE1")
USERS = [UserId(f"user{number}") for number in range(4)]


def content_of(count: int) -> Content:
    """A file that takes two transactions."""
    return Content(2, 130 * 1024 + count)


async def write_for_ever(path: Path) -> None:
    """Edits one item in each of four folders at once; prints each commit only when it is acknowledged."""

    async def write(state: SqliteState, items: SqliteItems, user: UserId) -> None:
        folder = await items.provide_item_folder(user, ItemKind.CALENDAR, "Calendar")
        sync = await state.load_sync(user, DEVICE, folder.id) or SyncState("e", 0, b"")
        known = await items.find_items(user, ItemKind.CALENDAR, "u")
        number = known[0].number if known else (await items.new_item_numbers(1))[0]
        at = known[0].revision if known else 0
        while True:
            count = sync.number + 1
            file = await items.add_item_file("file", "x/y", content_of(count))
            commit = Commit(
                user,
                folder.id,
                [Edit(number, at, StoredItem("u", f"{count}" * 300, files=frozenset({file})))],
                revision=at,
                device=DEVICE,
                state=SyncState("e", count, b"%d" % count, revision=sync.revision),
                notices=[Notice(f"{count}", (), b"")],
            )
            saved = await items.commit_items(commit)
            assert saved is not None
            sync, at = saved, at + 1
            print(folder.id, count, flush=True)  # noqa: T201 - the parent reads it

    async with await Database.open(path) as database:
        state, items = SqliteState(database), SqliteItems(database, Time(NOON))
        await asyncio.gather(*(write(state, items, user) for user in USERS))


@pytest.mark.parametrize("seed", range(3))
async def test_killed_at_any_moment_commits_are_whole(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "gateway.db"
    stored: dict[CollectionId, int] = {}
    for delay in random.Random(seed).choices((0.01, 0.05, 0.1, 0.2), k=2):
        process = start(__name__, path)
        assert process.stdout is not None
        first = await asyncio.to_thread(process.stdout.readline)
        assert first
        await asyncio.sleep(delay)
        acknowledged = kill_and_read(process, first)
        async with await Database.open(path) as database:
            state, items = SqliteState(database), SqliteItems(database, Time(NOON))
            for user in USERS:
                folder = await items.provide_item_folder(user, ItemKind.CALENDAR, "Calendar")
                known = max(acknowledged[folder.id], stored.get(folder.id, 0))
                # The next one may be stored without having been acknowledged, but then as a whole.
                assert folder.revision in (known, known + 1)
                stored[folder.id] = folder.revision
                await check_commit(state, items, user, folder.revision)
        assert any(stored.values())
        check_file(path)


async def check_commit(state: SqliteState, items: SqliteItems, user: UserId, count: int) -> None:
    """Assert that so many commits are there of a user, each with all that is in it."""
    folder = await items.provide_item_folder(user, ItemKind.CALENDAR, "Calendar")
    sync = await state.load_sync(user, DEVICE, folder.id)
    found = await items.find_items(user, ItemKind.CALENDAR, "u")
    assert [(item.revision, item.stored.text) for item in found] == [(count, f"{count}" * 300)][:count]
    assert (sync.number if sync else 0) == count
    for item in found:
        (file,) = item.stored.files
        assert await items.read_item_file(file, 0, 1024 * 1024) == bytes(content_of(count))
    assert [notice.key for notice in await pending_notices(items, user)] == [f"{n + 1}" for n in range(count)]


if __name__ == "__main__":
    asyncio.run(write_for_ever(Path(sys.argv[1])))
