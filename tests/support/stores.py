"""Stores under test: all ports over one database, which can be closed and opened again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime
from pathlib import Path
from typing import Protocol

import asyncpg

from gateway.ports import Clock, Items, State
from gateway.store.items import StoredItems
from gateway.store.people import StoredPeople
from gateway.store.postgres import Location, PostgresState, PostgresTransactions, parse_url
from gateway.store.sqlite import Database, SqliteItems, SqlitePeople, SqliteState

__all__ = ["PostgresStore", "SqliteStore", "Store", "empty"]

_TABLES = """
    SELECT tablename FROM pg_tables
    WHERE schemaname = 'public' AND tablename NOT IN ('migration', 'item_number') ORDER BY tablename
"""
_SEQUENCES = "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL"
_UNCHECKED = "SET session_replication_role = replica"


class Time(Clock, Protocol):
    """A clock that the test sets."""

    moment: datetime


class Store(ABC):
    """A store under test."""

    items: Items
    state: State
    people: StoredPeople

    def __init__(self, clock: Time) -> None:
        self.clock = clock

    @abstractmethod
    async def open(self) -> None: ...

    @abstractmethod
    async def aclose(self) -> None: ...

    async def restart(self) -> None:
        """As after the end of the process."""
        await self.aclose()
        await self.open()


class SqliteStore(Store):
    """One SQLite file."""

    def __init__(self, path: Path, clock: Time) -> None:
        super().__init__(clock)
        self._path = path

    async def open(self) -> None:
        self._database = await Database.open(self._path)
        self.state = SqliteState(self._database)
        self.items = SqliteItems(self._database, self.clock)
        self.people = SqlitePeople(self._database)

    async def aclose(self) -> None:
        await self._database.aclose()


class PostgresStore(Store):
    """A database in PostgreSQL, as one process uses it."""

    def __init__(self, place: str | Location, clock: Time) -> None:
        super().__init__(clock)
        self._location = parse_url(place) if isinstance(place, str) else place
        self.name = self._location.name.rpartition("/")[2]

    async def open(self) -> None:
        self.database = await PostgresTransactions.open(self._location, connections=5)
        self.state = PostgresState(self.database)
        self.items = StoredItems(self.database, self.clock)
        self.people = StoredPeople(self.database)

    async def aclose(self) -> None:
        await self.database.aclose()


async def empty(url: str) -> None:
    """Empty a database, if there are tables in it. Whatever is kept in it nobody uses."""
    connection = await asyncpg.connect(url)
    try:
        tables = [row[0] for row in await connection.fetch(_TABLES)]
        if tables:
            # Not by TRUNCATE, which takes a hundred times as long for tables of a few rows.
            statements = [f'DELETE FROM "{table}"' for table in tables]  # noqa: S608 - names of our own
            sequences = [f"ALTER SEQUENCE {row[0]} RESTART" for row in await connection.fetch(_SEQUENCES)]
            numbers = "UPDATE item_number SET newest = 0"
            await connection.execute("; ".join([_UNCHECKED, *statements, *sequences, numbers]))
    finally:
        await connection.close()
