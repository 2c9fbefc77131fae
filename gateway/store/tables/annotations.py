"""Annotations of messages, as transactions.

Each change of a collection's annotations gets the next revision of that collection. A device that has been
told everything up to a revision asks which messages changed after it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from gateway.store.tables.times import milliseconds
from gateway.store.transactions import Dialects, Topic, Transaction, single
from gateway.types import CollectionId, UserId

__all__ = ["Key", "change", "changed", "drop", "exist", "find", "load", "move", "prune"]

Key = tuple[UserId, CollectionId, int]
"""user, collection, uidvalidity"""

_EXIST = 'SELECT 1 FROM annotation_revision WHERE "user" = ? LIMIT 1'
_LOAD = Dialects(
    sqlite="""
        SELECT uid, name, annotation.value FROM json_each(?4) AS wanted CROSS JOIN annotation
        WHERE user = ?1 AND collection = ?2 AND uidvalidity = ?3 AND uid = wanted.value
            AND annotation.value IS NOT NULL
    """,
    postgres="""
        SELECT uid, name, value FROM annotation
        WHERE "user" = $1 AND collection = $2 AND uidvalidity = $3 AND uid = ANY ($4::bigint[])
            AND value IS NOT NULL
    """,
)
_CHANGED = """
    SELECT uid, name, revision FROM annotation
    WHERE "user" = ? AND collection = ? AND uidvalidity = ? AND revision > ?
"""
_NEXT_REVISION = """
    INSERT INTO annotation_revision ("user", collection, revision) VALUES (?, ?, 1)
    ON CONFLICT ("user", collection) DO UPDATE SET revision = annotation_revision.revision + 1
    RETURNING revision
"""
_STORED = """
    SELECT value, revision, gone FROM annotation
    WHERE "user" = ? AND collection = ? AND uidvalidity = ? AND uid = ? AND name = ?
"""
_STORE = """
    INSERT INTO annotation ("user", collection, uidvalidity, uid, name, value, revision)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT ("user", collection, uidvalidity, uid, name)
    DO UPDATE SET value = excluded.value, revision = excluded.revision, gone = NULL
"""
_ALL_OF_ONE = """
    SELECT name, value FROM annotation
    WHERE "user" = ? AND collection = ? AND uidvalidity = ? AND uid = ?
"""
_DROP_ONE = 'DELETE FROM annotation WHERE "user" = ? AND collection = ? AND uidvalidity = ? AND uid = ?'
_VALUED = Dialects(
    sqlite="""
        SELECT collection, uidvalidity, uid FROM annotation
        WHERE user = ?1 AND name = ?2 AND value = ?3 LIMIT 1
    """,
    postgres="""
        SELECT collection, uidvalidity, uid FROM annotation
        WHERE "user" = $1 AND name = $2 AND md5(value) = md5($3::bytea) AND value = $3 LIMIT 1
    """,
)
_GONE = Dialects(
    sqlite="""
        UPDATE annotation SET gone = ?4
        WHERE user = ?1 AND collection = ?2 AND uidvalidity = ?3 AND gone IS NULL
            AND uid IN (SELECT value FROM json_each(?5))
    """,
    postgres="""
        UPDATE annotation SET gone = $4
        WHERE "user" = $1 AND collection = $2 AND uidvalidity = $3 AND gone IS NULL
            AND uid = ANY ($5::bigint[])
    """,
)
_PRUNE = "DELETE FROM annotation WHERE gone < ?"
_PRUNE_FOLDERS = """
    DELETE FROM annotation WHERE ("user", collection) IN (SELECT "user", id FROM folder WHERE gone = 1)
"""


async def exist(transaction: Transaction, user: UserId) -> bool:
    """Whether anything was ever known of a message of the user."""
    return await transaction.row(_EXIST, (user,)) is not None


async def load(transaction: Transaction, key: Key, uids: Iterable[int]) -> dict[int, dict[str, bytes]]:
    """What is known of these messages; those without annotations are left out."""
    found: dict[int, dict[str, bytes]] = {}
    for uid, name, value in await transaction.rows(_LOAD, (*key, list(uids))):
        found.setdefault(uid, {})[name] = value
    return found


async def changed(transaction: Transaction, key: Key, revision: int) -> dict[tuple[int, str], int]:
    """The annotations (UID, name) that changed after a revision, each with its own."""
    return {(uid, name): at for uid, name, at in await transaction.rows(_CHANGED, (*key, revision))}


async def change(
    transaction: Transaction,
    key: Key,
    annotations: Mapping[int, Mapping[str, bytes | None]],
    newest: int | None = None,
) -> dict[tuple[int, str], int]:
    """Store values, None takes one away; returns the revision each of them is at.

    With `newest`, values that changed after that revision stay, and are not told of. What is stored already
    is no change, so that a repetition is told to nobody.
    """
    await transaction.alone(_name(key))
    revision = 0
    revisions: dict[tuple[int, str], int] = {}
    for uid, values in annotations.items():
        for name, value in values.items():
            stored = await transaction.row(_STORED, (*key, uid, name))
            if stored is None and value is None:
                continue
            if stored is not None and newest is not None and stored[1] > newest:
                continue
            if stored is not None and stored[0] == value and stored[2] is None:
                revisions[uid, name] = stored[1]
                continue
            revision = revision or await _next_revision(transaction, key)
            await transaction.run(_STORE, (*key, uid, name, value, revision))
            revisions[uid, name] = revision
    if revisions:
        transaction.tell(Topic.ANNOTATIONS, {key[1]: [key[0]]})
    return revisions


async def find(
    transaction: Transaction, user: UserId, name: str, values: Collection[bytes]
) -> dict[bytes, tuple[CollectionId, int, int]]:
    """A message (collection, uidvalidity, UID) for each value that one has."""
    found: dict[bytes, tuple[CollectionId, int, int]] = {}
    for value in values:
        row = await transaction.row(_VALUED, (user, name, value))
        if row is not None:
            found[value] = CollectionId(row[0]), row[1], row[2]
    return found


async def move(transaction: Transaction, source: Key, target: Key, uids: Mapping[int, int]) -> None:
    """Carry annotations over to where messages are now; `uids` maps old to new ones.

    Those taken away go along: a device that was not told of it yet hears of it there.
    """
    await transaction.alone(_name(source), _name(target))
    rows = [
        (new, name, value)
        for old, new in uids.items()
        for name, value in await transaction.rows(_ALL_OF_ONE, (*source, old))
    ]
    if rows:
        revision = await _next_revision(transaction, target)
        await transaction.run_all(_STORE, [(*target, *row, revision) for row in rows])
        transaction.tell(Topic.ANNOTATIONS, {target[1]: [target[0]]})
    await transaction.run_all(_DROP_ONE, [(*source, old) for old in uids])


@single
async def drop(transaction: Transaction, key: Key, uids: Iterable[int], now: datetime) -> None:
    """Note that messages are gone; what is known of them stays until `prune`."""
    await transaction.run(_GONE, (*key, milliseconds(now), list(uids)))


async def prune(transaction: Transaction, before: datetime) -> None:
    """Forget messages gone since before that time, and all of gone folders."""
    await transaction.run(_PRUNE, (milliseconds(before),))
    await transaction.run(_PRUNE_FOLDERS)


async def _next_revision(transaction: Transaction, key: Key) -> int:
    user, collection, _ = key
    row = await transaction.row(_NEXT_REVISION, (user, collection))
    assert row is not None
    return int(row[0])


def _name(key: Key) -> str:
    """Of a collection, whose annotations one transaction at a time changes."""
    user, collection, _ = key
    return f"annotations {collection} {user}"
