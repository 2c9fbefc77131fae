"""The journal of mail being sent, as transactions on a connection."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.store.sqlite.times import from_milliseconds, milliseconds
from gateway.types import DeviceId, OutboxEntry, OutboxStage, SentCopy, UserId

__all__ = ["begin", "keep_copy", "kept_copies", "mark", "prune", "users_with_copies"]

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
    """Set the stage of an entry; nothing happens when it was pruned. DONE drops the copy kept for it."""
    connection.execute("UPDATE outbox SET stage = ? WHERE id = ?", (stage.value, entry_id))
    if stage is OutboxStage.DONE:
        connection.execute("DELETE FROM outbox_copy WHERE entry = ?", (entry_id,))


def keep_copy(connection: sqlite3.Connection, copy: SentCopy) -> None:
    """Keep the copy of an entry, once; nothing happens when the entry is done or was pruned."""
    connection.execute(
        """
        INSERT OR IGNORE INTO outbox_copy (entry, user, message_id, message)
        SELECT id, ?, ?, ? FROM outbox WHERE id = ? AND stage <> 'done'
        """,
        (copy.user, copy.message_id, copy.message, copy.entry),
    )


def kept_copies(connection: sqlite3.Connection, user: UserId) -> list[SentCopy]:
    """The copies kept for a user, oldest first."""
    rows = connection.execute(
        "SELECT entry, message_id, message FROM outbox_copy WHERE user = ? ORDER BY entry", (user,)
    )
    return [SentCopy(entry, user, message_id, bytes(message)) for entry, message_id, message in rows]


def users_with_copies(connection: sqlite3.Connection) -> list[UserId]:
    """The users for whom copies are kept."""
    return [UserId(row[0]) for row in connection.execute("SELECT DISTINCT user FROM outbox_copy")]


def prune(connection: sqlite3.Connection, before: datetime) -> None:
    """Forget the entries made before that time, but for those whose copy is kept, or that a notice waits for.

    A notice is mailed when its user comes, however long that takes, and is not to be mailed twice.
    """
    connection.execute(
        """
        DELETE FROM outbox WHERE created < ? AND id NOT IN (SELECT entry FROM outbox_copy)
            AND NOT EXISTS (
                SELECT 1 FROM notice
                WHERE notice.user = outbox.user AND key = client_id AND dropped IS NULL AND device = ''
            )
        """,
        (milliseconds(before),),
    )


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
