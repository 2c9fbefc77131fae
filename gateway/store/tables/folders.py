"""The folder list of a user, as transactions."""

from __future__ import annotations

from dataclasses import replace

from gateway.errors import StateConflict
from gateway.store.transactions import Topic, Transaction
from gateway.types import CollectionId, Folder, FolderList, UserId

__all__ = ["load", "save"]

# One statement, so that list and folders are of the same moment. Without folders the join gives one row with
# NULLs.
_LOAD = """
    SELECT revision, next_id, id, mailbox, role, uidvalidity, mailbox_id, gone, renaming
    FROM folder_list LEFT JOIN folder USING ("user") WHERE "user" = ? ORDER BY position
"""
_INSERT_LIST = 'INSERT INTO folder_list (revision, next_id, "user") VALUES (?, ?, ?) ON CONFLICT DO NOTHING'
_UPDATE_LIST = 'UPDATE folder_list SET revision = ?, next_id = ? WHERE "user" = ? AND revision = ?'
_SAVE_FOLDER = """
    INSERT INTO folder ("user", position, id, mailbox, role, uidvalidity, mailbox_id, gone, renaming)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


async def load(transaction: Transaction, user: UserId) -> FolderList:
    """The list, in the order it was saved; an empty one with revision 0 when there is none."""
    rows = list(await transaction.rows(_LOAD, (user,)))
    if not rows:
        return FolderList()
    revision, next_id = rows[0][:2]
    folders = tuple(
        Folder(CollectionId(name), mailbox, role, uidvalidity, mailbox_id, bool(gone), renaming)
        for _, _, name, mailbox, role, uidvalidity, mailbox_id, gone, renaming in rows
        if name is not None
    )
    return FolderList(revision=revision, next_id=next_id, folders=folders)


async def save(transaction: Transaction, user: UserId, folders: FolderList) -> FolderList:
    """Store the list if the stored revision is still `folders.revision`. Raises `StateConflict`."""
    stored = replace(folders, revision=folders.revision + 1)
    row = (stored.revision, stored.next_id, user)
    if folders.revision:
        done = await transaction.run(_UPDATE_LIST, (*row, folders.revision))
    else:
        done = await transaction.run(_INSERT_LIST, row)
    if not done:
        raise StateConflict(f"folders of {user} changed since revision {folders.revision}")
    if folders.revision:
        await transaction.run('DELETE FROM folder WHERE "user" = ?', (user,))
    await transaction.run_all(
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
    transaction.tell(Topic.FOLDERS, {CollectionId(""): [user]})
    return stored
