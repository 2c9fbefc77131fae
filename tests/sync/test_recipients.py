"""The recipient information cache: what is noted, how much of it, and that two phones may send at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.items import ItemKind
from gateway.mail.addresses import Address
from gateway.pim.contacts.recipient import read_recipient
from gateway.store.sqlite import Database, SqliteItems
from gateway.sync.recipients import MOST, Recipients, ends_of, forget_recipients
from gateway.types import UserId

ANN = UserId("ann")
DAY = timedelta(days=1)


class Hand:
    """A clock that somebody moves."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 2, 9, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


class Cache:
    """A user's cache, and what is in it."""

    def __init__(self, items: SqliteItems, clock: Hand) -> None:
        self.items = items
        self.clock = clock
        self.recipients = Recipients(items, clock)

    async def wrote(self, *addresses: str, name: str = "") -> None:
        await self.recipients.wrote_to(ANN, [Address(name, one) for one in addresses])

    async def held(self) -> dict[str, tuple[str, int]]:
        """Names and ranks by address."""
        folder = await self.recipients.provide(ANN)
        changes = await self.items.item_changes(folder.id, 0)
        items = await self.items.load_items(folder.id, [one.number for one in changes if not one.gone])
        found = [read_recipient(item.stored.text) for item in items.values()]
        return {one.address: (one.name, one.rank) for one in found}

    async def revision(self) -> int:
        return (await self.recipients.provide(ANN)).revision


@pytest.fixture
async def cache(tmp_path: Path) -> AsyncIterator[Cache]:
    clock = Hand()
    async with await Database.open(tmp_path / "gateway.db") as database:
        yield Cache(SqliteItems(database, clock), clock)


async def test_days_count_and_messages_do_not(cache: Cache) -> None:
    await cache.wrote("Bob@example.test")
    await cache.wrote("bob@example.test")
    assert await cache.held() == {"Bob@example.test": ("", 1)}
    before = await cache.revision()
    await cache.wrote("bob@example.test")
    assert await cache.revision() == before
    cache.clock.time += DAY
    await cache.wrote("bob@example.test", name='Bob, "B."')
    assert await cache.held() == {"bob@example.test": ('Bob, "B."', 2)}
    cache.clock.time += DAY
    await cache.wrote("bob@example.test")
    assert await cache.held() == {"bob@example.test": ('Bob, "B."', 3)}


async def test_of_too_many_the_oldest_go(cache: Cache) -> None:
    for at in range(MOST):
        cache.clock.time += timedelta(minutes=1)
        await cache.wrote(f"{at}@example.test")
    cache.clock.time += DAY
    await cache.wrote("0@example.test", "new@example.test", "newer@example.test")
    held = await cache.held()
    assert len(held) == MOST
    assert {"0@example.test", "new@example.test", "newer@example.test"} <= held.keys()
    assert not {"1@example.test", "2@example.test"} & held.keys()


async def test_the_latest_come_first(cache: Cache) -> None:
    for name in ("a", "b", "c"):
        cache.clock.time += timedelta(minutes=1)
        await cache.wrote(f"{name}@example.test")
    ends = await ends_of(cache.items, await cache.recipients.provide(ANN))
    assert ends == sorted(ends, reverse=True)
    assert len(set(ends)) == 3
    other = await cache.items.provide_item_folder(ANN, ItemKind.CONTACTS, "Contacts")
    assert await ends_of(cache.items, other) == ()


@pytest.mark.parametrize("addresses", [(), ("",), ("a" * 300,), tuple(f"{at}@x" for at in range(21))])
async def test_what_is_not_noted(cache: Cache, addresses: tuple[str, ...]) -> None:
    await cache.wrote(*addresses)
    assert await cache.held() == {}


async def test_at_once(cache: Cache) -> None:
    await asyncio.gather(*(cache.wrote(f"{at}@example.test", "bob@example.test") for at in range(4)))
    assert set(await cache.held()) == {"bob@example.test", *(f"{at}@example.test" for at in range(4))}


async def test_forgotten(cache: Cache) -> None:
    await cache.wrote("bob@example.test")
    await forget_recipients(cache.items)
    assert not await cache.items.all_item_folders()
