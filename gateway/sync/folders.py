"""FolderSync for one device, and the way from a CollectionId to a mailbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.errors import StateConflict, UpstreamRefused
from gateway.items import ItemKind
from gateway.ports import Items, Mailboxes, State
from gateway.sync import hierarchy, itemfolders
from gateway.sync.hierarchy import FolderRow, HierarchyChanges
from gateway.sync.keys import KeyUse, begun_anew, classify, format_key, key_of, new_epoch
from gateway.sync.renames import recognise
from gateway.types import (
    Beginning,
    CollectionId,
    DeviceId,
    Folder,
    FolderList,
    Mailbox,
    Role,
    SyncState,
    UserId,
)

HIERARCHY = CollectionId("")
"""Under this name the hierarchy's state is stored beside those of the collections."""
HIERARCHY_LEASE = "hierarchy"
_ATTEMPTS = 5
_BEGINNINGS = 4
"""New beginnings kept until one is proven. There is another only when the hierarchy changed in between."""


@dataclass(frozen=True, slots=True)
class FolderReply:
    """What FolderSync tells the device; `use` UNKNOWN means that its key is not known."""

    use: KeyUse
    key: str = "0"
    changes: HierarchyChanges = HierarchyChanges()  # noqa: RUF009 (immutable)


class Folders:
    """The folders of one user; without `items` those of mail alone.

    `recipients`: the device knows what a recipient information cache is. `caching`: if so, there is one.
    """

    def __init__(
        self,
        state: State,
        mailboxes: Mailboxes,
        user: UserId,
        items: Items | None = None,
        *,
        recipients: bool = True,
        caching: bool = False,
    ) -> None:
        self._state = state
        self._mailboxes = mailboxes
        self._user = user
        self._items = items
        self._recipients = recipients
        self._caching = recipients and caching

    async def all(self) -> FolderList:
        """Every folder that has an id, as last seen; no upstream traffic."""
        return await self._state.load_folders(self._user)

    async def find(self, collection: CollectionId) -> Folder | None:
        """The folder with this id; None when it was never there or is gone."""
        known = await self.all()
        return next((f for f in known.folders if f.id == collection and not f.gone), None)

    async def refresh(self, listed: Sequence[Mailbox] | None = None) -> tuple[FolderList, Sequence[Mailbox]]:
        """List the upstream's mailboxes, unless that was done a moment ago, and see that each has an id."""
        if listed is None:
            listed = await self._mailboxes.list()
        for _ in range(_ATTEMPTS):
            known = await self.all()
            recognised, mailboxes = await recognise(self._state, self._mailboxes, self._user, known, listed)
            assigned = hierarchy.assign(recognised, mailboxes)
            if assigned is known:
                return known, mailboxes
            try:
                return await self._state.save_folders(self._user, assigned), mailboxes
            except StateConflict:  # another device of the user listed at the same time
                continue
        raise StateConflict("the folder list keeps changing")

    async def create_missing(self) -> Sequence[Mailbox] | None:
        """Create Drafts, Sent and Trash where the upstream has nothing like them; a refusal is no error.

        Returns the mailboxes there are when none was missing.
        """
        mailboxes = await self._mailboxes.list()
        present = {mailbox.role for mailbox in mailboxes}
        prefix = hierarchy.personal_prefix(mailboxes)
        # A server with nothing but an INBOX may allow names below that alone, and not say so.
        below_inbox = {f"INBOX{mailbox.delimiter}" for mailbox in mailboxes if mailbox.delimiter}
        for role, name in ((Role.DRAFTS, "Drafts"), (Role.SENT, "Sent"), (Role.TRASH, "Trash")):
            if role not in present:
                for above in dict.fromkeys((prefix, *below_inbox)):
                    try:
                        await self._mailboxes.create(above + name)
                    except UpstreamRefused:
                        continue
                    break
        return mailboxes if present >= {Role.DRAFTS, Role.SENT, Role.TRASH} else None

    async def sync(self, device: DeviceId, key: str) -> FolderReply:
        """Serve one FolderSync. Raises `UpstreamError`; nothing is stored for the device then."""
        async with self._state.lease(self._user, device, HIERARCHY_LEASE):
            known = await self._state.load_sync(self._user, device, HIERARCHY)
            stored = begun(known, key)
            use = classify(stored, key)
            if use is KeyUse.INITIAL:
                return await self._begin(device, stored)
            if stored is None or use is KeyUse.UNKNOWN:
                return FolderReply(KeyUse.UNKNOWN)
            if use is KeyUse.REPLAY:
                before, after = hierarchy.unpack(stored.previous or b""), hierarchy.unpack(stored.cursor)
                return FolderReply(use, format_key(stored), hierarchy.changes(before, after))
            if stored is not known:  # proven, also when there is nothing to tell
                stored = await self._state.save_sync(self._user, device, HIERARCHY, stored)
            return await self._advance(device, stored)

    async def _begin(self, device: DeviceId, stored: SyncState | None) -> FolderReply:
        """Tell the whole hierarchy; states of collections are left alone.

        A late copy of an old request with key 0, whose answer the device never hears, must not take away the
        key the device has. So a key stands for the listing told with it: the same listing has the same key,
        and another one becomes a new beginning beside those there are.
        """
        rows = await self.rows(await self.create_missing())
        told, packed = HierarchyChanges(added=rows), hierarchy.pack(rows)
        if stored is None:
            issued = SyncState(epoch=new_epoch(), number=1, cursor=packed)
            issued = await self._state.save_sync(self._user, device, HIERARCHY, issued)
            return FolderReply(KeyUse.INITIAL, format_key(issued), told)
        if hierarchy.unpack(stored.cursor) == rows:
            return FolderReply(KeyUse.INITIAL, format_key(stored), told)
        for one in stored.beginnings:
            if hierarchy.unpack(one.cursor) == rows:
                return FolderReply(KeyUse.INITIAL, key_of(one), told)
        branched, key = with_beginning(stored, rows)
        await self._state.save_sync(self._user, device, HIERARCHY, branched)
        return FolderReply(KeyUse.INITIAL, key, told)

    async def _advance(self, device: DeviceId, stored: SyncState) -> FolderReply:
        rows = await self.rows()
        told = hierarchy.changes(hierarchy.unpack(stored.cursor), rows)
        if not len(told):
            return FolderReply(KeyUse.CURRENT, format_key(stored))
        issued = await self._state.save_sync(self._user, device, HIERARCHY, advanced(stored, rows))
        return FolderReply(KeyUse.CURRENT, format_key(issued), told)

    async def rows(self, listed: Sequence[Mailbox] | None = None) -> tuple[FolderRow, ...]:
        """The whole hierarchy as it is now, as a device is to see it. Raises `UpstreamError`."""
        rows = hierarchy.listing(*await self.refresh(listed))
        if self._items is None:
            return rows
        folders = await itemfolders.provide(self._items, self._user, recipients=self._caching)
        if not self._recipients:
            folders = [folder for folder in folders if folder.kind is not ItemKind.RECIPIENTS]
        return itemfolders.joined(rows, folders, self._user)


