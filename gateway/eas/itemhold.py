"""What a held request has of folders of items: which are waited for, and whether there is news in one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway.eas.commands.base import Context
from gateway.eas.content.kinds import knows
from gateway.eas.itemoptions import ItemOptions
from gateway.eas.itemwindow import window_start
from gateway.errors import NotFound, StoreUnavailable
from gateway.items import ItemFolder
from gateway.ports import Unsubscribe
from gateway.sync import itemfolders
from gateway.sync.itemcursor import ItemCursor
from gateway.sync.news import has_item_news
from gateway.sync.recipients import ends_of
from gateway.types import CollectionId

__all__ = ["ItemHold"]


class ItemHold:
    """Folders of items that a request waits for. Nothing but their ids and revisions is kept meanwhile."""

    __slots__ = ("_context", "_dirty", "_names", "_seen")

    def __init__(self, context: Context, folders: Sequence[CollectionId]) -> None:
        self._context = context
        self._dirty = set(folders)
        self._seen: dict[CollectionId, int] = dict.fromkeys(folders, 0)
        """The revisions the folders had when the request began: what is known of one never synced."""
        self._names: dict[CollectionId, CollectionId] = {}
        """What the device calls folders that the store calls otherwise."""

    def watch(self, notify: Callable[[CollectionId], None]) -> Unsubscribe:
        """Have `notify` called when one of them may have changed, or with "" the list of all there are."""

        def told(folder: CollectionId) -> None:
            name = self._names.get(folder, folder)
            if name in self._seen:
                self._dirty.add(name)
            elif folder:
                return
            else:  # one of them may be gone
                self._dirty.update(self._seen)
            notify(folder)

        return self._context.services.items.watch_items(self._context.principal.user, told)

    async def begin(self) -> None:
        """Note where the folders are. Raises `NotFound`."""
        for name in self._seen:
            folder = await self._folder(name)
            self._seen[name] = folder.revision
            if folder.id != name:
                self._names[folder.id] = name

    async def changed(self) -> Sequence[CollectionId]:
        """Those with news since this was last asked. Raises `NotFound` when one is gone."""
        dirty, self._dirty = self._dirty, set()
        try:
            return [name for name in self._seen if name in dirty and await self._has_news(name)]
        except StoreUnavailable:
            self._dirty |= dirty
            raise

    async def _folder(self, name: CollectionId) -> ItemFolder:
        context = self._context
        folder = await itemfolders.find(context.services.items, context.principal.user, name)
        if folder is None:
            raise NotFound("no such folder")
        return folder

    async def _has_news(self, name: CollectionId) -> bool:
        """Whether a Sync would tell the device something; of an event that moved it is to hear at once."""
        context = self._context
        services, user = context.services, context.principal.user
        folder = await self._folder(name)
        if not knows(context.request.version, folder.kind):
            return False
        async with services.state.lease(user, context.device.id, folder.id):
            stored = await services.state.load_sync(user, context.device.id, folder.id)
        if stored is None:
            return folder.revision != self._seen[name]
        ends = await ends_of(services.items, folder)
        since = window_start(folder, ItemOptions.unpack(stored.options), services.clock.now(), ends)
        return await has_item_news(services.items, folder, ItemCursor.unpack(stored.cursor), since)
