"""What the tests of items begin with."""

from __future__ import annotations

import pytest

from gateway.items import ItemFolder, ItemKind
from gateway.ports import Items
from tests.ports.known import ANNA
from tests.support.stores import Store


@pytest.fixture
def items(store: Store) -> Items:
    return store.items


@pytest.fixture
async def calendar(store: Store) -> ItemFolder:
    """Anna's calendar, empty."""
    return await store.items.provide_item_folder(ANNA, ItemKind.CALENDAR, "Calendar")
