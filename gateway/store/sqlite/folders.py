"""The folder list of a user, as transactions on a connection."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from gateway.errors import StateConflict
from gateway.types import CollectionId, Folder, FolderList, UserId

__all__ = ["load", "save"]

# One statement, so that list and folders are of the same moment. Without folders the join gives one row with
# NULLs.
_LOAD = """
    SELECT revision, next_id, id, mailbox, role, uidvalidity, mailbox_id, gone, renaming
    FROM folder_list LEFT JOIN folder USING (user) WHERE user = ? ORDER BY position
"""
_SAVE_LIST = """
    INSERT INTO folder_list (user, revision, next_id) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET revision = excluded.revision, next_id = excluded.next_id
"""
_SAVE_FOLDER = """
    INSERT INTO folder (user, position, id, mailbox, role, uidvalidity, mailbox_id, gone, renaming)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def load(connection: sqlite3.Connection, user: UserId) -> FolderList:
    """The list, in the order it was saved; an empty one with revision 0 when there is none."""
    rows = connection.execute(_LOAD, (user,)).fetchall()
    if not rows:
        return FolderList()
    revision, next_id = rows[0][:2]
    folders = tuple(
        Folder(CollectionId(name), mailbox, role, uidvalidity, mailbox_id, bool(gone), renaming)
        for _, _, name, mailbox, role, uidvalidity, mailbox_id, gone, renaming in rows
        if name is not None
    )
    return FolderList(revision=revision, next_id=next_id, folders=folders)


def save(connection: sqlite3.Connection, user: UserId, folders: FolderList) -> FolderList:
    """Store the list if the stored revision is still `folders.revision`. Raises `StateConflict`."""
    row = connection.execute("SELECT revision FROM folder_list WHERE user = ?", (user,)).fetchone()
    if folders.revision != (0 if row is None else row[0]):
        raise StateConflict(f"folders of {user} changed since revision {folders.revision}")
    stored = replace(folders, revision=folders.revision + 1)
    connection.execute(_SAVE_LIST, (user, stored.revision, stored.next_id))
    connection.execute("DELETE FROM folder WHERE user = ?", (user,))
    connection.executemany(
        _SAVE_FOLDER,
        [
            (
                user,
                position,
                each.id,
                each.mailbox,
                each.role,
                each.uidvalidity,
                each.mailbox_id,
                int(each.gone),
                each.renaming,
            )
            for position, each in enumerate(stored.folders)
        ],
    )
    return stored
