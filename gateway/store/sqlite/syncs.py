"""Sync states and intents of a device's collections, as transactions on a connection."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gateway.errors import StateConflict
from gateway.types import CollectionId, DeviceId, SyncState, UserId

__all__ = ["Key", "amend", "load", "load_all", "load_intents", "reset", "save", "save_intents"]

Key = tuple[UserId, DeviceId, CollectionId]

_LOAD = """
    SELECT epoch, number, cursor, previous, results, options, revision, fresh, fresh_options,
        coalesce((
            SELECT revision FROM annotation_revision AS newest
            WHERE newest.user = sync_state.user AND newest.collection = sync_state.collection
        ), 0),
        fresh_cursor
    FROM sync_state WHERE user = ? AND device = ? AND collection = ?
"""
_LOAD_ALL = """
    SELECT collection, epoch, number, cursor, previous, results, options, sync_state.revision, fresh,
        fresh_options, coalesce(newest.revision, 0), fresh_cursor
    FROM sync_state LEFT JOIN annotation_revision AS newest USING (user, collection)
    WHERE user = ? AND device = ?
"""
_INSERT = """
    INSERT INTO sync_state (
        epoch, number, cursor, previous, results, options, revision, fresh, fresh_options, fresh_cursor,
        user, device, collection
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
_UPDATE = """
    UPDATE sync_state
    SET epoch = ?, number = ?, cursor = ?, previous = ?, results = ?, options = ?, revision = ?,
        fresh = ?, fresh_options = ?, fresh_cursor = ?
    WHERE user = ? AND device = ? AND collection = ? AND revision = ?
"""
_FORGET_INTENTS = """
    DELETE FROM intent WHERE user = ? AND device = ? AND collection = ?
        AND NOT EXISTS (
            SELECT 1 FROM json_each(?) AS kept WHERE substr(name, 1, length(kept.value)) = kept.value
        )
"""


def load(connection: sqlite3.Connection, key: Key) -> SyncState | None:
    """The state of one collection, or None."""
    row = connection.execute(_LOAD, key).fetchone()
    return None if row is None else SyncState(*row)


def load_all(connection: sqlite3.Connection, user: UserId, device: DeviceId) -> dict[CollectionId, SyncState]:
    """The states of all collections of a device."""
    rows = connection.execute(_LOAD_ALL, (user, device))
    return {CollectionId(collection): SyncState(*state) for collection, *state in rows}


def save(connection: sqlite3.Connection, key: Key, state: SyncState, keep: Sequence[str] = ()) -> SyncState:
    """Store the state if the stored revision is still `state.revision`, and forget the intents.

    Those whose names begin with one of `keep` stay. Raises `StateConflict`.
    """
    stored = amend(connection, key, state)
    connection.execute(_FORGET_INTENTS, (*key, json.dumps(keep)))
    return stored


def amend(connection: sqlite3.Connection, key: Key, state: SyncState) -> SyncState:
    """Store the state if the stored revision is still its own; intents stay. Raises `StateConflict`."""
    stored = replace(state, revision=state.revision + 1)
    if state.revision:
        done = connection.execute(_UPDATE, (*_row(stored), *key, state.revision))
    else:
        done = connection.execute(_INSERT, (*_row(stored), *key))
    if not done.rowcount:
        user, device, collection = key
        raise StateConflict(
            f"collection {collection!r} of {device} of {user} changed since revision {state.revision}"
        )
    return stored


def reset(connection: sqlite3.Connection, key: Key, state: SyncState) -> SyncState:
    """Store a state over whatever is stored; intents stay.

    Revisions go on counting, so that whoever read the old state cannot overwrite this one.
    """
    old = load(connection, key)
    if old is None:
        stored = replace(state, revision=1)
        connection.execute(_INSERT, (*_row(stored), *key))
    else:
        stored = replace(state, revision=old.revision + 1)
        connection.execute(_UPDATE, (*_row(stored), *key, old.revision))
    return stored


def load_intents(connection: sqlite3.Connection, key: Key) -> dict[str, bytes]:
    """The intents of a collection by name."""
    return dict(
        connection.execute(
            "SELECT name, value FROM intent WHERE user = ? AND device = ? AND collection = ?", key
        )
    )


def save_intents(connection: sqlite3.Connection, key: Key, intents: Mapping[str, bytes]) -> None:
    """Add to the intents of a collection; one of the same name is replaced."""
    connection.executemany(
        "INSERT OR REPLACE INTO intent (user, device, collection, name, value) VALUES (?, ?, ?, ?, ?)",
        [(*key, name, value) for name, value in intents.items()],
    )


def _row(state: SyncState) -> tuple[Any, ...]:
    return (
        state.epoch,
        state.number,
        state.cursor,
        state.previous,
        state.results,
        state.options,
        state.revision,
        state.fresh,
        state.fresh_options,
        state.fresh_cursor,
    )
