"""How fast the SQLite store is: `python -m tests.bench.bench_store`; the last line is JSON.

Sync states of 2 kB are saved and loaded by many tasks at once, in turn with bare sqlite3 doing the same
statements in one thread with one commit each, so that both meet the same load of the machine. Both wait for
the disk at each commit; `relaxed` is bare sqlite3 with synchronous=NORMAL, which may forget the last commits
when the power fails. The file is in the folder given as argument, or a temporary one: the disk decides much.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path

from gateway.store.sqlite import SqliteState
from gateway.store.sqlite.transactions import SqliteTransaction, run
from gateway.store.tables import syncs
from gateway.types import CollectionId, DeviceId, SyncState, UserId

ROUNDS = 5
OPERATIONS = 2000
CONCURRENCY = (1, 8, 64)
USER, DEVICE = UserId("anna@example.com"), DeviceId("PHONE1")
FIRST = SyncState("a1", 1, bytes(2000))


async def main(folder: Path) -> None:
    """Measure, print a table, and the medians of all rounds as JSON."""
    rates: dict[str, list[float]] = {}
    async with await SqliteState.open(folder / "gateway.db") as state:
        bare = {
            "bare": _connect(folder / "gateway.db", "FULL"),
            "relaxed": _connect(folder / "gateway.db", "NORMAL"),
        }
        for round_ in range(ROUNDS):
            for tasks in CONCURRENCY:
                steps = OPERATIONS // tasks
                saves = [_save(state, f"{round_}.{tasks}.{task}", steps) for task in range(tasks)]
                rates.setdefault(f"write_{tasks}", []).append(await _rate(saves))
                loads = [_load(state, steps) for _ in range(tasks)]
                rates.setdefault(f"read_{tasks}", []).append(await _rate(loads))
            for name, connection in bare.items():
                rates.setdefault(f"write_{name}", []).append(_bare_save(connection, f"{round_}.{name}"))
            rates.setdefault("read_bare", []).append(_bare_load(bare["bare"]))
        for connection in bare.values():
            connection.close()
    medians = {name: round(statistics.median(values)) for name, values in rates.items()}
    for name, median in medians.items():
        print(f"{name:14} {median:8} /s")
    print(json.dumps({"bench": "store", "operations": OPERATIONS, "per_second": medians}))


async def _rate(work: list[Coroutine[None, None, None]]) -> float:
    start = time.perf_counter()
    await asyncio.gather(*work)
    return OPERATIONS / (time.perf_counter() - start)


async def _save(state: SqliteState, name: str, steps: int) -> None:
    sync = FIRST
    for _ in range(steps):
        sync = await state.save_sync(USER, DEVICE, CollectionId(name), sync)


async def _load(state: SqliteState, steps: int) -> None:
    for _ in range(steps):
        await state.load_sync(USER, DEVICE, CollectionId("0.1.0"))


def _connect(path: Path, synchronous: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    return connection


def _bare_save(connection: sqlite3.Connection, name: str) -> float:
    sync, transaction = FIRST, SqliteTransaction(connection)
    start = time.perf_counter()
    for _ in range(OPERATIONS):
        connection.execute("BEGIN IMMEDIATE")
        sync = run(syncs.save(transaction, (USER, DEVICE, CollectionId(name)), sync))
        connection.execute("COMMIT")
    return OPERATIONS / (time.perf_counter() - start)


def _bare_load(connection: sqlite3.Connection) -> float:
    transaction = SqliteTransaction(connection)
    start = time.perf_counter()
    for _ in range(OPERATIONS):
        run(syncs.load(transaction, (USER, DEVICE, CollectionId("0.1.0"))))
    return OPERATIONS / (time.perf_counter() - start)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as made:
        asyncio.run(main(Path(made)))
