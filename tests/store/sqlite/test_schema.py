"""Migrations: every old version becomes the newest, and what this program does not know is refused."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from pathlib import Path

import pytest

from gateway.errors import GatewayError
from gateway.store.sqlite.database import Database
from gateway.store.sqlite.schema import APPLICATION_ID, Migration, migrate, migrations
from gateway.store.sqlite.state import SqliteState
from gateway.types import Beginning, DeviceId, UserId
from tests.store.sqlite.golden import content

GOLDEN = Path(__file__).parent / "golden"
ANN = UserId("ann")
_BEGINNINGS = 17


def connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


def schema_of(path: Path) -> list[tuple[str, str]]:
    connection = connect(path)
    try:
        return connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()
    finally:
        connection.close()


def pragma(path: Path, statement: str) -> None:
    connection = connect(path)
    connection.execute(statement)
    connection.close()


async def make(path: Path) -> None:
    async with await SqliteState.open(path):
        pass


def test_migrations_are_numbered_without_gaps() -> None:
    assert [migration.number for migration in migrations()] == list(range(1, len(migrations()) + 1))


def test_every_released_version_has_a_golden_file() -> None:
    assert sorted(file.name for file in GOLDEN.glob("*.db")) == [
        f"{migration.number:04}.db" for migration in migrations()
    ]


@pytest.mark.parametrize("golden", sorted(GOLDEN.glob("*.db")), ids=lambda path: path.stem)
async def test_an_old_database_keeps_its_content(golden: Path, tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    shutil.copy(golden, path)
    async with await Database.open(path) as database:
        state, items, people = content.stores(database)
        await content.check(state, items, people, int(golden.stem))
        await state.check_writable()
    await make(tmp_path / "fresh.db")
    assert schema_of(path) == schema_of(tmp_path / "fresh.db")


async def test_beginnings_that_older_releases_kept_are_good(tmp_path: Path) -> None:
    """Of a collection there was one alone, of the hierarchy there were several, or anything else."""
    path = tmp_path / "gateway.db"
    connection = connect(path)
    migrate(connection, path, migrations()[: _BEGINNINGS - 1])
    rows = [
        ("1", "aa", b"{}", b"\0moved"),
        ("2", "", b"", b""),
        ("", "cc", '{"bb": "[\\"Büro\\"]", "cc": "[]"}'.encode(), b""),
    ]
    connection.executemany(
        "INSERT INTO sync_state (user, device, collection, epoch, number, cursor, results, options, revision,"
        " fresh, fresh_options, fresh_cursor) VALUES ('ann', 'p', ?, 'e', 1, x'', x'', x'', 1, ?, ?, ?)",
        rows,
    )
    connection.execute(
        "INSERT INTO sync_state (user, device, collection, epoch, number, cursor, results, options, revision,"
        " fresh, fresh_options) VALUES ('ann', 'q', '', 'e', 1, x'', x'', x'', 1, 'dd', x'ff')"
    )
    connection.close()
    async with await SqliteState.open(path) as state:
        kept = {name: one.beginnings for name, one in (await state.load_syncs(ANN, DeviceId("p"))).items()}
        (odd,) = (await state.load_syncs(ANN, DeviceId("q"))).values()
    assert kept == {
        "1": (Beginning("aa", b"\0moved", b"{}"),),
        "2": (),
        "": (Beginning("bb", '["Büro"]'.encode()), Beginning("cc", b"[]")),
    }
    assert odd.beginnings == ()


async def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    await make(path)
    pragma(path, "PRAGMA user_version = 9999")
    with pytest.raises(GatewayError, match=r"newer gateway .schema 9999, .*: upgrade the gateway"):
        await SqliteState.open(path)


async def test_the_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    pragma(path, "CREATE TABLE bookmark (url TEXT)")
    with pytest.raises(GatewayError, match="another program"):
        await SqliteState.open(path)
    assert schema_of(path) == [("bookmark", "CREATE TABLE bookmark (url TEXT)")]


async def test_another_script_under_the_same_number_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    await make(path)
    pragma(path, "UPDATE migration SET sha256 = 'x'")
    with pytest.raises(GatewayError, match="another migration 0001_state"):
        await SqliteState.open(path)


def test_a_failing_migration_leaves_the_version_before_it(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    good = Migration(1, "good", "CREATE TABLE one (a);\n")
    bad = Migration(2, "bad", "CREATE TABLE two (a);\nINSERT INTO nowhere VALUES (1);\n")
    connection = connect(path)
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        migrate(connection, path, [good, bad])
    assert not connection.in_transaction
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    fixed = Migration(2, "fixed", "CREATE TABLE two (a);\n")
    third = Migration(3, "third", "CREATE TABLE three (a);\n")
    migrate(connection, path, [good, fixed, third])
    assert connection.execute("PRAGMA user_version").fetchone() == (3,)
    assert connection.execute("SELECT number, name FROM migration").fetchall() == [
        (1, "good"),
        (2, "fixed"),
        (3, "third"),
    ]
    connection.close()


def test_a_script_is_split_at_statements_not_at_semicolons() -> None:
    script = (
        "-- first; comment\nCREATE TABLE t (a);\n"
        "CREATE TRIGGER r AFTER INSERT ON t BEGIN\n  DELETE FROM t;\n  SELECT 1;\nEND;\n"
        "INSERT INTO t VALUES (';\n');\n"
    )
    statements = list(Migration(1, "x", script).statements())
    assert len(statements) == 3
    assert "".join(statements) == script


async def test_many_openings_at_once_make_one_database(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    opened = await asyncio.gather(*(Database.open(path, readers=1) for _ in range(8)))
    for database in opened:
        assert await database.read(
            lambda connection: connection.execute("SELECT count(*) FROM migration").fetchone()
        ) == (len(migrations()),)
    for database in opened:
        await database.aclose()
