"""The schemas of all databases are one: who adds a table or a column to one of them adds it to the other."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import asyncpg

from gateway.store.postgres.schema import migrate as migrate_postgres
from gateway.store.sqlite.schema import migrate as migrate_sqlite
from tests.support.postgres import Postgres

KINDS = {"INTEGER": "bigint", "TEXT": "text", "BLOB": "bytea"}
OTHERS = {("migration",), ("secret",), ("lease",), ("sqlite_sequence",)}
"""Tables of one kind of database alone."""
PLACES = {("web_session", "number")}
"""What SQLite has without saying so."""


def of_sqlite(path: Path) -> dict[tuple[str, ...], tuple[str, bool]]:
    """The type of each column, and whether it must not be NULL."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate_sqlite(connection, path)
        rows = connection.execute(
            'SELECT m.name, c.name, c.type, c."notnull" OR c.pk FROM sqlite_schema AS m '
            "JOIN pragma_table_info(m.name) AS c WHERE m.type = 'table'"
        ).fetchall()
    return {(table, column): (KINDS[kind], bool(needed)) for table, column, kind, needed in rows if kind}


async def of_postgres(postgres: Postgres) -> dict[tuple[str, ...], tuple[str, bool]]:
    connection = await asyncpg.connect(postgres.url(postgres.create()))
    try:
        await migrate_postgres(connection, "it")
        rows = await connection.fetch(
            "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns "
            "WHERE table_schema = 'public'"
        )
    finally:
        await connection.close()
    return {(table, column): (kind, nullable == "NO") for table, column, kind, nullable in rows}


async def test_both_have_the_same_tables_and_columns(postgres: Postgres, tmp_path: Path) -> None:
    sqlite, other = of_sqlite(tmp_path / "gateway.db"), await of_postgres(postgres)
    kept = {name: how for name, how in other.items() if name[:1] not in OTHERS and name not in PLACES}
    assert kept == {name: how for name, how in sqlite.items() if name[:1] not in OTHERS}
