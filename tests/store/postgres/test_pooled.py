"""The store through a real PgBouncer in transaction mode, in which no two transactions share a session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from gateway.errors import GatewayError
from gateway.items import Edit, ItemKind
from gateway.ports import Commit
from gateway.store.postgres import PostgresTransactions, bus, connect_alone, parse_url
from gateway.types import CollectionId, Device, Folder, FolderList, SyncState
from tests.ports.items.helpers import Time, event
from tests.ports.known import ANNA, NOON, PHONE
from tests.store.postgres.test_processes import (
    test_a_lease_is_held_by_one_process_at_a_time as lease_is_held_by_one,
)
from tests.store.postgres.test_processes import (
    test_a_reader_of_the_change_log_misses_nothing as reader_misses_nothing,
)
from tests.store.postgres.test_processes import test_changes_are_told_to_the_other_process as changes_are_told
from tests.store.postgres.test_processes import (
    test_of_two_that_save_from_the_same_revision_one_wins as one_wins,
)
from tests.support.pgbouncer import PgBouncer
from tests.support.postgres import Postgres
from tests.support.stores import PostgresStore

INBOX = CollectionId("1")


@pytest.fixture(scope="module")
def pooler(postgres: Postgres) -> Iterator[PgBouncer]:
    with PgBouncer(postgres) as started:
        yield started


@pytest.fixture
async def stores(postgres: Postgres, pooler: PgBouncer) -> AsyncIterator[list[PostgresStore]]:
    """Two processes."""
    name = postgres.create()
    location = parse_url(pooler.url(name), pooled=True, direct=postgres.url(name))
    opened = [PostgresStore(location, Time(NOON)) for _ in range(2)]
    for each in opened:
        await each.open()
    yield opened
    for each in opened:
        await each.aclose()


@pytest.mark.parametrize("promise", [one_wins, reader_misses_nothing, changes_are_told, lease_is_held_by_one])
async def test_two_processes_share_a_database_through_it(
    stores: list[PostgresStore], promise: Callable[[PostgresStore, PostgresStore], Awaitable[None]]
) -> None:
    """What is promised of them without a pooler, of statements that meet other sessions each time."""
    await promise(*stores)


async def test_a_transaction_stays_on_one_connection(stores: list[PostgresStore]) -> None:
    """With more of them at once than PgBouncer has connections."""
    state, items = stores[0].state, stores[1].items
    await state.save_device(Device(user=ANNA, id=PHONE, type="x"))
    calendar = await items.provide_item_folder(ANNA, ItemKind.NOTES, "Notes")
    numbers = await items.new_item_numbers(20)

    async def add(number: int) -> None:
        edit = Edit(numbers[number], 0, event(f"{number}"))
        await items.commit_items(Commit(ANNA, calendar.id, [edit]))
        await state.save_sync(ANNA, PHONE, CollectionId(f"{number}"), SyncState("e", 1, b"\0"))
        await state.save_memo(ANNA, PHONE, f"{number}", b"memo")

    await asyncio.gather(*map(add, range(20)))
    assert len(await items.item_changes(calendar.id, 0)) == 20
    assert len(await state.load_syncs(ANNA, PHONE)) == 20
    assert await state.load_device(ANNA, PHONE) == Device(user=ANNA, id=PHONE, type="x")


async def test_a_pooler_that_nobody_told_of_is_recognised(postgres: Postgres, pooler: PgBouncer) -> None:
    with pytest.raises(GatewayError, match=r"needs store\.pooled"):
        await PostgresTransactions.open(parse_url(pooler.url(postgres.create())))


async def test_what_is_wrong_with_the_way_past_it_is_said_of_that(
    postgres: Postgres, pooler: PgBouncer
) -> None:
    location = parse_url(pooler.url(postgres.create()), pooled=True, direct=postgres.url("none"))
    said = rf"database {postgres.url('none')}: there is no such database"
    with pytest.raises(GatewayError, match=said):
        await PostgresTransactions.open(location)
    with pytest.raises(GatewayError, match=said):
        async with connect_alone(location):
            pytest.fail("there is nothing to be had")


async def test_without_a_way_past_it_changes_are_found_by_looking(
    postgres: Postgres, pooler: PgBouncer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus, "_POLL_SECONDS", 0.05)
    name = postgres.create()
    location = parse_url(pooler.url(name), pooled=True)
    here, there = PostgresStore(location, Time(NOON)), PostgresStore(location, Time(NOON))
    await here.open()
    await there.open()
    looked = asyncio.Event()
    there.state.watch_folders(ANNA, lambda _: looked.set())
    await here.state.save_folders(ANNA, FolderList(0, 2, (Folder(INBOX, "INBOX"),)))
    await looked.wait()
    with pytest.raises(GatewayError, match=r"set store\.direct_url"):
        async with connect_alone(location):
            pytest.fail("it cannot be had alone")
    await here.aclose()
    await there.aclose()
