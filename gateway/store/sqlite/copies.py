"""Backups: the whole file copied while others use it, checked, and put back."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from gateway.errors import GatewayError
from gateway.store.sqlite.failures import explain
from gateway.store.sqlite.location import create_file, put_on_disk
from gateway.store.sqlite.lock import serving
from gateway.store.sqlite.schema import APPLICATION_ID, migrations

__all__ = ["back_up", "look_over", "put_back"]

_BUSY_SECONDS = 30.0
_COMPANIONS = ("-wal", "-shm")
_NO_DATABASE = ("SQLITE_NOTADB", "SQLITE_CORRUPT")


async def back_up(path: Path, target: Path) -> int:
    """Copy the database to a file that is there once it is whole and checked; returns its octets.

    A gateway may serve meanwhile: what it wrote before this began is in the copy. What was at the target
    is replaced. Raises `GatewayError`.
    """
    return await asyncio.to_thread(_back_up, path, target)


async def look_over(source: Path, path: Path) -> None:
    """See whether a backup could be put in the place of the database. Raises `GatewayError`: why not."""
    async with serving(path):
        await asyncio.to_thread(_check_backup, source, path)


async def put_back(source: Path, path: Path) -> Path | None:
    """Put a backup in the place of the database, which no gateway may serve from.

    Returns where what was there is kept, None where nothing was. Raises `GatewayError`, with nothing changed.
    """
    async with serving(path):
        return await asyncio.to_thread(_put_back, source, path)


def _back_up(path: Path, target: Path) -> int:
    if not path.is_file():
        raise GatewayError(f"there is no database {path}")
    if target.exists() and target.samefile(path):
        raise GatewayError(f"{target} is the database itself")
    part = _copied(path, target)
    size = part.stat().st_size
    _put(part, target)
    return size


def _put_back(source: Path, path: Path) -> Path | None:
    _check_backup(source, path)
    part = _copied(source, path)
    if not path.exists():
        _put(part, path)
        return None
    _write_back(path)
    kept = path.with_name(f"{path.name}.replaced")
    for suffix in ("", *_COMPANIONS):
        old = path.with_name(path.name + suffix)
        with suppress(FileNotFoundError):
            shutil.copy2(old, kept.with_name(kept.name + suffix))
    for suffix in _COMPANIONS:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    _put(part, path)
    return kept


def _copied(source: Path, target: Path) -> Path:
    """A checked copy beside the target, on the disk. Raises `GatewayError`, and leaves none then."""
    part = target.with_name(f"{target.name}.part")
    try:
        part.unlink(missing_ok=True)
        create_file(part)
        with closing(_open(source, "ro")) as original, closing(_open(part, "rw")) as copy:
            # In one go: a writer between two steps would have it begin anew, again and again.
            original.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        _check(part)
        put_on_disk(part)
    except (sqlite3.Error, OSError, GatewayError) as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        if isinstance(error, sqlite3.Error):
            raise explain(error, source) from error
        if isinstance(error, OSError):
            raise GatewayError(f"{target} cannot be written: {error.strerror}") from error
        raise
    return part


def _put(part: Path, target: Path) -> None:
    """Give a file its name. Raises `GatewayError`."""
    try:
        part.replace(target)
        put_on_disk(target.parent)
    except OSError as error:
        raise GatewayError(f"{target} cannot be written: {error.strerror}") from error


def _check_backup(source: Path, path: Path) -> None:
    """Raises `GatewayError` for what cannot be put in the place of the database."""
    if source.exists() and path.exists() and source.samefile(path):
        raise GatewayError(f"{source} is the database itself")
    _check(source)


def _check(path: Path) -> None:
    """Raises `GatewayError` for what is no whole database of a gateway that this one can go on with."""
    if not path.is_file():
        raise GatewayError(f"there is no file {path}")
    try:
        with closing(_open(path, "ro")) as connection:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorname", "").startswith(_NO_DATABASE):
            raise GatewayError(f"{path}: no SQLite database, or a damaged one") from error
        raise explain(error, path) from error
    newest = migrations()[-1].number
    if application != APPLICATION_ID or version > newest:
        raise GatewayError(f"{path}: not the database of a gateway of this release or an older one")
    if verdict != "ok":
        raise GatewayError(f"{path}: damaged: {' '.join(str(verdict).split())[:200]}")


def _write_back(path: Path) -> None:
    """Have a file without a log beside it, if it can still be read."""
    with suppress(sqlite3.Error), closing(_open(path, "rw")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _open(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"{path.resolve().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, timeout=_BUSY_SECONDS, isolation_level=None, uri=True)
