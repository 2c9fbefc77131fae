"""The port `Items` on any database that runs work as transactions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime

from gateway.items import (
    FileInfo,
    FileNumber,
    Item,
    ItemChange,
    ItemFolder,
    ItemKind,
    ItemNumber,
    PendingNotice,
    Right,
)
from gateway.ports import Clock, Commit, Pieces, Unsubscribe
from gateway.store.tables import itemcommits, itemfiles, itemfolders, itemrows, notices
from gateway.store.tables.times import milliseconds
from gateway.store.transactions import Topic, Transaction, Transactions
from gateway.types import CollectionId, SyncState, UserId

__all__ = ["StoredItems"]


class StoredItems:
    """What the gateway stores for its users, where `StoredState` keeps what devices know of it.

    What each method does is said in `ports.Items`.
    """

    def __init__(self, store: Transactions, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    # --- folders -------------------------------------------------------------------------------------------

    async def item_folders(self, user: UserId) -> Sequence[ItemFolder]:
        return await self._store.look_up(itemfolders.load_all, user)

    async def item_folder(self, user: UserId, folder: CollectionId) -> ItemFolder | None:
        return await self._store.look_up(itemfolders.load, user, folder)

    async def all_item_folders(self) -> Sequence[ItemFolder]:
        return await self._store.read(itemfolders.load_everybodys)

    async def provide_item_folder(self, user: UserId, kind: ItemKind, name: str) -> ItemFolder:
        known = await self._store.look_up(itemfolders.default, user, kind)
        if known is not None:
            return known
        return await self._store.write(itemfolders.provide, user, kind, name)

    async def provide_item_folders(self, user: UserId, names: Mapping[ItemKind, str]) -> Sequence[ItemFolder]:
        wanted = dict(names)
        return await self._store.write(itemfolders.provide_all, user, wanted)

    async def create_item_folder(
        self, user: UserId, kind: ItemKind, name: str, parent: str = ""
    ) -> ItemFolder:
        return await self._store.write(itemfolders.create, user, kind, name, parent)

    async def update_item_folder(self, folder: CollectionId, name: str, parent: str) -> None:
        await self._store.write(itemfolders.update, folder, name, parent)

    async def delete_item_folder(self, folder: CollectionId) -> None:
        now = self._now()
        await self._store.write(itemfolders.delete, folder, now)

    async def share_item_folder(self, folder: CollectionId, user: UserId, right: Right | None) -> None:
        await self._store.write(itemfolders.share, folder, user, right)

    async def item_folder_shares(self, folder: CollectionId) -> Mapping[UserId, Right]:
        return await self._store.look_up(itemfolders.shares, folder)

    # --- items ---------------------------------------------------------------------------------------------

    async def load_items(
        self, folder: CollectionId, numbers: Iterable[ItemNumber]
    ) -> Mapping[ItemNumber, Item]:
        wanted = tuple(numbers)
        return await self._store.read(itemrows.load, folder, wanted) if wanted else {}

    async def find_items(self, user: UserId, kind: ItemKind, *uids: str) -> Sequence[Item]:
        return await self._store.read(itemrows.find, user, kind, uids)

    async def item_changes(self, folder: CollectionId, after: int) -> Sequence[ItemChange]:
        return await self._store.read(itemrows.changes, folder, after)

    async def items_ending(
        self, folder: CollectionId, start: datetime, end: datetime
    ) -> Sequence[ItemChange]:
        return await self._store.read(itemrows.ending, folder, start, end)

    async def items_between(
        self, folders: Iterable[CollectionId], start: datetime, end: datetime, limit: int | None = None
    ) -> Sequence[Item]:
        wanted = tuple(folders)
        return await self._store.read(itemrows.between, wanted, start, end, limit)

    async def new_item_numbers(self, count: int) -> Sequence[ItemNumber]:
        return await self._store.write(itemcommits.new_numbers, count)

    async def commit_items(self, commit: Commit) -> SyncState | None:
        now = self._now()
        return await self._store.write(itemcommits.commit, commit, now)

    async def move_item(
        self, number: ItemNumber, source: CollectionId, target: CollectionId, moved: ItemNumber
    ) -> ItemNumber:
        now = self._now()
        return await self._store.write(itemcommits.move, number, source, target, moved=moved, now=now)

    def watch_items(self, user: UserId, notify: Callable[[CollectionId], None]) -> Unsubscribe:
        return self._store.watch(Topic.ITEMS, user, notify)

    # --- files and notices ---------------------------------------------------------------------------------

    async def add_item_file(self, name: str, content_type: str, content: Pieces) -> FileNumber:
        # One transaction for each chunk: others need not wait until a large file is stored.
        chunks = itemfiles.chunks(content)
        number = await self._store.write(itemfiles.begin, name, content_type, next(chunks), self._now())
        for chunk in chunks:
            await self._store.write(itemfiles.append, number, chunk)
        return number

    async def item_file(self, folder: CollectionId, number: FileNumber) -> FileInfo | None:
        return await self._store.look_up(itemfiles.find, folder, number)

    async def read_item_file(self, number: FileNumber, offset: int, size: int) -> bytes:
        return await self._store.read(itemfiles.read, number, offset, size)

    async def next_notice(self, user: UserId, without: Collection[str] = ()) -> PendingNotice | None:
        # Asked at every request, and there are hardly ever any; if there are, they may be many.
        if not await self._store.look_up(notices.are_pending, user):
            return None
        return await self._store.read(notices.take, user, without)

    async def note_attempt(self, user: UserId, key: str) -> None:
        now = self._now()
        await self._store.write(notices.note_attempt, user, key, now)

    async def note_told(self, user: UserId, key: str) -> None:
        await self._store.write(notices.note_told, user, key)

    async def leave_out_files(self, user: UserId, key: str) -> None:
        await self._store.write(notices.bare, user, key)

    async def split_notice(
        self, user: UserId, key: str, parts: Mapping[str, Sequence[str]], tried: Collection[str] = ()
    ) -> None:
        now = self._now()
        await self._store.write(notices.split, user, key, parts, tried=tried, now=now)

    async def drop_notice(self, user: UserId, key: str) -> None:
        now = self._now()
        await self._store.write(notices.drop, user, key, now)

    async def prune_items(self, before: datetime) -> None:
        async def prune(transaction: Transaction) -> None:
            await itemfiles.prune(transaction, milliseconds(before))
            await notices.prune(transaction, milliseconds(before))

        await self._store.write(prune)

    # --- helpers -------------------------------------------------------------------------------------------

    def _now(self) -> int:
        return milliseconds(self._clock.now())
