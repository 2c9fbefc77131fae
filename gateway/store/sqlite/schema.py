"""Brings a database to the newest version of the schema.

`application_id` in the file's header marks it as ours, `user_version` is the number of the last migration it
has had, and the table `migration` remembers what was run. Each migration is one transaction, so a crash
leaves the version before or after it. A database from a newer program is refused, for this one cannot know
what it means.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import GatewayError
from gateway.store.scripts import Script, scripts_in

__all__ = ["APPLICATION_ID", "Migration", "migrate", "migrations"]

APPLICATION_ID = 0x45415347
"""The letters EASG."""

_LEDGER = """
    CREATE TABLE migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL) STRICT
"""


@dataclass(frozen=True, slots=True)
class Migration(Script):
    """One numbered script."""

    def statements(self) -> Iterator[str]:
        """The script, statement by statement. A statement ends at the end of a line."""
        pending = ""
        for line in self.script.splitlines(keepends=True):
            pending += line
            if sqlite3.complete_statement(pending):
                yield pending
                pending = ""


def migrations() -> Sequence[Migration]:
    """The scripts of the folder `migrations`, in order."""
    return scripts_in("gateway.store.sqlite.migrations", Migration)


def migrate(connection: sqlite3.Connection, path: Path, scripts: Sequence[Migration] | None = None) -> None:
    """Run what the database lacks; several processes may do so at once. `connection` is in autocommit mode.

    Raises `GatewayError` when the file is of another program, a newer one, or one with other migrations.
    """
    scripts = migrations() if scripts is None else scripts
    while True:
        connection.execute("BEGIN IMMEDIATE")
        try:
            done = _version(connection, path, scripts)
            todo = [script for script in scripts if script.number > done]
            if todo:
                _apply(connection, todo[0])
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        if len(todo) <= 1:
            return


def _version(connection: sqlite3.Connection, path: Path, scripts: Sequence[Migration]) -> int:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application == 0 and version == 0 and tables == 0:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(_LEDGER)
        return 0
    if application != APPLICATION_ID:
        raise GatewayError(f"database {path}: this is the database of another program: change store.url")
    newest = scripts[-1].number
    if version > newest:
        raise GatewayError(
            f"database {path}: written by a newer gateway (schema {version}, this one knows {newest}): "
            "upgrade the gateway, or restore the backup made before the upgrade"
        )
    applied = dict(connection.execute("SELECT number, sha256 FROM migration"))
    for script in scripts:
        if script.number <= version and applied.get(script.number) != script.sha256:
            raise GatewayError(
                f"database {path}: made with another migration {script.number:04}_{script.name} than this "
                "gateway has: install the release that wrote it, or a newer one"
            )
    return int(version)


def _apply(connection: sqlite3.Connection, migration: Migration) -> None:
    for statement in migration.statements():
        connection.execute(statement)
    connection.execute(
        "INSERT INTO migration (number, name, sha256) VALUES (?, ?, ?)",
        (migration.number, migration.name, migration.sha256),
    )
    connection.execute(f"PRAGMA user_version = {migration.number}")
