"""Notices in SQLite: the next one is chosen without a look at the others' mail."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

from gateway.items import ItemKind, Notice
from gateway.ports import Commit
from gateway.store.sqlite import Database, SqliteItems
from tests.ports.items.helpers import Time
from tests.ports.known import ANNA, NOON

PEOPLE = tuple(f"guest{number}@example.com" for number in range(200))
MAIL = b"x" * 20_000


async def test_many_that_wait_are_not_in_memory(tmp_path: Path) -> None:
    async with await Database.open(tmp_path / "gateway.db") as database:
        items = SqliteItems(database, Time(NOON))
        folder = await items.provide_item_folder(ANNA, ItemKind.CALENDAR, "Calendar")
        many = [Notice(f"{number}", PEOPLE, MAIL, f"{number % 3}") for number in range(300)]
        await items.commit_items(Commit(ANNA, folder.id, notices=many))
        tracemalloc.start()
        try:
            chosen = [await items.next_notice(ANNA, tried) for tried in ("", "01", "012")]
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert [one and one.notice.key for one in chosen] == ["0", "2", None]
    assert peak < 50 * len(MAIL)  # of 6 MB that wait
