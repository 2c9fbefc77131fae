"""Emptying a folder: what is in it goes for good, and what is below it where that is wanted.

MS-ASCMD 2.2.3.58. Repeating it does no harm: what came after the first time goes as well.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.errors import StateConflict, UpstreamRefused
from gateway.items import Edit, ItemFolder
from gateway.ports import Commit, Items, Mailboxes
from gateway.sync import hierarchy
from gateway.sync.folderchanges import from_below, remove
from gateway.types import CollectionId, FolderList, Mailbox, UserId

_ATTEMPTS = 5
_AT_ONCE = 1000
"""Messages removed in one step: a server must not be silent for long, and each step done is done."""


async def remove_messages(mailboxes: Mailboxes, mailbox: str) -> None:
    """Remove for good what a mailbox holds now. Raises `NotFound` and `UpstreamError`."""
    view = await mailboxes.view(mailbox)
    uids = view.uids
    for at in range(0, len(uids), _AT_ONCE):
        await mailboxes.expunge(mailbox, view.uidvalidity, uids[at : at + _AT_ONCE])


async def remove_items(items: Items, user: UserId, folder: ItemFolder) -> None:
    """Delete what a folder of items holds now.

    Raises `NotFound`, `Refused` when it may only be read, and `StateConflict` when others do not stop
    changing it.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        there = [change for change in await items.item_changes(folder.id, 0) if not change.gone]
        try:
            for at in range(0, len(there), _AT_ONCE):
                edits = [Edit(change.number, change.revision, None) for change in there[at : at + _AT_ONCE]]
                await items.commit_items(Commit(user, folder.id, edits))
        except StateConflict:
            if attempt == _ATTEMPTS:
                raise
        else:
            return


async def remove_folders_below(items: Items, user: UserId, folder: ItemFolder) -> None:
    """Delete the folders of items below one of the user's own."""
    for below in await items.item_folders(user):
        if below.parent == folder.id and below.owner == user:
            await items.delete_item_folder(below.id)


async def remove_below(
    mailboxes: Mailboxes, folders: FolderList, listed: Sequence[Mailbox], collection: CollectionId
) -> bool:
    """Delete the folders below one; False when some of them stay.

    Those are the default folders with what they are in, and what the server refuses to delete. Below are
    those that a device sees there: on some servers every mailbox is below INBOX by its name. Raises
    `UpstreamError`.
    """
    parents = {row.id: row.parent for row in hierarchy.listing(folders, listed)}
    below = {row for row in parents if collection in _ancestors(parents, row)}
    kept: set[str] = set()
    for folder in folders.folders:
        if folder.id in below and not folder.gone and hierarchy.is_default(folder):
            kept |= {folder.id, *_ancestors(parents, folder.id)}
    doomed = {f.mailbox for f in folders.folders if f.id in below - kept and not f.gone}
    complete = not below & kept
    for mailbox in from_below(mailbox for mailbox in listed if mailbox.name in doomed):
        try:
            await remove(mailboxes, [mailbox])
        except UpstreamRefused:
            complete = False
    return complete


def _ancestors(parents: dict[CollectionId, str], folder: str) -> set[str]:
    found: set[str] = set()
    above = parents.get(CollectionId(folder), hierarchy.ROOT)
    while above != hierarchy.ROOT and above not in found:
        found.add(above)
        above = parents.get(CollectionId(above), hierarchy.ROOT)
    return found
