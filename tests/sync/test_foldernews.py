"""Whether a FolderSync would tell something: the same answer as its own, and seldom a look upstream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from gateway.items import ItemKind
from gateway.ports import Mailboxes
from gateway.store.sqlite import Database, SqliteItems, SqliteState
from gateway.sync.foldernews import FolderNews
from gateway.sync.folders import Folders
from gateway.types import DeviceId, Mailbox, Role, UserId

USER = UserId("ann")
ROLES = (("INBOX", Role.INBOX), ("Drafts", Role.DRAFTS), ("Sent", Role.SENT), ("Trash", Role.TRASH))


class Names:
    """An upstream that has mailboxes, and counts how often it is asked which."""

    def __init__(self) -> None:
        self.mailboxes = [Mailbox(name, "/", role) for name, role in ROLES]
        self.asked = 0

    async def list(self) -> Sequence[Mailbox]:
        self.asked += 1
        return tuple(self.mailboxes)


class Time:
    """A clock that stands."""

    def now(self) -> datetime:
        return datetime(2026, 3, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class World:
    """A user with devices."""

    upstream: Names
    state: SqliteState
    items: SqliteItems

    def folders(self) -> Folders:
        return Folders(self.state, cast(Mailboxes, self.upstream), USER, self.items)

    def news(self, device: str) -> FolderNews:
        mailboxes = cast(Mailboxes, self.upstream)
        return FolderNews(self.state, mailboxes, self.items, USER, DeviceId(device))

    async def sync(self, device: str, key: str = "0") -> str:
        return (await self.folders().sync(DeviceId(device), key)).key

    async def asks(self, device: str) -> int:
        """How often the upstream is asked to find no news."""
        before = self.upstream.asked
        assert not await self.news(device).there()
        return self.upstream.asked - before


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with await Database.open(tmp_path / "gateway.db") as database:
        yield World(Names(), SqliteState(database), SqliteItems(database, Time()))


async def test_it_asks_once_after_each_change(world: World) -> None:
    key = await world.sync("ONE")
    assert [await world.asks("ONE") for _ in range(3)] == [1, 0, 0]
    world.upstream.mailboxes.append(Mailbox("Work", "/"))
    assert await world.asks("ONE") == 0  # nobody said so
    await world.sync("TWO")
    assert await world.news("ONE").there()
    key = await world.sync("ONE", key)
    assert [await world.asks("ONE") for _ in range(3)] == [1, 0, 0]
    await world.items.create_item_folder(USER, ItemKind.CALENDAR, "Team", "")
    assert await world.news("ONE").there()
    await world.sync("ONE", key)
    assert [await world.asks("ONE") for _ in range(2)] == [1, 0]


async def test_a_suspicion_is_looked_into(world: World) -> None:
    await world.sync("ONE")
    assert not await world.news("ONE").there(suspected=True)
    world.upstream.mailboxes.append(Mailbox("Work", "/"))
    assert await world.news("ONE").there(suspected=True)
    assert await world.news("ONE").there()  # by now the list is another


async def test_a_device_without_folders_is_left_alone(world: World) -> None:
    await world.sync("TWO")
    assert await world.asks("ONE") == 0


async def test_a_device_that_always_begins_anew_comes_to_an_end(world: World) -> None:
    await world.sync("ONE")
    world.upstream.mailboxes.append(Mailbox("Work", "/"))
    assert await world.news("ONE").there(suspected=True)
    await world.sync("ONE")
    assert not await world.news("ONE").there()


async def test_a_watch_hears_of_each_change_of_the_list(world: World) -> None:
    heard: list[str] = []
    end = world.state.watch_folders(USER, heard.append)
    await world.sync("ONE")
    assert heard == [""]
    await world.sync("TWO")
    assert heard == [""]
    world.upstream.mailboxes.append(Mailbox("Work", "/"))
    await world.sync("TWO")
    assert len(heard) == 2
    end()
    world.upstream.mailboxes.pop()
    await world.sync("TWO")
    assert len(heard) == 2
