"""A store with a calendar, and a phone that has it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.items import ItemKind
from gateway.store.sqlite import Database
from tests.sync.itemmodel import (
    ANN,
    Phone,
    Store,
)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Database.open(tmp_path / "gateway.db") as database:
        opened = Store.over(database)
        opened.folder = (await opened.items.provide_item_folder(ANN, ItemKind.CALENDAR, "Calendar")).id
        yield opened


@pytest.fixture
async def phone(store: Store) -> Phone:
    made = Phone(store, "p")
    await made.settle()
    return made
