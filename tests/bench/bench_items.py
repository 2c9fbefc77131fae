"""How fast the store of items is: `python -m tests.bench.bench_items`; the last line is JSON.

A calendar of 10,000 events of 2 kB is filled, and then used as devices do: a look whether anything is new,
what changed lately, all changes (a first Sync), the items of a window, and commits of one edit with the
device's state, by several users at once. Every commit waits for the disk. The looks are also made in a
calendar of 100 events, to show what depends on the number of events and what does not. The file is in the
folder given as argument, or a temporary one: the disk decides much.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.app import SystemClock
from gateway.items import Edit, ItemFolder, ItemKind, StoredItem
from gateway.mail.pieces import Joined
from gateway.ports import Commit
from gateway.store.sqlite import Database, SqliteItems, SqliteState
from gateway.types import DeviceId, SyncState, UserId

ROUNDS = 5
SIZES = (100, 10000)
CONCURRENCY = (1, 8, 64)
COMMITS = 1024
FILE = 16 * 1024 * 1024
DEVICE = DeviceId("PHONE1")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
TEXT = "DESCRIPTION:0123456789\r\n" * 84
EMPTY = SyncState("a1", 1, bytes(200))


async def main(folder: Path) -> None:
    """Measure, print a table, and all figures as JSON."""
    figures: dict[str, float] = {}
    async with await Database.open(folder / "gateway.db") as database:
        state, items = SqliteState(database), SqliteItems(database, SystemClock())
        for size in SIZES:
            calendar, seconds = await _fill(items, UserId(f"user-of-{size}"), size)
            figures[f"fill_{size}_ms"] = seconds * 1000
            for name, look in _looks(state, items, calendar, size).items():
                figures[f"{name}_{size}_us"] = await _microseconds(look)
        for users in CONCURRENCY:
            rates = [await _commit_rate(items, users, round_) for round_ in range(ROUNDS)]
            figures[f"commits_{users}_per_second"] = statistics.median(rates)
        write, read = await _file(items)
        figures |= {"file_write_mb_per_second": write, "file_read_mb_per_second": read}
    for name, value in figures.items():
        print(f"{name:30} {value:10.0f}")
    print(json.dumps({"bench": "items", **{name: round(value) for name, value in figures.items()}}))


async def _fill(items: SqliteItems, user: UserId, size: int) -> tuple[ItemFolder, float]:
    """A calendar of so many events, one an hour; the seconds its one commit took."""
    folder = await items.provide_item_folder(user, ItemKind.CALENDAR, "Calendar")
    edits = [
        Edit(number, 0, StoredItem(f"{number}@bench", TEXT, BEGIN + n * HOUR, BEGIN + (n + 1) * HOUR))
        for n, number in enumerate(await items.new_item_numbers(size))
    ]
    start = time.perf_counter()
    await items.commit_items(Commit(user, folder.id, edits, device=DEVICE, state=EMPTY))
    return folder, time.perf_counter() - start


def _looks(
    state: SqliteState, items: SqliteItems, calendar: ItemFolder, size: int
) -> dict[str, Callable[[], Awaitable[object]]]:
    async def no_change() -> None:
        await state.load_sync(calendar.owner, DEVICE, calendar.id)
        await items.item_folder(calendar.owner, calendar.id)

    end = BEGIN + size * HOUR
    return {
        "no_change": no_change,
        "changes_10": lambda: items.item_changes(calendar.id, size - 10),
        "changes_all": lambda: items.item_changes(calendar.id, 0),
        "between_10": lambda: items.items_between([calendar.id], end - 10 * HOUR, end),
        "ending_10": lambda: items.items_ending(calendar.id, end - 9 * HOUR, end + HOUR),
        "find": lambda: items.find_items(calendar.owner, ItemKind.CALENDAR, "50@bench"),
    }


async def _microseconds(look: Callable[[], Awaitable[object]]) -> float:
    """What one look takes, the median of many."""
    taken = []
    for _ in range(200):
        start = time.perf_counter()
        await look()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken) * 1e6


async def _commit_rate(items: SqliteItems, users: int, round_: int) -> float:
    """Commits in a second when so many users make one after the other, each in a calendar of his own."""
    folders = [
        await items.provide_item_folder(UserId(f"{round_}.{users}.{n}"), ItemKind.CALENDAR, "Calendar")
        for n in range(users)
    ]
    numbers = await items.new_item_numbers(users)
    start = time.perf_counter()
    await asyncio.gather(
        *(_edit(items, *each, COMMITS // users) for each in zip(folders, numbers, strict=True))
    )
    return COMMITS / (time.perf_counter() - start)


async def _edit(items: SqliteItems, folder: ItemFolder, number: int, steps: int) -> None:
    state = EMPTY
    for at in range(steps):
        edit = Edit(number, at, StoredItem("u", TEXT, BEGIN, BEGIN + HOUR))
        commit = Commit(folder.owner, folder.id, [edit], revision=at, device=DEVICE, state=state)
        state = await items.commit_items(commit) or state


async def _file(items: SqliteItems) -> Sequence[float]:
    """Megabytes in a second, written and read."""
    start = time.perf_counter()
    number = await items.add_item_file("large.bin", "application/octet-stream", Joined((bytes(FILE),)))
    written = time.perf_counter()
    offset = 0
    while piece := await items.read_item_file(number, offset, 256 * 1024):
        offset += len(piece)
    return FILE / 1e6 / (written - start), FILE / 1e6 / (time.perf_counter() - written)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as made:
        asyncio.run(main(Path(made)))
