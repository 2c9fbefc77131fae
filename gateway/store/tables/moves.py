"""The journal of messages that devices move, as transactions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from gateway.store.tables import syncs
from gateway.store.tables.times import from_milliseconds, milliseconds
from gateway.store.transactions import Row, Transaction, single
from gateway.types import CollectionId, DeviceId, Move, SyncState, UserId

__all__ = ["Key", "begin", "finish", "load", "open_ones", "prune"]

Key = tuple[UserId, DeviceId]

_LOAD = """
    SELECT source, uidvalidity, uid, target, likeness, target_uidvalidity, target_uidnext, target_uid,
        began, flags
    FROM move WHERE "user" = ? AND device = ? AND source = ? AND target = ? AND uidvalidity = ? AND uid = ?
"""
_OPEN = """
    SELECT source, uidvalidity, uid, target, likeness, target_uidvalidity, target_uidnext, target_uid,
        began, flags
    FROM move WHERE "user" = ? AND device = ? AND target_uid IS NULL ORDER BY began, source, uid
"""
_SAVE = """
    INSERT INTO move (
        "user", device, source, uidvalidity, uid, target, likeness, target_uidvalidity, target_uidnext,
        target_uid, began, flags
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT ("user", device, source, uidvalidity, uid, target) DO UPDATE SET
        likeness = excluded.likeness, target_uidvalidity = excluded.target_uidvalidity,
        target_uidnext = excluded.target_uidnext, target_uid = excluded.target_uid,
        began = excluded.began, flags = excluded.flags
"""


async def load(
    transaction: Transaction,
    key: Key,
    source: CollectionId,
    target: CollectionId,
    messages: Iterable[tuple[int, int]],
) -> dict[tuple[int, int], Move]:
    """The moves of messages (uidvalidity, uid) from one collection to another that were begun."""
    found: dict[tuple[int, int], Move] = {}
    for message in messages:
        row = await transaction.row(_LOAD, (*key, source, target, *message))
        if row is not None:
            found[message] = _move(row)
    return found


@single
async def begin(transaction: Transaction, key: Key, moves: Iterable[Move]) -> None:
    """Note what is about to be moved."""
    await transaction.run_all(_SAVE, [_row(key, move) for move in moves])


async def finish(
    transaction: Transaction,
    key: Key,
    moves: Iterable[Move],
    states: Mapping[CollectionId, SyncState],
) -> None:
    """Note where messages went, and what the device knows by that. Raises `StateConflict`."""
    await begin(transaction, key, moves)
    for collection, state in states.items():
        await syncs.amend(transaction, (*key, collection), state)


async def open_ones(transaction: Transaction, key: Key) -> list[Move]:
    """The moves that are under way, or were when the gateway died."""
    return [_move(row) for row in await transaction.rows(_OPEN, key)]


async def prune(transaction: Transaction, before: datetime) -> None:
    """Forget the moves begun before that time."""
    await transaction.run("DELETE FROM move WHERE began < ?", (milliseconds(before),))


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


def _move(row: Row) -> Move:
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
