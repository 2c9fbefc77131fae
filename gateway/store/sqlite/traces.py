"""Which devices are traced and what came of it, as transactions on a connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from gateway.ports.traces import Traced
from gateway.store.sqlite.times import from_milliseconds, milliseconds
from gateway.types import DeviceId, UserId

__all__ = ["begin", "prune", "read", "running", "write"]

_BEGIN = "INSERT OR REPLACE INTO trace (user, device, until) VALUES (?, ?, ?)"
_WRITE = "INSERT INTO trace_entry (at, user, device, line) VALUES (?, ?, ?, ?)"
_READ = """
    SELECT number, at, user, device, line FROM trace_entry
    WHERE user = ?1 AND (?2 = '' OR device = ?2) AND number > ?3 ORDER BY number LIMIT ?4
"""
_CUT = """
    DELETE FROM trace_entry WHERE user = ?1 AND device = ?2 AND number <= (
        SELECT number FROM trace_entry WHERE user = ?1 AND device = ?2 ORDER BY number DESC LIMIT 1 OFFSET ?3
    )
"""


def begin(connection: sqlite3.Connection, user: UserId, device: DeviceId, until: datetime | None) -> None:
    """Trace a device until that time; None: not any more."""
    if until is None:
        connection.execute("DELETE FROM trace WHERE user = ? AND device = ?", (user, device))
    else:
        connection.execute(_BEGIN, (user, device, milliseconds(until)))


def running(connection: sqlite3.Connection, now: datetime) -> list[tuple[UserId, DeviceId]]:
    """The devices that are traced at that time."""
    rows = connection.execute("SELECT user, device FROM trace WHERE until > ?", (milliseconds(now),))
    return [(UserId(user), DeviceId(device)) for user, device in rows]


def write(connection: sqlite3.Connection, entries: Sequence[Traced], keep: int) -> None:
    """Add entries, and keep so many of each device."""
    connection.executemany(
        _WRITE, [(milliseconds(one.at), one.user, one.device, one.line) for one in entries]
    )
    connection.executemany(_CUT, {(one.user, one.device, keep) for one in entries})


def read(
    connection: sqlite3.Connection, user: UserId, device: DeviceId, after: int, limit: int
) -> list[Traced]:
    """Entries after that number, oldest first."""
    rows = connection.execute(_READ, (user, device, after, limit))
    return [
        Traced(number, from_milliseconds(at), UserId(whose), DeviceId(which), line)
        for number, at, whose, which, line in rows
    ]


def prune(connection: sqlite3.Connection, now: datetime, before: datetime) -> None:
    """Forget the traces that ended, and entries made before that time."""
    connection.execute("DELETE FROM trace WHERE until <= ?", (milliseconds(now),))
    connection.execute("DELETE FROM trace_entry WHERE at < ?", (milliseconds(before),))
