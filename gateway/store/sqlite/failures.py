"""SQLite's errors, said in words that tell the administrator what to do."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from gateway.errors import GatewayError, Kind

__all__ = ["explain"]

_REMEDIES = {
    "SQLITE_FULL": "the disk is full: free some space",
    "SQLITE_IOERR": "reading or writing failed: look at the system log, the disk may be full or broken",
    "SQLITE_CORRUPT": "the file is damaged: stop the gateway and restore it from a backup",
    "SQLITE_NOTADB": "the file is no SQLite database: change store.url or restore it from a backup",
    "SQLITE_READONLY": "the file cannot be written: the gateway's user must own it and its folder",
    "SQLITE_PERM": "access denied: the gateway's user must own the file and its folder",
    "SQLITE_CANTOPEN": "the file cannot be opened: the gateway's user must own it and its folder",
    "SQLITE_BUSY": "another program has locked the file for too long",
    "SQLITE_LOCKED": "another program has locked the file for too long",
    "SQLITE_TOOBIG": "a value is larger than SQLite stores",
}
_PASSING = frozenset(
    {
        "SQLITE_BUSY",
        "SQLITE_LOCKED",
        "SQLITE_FULL",
        "SQLITE_IOERR",
        "SQLITE_READONLY",
        "SQLITE_CANTOPEN",
        "SQLITE_PERM",
    }
)
"""What ends some time, be it by the administrator's hand: a phone must not give up its message for it."""


def explain(error: sqlite3.Error | MemoryError, path: Path) -> GatewayError:
    """The `GatewayError` for an error of SQLite; of `Kind.SERVER_ERROR_RETRY` when waiting helps."""
    name = getattr(error, "sqlite_errorname", "")
    primary = "_".join(name.split("_")[:2])
    remedy = _REMEDIES.get(primary, "unexpected error")
    explained = GatewayError(f"database {path}: {remedy} ({name or type(error).__name__}: {error})")
    if primary in _PASSING:
        explained.kind = Kind.SERVER_ERROR_RETRY
    return explained
