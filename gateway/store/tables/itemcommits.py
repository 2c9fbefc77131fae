"""Changing items, as transactions.

What changes items tells those who see them. `now` is in milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.errors import Kind, NotFound, Refused, StateConflict
from gateway.items import Edit, ItemNumber, Right
from gateway.ports import Commit
from gateway.store.tables import itemfiles, notices, syncs
from gateway.store.tables.itemfolders import audience, lock, number_of
from gateway.store.tables.itemrows import span
from gateway.store.transactions import Dialects, Topic, Transaction, single
from gateway.types import CollectionId, SyncState, UserId

__all__ = ["commit", "move", "new_numbers"]

_NEW_NUMBERS = "UPDATE item_number SET newest = newest + ? WHERE id = 1 RETURNING newest"
_OPEN = """
    SELECT revision, CASE WHEN owner = ?1 THEN 'owner' ELSE access END, owner,
        EXISTS (SELECT 1 FROM item_share AS shared WHERE shared.folder = id)
    FROM item_folder LEFT JOIN item_share ON folder = id AND "user" = ?1
    WHERE id = ?2 AND (owner = ?1 OR access IS NOT NULL)
"""
_INSERT = """
    INSERT INTO item (number, folder, revision, gone, uid, starts, ends, created, modified, text)
    VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
_REPLACE = Dialects(
    sqlite="""
        UPDATE OR IGNORE item SET
            alike = iif(?1, coalesce(alike, revision), NULL),
            revision = ?2, uid = ?3, starts = ?4, ends = ?5, modified = ?6, text = ?7
        WHERE number = ?8 AND folder = ?9 AND revision = ?10 AND gone = 0
    """,
    postgres="""
        UPDATE item SET
            alike = CASE WHEN $1::bigint = 1 THEN coalesce(alike, revision) END,
            revision = $2, uid = $3, starts = $4, ends = $5, modified = $6, text = $7
        WHERE number = $8 AND folder = $9 AND revision = $10 AND gone = 0
            AND NOT EXISTS (
                SELECT 1 FROM item AS other
                WHERE other.folder = $9 AND md5(other.uid) = md5($3) AND other.gone = 0 AND other.number <> $8
            )
    """,
)
_BURY = """
    UPDATE item SET
        revision = ?, gone = 1, moved = ?, alike = NULL,
        uid = '', starts = 0, ends = 0, modified = ?, text = ''
    WHERE number = ? AND folder = ? AND revision = ? AND gone = 0
"""
_SOURCE = """
    SELECT item.revision, gone, uid, starts, ends, created, item.modified, text, moved,
        (SELECT there.folder FROM item AS there WHERE there.number = item.moved)
    FROM item WHERE number = ? AND folder = ?
"""
_NEXT_REVISION = "UPDATE item_folder SET revision = revision + 1 WHERE id = ? RETURNING revision"


@single
async def new_numbers(transaction: Transaction, count: int) -> range:
    """Numbers nobody else gets."""
    row = await transaction.row(_NEW_NUMBERS, (count,))
    assert row is not None
    newest = row[0]
    return range(newest - count + 1, newest + 1)


async def commit(transaction: Transaction, todo: Commit, now: int) -> SyncState | None:
    """Do what a commit says. See `ports.Items.commit_items`."""
    folder = number_of(todo.folder)
    await lock(transaction, todo.folder)
    row = await transaction.row(_OPEN, (todo.user, folder))
    if row is None:
        raise NotFound(f"there is no folder {todo.folder!r} for {todo.user}")
    revision, right, owner, is_shared = row
    if todo.edits and right == Right.READ:
        raise Refused(Kind.ACCESS_DENIED, f"{todo.user} may only read folder {todo.folder!r}")
    if todo.revision not in (None, revision):
        raise StateConflict(f"folder {todo.folder!r} changed since revision {todo.revision}")
    state = None
    if todo.device is not None and todo.state is not None:
        state = await syncs.save(transaction, (todo.user, todo.device, todo.folder), todo.state)
    await _edit(transaction, folder, todo.edits, revision, now)
    for notice in todo.notices:  # last: what they refer to is there by now
        await notices.add(transaction, todo.author or todo.user, notice, folder)
    if todo.edits:
        users = await audience(transaction, folder) if is_shared else {UserId(owner)}
        transaction.tell(Topic.ITEMS, {todo.folder: users})
    return state


