"""The ports `Directory` and `People` on one SQLite file."""

from __future__ import annotations

from gateway.store.people import StoredPeople
from gateway.store.sqlite.database import Database
from gateway.store.sqlite.transactions import SqliteTransactions

__all__ = ["SqlitePeople"]


class SqlitePeople(StoredPeople):
    """The users of this gateway, in the file of `SqliteState`."""

    def __init__(self, database: Database) -> None:
        super().__init__(SqliteTransactions(database))
