"""Leases of processes that die, or are cut off: others get them, and no more than one."""

from __future__ import annotations

import asyncio

import pytest

from gateway.errors import GatewayError
from gateway.store.postgres import leases
from gateway.store.transactions import Transaction
from gateway.types import CollectionId, SyncState
from tests.ports.known import ANNA, PHONE
from tests.support.postgres import Postgres
from tests.support.stores import PostgresStore
from tests.support.waiting import PATIENCE

NAME = "1"


async def take_for_good(store: PostgresStore) -> None:
    """As a process does that dies while it has the lease: nobody puts its end off."""
    lease = store.state.lease(ANNA, PHONE, NAME)
    await lease.__aenter__()
    await store.database.write(_orphan)


async def _orphan(transaction: Transaction) -> None:
    assert await transaction.run("UPDATE lease SET holder = 'a process that is no more'") == 1


async def test_the_lease_of_a_dead_process_ends(
    here: PostgresStore, there: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LASTS", 0.5)
    await take_for_good(here)
    async with there.state.lease(ANNA, PHONE, NAME):
        await there.state.save_sync(ANNA, PHONE, CollectionId(NAME), SyncState("e", 1, b""))


async def test_a_lease_lasts_as_long_as_its_process_works(
    url: str, here: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "RENEW_SECONDS", 0.05)
    store = PostgresStore(url, here.clock)
    await store.open()

    async def end(transaction: Transaction) -> object:
        row = await transaction.row("SELECT expires FROM lease")
        assert row is not None
        return row[0]

    async with store.state.lease(ANNA, PHONE, NAME):
        first = await here.database.read(end)
        while await here.database.read(end) == first:
            await asyncio.sleep(0.01)
    await store.aclose()


async def test_who_waits_for_too_long_is_told(
    here: PostgresStore, there: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with here.state.lease(ANNA, PHONE, NAME):
        with monkeypatch.context() as impatient:
            impatient.setattr(leases, "WAIT_SECONDS", 0.2)
            with pytest.raises(GatewayError, match="another process works on the same"):
                async with there.state.lease(ANNA, PHONE, NAME):
                    pytest.fail("it is held")
    async with there.state.lease(ANNA, PHONE, NAME):
        pass


async def test_a_lease_that_could_not_be_given_back_ends(
    here: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process lives, and puts off the ends of those alone that it holds."""
    monkeypatch.setattr(leases, "LASTS", 1.0)
    monkeypatch.setattr(leases, "RENEW_SECONDS", 0.1)
    await here.restart()
    await _orphaned_by(here)
    async with here.state.lease(ANNA, PHONE, NAME), here.state.lease(ANNA, PHONE, "2"):
        pass


async def test_those_who_wait_here_have_a_lease_in_turn(here: PostgresStore, there: PostgresStore) -> None:
    """And it is free again in the database once nobody needs it."""

    async def count(transaction: Transaction) -> int:
        row = await transaction.row("SELECT count(*) FROM lease")
        assert row is not None
        return int(row[0])

    order: list[int] = []

    async def work(number: int) -> None:
        async with here.state.lease(ANNA, PHONE, NAME):
            order.append(number)

    async with here.state.lease(ANNA, PHONE, NAME):
        others = [asyncio.create_task(work(number)) for number in range(20)]
    await asyncio.gather(*others)
    assert order == [*range(20)]
    async with there.state.lease(ANNA, PHONE, NAME):
        assert await there.database.read(count) == 1
    await here.aclose()
    await there.aclose()
    await here.open()
    assert await here.database.read(count) == 0


async def _orphaned_by(store: PostgresStore) -> None:
    """A lease of this process that it does not know of any more."""

    async def insert(transaction: Transaction) -> None:
        await transaction.run(
            "INSERT INTO lease (name, holder, expires) VALUES ($1, $2, clock_timestamp() + interval '1 s')",
            (f"{ANNA}\n{PHONE}\n{NAME}", f"{store.database.node} 0"),
        )

    await store.database.write(insert)


async def test_a_lease_is_given_back_after_an_outage(
    fragile: Postgres, victim: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others need not wait for its end then."""
    monkeypatch.setattr(leases, "LASTS", 10 * PATIENCE)
    monkeypatch.setattr(leases, "RENEW_SECONDS", 0.05)
    await victim.restart()
    other = PostgresStore(fragile.url(victim.name), victim.clock)
    async with victim.state.lease(ANNA, PHONE, NAME):
        fragile.stop()
    with pytest.raises(GatewayError):
        await victim.state.check_writable()
    fragile.start()
    await other.open()
    async with asyncio.timeout(PATIENCE), other.state.lease(ANNA, PHONE, NAME):
        pass
    await other.aclose()
