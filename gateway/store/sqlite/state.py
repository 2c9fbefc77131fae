"""The port `State` on one SQLite file."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.store.sqlite.database import Database
from gateway.store.sqlite.transactions import SqliteTransactions
from gateway.store.state import StoredState

__all__ = ["SqliteState"]


class SqliteState(StoredState):
    """What the gateway remembers. Made by `open`, ended by `aclose`; belongs to one event loop.

    Leases and watches are those of this process.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(SqliteTransactions(database))
        self._database = database

    @classmethod
    async def open(cls, path: Path, *, readers: int = 2, busy_timeout: float = 5.0) -> Self:
        """Open the database file, made and upgraded as needed (`location.parse_url` gives the path of a URL).

        `busy_timeout` is how many seconds to wait for another process that writes. Raises `GatewayError`.
        """
        return cls(await Database.open(path, readers=readers, busy_timeout=busy_timeout))

    async def aclose(self) -> None:
        """Finish what was asked for and close the file. May be called again."""
        await self._database.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def transactions(self) -> int:
        """Writes done since it was opened."""
        return self._database.transactions

    @property
    def commits(self) -> int:
        """Commits that made them durable."""
        return self._database.commits
