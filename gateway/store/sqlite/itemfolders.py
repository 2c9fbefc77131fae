"""Folders of items and who may see them, as transactions on a connection.

What changes the list of folders returns whom to tell of it.
"""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from gateway.errors import NotFound
from gateway.items import ItemFolder, ItemKind, Right
from gateway.store.watchers import Told
from gateway.types import CollectionId, UserId

__all__ = [
    "audience",
    "create",
    "default",
    "delete",
    "folder_id",
    "load",
    "load_all",
    "load_everybodys",
    "number_of",
    "provide",
    "share",
    "shares",
    "update",
]

_ID = re.compile(r"i([1-9][0-9]{0,17})")
_LIST = CollectionId("")

_LOAD_ALL = """
    SELECT id, owner, kind, name, standard, parent, revision, 'owner' FROM item_folder WHERE owner = ?1
    UNION ALL
    SELECT id, owner, kind, name, standard, '', revision, access
    FROM item_share CROSS JOIN item_folder ON id = folder WHERE user = ?1
    ORDER BY id
"""
_LOAD_EVERYBODYS = """
    SELECT id, owner, kind, name, standard, parent, revision, 'owner' FROM item_folder ORDER BY owner, id
"""
_LOAD = """
    SELECT id, owner, kind, name, standard, iif(owner = ?1, parent, ''), revision,
        iif(owner = ?1, 'owner', access)
    FROM item_folder LEFT JOIN item_share ON folder = id AND user = ?1
    WHERE id = ?2 AND (owner = ?1 OR access IS NOT NULL)
"""
_DEFAULT = """
    SELECT id, owner, kind, name, standard, parent, revision, 'owner' FROM item_folder
    WHERE owner = ? AND kind = ? AND standard = 1
"""
_CREATE = """
    INSERT INTO item_folder (owner, kind, name, standard, parent, revision) VALUES (?, ?, ?, ?, ?, 0)
    RETURNING id, owner, kind, name, standard, parent, revision, 'owner'
"""
_AUDIENCE = """
    SELECT owner FROM item_folder WHERE id = ?1 UNION ALL SELECT user FROM item_share WHERE folder = ?1
"""
_WITH_THOSE_BELOW = """
    WITH RECURSIVE doomed (id, owner) AS (
        SELECT id, owner FROM item_folder WHERE id = ?
        UNION
        SELECT below.id, below.owner FROM doomed CROSS JOIN item_folder AS below
        WHERE below.owner = doomed.owner AND below.parent = 'i' || doomed.id
    )
    SELECT id FROM doomed
"""
_LET_GO_OF_FILES = """
    UPDATE item_file SET item = NULL, since = ?
    WHERE item IN (SELECT number FROM item WHERE folder = ?)
"""
_SHARE = """
    INSERT INTO item_share (user, folder, access) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET access = excluded.access
"""
_OF_COLLECTIONS = ("sync_state", "intent", "poison")


def number_of(folder: CollectionId) -> int:
    """The number behind the id of a folder; 0, which is no folder's, for any other id."""
    match = _ID.fullmatch(folder)
    return int(match[1]) if match else 0


def folder_id(number: int) -> CollectionId:
    """The id of the folder with this number."""
    return CollectionId(f"i{number}")


def load_all(connection: sqlite3.Connection, user: UserId) -> list[ItemFolder]:
    """The folders a user sees, by age."""
    return [_folder(row) for row in connection.execute(_LOAD_ALL, (user,))]


def load_everybodys(connection: sqlite3.Connection) -> list[ItemFolder]:
    """All folders, as their owners see them."""
    return [_folder(row) for row in connection.execute(_LOAD_EVERYBODYS)]


def load(connection: sqlite3.Connection, user: UserId, folder: CollectionId) -> ItemFolder | None:
    """One folder as a user sees it, or None."""
    row = connection.execute(_LOAD, (user, number_of(folder))).fetchone()
    return None if row is None else _folder(row)


def default(connection: sqlite3.Connection, user: UserId, kind: ItemKind) -> ItemFolder | None:
    """The default folder of a kind, or None."""
    row = connection.execute(_DEFAULT, (user, kind.value)).fetchone()
    return None if row is None else _folder(row)


