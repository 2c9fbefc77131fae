"""Every test of this folder runs over each kind of store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.items import ItemFolder, ItemKind
from gateway.ports import Items, State
from gateway.store.sqlite import Database, SqliteItems, SqliteState
from tests.ports.items.helpers import ANNA, NOON, Store, Time


class SqliteStore(Store):
    """One SQLite file."""

    def __init__(self, path: Path, clock: Time) -> None:
        super().__init__(clock)
        self._path = path

    async def open(self) -> None:
        self._database = await Database.open(self._path)
        self.state: State = SqliteState(self._database)
        self.items: Items = SqliteItems(self._database, self.clock)

    async def aclose(self) -> None:
        await self._database.aclose()


@pytest.fixture(params=["sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Each adapter, empty."""
    opened = SqliteStore(tmp_path / "gateway.db", Time(NOON))
    await opened.open()
    yield opened
    await opened.aclose()


@pytest.fixture
def items(store: Store) -> Items:
    return store.items


@pytest.fixture
async def calendar(store: Store) -> ItemFolder:
    """Anna's calendar, empty."""
    return await store.items.provide_item_folder(ANNA, ItemKind.CALENDAR, "Calendar")
