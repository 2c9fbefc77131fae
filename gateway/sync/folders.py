"""FolderSync for one device, and the way from a CollectionId to a mailbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.errors import StateConflict, UpstreamRefused
from gateway.ports import Mailboxes, State
from gateway.sync import hierarchy
from gateway.sync.hierarchy import FolderRow, HierarchyChanges
from gateway.sync.keys import KeyUse, classify, format_key, new_epoch
from gateway.types import CollectionId, DeviceId, Folder, FolderList, Mailbox, Role, SyncState, UserId

HIERARCHY = CollectionId("")
"""Under this name the hierarchy's state is stored beside those of the collections."""
_LEASE = "hierarchy"
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class FolderReply:
    """What FolderSync tells the device; `use` UNKNOWN means that its key is not known."""

    use: KeyUse
    key: str = "0"
    changes: HierarchyChanges = HierarchyChanges()  # noqa: RUF009 (immutable)


class Folders:
    """The folders of one user."""

    def __init__(self, state: State, mailboxes: Mailboxes, user: UserId) -> None:
        self._state = state
        self._mailboxes = mailboxes
        self._user = user

    async def all(self) -> FolderList:
        """Every folder that has an id, as last seen; no upstream traffic."""
        return await self._state.load_folders(self._user)

    async def find(self, collection: CollectionId) -> Folder | None:
        """The folder with this id; None when it was never there or is gone."""
        known = await self.all()
        return next((f for f in known.folders if f.id == collection and not f.gone), None)

    async def refresh(self) -> tuple[FolderList, Sequence[Mailbox]]:
        """List the upstream's mailboxes and see to it that each has an id."""
        mailboxes = await self._mailboxes.list()
        for _ in range(_ATTEMPTS):
            known = await self.all()
            assigned = hierarchy.assign(known, mailboxes)
            if assigned is known:
                return known, mailboxes
            try:
                return await self._state.save_folders(self._user, assigned), mailboxes
            except StateConflict:  # another device of the user listed at the same time
                continue
        raise StateConflict("the folder list keeps changing")

    async def create_missing(self) -> None:
        """Create Drafts, Sent and Trash where the upstream has nothing like them; a refusal is no error."""
        mailboxes = await self._mailboxes.list()
        present = {mailbox.role for mailbox in mailboxes}
        prefix = hierarchy.personal_prefix(mailboxes)
        for role, name in ((Role.DRAFTS, "Drafts"), (Role.SENT, "Sent"), (Role.TRASH, "Trash")):
            if role not in present:
                try:
                    await self._mailboxes.create(prefix + name)
                except UpstreamRefused:
                    continue

    async def sync(self, device: DeviceId, key: str) -> FolderReply:
        """Serve one FolderSync. Raises `UpstreamError`; nothing is stored for the device then."""
        async with self._state.lease(self._user, device, _LEASE):
            stored = await self._state.load_sync(self._user, device, HIERARCHY)
            use = classify(stored, key)
            if use is KeyUse.INITIAL:
                return await self._begin(device, stored)
            if stored is None or use is KeyUse.UNKNOWN:
                return FolderReply(KeyUse.UNKNOWN)
            if use is KeyUse.REPLAY:
                before, after = hierarchy.unpack(stored.previous or b""), hierarchy.unpack(stored.cursor)
                return FolderReply(use, format_key(stored), hierarchy.changes(before, after))
            return await self._advance(device, stored)

    async def _begin(self, device: DeviceId, stored: SyncState | None) -> FolderReply:
        """Tell the whole hierarchy; states of collections are left alone.

        Key 0 goes on with the keys there are, so that a second copy of the request, whose answer the device
        never hears, does not take away the key the device has.
        """
        await self.create_missing()
        rows = await self._rows()
        if stored is None:
            issued = SyncState(epoch=new_epoch(), number=1, cursor=hierarchy.pack(rows))
        elif hierarchy.unpack(stored.cursor) == rows:
            return FolderReply(KeyUse.INITIAL, format_key(stored), HierarchyChanges(added=rows))
        else:
            issued = _next(stored, rows)
        issued = await self._state.save_sync(self._user, device, HIERARCHY, issued)
        return FolderReply(KeyUse.INITIAL, format_key(issued), HierarchyChanges(added=rows))

    async def _advance(self, device: DeviceId, stored: SyncState) -> FolderReply:
        rows = await self._rows()
        told = hierarchy.changes(hierarchy.unpack(stored.cursor), rows)
        if not len(told):
            return FolderReply(KeyUse.CURRENT, format_key(stored))
        issued = await self._state.save_sync(self._user, device, HIERARCHY, _next(stored, rows))
        return FolderReply(KeyUse.CURRENT, format_key(issued), told)

    async def _rows(self) -> tuple[FolderRow, ...]:
        folders, mailboxes = await self.refresh()
        return hierarchy.listing(folders, mailboxes)


def _next(stored: SyncState, rows: tuple[FolderRow, ...]) -> SyncState:
    """The state after one more key."""
    return replace(stored, number=stored.number + 1, cursor=hierarchy.pack(rows), previous=stored.cursor)


def with_role(folders: FolderList, role: Role) -> str | None:
    """The mailbox that has a role, if there is one."""
    return next((f.mailbox for f in folders.folders if f.role == role and not f.gone), None)