def provide(
    connection: sqlite3.Connection, user: UserId, kind: ItemKind, name: str
) -> tuple[ItemFolder, Told]:
    """The default folder of a kind, made if there is none."""
    known = default(connection, user, kind)
    if known is not None:
        return known, {}
    return _create(connection, user, kind, name, standard=True)


def create(
    connection: sqlite3.Connection, user: UserId, kind: ItemKind, name: str, parent: str
) -> tuple[ItemFolder, Told]:
    """Make a folder."""
    return _create(connection, user, kind, name, parent=parent)


def update(connection: sqlite3.Connection, folder: CollectionId, name: str, parent: str) -> tuple[None, Told]:
    """Give a folder a name and a place. Raises `NotFound`."""
    number = number_of(folder)
    done = connection.execute(
        "UPDATE item_folder SET name = ?, parent = ? WHERE id = ?", (name, parent, number)
    )
    if not done.rowcount:
        raise NotFound(f"there is no folder {folder!r}")
    return None, {_LIST: audience(connection, number)}


def delete(connection: sqlite3.Connection, folder: CollectionId, now: int) -> tuple[None, Told]:
    """Delete a folder, those below it, and what devices know of them (`now` in milliseconds)."""
    told: set[UserId] = set()
    for (number,) in connection.execute(_WITH_THOSE_BELOW, (number_of(folder),)).fetchall():
        users = audience(connection, number)
        told |= users
        _forget(connection, number, users)
        connection.execute(_LET_GO_OF_FILES, (now, number))
        connection.execute("DELETE FROM item_folder WHERE id = ?", (number,))
    return None, {_LIST: told}


def share(
    connection: sqlite3.Connection, folder: CollectionId, user: UserId, right: Right | None
) -> tuple[None, Told]:
    """Let a user see a folder, or not any more. Raises `NotFound`. Of the owner it changes nothing."""
    number = number_of(folder)
    row = connection.execute("SELECT owner FROM item_folder WHERE id = ?", (number,)).fetchone()
    if row is None:
        raise NotFound(f"there is no folder {folder!r}")
    if row[0] == user:
        return None, {}
    if right is None:
        connection.execute("DELETE FROM item_share WHERE user = ? AND folder = ?", (user, number))
        _forget(connection, number, {user})
    else:
        connection.execute(_SHARE, (user, number, right.value))
    return None, {_LIST: {user}}


def shares(connection: sqlite3.Connection, folder: CollectionId) -> dict[UserId, Right]:
    """The users a folder is shared with, and their rights."""
    rows = connection.execute(
        "SELECT user, access FROM item_share WHERE folder = ? ORDER BY user", (number_of(folder),)
    )
    return {UserId(user): Right(access) for user, access in rows}


def audience(connection: sqlite3.Connection, number: int) -> set[UserId]:
    """Everybody who sees a folder."""
    return {UserId(user) for (user,) in connection.execute(_AUDIENCE, (number,))}


def _create(
    connection: sqlite3.Connection,
    user: UserId,
    kind: ItemKind,
    name: str,
    *,
    standard: bool = False,
    parent: str = "",
) -> tuple[ItemFolder, Told]:
    row = connection.execute(_CREATE, (user, kind.value, name, int(standard), parent)).fetchone()
    return _folder(row), {_LIST: {user}}


def _forget(connection: sqlite3.Connection, number: int, users: set[UserId]) -> None:
    """Forget what devices of some users know of a folder."""
    keys = [(user, folder_id(number)) for user in users]
    for table in _OF_COLLECTIONS:
        connection.executemany(f"DELETE FROM {table} WHERE user = ? AND collection = ?", keys)  # noqa: S608


def _folder(row: tuple[Any, ...]) -> ItemFolder:
    number, owner, kind, name, standard, parent, revision, right = row
    return ItemFolder(
        id=folder_id(number),
        owner=UserId(owner),
        kind=ItemKind(kind),
        name=name,
        default=bool(standard),
        parent=parent,
        revision=revision,
        right=Right(right),
    )
