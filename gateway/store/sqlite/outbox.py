"""The journal of mail being sent, as transactions on a connection."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.store.sqlite.times import from_milliseconds, milliseconds
from gateway.types import DeviceId, OutboxEntry, OutboxStage, UserId

__all__ = ["begin", "mark", "prune", "unfinished"]

# Two lookups, each by its own index; of several matches the newest counts.
_FIND = """
    SELECT id, user, device, client_id, message_id, digest, save, stage, created FROM outbox
    WHERE user = :user AND device = :device AND client_id = :client_id AND client_id <> ''
        AND created > :since AND stage <> 'failed'
    UNION
    SELECT id, user, device, client_id, message_id, digest, save, stage, created FROM outbox
    WHERE user = :user AND message_id = :message_id AND digest = :digest AND message_id <> ''
        AND created > :since AND stage <> 'failed'
    ORDER BY id DESC LIMIT 1
"""
_INSERT = """
    INSERT INTO outbox (user, device, client_id, message_id, digest, save, stage, created)
    VALUES (:user, :device, :client_id, :message_id, :digest, :save, :stage, :created)
"""
_UNFINISHED = """
    SELECT id, user, device, client_id, message_id, digest, save, stage, created FROM outbox
    WHERE user = ? AND stage IN ('accepted', 'submitted') ORDER BY id
"""


def begin(connection: sqlite3.Connection, entry: OutboxEntry, since: datetime) -> tuple[OutboxEntry, bool]:
    """Journal the entry, or find the one that is the same message. See `ports.State.begin_send`."""
    values = {
        "user": entry.user,
        "device": entry.device,
        "client_id": entry.client_id,
        "message_id": entry.message_id,
        "digest": entry.digest,
        "save": int(entry.save),
        "stage": entry.stage.value,
        "created": milliseconds(entry.created),
        "since": milliseconds(since),
    }
    found = connection.execute(_FIND, values).fetchone()
    if found is not None:
        return _entry(found), False
    number = connection.execute(_INSERT, values).lastrowid
    assert number is not None
    return replace(entry, id=number, created=from_milliseconds(milliseconds(entry.created))), True


def mark(connection: sqlite3.Connection, entry_id: int, stage: OutboxStage) -> None:
    """Set the stage of an entry; nothing happens when it was pruned."""
    connection.execute("UPDATE outbox SET stage = ? WHERE id = ?", (stage.value, entry_id))


def unfinished(connection: sqlite3.Connection, user: UserId) -> list[OutboxEntry]:
    """The entries of a user that are neither done nor failed, oldest first."""
    return [_entry(row) for row in connection.execute(_UNFINISHED, (user,))]


def prune(connection: sqlite3.Connection, before: datetime) -> None:
    """Forget the entries made before that time, whatever their stage."""
    connection.execute("DELETE FROM outbox WHERE created < ?", (milliseconds(before),))


def _entry(row: tuple[Any, ...]) -> OutboxEntry:
    number, user, device, client_id, message_id, digest, save, stage, created = row
    return OutboxEntry(
        id=number,
        user=UserId(user),
        device=DeviceId(device),
        client_id=client_id,
        message_id=message_id,
        digest=digest,
        save=bool(save),
        stage=OutboxStage(stage),
        created=from_milliseconds(created),
    )
