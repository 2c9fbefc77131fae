"""Sync states and intents of a device's collections, as transactions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gateway.errors import StateConflict
from gateway.store.transactions import Dialects, Transaction, single
from gateway.types import Beginning, CollectionId, DeviceId, SyncState, UserId

__all__ = ["Key", "amend", "load", "load_all", "load_intents", "reset", "save", "save_intents"]

Key = tuple[UserId, DeviceId, CollectionId]

_LOAD = """
    SELECT epoch, number, cursor, previous, results, options, revision, beginnings,
        coalesce((
            SELECT revision FROM annotation_revision AS newest
            WHERE newest."user" = sync_state."user" AND newest.collection = sync_state.collection
        ), 0)
    FROM sync_state WHERE "user" = ? AND device = ? AND collection = ?
"""
_LOAD_ALL = """
    SELECT collection, epoch, number, cursor, previous, results, options, sync_state.revision, beginnings,
        coalesce(newest.revision, 0)
    FROM sync_state LEFT JOIN annotation_revision AS newest USING ("user", collection)
    WHERE "user" = ? AND device = ?
"""
_INSERT = """
    INSERT INTO sync_state (
        epoch, number, cursor, previous, results, options, revision, beginnings, "user", device, collection
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
_UPDATE = """
    UPDATE sync_state
    SET epoch = ?, number = ?, cursor = ?, previous = ?, results = ?, options = ?, revision = ?,
        beginnings = ?
    WHERE "user" = ? AND device = ? AND collection = ? AND revision = ?
"""
_RESET = """
    INSERT INTO sync_state (
        epoch, number, cursor, previous, results, options, revision, beginnings, "user", device, collection
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT ("user", device, collection) DO UPDATE SET
        epoch = excluded.epoch, number = excluded.number, cursor = excluded.cursor,
        previous = excluded.previous, results = excluded.results, options = excluded.options,
        revision = sync_state.revision + 1, beginnings = excluded.beginnings
    RETURNING revision
"""
_FORGET_INTENTS = Dialects(
    sqlite="""
        DELETE FROM intent WHERE user = ?1 AND device = ?2 AND collection = ?3
            AND NOT EXISTS (
                SELECT 1 FROM json_each(?4) AS kept WHERE substr(name, 1, length(kept.value)) = kept.value
            )
    """,
    postgres="""
        DELETE FROM intent WHERE "user" = $1 AND device = $2 AND collection = $3
            AND NOT EXISTS (SELECT 1 FROM unnest($4::text[]) AS kept (value) WHERE starts_with(name, value))
    """,
)
_FORGETTING = """
    WITH stored AS ({stored} RETURNING 1), forgotten AS (
        DELETE FROM intent WHERE "user" = $9 AND device = $10 AND collection = $11
            AND EXISTS (SELECT 1 FROM stored)
            AND NOT EXISTS (
                SELECT 1 FROM unnest(${kept}::text[]) AS kept (value) WHERE starts_with(name, value)
            )
    )
    SELECT 1 FROM stored
"""
"""Stores a state and, if that was done, forgets the intents: PostgreSQL does both in one statement."""
_INSERT_AND_FORGET = _FORGETTING.format(stored=_INSERT, kept=12)
_UPDATE_AND_FORGET = _FORGETTING.format(stored=_UPDATE, kept=13)
_SAVE_INTENT = """
    INSERT INTO intent ("user", device, collection, name, value) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT ("user", device, collection, name) DO UPDATE SET value = excluded.value
"""


async def load(transaction: Transaction, key: Key) -> SyncState | None:
    """The state of one collection, or None."""
    row = await transaction.row(_LOAD, key)
    return None if row is None else _state(row)


async def load_all(transaction: Transaction, user: UserId, device: DeviceId) -> dict[CollectionId, SyncState]:
    """The states of all collections of a device."""
    rows = await transaction.rows(_LOAD_ALL, (user, device))
    return {CollectionId(collection): _state(row) for collection, *row in rows}


@single
async def save(transaction: Transaction, key: Key, state: SyncState, keep: Sequence[str] = ()) -> SyncState:
    """Store the state if the stored revision is still `state.revision`, and forget the intents.

    Those whose names begin with one of `keep` stay. Raises `StateConflict`.
    """
    if transaction.distant:
        return await _store(transaction, key, state, (_INSERT_AND_FORGET, _UPDATE_AND_FORGET), list(keep))
    stored = await amend(transaction, key, state)
    await transaction.run(_FORGET_INTENTS, (*key, list(keep)))
    return stored


async def amend(transaction: Transaction, key: Key, state: SyncState) -> SyncState:
    """Store the state if the stored revision is still its own; intents stay. Raises `StateConflict`."""
    return await _store(transaction, key, state, (_INSERT, _UPDATE))


async def _store(
    transaction: Transaction, key: Key, state: SyncState, statements: tuple[str, str], *more: object
) -> SyncState:
    """Store the state by one of two statements: that for a first one, or that for a change.

    Raises `StateConflict`.
    """
    stored = replace(state, revision=state.revision + 1)
    insert, update = statements
    if state.revision:
        done = await transaction.run(update, (*_row(stored), *key, state.revision, *more))
    else:
        done = await transaction.run(insert, (*_row(stored), *key, *more))
    if not done:
        user, device, collection = key
        raise StateConflict(
            f"collection {collection!r} of {device} of {user} changed since revision {state.revision}"
        )
    return stored


@single
async def reset(transaction: Transaction, key: Key, state: SyncState) -> SyncState:
    """Store a state over whatever is stored; intents stay.

    Revisions go on counting, so that whoever read the old state cannot overwrite this one.
    """
    row = await transaction.row(_RESET, (*_row(replace(state, revision=1)), *key))
    assert row is not None
    return replace(state, revision=row[0])


async def load_intents(transaction: Transaction, key: Key) -> dict[str, bytes]:
    """The intents of a collection by name."""
    rows = await transaction.rows(
        'SELECT name, value FROM intent WHERE "user" = ? AND device = ? AND collection = ?', key
    )
    return {name: value for name, value in rows}  # noqa: C416 (rows are not always tuples)


@single
async def save_intents(transaction: Transaction, key: Key, intents: Mapping[str, bytes]) -> None:
    """Add to the intents of a collection; one of the same name is replaced."""
    await transaction.run_all(_SAVE_INTENT, [(*key, name, value) for name, value in intents.items()])


def _row(state: SyncState) -> tuple[Any, ...]:
    return (
        state.epoch,
        state.number,
        state.cursor,
        state.previous,
        state.results,
        state.options,
        state.revision,
        _packed(state.beginnings),
    )


def _state(row: Sequence[Any]) -> SyncState:
    epoch, number, cursor, previous, results, options, revision, beginnings, annotations = row
    kept = _unpacked(beginnings)
    return SyncState(epoch, number, cursor, previous, results, options, revision, kept, annotations)


def _packed(beginnings: Sequence[Beginning]) -> str:
    """Beginnings as JSON, "" for none: there are seldom any."""
    if not beginnings:
        return ""
    values = [[one.epoch, one.cursor.hex(), one.options.hex(), one.request] for one in beginnings]
    return json.dumps(values, separators=(",", ":"))


def _unpacked(text: str) -> tuple[Beginning, ...]:
    if not text:
        return ()
    return tuple(
        Beginning(epoch, bytes.fromhex(cursor), bytes.fromhex(options), request)
        for epoch, cursor, options, request in json.loads(text)
    )
