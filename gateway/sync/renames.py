"""Renamed mailboxes, recognised where LIST tells names alone (a server without LIST-STATUS).

Only when mailboxes vanished and others appeared at the same time is anything asked: the UIDVALIDITY of those
that appeared is compared with what devices know of those that vanished.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from gateway.errors import NotFound, UpstreamRefused
from gateway.ports import Mailboxes, State
from gateway.sync.cursor import MailCursor
from gateway.sync.leftovers import End, end_of
from gateway.types import CollectionId, Folder, FolderList, Mailbox, UserId


async def recognise(
    state: State, mailboxes: Mailboxes, user: UserId, known: FolderList, listed: Sequence[Mailbox]
) -> tuple[FolderList, Sequence[Mailbox]]:
    """Add the UIDVALIDITY to those folders and mailboxes of which it can say that they are the same.

    Raises `UpstreamError`.
    """
    names = {mailbox.name for mailbox in listed}
    vanished = [
        folder for folder in known.folders if not folder.gone and folder.mailbox not in {None, *names}
    ]
    old = {folder.mailbox for folder in known.folders}
    new = [box for box in listed if box.name not in old and box.selectable and box.uidvalidity is None]
    if not vanished or not new:
        return known, listed
    ends = await _known_ends(state, user, {folder.id for folder in vanished})
    found: dict[str, int] = {}
    for mailbox in new:
        end = await _end(mailboxes, mailbox.name)
        if end is not None and any(_could_be(end, before) for before in ends.values()):
            found[mailbox.name] = end.uidvalidity
    return (
        replace(known, folders=tuple(_with_validity(folder, ends) for folder in known.folders)),
        [replace(box, uidvalidity=found.get(box.name, box.uidvalidity)) for box in listed],
    )


def _could_be(end: End, before: End) -> bool:
    """Whether a mailbox that ends there may be the one that ended elsewhere before: UIDs only grow."""
    return end.uidvalidity == before.uidvalidity and end.next_uid >= before.next_uid


def _with_validity(folder: Folder, ends: dict[CollectionId, End]) -> Folder:
    return replace(folder, uidvalidity=ends[folder.id].uidvalidity) if folder.id in ends else folder


async def _known_ends(
    state: State, user: UserId, collections: Collection[CollectionId]
) -> dict[CollectionId, End]:
    """Where folders ended when devices looked at them last, as far as any did."""
    ends: dict[CollectionId, End] = {}
    for device in await state.list_devices(user):
        for collection, stored in (await state.load_syncs(user, device.id)).items():
            if collection in collections and stored.cursor:
                cursor = MailCursor.unpack(stored.cursor)
                end = End(cursor.uidvalidity, cursor.uids.max() + 1 if cursor.uids else 1)
                ends[collection] = max(
                    end, ends.get(collection, end), key=lambda e: (e.uidvalidity, e.next_uid)
                )
    return ends


async def _end(mailboxes: Mailboxes, mailbox: str) -> End | None:
    try:
        return await end_of(mailboxes, mailbox)
    except (NotFound, UpstreamRefused):
        return None
