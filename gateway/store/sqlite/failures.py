"""SQLite's errors, said in words that tell the administrator what to do."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from gateway.errors import GatewayError, StoreUnavailable

__all__ = ["explain"]

_OF_THE_STORE = {
    "SQLITE_FULL": "the disk is full: free some space",
    "SQLITE_IOERR": "reading or writing failed: look at the system log, the disk may be full or broken",
    "SQLITE_CORRUPT": "the file is damaged: stop the gateway and restore it from a backup",
    "SQLITE_NOTADB": "the file is no SQLite database: change store.url or restore it from a backup",
    "SQLITE_READONLY": "the file cannot be written: the gateway's user must own it and its folder",
    "SQLITE_PERM": "access denied: the gateway's user must own the file and its folder",
    "SQLITE_CANTOPEN": "the file cannot be opened: the gateway's user must own it and its folder",
    "SQLITE_BUSY": "another program has locked the file for too long",
    "SQLITE_LOCKED": "another program has locked the file for too long",
    "SQLITE_PROTOCOL": "another program has locked the file for too long",
    "SQLITE_NOMEM": "there is not enough memory",
}
"""What fails whatever is stored, until it passes or somebody sees to it: phones wait, and give up nothing."""
_OF_THE_DATA = {"SQLITE_TOOBIG": "a value is larger than SQLite stores"}
"""What would fail again and again: it must not keep anything else waiting."""


def explain(error: sqlite3.Error | MemoryError, path: Path) -> GatewayError:
    """The error of the gateway for one of SQLite: `StoreUnavailable`, unless it is for what was stored."""
    name = "SQLITE_NOMEM" if isinstance(error, MemoryError) else getattr(error, "sqlite_errorname", "")
    primary = "_".join(name.split("_")[:2])
    said = f"({name or type(error).__name__}: {error})"
    if (why := _OF_THE_STORE.get(primary)) is not None:
        return StoreUnavailable(f"database {path}: {why} {said}", why)
    return GatewayError(f"database {path}: {_OF_THE_DATA.get(primary, 'unexpected error')} {said}")
