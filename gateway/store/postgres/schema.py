"""Brings a database to the newest version of the schema, while gateways of older releases may use it.

The table `migration` remembers what was run. Each migration is one transaction, under a lock that all
gateways share. A migration only adds what older releases need not know, so that they go on while nodes are
upgraded one by one: its first line says with which migration's release the schema still works ("-- works with
3"). Only when no such release is left may a later one take something away.

Whoever alters a table waits for all who use it, and all who come after that wait for him. So he gives up
soon, lets the others pass, and tries again: while pg_dump reads the tables, nobody is to wait for its end.
So he does when he and one who uses several tables wait for each other.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import asyncpg

from gateway.errors import GatewayError, StoreUnavailable
from gateway.store.postgres.transaction import Connection, key_of
from gateway.store.scripts import Script, scripts_in
from gateway.store.transactions import Row

__all__ = ["DONE", "Migration", "applied", "check_done", "migrate", "migrations", "unsuited"]

_WORKS_WITH = re.compile(r"-- works with (\d+)\n")
_LOCK = "schema"
_LOCK_SECONDS = 1
"""How long a migration may keep others from the tables it alters, while it waits for them itself."""
_PAUSE = 2.0
_ATTEMPTS = 10
_LEDGER = """
    CREATE TABLE IF NOT EXISTS migration (
        number bigint PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL, works_with bigint NOT NULL
    )
"""
_TABLES = """
    SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename <> 'migration'
"""
_PLACE = """
    SELECT current_setting('server_encoding'), current_schema(),
        has_schema_privilege(current_schema(), 'CREATE')
"""
DONE = "SELECT number, sha256, works_with FROM migration ORDER BY number"


@dataclass(frozen=True, slots=True)
class Migration(Script):
    """One numbered script. Gateways that know the migrations up to `works_with` can do with what it makes."""

    @property
    def works_with(self) -> int:
        match = _WORKS_WITH.match(self.script)
        assert match is not None, f"migration {self.number} does not say what it works with"
        return int(match[1])


def migrations() -> Sequence[Migration]:
    """The scripts of the folder `migrations`, in order."""
    return scripts_in("gateway.store.postgres.migrations", Migration)


async def migrate(connection: Connection, name: str, scripts: Sequence[Migration] | None = None) -> None:
    """Run what the database lacks; several processes may do so at once.

    Raises `GatewayError` when the database is unsuited, of another program, one too new, or one with other
    migrations, and when its tables are in use for too long.
    """
    scripts = migrations() if scripts is None else scripts
    if found := await unsuited(connection):
        raise GatewayError(f"database {name}: {': '.join(found)}")
    attempts = 0
    while True:
        try:
            left = await _step(connection, name, scripts)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            attempts += 1
            if attempts == _ATTEMPTS:
                why = "its tables are in use and cannot be altered (pg_dump?): start again once that ended"
                raise GatewayError(f"database {name}: {why}") from None
            await asyncio.sleep(_PAUSE)
        else:
            if not left:
                return


async def _step(connection: Connection, name: str, scripts: Sequence[Migration]) -> int:
    """Run the first script that the database lacks; returns how many it lacks then."""
    async with connection.transaction(isolation="read_committed"):
        await connection.execute("SELECT pg_advisory_xact_lock($1)", key_of(_LOCK))
        done = await applied(connection, name, scripts)
        await connection.execute(_LEDGER)
        todo = [script for script in scripts if script.number > done]
        if todo:
            await connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'")
            await _apply(connection, todo[0])
    return len(todo[1:])


async def unsuited(connection: Connection) -> tuple[str, str] | None:
    """Why there can be no schema, and what to do about it; None where there can be one.

    A database of another encoding would take it, and fail at the first name that has no place in there.
    """
    place = await connection.fetchrow(_PLACE)
    assert place is not None
    encoding, schema, may = place
    if encoding != "UTF8":
        return (
            f"it keeps its text in {encoding}",
            "create the database with ENCODING 'UTF8' TEMPLATE template0",
        )
    if schema is None:
        return "no schema of its search_path is there", "make the schema, or set the role's search_path"
    if not may and await connection.fetchval("SELECT to_regclass('migration') IS NULL"):
        return (
            f"the user of store.url may not make tables in its schema {schema}",
            "have him own the database",
        )
    return None


async def applied(connection: Connection, name: str, scripts: Sequence[Migration] | None = None) -> int:
    """The number of the last migration that was run, 0 for an empty database.

    Raises `GatewayError` as `migrate` does.
    """
    scripts = migrations() if scripts is None else scripts
    if await connection.fetchval("SELECT to_regclass('migration') IS NULL"):
        if await connection.fetchval(_TABLES):
            raise GatewayError(f"database {name}: this is the database of another program: change store.url")
        return 0
    return check_done([tuple(row) for row in await connection.fetch(DONE)], name, scripts)


def check_done(done: Iterable[Row], name: str, scripts: Sequence[Migration]) -> int:
    """The number of the last migration among those that were run, the rows of `DONE`.

    Raises `StoreUnavailable` when what they made is nothing that a release with these scripts can do with.
    """
    known = {script.number: script for script in scripts}
    newest = scripts[-1].number
    last = 0
    for number, sha256, works_with in done:
        last = int(number)
        script = known.get(number)
        if script is None and works_with > newest:
            raise _unusable(
                name,
                f"written by a newer gateway (schema {number}, this one knows {newest}): upgrade the gateway",
            )
        if script is not None and script.sha256 != sha256:
            raise _unusable(
                name,
                f"made with another migration {number:04}_{script.name} than this gateway has: "
                "install the release that wrote it, or a newer one",
            )
    return last


def _unusable(name: str, why: str) -> StoreUnavailable:
    return StoreUnavailable(f"database {name}: {why}", why)


async def _apply(connection: Connection, migration: Migration) -> None:
    await connection.execute(migration.script)
    await connection.execute(
        "INSERT INTO migration (number, name, sha256, works_with) VALUES ($1, $2, $3, $4)",
        migration.number,
        migration.name,
        migration.sha256,
        migration.works_with,
    )
