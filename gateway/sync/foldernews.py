"""Whether a FolderSync would tell a device something (Status 7 of a Ping, MS-ASCMD 2.2.3.177.11).

The answer is in what the mail server lists. It is asked only when there is a reason to: the stored folder
list or the folders of items are others than when the device was last found to know them all, which is
remembered by a mark, or the server itself says that mailboxes came or went.
"""

from __future__ import annotations

from contextlib import suppress
from hashlib import blake2b

from gateway.errors import StoreUnavailable
from gateway.ports import Items, Mailboxes, State
from gateway.sync import hierarchy, itemfolders
from gateway.sync.folders import HIERARCHY, HIERARCHY_LEASE, Folders
from gateway.types import DeviceId, UserId

__all__ = ["FolderNews"]

_MEMO = "folders known"


class FolderNews:
    """The folders of one user, as one of his devices knows them; `recipients` as of `Folders`."""

    __slots__ = ("_device", "_items", "_mailboxes", "_recipients", "_state", "_user")

    def __init__(
        self,
        state: State,
        mailboxes: Mailboxes,
        items: Items,
        user: UserId,
        device: DeviceId,
        *,
        recipients: bool = True,
    ) -> None:
        self._state = state
        self._mailboxes = mailboxes
        self._items = items
        self._user = user
        self._device = device
        self._recipients = recipients

    async def there(self, *, suspected: bool = False) -> bool:
        """Whether there is news; `suspected`: something said so, be the stored list as it was or not.

        Never for a device that has not asked for its folders yet. One that may not have heard of a new
        beginning is told nothing as long as that, or what it knew before, is all there is. Raises
        `UpstreamError`.
        """
        known, mark = await self._state.load_memo(self._user, self._device, _MEMO), await self._mark()
        if known == mark and not suspected:
            return False
        # A change of the device's own is part of what it knows once that is over.
        async with self._state.lease(self._user, self._device, HIERARCHY_LEASE):
            stored = await self._state.load_sync(self._user, self._device, HIERARCHY)
            if stored is None:
                return False
            folders = Folders(
                self._state, self._mailboxes, self._user, self._items, recipients=self._recipients
            )
            rows = await folders.rows()
            listings = stored.cursor, *(one.cursor for one in stored.beginnings)
            told = map(hierarchy.unpack, listings)
            if all(len(hierarchy.changes(listing, rows)) for listing in told):
                return True
            if known != mark:  # not the mark by now: what changed meanwhile is to be looked at
                with suppress(StoreUnavailable):  # it spares the next look, and is no reason to fail this one
                    await self._state.save_memo(self._user, self._device, _MEMO, mark)
            return False

    async def _mark(self) -> bytes:
        """What is different when folders may be: no traffic with the mail server."""
        revision = (await self._state.load_folders(self._user)).revision
        seen = itemfolders.joined((), await itemfolders.seen(self._items, self._user), self._user)
        kinds = " ".join(itemfolders.SERVED)
        digest = blake2b(kinds.encode() + hierarchy.pack(seen), digest_size=12).hexdigest()
        return f"{revision} {digest}".encode()