async def move(
    transaction: Transaction,
    number: ItemNumber,
    source: CollectionId,
    target: CollectionId,
    *,
    moved: ItemNumber,
    now: int,
) -> ItemNumber:
    """Put an item into another folder. See `ports.Items.move_item`."""
    await lock(transaction, source, target)
    row = await transaction.row(_SOURCE, (number, number_of(source)))
    if row is None:
        raise NotFound(f"there is no item {number} in folder {source!r}")
    based_on, gone, uid, starts, ends, created, modified, text, known, folder = row
    if gone:
        if folder != number_of(target):
            raise NotFound(f"item {number} is not in folder {source!r} any more")
        return ItemNumber(known)
    at = await _next(transaction, source)
    await _bury(transaction, number, number_of(source), based_on, at=at, now=now, moved=moved)
    at = await _next(transaction, target)
    fresh = (moved, number_of(target), at, uid, starts, ends, created, modified, text)
    if not await transaction.run(_INSERT, fresh):
        raise StateConflict(f"folder {target!r} has the UID of item {number}, or {moved} is not free")
    await itemfiles.hand_over(transaction, number, moved)
    for one in (source, target):
        transaction.tell(Topic.ITEMS, {one: await audience(transaction, number_of(one))})
    return moved


async def _edit(transaction: Transaction, folder: int, todo: Sequence[Edit], revision: int, now: int) -> None:
    """Make edits in a folder at a revision. Raises `StateConflict`."""
    if not todo:
        return
    edits = list(enumerate(todo, revision + 1))
    # Deletions first: another item may take over the UID.
    for at, edit in sorted(edits, key=lambda numbered: numbered[1].stored is not None):
        await _apply(transaction, folder, edit, at, now)
    newest = revision + len(edits)
    await transaction.run("UPDATE item_folder SET revision = ? WHERE id = ?", (newest, folder))


async def _apply(transaction: Transaction, folder: int, edit: Edit, at: int, now: int) -> None:
    """Make one edit, which gets the revision `at`. Raises `StateConflict`."""
    stored = edit.stored
    if stored is None:
        await _bury(transaction, edit.number, folder, edit.based_on, at=at, now=now)
        await itemfiles.refer(transaction, edit.number, frozenset(), now)
        return
    starts, ends = span(stored)
    if edit.based_on:
        row = (at, stored.uid, starts, ends, now, stored.text, edit.number, folder, edit.based_on)
        done = await transaction.run(_REPLACE, (int(edit.answers), *row))
    else:
        fresh = (edit.number, folder, at, stored.uid, starts, ends, now, now, stored.text)
        done = await transaction.run(_INSERT, fresh)
    if not done:
        raise StateConflict(f"item {edit.number} changed since revision {edit.based_on}, or its UID is taken")
    if edit.based_on or stored.files:
        await itemfiles.refer(transaction, edit.number, stored.files, now)


async def _bury(
    transaction: Transaction,
    number: ItemNumber,
    folder: int,
    based_on: int,
    *,
    at: int,
    now: int,
    moved: ItemNumber | None = None,
) -> None:
    """Leave of an item that it is gone since the revision `at`. Raises `StateConflict`."""
    if not await transaction.run(_BURY, (at, moved, now, number, folder, based_on)):
        raise StateConflict(f"item {number} changed since revision {based_on}")


async def _next(transaction: Transaction, folder: CollectionId) -> int:
    """The folder's next revision. Raises `NotFound`."""
    row = await transaction.row(_NEXT_REVISION, (number_of(folder),))
    if row is None:
        raise NotFound(f"there is no folder {folder!r}")
    return int(row[0])
