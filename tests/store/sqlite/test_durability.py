"""What was acknowledged is there after the process was killed, and nothing is half there."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from pathlib import Path

import pytest

from gateway.store.sqlite.state import SqliteState
from gateway.types import CollectionId, DeviceId, SyncState, UserId
from tests.store.sqlite.killing import check_file, kill_and_read, start

USER = UserId("anna@example.com")
DEVICE = DeviceId("PHONE1")
COLLECTIONS = [CollectionId(str(number)) for number in range(8)]


async def write_for_ever(path: Path) -> None:
    """Saves states in eight collections at once; prints each only when it has been acknowledged."""

    async def write(state: SqliteState, collection: CollectionId) -> None:
        sync = await state.load_sync(USER, DEVICE, collection) or SyncState("e", 0, b"")
        while True:
            number = sync.number + 1
            name = f"{number}"
            await state.save_intents(USER, DEVICE, collection, {name: name.encode() * 300})
            sync = SyncState("e", number, name.encode() * 300, revision=sync.revision)
            sync = await state.save_sync(USER, DEVICE, collection, sync)
            print(collection, number, flush=True)  # noqa: T201 - the parent reads it

    async with await SqliteState.open(path) as state:
        await asyncio.gather(*(write(state, collection) for collection in COLLECTIONS))


@pytest.mark.parametrize("seed", range(4))
async def test_killed_at_any_moment_nothing_acknowledged_is_lost(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "gateway.db"
    stored = dict.fromkeys(COLLECTIONS, 0)
    for delay in random.Random(seed).choices((0.15, 0.3, 0.35, 0.4, 0.5), k=2):
        process = start(__name__, path)
        await asyncio.sleep(delay)
        acknowledged = kill_and_read(process)
        async with await SqliteState.open(path) as state:
            for collection in COLLECTIONS:
                number = acknowledged[collection]
                sync = await state.load_sync(USER, DEVICE, collection)
                known = max(number, stored[collection])
                if sync is None:
                    assert known == 0
                    continue
                # The next one may be stored without having been acknowledged, but then as a whole.
                assert sync.number in (known, known + 1)
                stored[collection] = sync.number
                assert sync.cursor == str(sync.number).encode() * 300
                assert sync.revision == sync.number
                intents = await state.load_intents(USER, DEVICE, collection)
                assert set(intents) <= {str(sync.number + 1)}
        check_file(path)


async def test_killed_right_after_the_first_acknowledgement(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    process = start(__name__, path)
    assert process.stdout is not None
    collection, number = process.stdout.readline().split()
    acknowledged = kill_and_read(process)
    async with await SqliteState.open(path) as state:
        sync = await state.load_sync(USER, DEVICE, CollectionId(collection))
        assert sync is not None
        assert sync.number >= max(int(number), acknowledged[CollectionId(collection)])


async def test_two_processes_share_the_file(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    process = start(__name__, path)
    try:
        async with await SqliteState.open(path) as state:
            deadline = time.monotonic() + 100
            written = told = 0
            while written < 50 or told < len(COLLECTIONS):
                await state.save_memo(USER, DEVICE, "ping", str(written).encode())
                stored = await state.load_syncs(USER, DEVICE)
                written += len(stored) > 0
                # The other one says that the first is stored before it begins with the second.
                told = sum(sync.number > 1 for sync in stored.values())
                assert time.monotonic() < deadline
            assert await state.load_memo(USER, DEVICE, "ping") is not None
    finally:
        acknowledged = kill_and_read(process)
    assert all(acknowledged[collection] for collection in COLLECTIONS)
    check_file(path)


if __name__ == "__main__":
    asyncio.run(write_for_ever(Path(sys.argv[1])))
