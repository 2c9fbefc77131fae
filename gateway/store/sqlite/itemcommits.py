"""Changing items, as transactions on a connection.

What changes items returns whom to tell of it. `now` is in milliseconds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from gateway.errors import Kind, NotFound, Refused, StateConflict
from gateway.items import Edit, ItemNumber, Right
from gateway.ports import Commit
from gateway.store.sqlite import itemfiles, notices, syncs
from gateway.store.sqlite.itemfolders import audience, number_of
from gateway.store.sqlite.itemrows import span
from gateway.store.watchers import Told
from gateway.types import CollectionId, SyncState

__all__ = ["commit", "move", "new_numbers"]

_NEW_NUMBERS = "UPDATE item_number SET newest = newest + ? WHERE id = 1 RETURNING newest"
_OPEN = """
    SELECT revision, iif(owner = ?1, 'owner', access)
    FROM item_folder LEFT JOIN item_share ON folder = id AND user = ?1
    WHERE id = ?2 AND (owner = ?1 OR access IS NOT NULL)
"""
_INSERT = """
    INSERT INTO item (number, folder, revision, gone, uid, starts, ends, created, modified, text)
    VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
_REPLACE = """
    UPDATE OR IGNORE item SET
        alike = iif(?, coalesce(alike, revision), NULL),
        revision = ?, uid = ?, starts = ?, ends = ?, modified = ?, text = ?
    WHERE number = ? AND folder = ? AND revision = ? AND gone = 0
"""
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


def new_numbers(connection: sqlite3.Connection, count: int) -> range:
    """Numbers nobody else gets."""
    (newest,) = connection.execute(_NEW_NUMBERS, (count,)).fetchone()
    return range(newest - count + 1, newest + 1)


def commit(connection: sqlite3.Connection, todo: Commit, now: int) -> tuple[SyncState | None, Told]:
    """Do what a commit says. See `ports.Items.commit_items`."""
    folder = number_of(todo.folder)
    row = connection.execute(_OPEN, (todo.user, folder)).fetchone()
    if row is None:
        raise NotFound(f"there is no folder {todo.folder!r} for {todo.user}")
    revision, right = row
    if todo.edits and right == Right.READ:
        raise Refused(Kind.ACCESS_DENIED, f"{todo.user} may only read folder {todo.folder!r}")
    if todo.revision not in (None, revision):
        raise StateConflict(f"folder {todo.folder!r} changed since revision {todo.revision}")
    state = None
    if todo.device is not None and todo.state is not None:
        state = syncs.save(connection, (todo.user, todo.device, todo.folder), todo.state)
    _edit(connection, folder, todo.edits, revision, now)
    for notice in todo.notices:  # last: what they refer to is there by now
        notices.add(connection, todo.author or todo.user, notice, folder)
    return state, {todo.folder: audience(connection, folder)} if todo.edits else {}


def move(
    connection: sqlite3.Connection,
    number: ItemNumber,
    source: CollectionId,
    target: CollectionId,
    *,
    moved: ItemNumber,
    now: int,
) -> tuple[ItemNumber, Told]:
    """Put an item into another folder. See `ports.Items.move_item`."""
    row = connection.execute(_SOURCE, (number, number_of(source))).fetchone()
    if row is None:
        raise NotFound(f"there is no item {number} in folder {source!r}")
    based_on, gone, uid, starts, ends, created, modified, text, known, folder = row
    if gone:
        if folder != number_of(target):
            raise NotFound(f"item {number} is not in folder {source!r} any more")
        return known, {}
    at = _next(connection, source)
    _bury(connection, number, number_of(source), based_on, at=at, now=now, moved=moved)
    at = _next(connection, target)
    fresh = (moved, number_of(target), at, uid, starts, ends, created, modified, text)
    if not connection.execute(_INSERT, fresh).rowcount:
        raise StateConflict(f"folder {target!r} has the UID of item {number}, or {moved} is not free")
    itemfiles.hand_over(connection, number, moved)
    return moved, {folder: audience(connection, number_of(folder)) for folder in (source, target)}


def _edit(connection: sqlite3.Connection, folder: int, todo: Sequence[Edit], revision: int, now: int) -> None:
    """Make edits in a folder at a revision. Raises `StateConflict`."""
    if not todo:
        return
    edits = list(enumerate(todo, revision + 1))
    # Deletions first: another item may take over the UID.
    for at, edit in sorted(edits, key=lambda numbered: numbered[1].stored is not None):
        _apply(connection, folder, edit, at, now)
    newest = revision + len(edits)
    connection.execute("UPDATE item_folder SET revision = ? WHERE id = ?", (newest, folder))


def _apply(connection: sqlite3.Connection, folder: int, edit: Edit, at: int, now: int) -> None:
    """Make one edit, which gets the revision `at`. Raises `StateConflict`."""
    stored = edit.stored
    if stored is None:
        _bury(connection, edit.number, folder, edit.based_on, at=at, now=now)
        itemfiles.refer(connection, edit.number, frozenset(), now)
        return
    starts, ends = span(stored)
    if edit.based_on:
        row = (at, stored.uid, starts, ends, now, stored.text, edit.number, folder, edit.based_on)
        done = connection.execute(_REPLACE, (edit.answers, *row))
    else:
        fresh = (edit.number, folder, at, stored.uid, starts, ends, now, now, stored.text)
        done = connection.execute(_INSERT, fresh)
    if not done.rowcount:
        raise StateConflict(f"item {edit.number} changed since revision {edit.based_on}, or its UID is taken")
    itemfiles.refer(connection, edit.number, stored.files, now)


def _bury(
    connection: sqlite3.Connection,
    number: ItemNumber,
    folder: int,
    based_on: int,
    *,
    at: int,
    now: int,
    moved: ItemNumber | None = None,
) -> None:
    """Leave of an item that it is gone since the revision `at`. Raises `StateConflict`."""
    if not connection.execute(_BURY, (at, moved, now, number, folder, based_on)).rowcount:
        raise StateConflict(f"item {number} changed since revision {based_on}")


def _next(connection: sqlite3.Connection, folder: CollectionId) -> int:
    """The folder's next revision. Raises `NotFound`."""
    row = connection.execute(_NEXT_REVISION, (number_of(folder),)).fetchone()
    if row is None:
        raise NotFound(f"there is no folder {folder!r}")
    return int(row[0])
