"""Items that could not be rendered, as transactions on a connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from gateway.types import CollectionId, UserId

__all__ = ["Poison", "forget", "list_all", "note", "of_others"]

Poison = tuple[UserId, CollectionId, str, str, str]
"""user, collection, item, release, reason"""

_NOTE = """
    INSERT INTO poison (user, collection, item, release, reason) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
_FORGET = "DELETE FROM poison WHERE user = ? AND collection = ? AND item = ?"
_LIST = """
    SELECT user, collection, item, release, reason FROM poison
    WHERE ?1 IS NULL OR user = ?1 ORDER BY user, collection, item, release
"""


def note(connection: sqlite3.Connection, poison: Poison) -> bool:
    """Remember an item; True the first time with this release."""
    return connection.execute(_NOTE, poison).rowcount == 1


def of_others(
    connection: sqlite3.Connection, user: UserId, collection: CollectionId, release: str
) -> list[str]:
    """The items other releases failed at, and this one not."""
    rows = connection.execute(
        """
        SELECT item FROM poison WHERE user = ?1 AND collection = ?2
        GROUP BY item HAVING SUM(release = ?3) = 0 ORDER BY item
        """,
        (user, collection, release),
    )
    return [row[0] for row in rows]


def forget(
    connection: sqlite3.Connection, user: UserId, collection: CollectionId, items: Iterable[str]
) -> None:
    """Forget items."""
    connection.executemany(_FORGET, [(user, collection, item) for item in items])


def list_all(connection: sqlite3.Connection, user: UserId | None) -> list[Poison]:
    """What is remembered of a user, or of all users, ordered."""
    return connection.execute(_LIST, (user,)).fetchall()
