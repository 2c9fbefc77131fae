"""The journal of mail being sent, as transactions."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from gateway.store.tables.times import from_milliseconds, milliseconds
from gateway.store.transactions import Row, Transaction, single
from gateway.types import DeviceId, OutboxEntry, OutboxStage, SentCopy, UserId

__all__ = ["begin", "keep_copy", "kept_copies", "mark", "prune", "users_with_copies"]

# Two lookups, each by its own index; of several matches the newest counts.
_FIND = """
    SELECT id, "user", device, client_id, message_id, digest, save, stage, created FROM outbox
    WHERE "user" = ?1 AND device = ?2 AND client_id = ?3 AND client_id <> ''
        AND created > ?6 AND stage <> 'failed'
    UNION
    SELECT id, "user", device, client_id, message_id, digest, save, stage, created FROM outbox
    WHERE "user" = ?1 AND message_id = ?4 AND digest = ?5 AND message_id <> ''
        AND created > ?6 AND stage <> 'failed'
    ORDER BY id DESC LIMIT 1
"""
_INSERT = """
    INSERT INTO outbox ("user", device, client_id, message_id, digest, save, stage, created)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id
"""
# Writes the row, so that nobody marks it meanwhile.
_NOT_DONE = "UPDATE outbox SET stage = stage WHERE id = ? AND stage <> 'done'"
_DONE = """
    WITH marked AS (UPDATE outbox SET stage = ? WHERE id = ?) DELETE FROM outbox_copy WHERE entry = ?
"""
_KEEP = """
    INSERT INTO outbox_copy (entry, "user", message_id, message) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING
"""


async def begin(transaction: Transaction, entry: OutboxEntry, since: datetime) -> tuple[OutboxEntry, bool]:
    """Journal the entry, or find the one that is the same message. See `ports.State.begin_send`."""
    await transaction.alone(f"outbox {entry.user}")
    names = (entry.user, entry.device, entry.client_id, entry.message_id, entry.digest)
    found = await transaction.row(_FIND, (*names, milliseconds(since)))
    if found is not None:
        return _entry(found), False
    created = milliseconds(entry.created)
    row = await transaction.row(_INSERT, (*names, int(entry.save), entry.stage.value, created))
    assert row is not None
    return replace(entry, id=row[0], created=from_milliseconds(created)), True


@single
async def mark(transaction: Transaction, entry_id: int, stage: OutboxStage) -> None:
    """Set the stage of an entry; nothing happens when it was pruned. DONE drops the copy kept for it."""
    if stage is OutboxStage.DONE and transaction.distant:
        await transaction.run(_DONE, (stage.value, entry_id, entry_id))
        return
    await transaction.run("UPDATE outbox SET stage = ? WHERE id = ?", (stage.value, entry_id))
    if stage is OutboxStage.DONE:
        await transaction.run("DELETE FROM outbox_copy WHERE entry = ?", (entry_id,))


async def keep_copy(transaction: Transaction, copy: SentCopy) -> None:
    """Keep the copy of an entry, once; nothing happens when the entry is done or was pruned."""
    if await transaction.run(_NOT_DONE, (copy.entry,)):
        await transaction.run(_KEEP, (copy.entry, copy.user, copy.message_id, copy.message))


async def kept_copies(transaction: Transaction, user: UserId) -> list[SentCopy]:
    """The copies kept for a user, oldest first."""
    rows = await transaction.rows(
        'SELECT entry, message_id, message FROM outbox_copy WHERE "user" = ? ORDER BY entry', (user,)
    )
    return [SentCopy(entry, user, message_id, bytes(message)) for entry, message_id, message in rows]


async def users_with_copies(transaction: Transaction) -> list[UserId]:
    """The users for whom copies are kept."""
    return [UserId(row[0]) for row in await transaction.rows('SELECT DISTINCT "user" FROM outbox_copy')]


async def prune(transaction: Transaction, before: datetime) -> None:
    """Forget the entries made before that time, but for those whose copy is kept, or that a notice waits for.

    A notice is mailed when its user comes, however long that takes, and is not to be mailed twice.
    """
    await transaction.run(
        """
        DELETE FROM outbox WHERE created < ? AND id NOT IN (SELECT entry FROM outbox_copy)
            AND NOT EXISTS (
                SELECT 1 FROM notice
                WHERE notice."user" = outbox."user" AND key = client_id AND dropped IS NULL AND device = ''
            )
        """,
        (milliseconds(before),),
    )


def _entry(row: Row) -> OutboxEntry:
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
