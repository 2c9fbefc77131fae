"""Scheduling messages that are to be mailed, as transactions on a connection."""

from __future__ import annotations

import json
import sqlite3

from gateway.items import Notice
from gateway.store.sqlite.times import from_milliseconds
from gateway.types import UserId

__all__ = ["add", "are_pending", "drop", "note_attempt", "pending", "prune"]

_ADD = """
    INSERT INTO notice (user, key, recipients, message) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
_ARE_PENDING = "SELECT 1 FROM notice WHERE user = ? AND dropped IS NULL LIMIT 1"
_PENDING = """
    SELECT key, recipients, message, tried FROM notice
    WHERE user = ? AND dropped IS NULL ORDER BY id
"""
_TRY = "UPDATE notice SET tried = ? WHERE user = ? AND key = ? AND tried IS NULL"
_DROP = """
    UPDATE notice SET dropped = ?, recipients = '[]', message = x''
    WHERE user = ? AND key = ? AND dropped IS NULL
"""


def add(connection: sqlite3.Connection, user: UserId, notice: Notice) -> None:
    """Store a message, unless its key is known."""
    row = (user, notice.key, json.dumps(notice.recipients), notice.message)
    connection.execute(_ADD, row)


def are_pending(connection: sqlite3.Connection, user: UserId) -> bool:
    """Whether there are messages of a user that were not dropped."""
    return connection.execute(_ARE_PENDING, (user,)).fetchone() is not None


def pending(connection: sqlite3.Connection, user: UserId) -> list[Notice]:
    """The messages of a user that were not dropped, oldest first."""
    rows = connection.execute(_PENDING, (user,))
    return [
        Notice(
            key,
            tuple(json.loads(recipients)),
            message,
            None if tried is None else from_milliseconds(tried),
        )
        for key, recipients, message, tried in rows
    ]


def note_attempt(connection: sqlite3.Connection, user: UserId, key: str, now: int) -> None:
    """Note that a message was refused now (in milliseconds), unless that was noted before."""
    connection.execute(_TRY, (now, user, key))


def drop(connection: sqlite3.Connection, user: UserId, key: str, now: int) -> None:
    """Forget all of a message but its key (`now` in milliseconds)."""
    connection.execute(_DROP, (now, user, key))


def prune(connection: sqlite3.Connection, before: int) -> None:
    """Forget the keys of messages dropped before that time (in milliseconds)."""
    connection.execute("DELETE FROM notice WHERE dropped < ?", (before,))
