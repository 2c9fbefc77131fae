"""The bytes of an item's file, from a real store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.eas.content.ids import ItemFileName, ItemName
from gateway.eas.content.itemfiles import copy_item_file
from gateway.errors import Kind, NotFound, Refused
from gateway.items import Edit, ItemKind, StoredItem
from gateway.ports import Commit, Items
from gateway.store.sqlite import Database, SqliteItems
from gateway.types import UserId
from tests.ports.items.helpers import Content, Time

ANN, BOB = UserId("ann@example.test"), UserId("bob@example.test")
WRITTEN = Content(3, 250_000)
CONTENT = bytes(WRITTEN)


@dataclass
class Kept:
    """A sink."""

    data: bytearray = field(default_factory=bytearray)

    async def write(self, data: bytes) -> None:
        self.data += data


@pytest.fixture
async def items(tmp_path: Path) -> AsyncIterator[Items]:
    database = await Database.open(tmp_path / "gateway.db")
    yield SqliteItems(database, Time(datetime(2026, 3, 1, tzinfo=UTC)))
    await database.aclose()


@pytest.fixture
async def name(items: Items) -> ItemFileName:
    folder = await items.provide_item_folder(ANN, ItemKind.CALENDAR, "Calendar")
    number = await items.add_item_file("plan.bin", "application/x-plan", WRITTEN)
    (item,) = await items.new_item_numbers(1)
    stored = StoredItem("u", "text", files=frozenset({number}))
    await items.commit_items(Commit(ANN, folder.id, [Edit(item, 0, stored)]))
    return ItemFileName(ItemName(folder.id, item), number)


@pytest.mark.parametrize(
    ("byte_range", "expected"),
    [
        (None, CONTENT),
        ((0, 0), CONTENT[:1]),
        ((300_000, 599_999), CONTENT[300_000:600_000]),
        ((len(CONTENT) - 5, len(CONTENT) + 5), CONTENT[-5:]),
        ((len(CONTENT), len(CONTENT) + 5), b""),
    ],
)
async def test_a_range(
    items: Items, name: ItemFileName, byte_range: tuple[int, int] | None, expected: bytes
) -> None:
    kept = Kept()
    extent = await copy_item_file(items, ANN, name, kept, byte_range)
    assert bytes(kept.data) == expected
    assert (extent.content_type, extent.size, extent.total) == (
        "application/x-plan",
        len(expected),
        len(CONTENT),
    )
    assert extent.start == (byte_range[0] if byte_range else 0)


async def test_too_large_is_refused_before_a_byte_is_written(items: Items, name: ItemFileName) -> None:
    kept = Kept()
    with pytest.raises(Refused) as caught:
        await copy_item_file(items, ANN, name, kept, largest=len(CONTENT) - 1)
    assert caught.value.kind is Kind.TOO_LARGE
    assert not kept.data


async def test_of_what_one_may_not_see_there_is_nothing(items: Items, name: ItemFileName) -> None:
    with pytest.raises(NotFound):
        await copy_item_file(items, BOB, name, Kept())
    with pytest.raises(NotFound):
        await copy_item_file(items, ANN, ItemFileName(name.item, name.file + 1), Kept())
