"""Sessions of the web pages, as transactions on a connection."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from gateway.ports.sessions import MOST_SESSIONS, Session
from gateway.store.sqlite.times import from_milliseconds, milliseconds
from gateway.types import UserId

__all__ = ["begin", "end", "end_all", "load", "note", "prune"]

_BEGIN = "INSERT INTO web_session (key, user, email, began, seen) VALUES (?, ?, ?, ?, ?)"
_TOO_MANY = """
    DELETE FROM web_session WHERE key IN (
        SELECT key FROM web_session WHERE user = ? ORDER BY began DESC, rowid DESC LIMIT -1 OFFSET ?
    )
"""
_LOAD = "SELECT user, email, began, seen FROM web_session WHERE key = ?"


def begin(connection: sqlite3.Connection, session: Session) -> None:
    """Store a session, and forget the oldest ones of a user who has too many."""
    times = milliseconds(session.began), milliseconds(session.seen)
    connection.execute(_BEGIN, (session.key, session.user, session.email, *times))
    connection.execute(_TOO_MANY, (session.user, MOST_SESSIONS))


def load(connection: sqlite3.Connection, key: bytes) -> Session | None:
    """One session, or None."""
    row = connection.execute(_LOAD, (key,)).fetchone()
    if row is None:
        return None
    user, email, began, seen = row
    return Session(key, UserId(user), email, from_milliseconds(began), from_milliseconds(seen))


def note(connection: sqlite3.Connection, key: bytes, seen: datetime) -> None:
    """Note that a session was used, if it is there."""
    connection.execute("UPDATE web_session SET seen = ? WHERE key = ?", (milliseconds(seen), key))


def end(connection: sqlite3.Connection, key: bytes) -> None:
    """Forget a session."""
    connection.execute("DELETE FROM web_session WHERE key = ?", (key,))


def end_all(connection: sqlite3.Connection, user: UserId) -> None:
    """Forget the sessions of a user."""
    connection.execute("DELETE FROM web_session WHERE user = ?", (user,))


def prune(connection: sqlite3.Connection, began: datetime, seen: datetime) -> None:
    """Forget sessions that are too old, or were not used for too long."""
    row = (milliseconds(began), milliseconds(seen))
    connection.execute("DELETE FROM web_session WHERE began < ? OR seen < ?", row)
