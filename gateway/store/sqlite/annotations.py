"""Annotations of messages, as transactions on a connection.

Each change of a collection's annotations gets the next revision of that collection. A device that has been
told everything up to a revision asks which messages changed after it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping

from gateway.types import CollectionId, UserId

__all__ = ["Key", "change", "changed", "drop", "find", "load", "move", "prune"]

Key = tuple[UserId, CollectionId, int]
"""user, collection, uidvalidity"""

_LOAD = """
    SELECT uid, name, annotation.value FROM json_each(?4) AS wanted CROSS JOIN annotation
    WHERE user = ?1 AND collection = ?2 AND uidvalidity = ?3 AND uid = wanted.value
        AND annotation.value IS NOT NULL
"""
_CHANGED = """
    SELECT uid, name, revision FROM annotation
    WHERE user = ? AND collection = ? AND uidvalidity = ? AND revision > ?
"""
_NEXT_REVISION = """
    INSERT INTO annotation_revision (user, collection, revision) VALUES (?, ?, 1)
    ON CONFLICT DO UPDATE SET revision = revision + 1 RETURNING revision
"""
_STORED = """
    SELECT value, revision, gone FROM annotation
    WHERE user = ? AND collection = ? AND uidvalidity = ? AND uid = ? AND name = ?
"""
_STORE = """
    INSERT INTO annotation (user, collection, uidvalidity, uid, name, value, revision)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET value = excluded.value, revision = excluded.revision, gone = NULL
"""
_ALL_OF_ONE = """
    SELECT name, value FROM annotation
    WHERE user = ? AND collection = ? AND uidvalidity = ? AND uid = ?
"""
_DROP_ONE = "DELETE FROM annotation WHERE user = ? AND collection = ? AND uidvalidity = ? AND uid = ?"
_VALUED = """
    SELECT collection, uidvalidity, uid FROM annotation WHERE user = ? AND name = ? AND value = ? LIMIT 1
"""
_GONE = """
    UPDATE annotation SET gone = ?4
    WHERE user = ?1 AND collection = ?2 AND uidvalidity = ?3 AND gone IS NULL
        AND uid IN (SELECT value FROM json_each(?5))
"""
_PRUNE = "DELETE FROM annotation WHERE gone < ?"
_PRUNE_FOLDERS = """
    DELETE FROM annotation WHERE (user, collection) IN (SELECT user, id FROM folder WHERE gone = 1)
"""


def load(connection: sqlite3.Connection, key: Key, uids: Iterable[int]) -> dict[int, dict[str, bytes]]:
    """What is known of these messages; those without annotations are left out."""
    found: dict[int, dict[str, bytes]] = {}
    for uid, name, value in connection.execute(_LOAD, (*key, json.dumps(list(uids)))):
        found.setdefault(uid, {})[name] = value
    return found


def changed(connection: sqlite3.Connection, key: Key, revision: int) -> dict[tuple[int, str], int]:
    """The annotations (UID, name) that changed after a revision, each with its own."""
    return {(uid, name): at for uid, name, at in connection.execute(_CHANGED, (*key, revision))}


def change(
    connection: sqlite3.Connection,
    key: Key,
    annotations: Mapping[int, Mapping[str, bytes | None]],
    newest: int | None = None,
) -> dict[tuple[int, str], int]:
    """Store values, None takes one away; returns the revision each of them is at.

    With `newest`, values that changed after that revision stay, and are not told of. What is stored already
    is no change, so that a repetition is told to nobody.
    """
    revision = 0
    revisions: dict[tuple[int, str], int] = {}
    for uid, values in annotations.items():
        for name, value in values.items():
            stored = connection.execute(_STORED, (*key, uid, name)).fetchone()
            if stored is None and value is None:
                continue
            if stored is not None and newest is not None and stored[1] > newest:
                continue
            if stored is not None and stored[0] == value and stored[2] is None:
                revisions[uid, name] = stored[1]
                continue
            revision = revision or _next_revision(connection, key)
            connection.execute(_STORE, (*key, uid, name, value, revision))
            revisions[uid, name] = revision
    return revisions


def find(
    connection: sqlite3.Connection, user: UserId, name: str, values: Collection[bytes]
) -> dict[bytes, tuple[CollectionId, int, int]]:
    """A message (collection, uidvalidity, UID) for each value that one has."""
    found: dict[bytes, tuple[CollectionId, int, int]] = {}
    for value in values:
        row = connection.execute(_VALUED, (user, name, value)).fetchone()
        if row is not None:
            found[value] = CollectionId(row[0]), row[1], row[2]
    return found


def move(connection: sqlite3.Connection, source: Key, target: Key, uids: Mapping[int, int]) -> bool:
    """Carry annotations over to where messages are now; `uids` maps old to new ones. False: there were none.

    Those taken away go along: a device that was not told of it yet hears of it there.
    """
    rows = [
        (new, name, value)
        for old, new in uids.items()
        for name, value in connection.execute(_ALL_OF_ONE, (*source, old)).fetchall()
    ]
    if rows:
        revision = _next_revision(connection, target)
        connection.executemany(_STORE, [(*target, *row, revision) for row in rows])
    connection.executemany(_DROP_ONE, [(*source, old) for old in uids])
    return bool(rows)


def drop(connection: sqlite3.Connection, key: Key, uids: Iterable[int], now: int) -> None:
    """Note that messages are gone (`now` in milliseconds); what is known of them stays until `prune`."""
    connection.execute(_GONE, (*key, now, json.dumps(list(uids))))


def prune(connection: sqlite3.Connection, before: int) -> None:
    """Forget messages gone since before that time (in milliseconds), and all of gone folders."""
    connection.execute(_PRUNE, (before,))
    connection.execute(_PRUNE_FOLDERS)


def _next_revision(connection: sqlite3.Connection, key: Key) -> int:
    user, collection, _ = key
    (revision,) = connection.execute(_NEXT_REVISION, (user, collection)).fetchone()
    return int(revision)
