"""The port `Items` on one SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

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
from gateway.store.sqlite import itemcommits, itemfiles, itemfolders, itemrows, notices
from gateway.store.sqlite.database import Database
from gateway.store.sqlite.times import milliseconds
from gateway.store.watchers import Told, Watchers
from gateway.types import CollectionId, SyncState, UserId

__all__ = ["SqliteItems"]

T = TypeVar("T")


class SqliteItems:
    """What the gateway stores for its users, in the file where `SqliteState` keeps what devices know of it.

    Watches are told at once of what is done in this process, and of what others do by `tell_of_others`. What
    each other method does is said in `ports.Items`.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._watchers = Watchers()

    # --- folders -------------------------------------------------------------------------------------------

    async def item_folders(self, user: UserId) -> Sequence[ItemFolder]:
        return await self._database.look_up(lambda connection: itemfolders.load_all(connection, user))

    async def item_folder(self, user: UserId, folder: CollectionId) -> ItemFolder | None:
        return await self._database.look_up(lambda connection: itemfolders.load(connection, user, folder))

    async def all_item_folders(self) -> Sequence[ItemFolder]:
        return await self._database.read(itemfolders.load_everybodys)

    async def provide_item_folder(self, user: UserId, kind: ItemKind, name: str) -> ItemFolder:
        known = await self._database.look_up(lambda connection: itemfolders.default(connection, user, kind))
        if known is not None:
            return known
        return await self._change(lambda connection: itemfolders.provide(connection, user, kind, name))

    async def create_item_folder(
        self, user: UserId, kind: ItemKind, name: str, parent: str = ""
    ) -> ItemFolder:
        return await self._change(lambda connection: itemfolders.create(connection, user, kind, name, parent))

    async def update_item_folder(self, folder: CollectionId, name: str, parent: str) -> None:
        await self._change(lambda connection: itemfolders.update(connection, folder, name, parent))

    async def delete_item_folder(self, folder: CollectionId) -> None:
        now = self._now()
        await self._change(lambda connection: itemfolders.delete(connection, folder, now))

    async def share_item_folder(self, folder: CollectionId, user: UserId, right: Right | None) -> None:
        await self._change(lambda connection: itemfolders.share(connection, folder, user, right))

    async def item_folder_shares(self, folder: CollectionId) -> Mapping[UserId, Right]:
        return await self._database.look_up(lambda connection: itemfolders.shares(connection, folder))

    # --- items ---------------------------------------------------------------------------------------------

    async def load_items(
        self, folder: CollectionId, numbers: Iterable[ItemNumber]
    ) -> Mapping[ItemNumber, Item]:
        wanted = tuple(numbers)
        return await self._database.read(lambda connection: itemrows.load(connection, folder, wanted))

    async def find_items(self, user: UserId, kind: ItemKind, *uids: str) -> Sequence[Item]:
        return await self._database.read(lambda connection: itemrows.find(connection, user, kind, uids))

    async def item_changes(
        self, folder: CollectionId, after: int, limit: int | None = None
    ) -> Sequence[ItemChange]:
        return await self._database.read(
            lambda connection: itemrows.changes(connection, folder, after, limit)
        )

    async def items_ending(
        self, folder: CollectionId, start: datetime, end: datetime
    ) -> Sequence[ItemChange]:
        return await self._database.read(lambda connection: itemrows.ending(connection, folder, start, end))

    async def items_between(
        self, folders: Iterable[CollectionId], start: datetime, end: datetime, limit: int | None = None
    ) -> Sequence[Item]:
        wanted = tuple(folders)
        return await self._database.read(
            lambda connection: itemrows.between(connection, wanted, start, end, limit)
        )

    async def new_item_numbers(self, count: int) -> Sequence[ItemNumber]:
        return await self._database.write(lambda connection: itemcommits.new_numbers(connection, count))

    async def commit_items(self, commit: Commit) -> SyncState | None:
        now = self._now()
        return await self._change(lambda connection: itemcommits.commit(connection, commit, now))

    async def move_item(
        self, number: ItemNumber, source: CollectionId, target: CollectionId, moved: ItemNumber
    ) -> ItemNumber:
        now = self._now()
        return await self._change(
            lambda connection: itemcommits.move(connection, number, source, target, moved=moved, now=now)
        )

    def watch_items(self, user: UserId, notify: Callable[[CollectionId], None]) -> Unsubscribe:
        return self._watchers.watch(user, notify)

    async def tell_of_others(self) -> None:
        """Tell all watches of all folders if another process wrote to the file since the last call."""
        if await self._database.was_written_by_others():
            for user in self._watchers.users():
                ids = [folder.id for folder in await self.item_folders(user)]
                self._watchers.tell({folder: {user} for folder in (CollectionId(""), *ids)})

    # --- files and notices ---------------------------------------------------------------------------------

    async def add_item_file(self, name: str, content_type: str, content: Pieces) -> FileNumber:
        # One transaction for each chunk: others need not wait until a large file is stored.
        chunks = itemfiles.chunks(content)
        begin = partial(
            itemfiles.begin, name=name, content_type=content_type, first=next(chunks), now=self._now()
        )
        number = await self._database.write(begin)
        for chunk in chunks:
            await self._database.write(partial(itemfiles.append, number=number, chunk=chunk))
        return number

    async def item_file(self, folder: CollectionId, number: FileNumber) -> FileInfo | None:
        return await self._database.look_up(lambda connection: itemfiles.find(connection, folder, number))

    async def read_item_file(self, number: FileNumber, offset: int, size: int) -> bytes:
        return await self._database.read(lambda connection: itemfiles.read(connection, number, offset, size))

    async def next_notice(self, user: UserId, without: Collection[str] = ()) -> PendingNotice | None:
        # Asked at every request, and there are hardly ever any; if there are, they may be many.
        if not await self._database.look_up(lambda connection: notices.are_pending(connection, user)):
            return None
        return await self._database.read(lambda connection: notices.take(connection, user, without))

    async def note_attempt(self, user: UserId, key: str) -> None:
        now = self._now()
        await self._database.write(lambda connection: notices.note_attempt(connection, user, key, now))

    async def note_told(self, user: UserId, key: str) -> None:
        await self._database.write(lambda connection: notices.note_told(connection, user, key))

    async def leave_out_files(self, user: UserId, key: str) -> None:
        await self._database.write(lambda connection: notices.bare(connection, user, key))

    async def split_notice(
        self, user: UserId, key: str, parts: Mapping[str, Sequence[str]], tried: Collection[str] = ()
    ) -> None:
        now = self._now()
        await self._database.write(
            lambda connection: notices.split(connection, user, key, parts, tried=tried, now=now)
        )

    async def drop_notice(self, user: UserId, key: str) -> None:
        now = self._now()
        await self._database.write(lambda connection: notices.drop(connection, user, key, now))

    async def prune_items(self, before: datetime) -> None:
        def prune(connection: sqlite3.Connection) -> None:
            itemfiles.prune(connection, milliseconds(before))
            notices.prune(connection, milliseconds(before))

        await self._database.write(prune)

    # --- helpers -------------------------------------------------------------------------------------------

    def _now(self) -> int:
        return milliseconds(self._clock.now())

    async def _change(self, work: Callable[[sqlite3.Connection], tuple[T, Told]]) -> T:
        """Make a change, and tell those who watch what it touched."""
        value, _ = await self._database.write(work, self._tell)
        return value

    def _tell(self, done: tuple[object, Told]) -> None:
        self._watchers.tell(done[1])
