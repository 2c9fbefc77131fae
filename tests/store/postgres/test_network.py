"""The way to PostgreSQL cut, and another server in its place: nothing is missed or stored twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TypeVar

import pytest

from gateway.errors import StateConflict, StoreUnavailable
from gateway.store.postgres import bus, connecting, database, parse_url
from gateway.types import CollectionId, FolderList, SyncState
from tests.ports.items.helpers import Time
from tests.ports.known import ANNA, NOON, PHONE
from tests.support.ports import LOOPBACK
from tests.support.postgres import Postgres
from tests.support.stores import PostgresStore
from tests.support.tcp_cut import Cut, Way
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("steady_clock")

T = TypeVar("T")
INBOX = CollectionId("1")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is waited for seconds in earnest."""
    for module, name in (
        (connecting, "CONNECT_SECONDS"),
        (connecting, "ANSWER_SECONDS"),
        (database, "_WAIT_SECONDS"),
        (database, "_PATIENCE"),
        (bus, "_PROBE_SECONDS"),
    ):
        monkeypatch.setattr(module, name, 1.5)


@pytest.fixture
def way(postgres: Postgres) -> Iterator[Way]:
    with Way(postgres.port) as carrying:
        yield carrying


@pytest.fixture
async def far(here: PostgresStore, way: Way, impatient: None) -> AsyncIterator[PostgresStore]:
    """A process that comes to the database of `here` over the way."""
    opened = PostgresStore(f"postgresql://gateway@{LOOPBACK}:{way.port}/{here.name}", Time(NOON))
    await opened.open()
    yield opened
    way.mend()
    await opened.aclose()


@pytest.mark.parametrize("how", [Cut.RESET, Cut.SILENT, Cut.HELD])
async def test_a_cut_is_told_and_got_over(
    here: PostgresStore, far: PostgresStore, way: Way, how: Cut
) -> None:
    """Whoever asks is told, and who waits looks for himself when it is over."""
    looked = asyncio.Event()
    far.state.watch_folders(ANNA, lambda _: looked.set())
    known = await far.state.save_sync(ANNA, PHONE, INBOX, SyncState("e", 1, b""))
    way.cut(how)
    for attempt in (far.state.load_device(ANNA, PHONE), far.state.save_sync(ANNA, PHONE, INBOX, known)):
        with pytest.raises(StoreUnavailable):
            await attempt
    with pytest.raises(StoreUnavailable):
        await far.state.check_writable()
    folders = await here.state.save_folders(ANNA, FolderList(0, 1))
    looked.clear()
    way.mend()
    await looked.wait()
    assert await _until_back(lambda: far.state.load_folders(ANNA)) == folders
    await _until_back(far.state.check_writable)
    await _until_back(lambda: _hold(far))
    stored = await far.state.load_sync(ANNA, PHONE, INBOX)
    assert stored is not None
    assert stored.revision - known.revision in {0, 1}  # what was held back arrived after all
    looked.clear()
    while not looked.is_set():  # heard, as soon as it listens again
        folders = await here.state.save_folders(ANNA, folders)
        await asyncio.sleep(0.05)


async def test_connections_that_were_forgotten_fail_no_request(
    far: PostgresStore, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A firewall that forgets connections without news says nothing to either end; new ones pass it.

    A request begins with a question, which finds that out for all connections of the pool.
    """
    monkeypatch.setattr(database, "_PATIENCE", 60.0)
    known = await far.state.save_sync(ANNA, PHONE, INBOX, SyncState("e", 1, b""))
    for _ in range(2):
        way.cut(Cut.SILENT)
        way.mend()
        assert await far.state.load_sync(ANNA, PHONE, INBOX) == known
        known = await far.state.save_sync(ANNA, PHONE, INBOX, known)


async def test_a_standby_that_was_promoted_is_found(impatient: None) -> None:
    """Nothing that was acknowledged is missing, and all is done at the new primary from then on."""
    with Postgres() as first:
        name = first.create()
        with Postgres(first) as second:
            eventually(lambda: first.query(_STREAMING) == "1")
            first.query("ALTER SYSTEM SET synchronous_standby_names = '*'")
            first.query("SELECT pg_reload_conf()")
            eventually(lambda: first.query("SHOW synchronous_standby_names") == "*")
            places = f"{LOOPBACK}:{second.port},{LOOPBACK}:{first.port}"  # the first of them takes no writes
            store = PostgresStore(parse_url(f"postgresql://gateway@{places}/{name}"), Time(NOON))
            await store.open()
            looked = asyncio.Event()
            store.state.watch_folders(ANNA, lambda _: looked.set())
            known = await _until_back(
                lambda: store.state.save_sync(ANNA, PHONE, INBOX, SyncState("e", 1, b""))
            )
            looked.clear()
            first.crash()
            with pytest.raises(StoreUnavailable):
                await store.state.check_writable()
            second.query("SELECT pg_promote()")
            await _until_back(store.state.check_writable)
            await looked.wait()
            assert await store.state.load_sync(ANNA, PHONE, INBOX) == known
            assert (await store.state.save_sync(ANNA, PHONE, INBOX, known)).revision == known.revision + 1
            assert second.query("SELECT count(*) FROM sync_state WHERE revision = 2", name) == "1"
            await store.aclose()


_STREAMING = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"


async def _hold(store: PostgresStore) -> None:
    async with store.state.lease(ANNA, PHONE, "1"):
        pass


async def _until_back(attempt: Callable[[], Awaitable[T]]) -> T:
    """What an attempt comes to, once the database answers."""
    while True:
        try:
            return await attempt()
        except StoreUnavailable:
            await asyncio.sleep(0.05)
        except StateConflict:
            raise AssertionError("it was stored twice") from None
