"""Emptying a folder: what is in it goes for good, and what is below it where that is wanted.

MS-ASCMD 2.2.3.58. Repeating it does no harm: what came after the first time goes as well.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from gateway.errors import Kind, Refused, StateConflict, UpstreamRefused
from gateway.items import Edit, ItemFolder, ItemNumber, Right
from gateway.ports import Commit, Items, Mailboxes
from gateway.sync import hierarchy
from gateway.sync.folderchanges import from_below, remove
from gateway.sync.guests import as_seen, hides
from gateway.types import CollectionId, FolderList, Mailbox, UserId

_ATTEMPTS = 5
_AT_ONCE = 1000
"""Messages removed in one step: a server must not be silent for long, and each step done is done."""
_READ_AT_ONCE = 100
"""Items read in one step, to see which of them are private."""


async def remove_messages(mailboxes: Mailboxes, mailbox: str) -> None:
    """Remove for good what a mailbox holds now. Raises `NotFound` and `UpstreamError`."""
    view = await mailboxes.view(mailbox)
    uids = view.uids
    for at in range(0, len(uids), _AT_ONCE):
        await mailboxes.expunge(mailbox, view.uidvalidity, uids[at : at + _AT_ONCE])


async def remove_items(items: Items, user: UserId, folder: ItemFolder) -> bool:
    """Delete what a folder of items holds now, but for what is private and not the user's.

    False when he sees something of what stays. Raises `NotFound`, `Refused` when the folder may only be read,
    and `StateConflict` when others do not stop changing it.
    """
    if folder.right is Right.READ:
        raise Refused(Kind.ACCESS_DENIED, "the folder may only be read")
    attempts = 1
    while True:
        try:
            return await _removed(items, user, folder)
        except StateConflict:
            if attempts == _ATTEMPTS:
                raise
            attempts += 1


async def _removed(items: Items, user: UserId, folder: ItemFolder) -> bool:
    there = {change.number: change for change in await items.item_changes(folder.id, 0) if not change.gone}
    kept, unseen = await _private(items, folder, list(there))
    going = [change for change in there.values() if change.number not in kept]
    for at in range(0, len(going), _AT_ONCE):
        edits = [Edit(change.number, change.revision, None) for change in going[at : at + _AT_ONCE]]
        await items.commit_items(Commit(user, folder.id, edits))
    return unseen


async def _private(
    items: Items, folder: ItemFolder, numbers: Sequence[ItemNumber]
) -> tuple[Collection[ItemNumber], bool]:
    """Those of the items that are private and not the user's, and whether he sees none of them."""
    found: set[ItemNumber] = set()
    unseen = True
    if folder.right is not Right.OWNER:
        for at in range(0, len(numbers), _READ_AT_ONCE):
            for item in (await items.load_items(folder.id, numbers[at : at + _READ_AT_ONCE])).values():
                if hides(folder, item.stored.text):
                    found.add(item.number)
                    unseen = unseen and as_seen(folder, item) is None
    return found, unseen


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
