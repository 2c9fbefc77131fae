"""The port `Items` on one SQLite file."""

from __future__ import annotations

from gateway.ports import Clock
from gateway.store.items import StoredItems
from gateway.store.sqlite.database import Database
from gateway.store.sqlite.transactions import SqliteTransactions
from gateway.store.transactions import Topic
from gateway.types import CollectionId

__all__ = ["SqliteItems"]


class SqliteItems(StoredItems):
    """What the gateway stores for its users, in the file where `SqliteState` keeps what devices know of it.

    Watches are told at once of what is done in this process, and of what others do by `tell_of_others`.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._transactions = SqliteTransactions(database)
        super().__init__(self._transactions, clock)
        self._database = database

    async def tell_of_others(self) -> None:
        """Tell all watches of all folders if another process wrote to the file since the last call."""
        if await self._database.was_written_by_others():
            for user in self._transactions.watching(Topic.ITEMS):
                ids = [folder.id for folder in await self.item_folders(user)]
                changes = {folder: {user} for folder in (CollectionId(""), *ids)}
                self._transactions.tell(Topic.ITEMS, changes)
