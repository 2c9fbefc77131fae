"""The journal of messages that devices move, as transactions on a connection."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from gateway.store.sqlite import syncs
from gateway.store.sqlite.times import from_milliseconds, milliseconds
from gateway.types import CollectionId, DeviceId, Move, SyncState, UserId

__all__ = ["Key", "begin", "finish", "load", "open_ones", "prune"]

Key = tuple[UserId, DeviceId]

_LOAD = """
    SELECT source, uidvalidity, uid, target, likeness, target_uidvalidity, target_uidnext, target_uid,
        began, flags
    FROM move WHERE user = ? AND device = ? AND source = ? AND target = ? AND uidvalidity = ? AND uid = ?
"""
_OPEN = """
    SELECT source, uidvalidity, uid, target, likeness, target_uidvalidity, target_uidnext, target_uid,
        began, flags
    FROM move WHERE user = ? AND device = ? AND target_uid IS NULL ORDER BY began, source, uid
"""
_SAVE = """
    INSERT OR REPLACE INTO move (
        user, device, source, uidvalidity, uid, target, likeness, target_uidvalidity, target_uidnext,
        target_uid, began, flags
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def load(
    connection: sqlite3.Connection,
    key: Key,
    source: CollectionId,
    target: CollectionId,
    messages: Iterable[tuple[int, int]],
) -> dict[tuple[int, int], Move]:
    """The moves of messages (uidvalidity, uid) from one collection to another that were begun."""
    found: dict[tuple[int, int], Move] = {}
    for message in messages:
        row = connection.execute(_LOAD, (*key, source, target, *message)).fetchone()
        if row is not None:
            found[message] = _move(row)
    return found


def begin(connection: sqlite3.Connection, key: Key, moves: Iterable[Move]) -> None:
    """Note what is about to be moved."""
    connection.executemany(_SAVE, [_row(key, move) for move in moves])


def finish(
    connection: sqlite3.Connection,
    key: Key,
    moves: Iterable[Move],
    states: Mapping[CollectionId, SyncState],
) -> None:
    """Note where messages went, and what the device knows by that. Raises `StateConflict`."""
    begin(connection, key, moves)
    for collection, state in states.items():
        syncs.amend(connection, (*key, collection), state)


def open_ones(connection: sqlite3.Connection, key: Key) -> list[Move]:
    """The moves that are under way, or were when the gateway died."""
    return [_move(row) for row in connection.execute(_OPEN, key)]


def prune(connection: sqlite3.Connection, before: datetime) -> None:
    """Forget the moves begun before that time."""
    connection.execute("DELETE FROM move WHERE began < ?", (milliseconds(before),))


def _row(key: Key, move: Move) -> tuple[Any, ...]:
    return (
        *key,
        move.source,
        move.uidvalidity,
        move.uid,
        move.target,
        move.likeness,
        move.target_uidvalidity,
        move.target_uidnext,
        move.target_uid,
        milliseconds(move.began),
        None if move.flags is None else json.dumps(sorted(move.flags)),
    )


def _move(row: tuple[Any, ...]) -> Move:
    source, uidvalidity, uid, target, likeness, target_uidvalidity, target_uidnext, target_uid, *more = row
    began, flags = more
    return Move(
        source=CollectionId(source),
        uidvalidity=uidvalidity,
        uid=uid,
        target=CollectionId(target),
        likeness=likeness,
        target_uidvalidity=target_uidvalidity,
        target_uidnext=target_uidnext,
        target_uid=target_uid,
        began=from_milliseconds(began),
        flags=None if flags is None else frozenset(json.loads(flags)),
    )