def advanced(stored: SyncState, rows: Sequence[FolderRow]) -> SyncState:
    """The state after one more key."""
    packed = hierarchy.pack(rows)
    return replace(stored, number=stored.number + 1, cursor=packed, previous=stored.cursor, results=b"")


def with_beginning(state: SyncState, rows: Sequence[FolderRow]) -> tuple[SyncState, str]:
    """The state with one more beginning, of a device that knows `rows`, and its key."""
    new = Beginning(new_epoch(), hierarchy.pack(rows))
    return replace(state, beginnings=(*state.beginnings, new)[-_BEGINNINGS:]), key_of(new)


def begun(stored: SyncState | None, key: str) -> SyncState | None:
    """The state with that new beginning in force whose key this is; `stored` for any other key.

    The later ones stay: the request may be one that the device gave up before it began once more.
    """
    if stored is None or classify(stored, key) is not KeyUse.FRESH:
        return stored
    return begun_anew(stored, key)


def folder_with_role(folders: FolderList, role: Role) -> Folder | None:
    """The folder that has a role, if there is one."""
    return next((f for f in folders.folders if f.role == role and not f.gone), None)


def with_role(folders: FolderList, role: Role) -> str | None:
    """The mailbox that has a role, if there is one."""
    folder = folder_with_role(folders, role)
    return folder.mailbox if folder else None
