"""Annotations in SQLite: what is asked at every new message costs no look at the others."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path

from gateway.store.sqlite import Database
from gateway.store.sqlite.transactions import SqliteTransaction, run
from gateway.store.tables.annotations import change, find
from gateway.types import CollectionId, UserId

ANNA = UserId("anna@example.com")


async def test_a_value_is_found_by_an_index_alone(tmp_path: Path) -> None:
    async with await Database.open(tmp_path / "gateway.db") as database:
        inbox = (ANNA, CollectionId("1"), 7)
        known = {uid: {"like": b"%d" % uid} for uid in range(1, 100)}
        await database.write(lambda connection: run(change(SqliteTransaction(connection), inbox, known)))
        asked: list[str] = []

        def look(connection: sqlite3.Connection) -> tuple[Mapping[bytes, object], list[str]]:
            connection.set_trace_callback(asked.append)
            found = run(find(SqliteTransaction(connection), ANNA, "like", [b"5", b"none"]))
            connection.set_trace_callback(None)
            plans = [connection.execute(f"EXPLAIN QUERY PLAN {one}").fetchall() for one in asked]
            return found, [row[-1] for plan in plans for row in plan]

        found, plan = await database.read(look)
    assert found == {b"5": (CollectionId("1"), 7, 5)}
    assert plan
    assert all("USING COVERING INDEX annotation_by_value" in line for line in plan)
