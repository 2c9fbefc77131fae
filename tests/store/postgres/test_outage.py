"""PostgreSQL away, back again, and no good: what is said, and that the store is there again by itself."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace

import pytest

from gateway.errors import ConfigError, GatewayError, StoreUnavailable
from gateway.items import ItemKind
from gateway.store.postgres import PostgresTransactions, connecting, parse_url
from gateway.store.postgres.examine import examine
from gateway.store.state import StoredState
from gateway.store.transactions import Transaction, single
from gateway.types import CollectionId, Device, FolderList, SyncState
from tests.ports.items.helpers import Time
from tests.ports.known import ANNA, NOON, PHONE
from tests.support.failing import FailingWrites
from tests.support.postgres import Postgres
from tests.support.stores import PostgresStore

INBOX = CollectionId("1")


async def test_a_server_that_was_restarted_is_used_again(fragile: Postgres, victim: PostgresStore) -> None:
    """With connections of the pool that are dead by then."""
    first = await victim.state.save_sync(ANNA, PHONE, INBOX, SyncState("e", 1, b""))
    for again in (fragile.stop, fragile.crash):
        again()
        fragile.start()
        assert await victim.state.load_sync(ANNA, PHONE, INBOX) == first
        async with victim.state.lease(ANNA, PHONE, "1"):
            first = await victim.state.save_sync(ANNA, PHONE, INBOX, first)


async def test_while_it_is_away_that_is_said(fragile: Postgres, victim: PostgresStore) -> None:
    fragile.stop()
    for attempt in (
        victim.state.load_device(ANNA, PHONE),
        victim.state.save_device(Device(user=ANNA, id=PHONE, type="x")),
        victim.items.new_item_numbers(1),
        victim.state.check_writable(),
    ):
        with pytest.raises(StoreUnavailable, match="the server cannot be reached"):
            await attempt
    with pytest.raises(GatewayError, match="the server cannot be reached"):
        async with victim.state.lease(ANNA, PHONE, "1"):
            pytest.fail("nobody has it")
    fragile.start()
    await victim.state.check_writable()


async def test_who_watches_looks_again_after_an_outage(fragile: Postgres, victim: PostgresStore) -> None:
    """What others changed meanwhile nobody was told."""
    looked: asyncio.Queue[CollectionId] = asyncio.Queue()
    victim.items.watch_items(ANNA, looked.put_nowait)
    fragile.crash()
    assert await looked.get() == ""
    fragile.start()
    other = PostgresStore(fragile.url(victim.name), victim.clock)
    await other.open()
    await other.items.provide_item_folder(ANNA, ItemKind.CALENDAR, "Calendar")
    while await looked.get() != "" or not await victim.items.item_folders(ANNA):
        pass
    await other.aclose()


async def test_a_server_that_can_only_be_read(fragile: Postgres, victim: PostgresStore) -> None:
    fragile.query(f"ALTER DATABASE {victim.name} SET default_transaction_read_only = on")
    fragile.stop()
    fragile.start()
    assert await victim.state.load_device(ANNA, PHONE) is None
    for attempt in (victim.state.check_writable(), victim.items.new_item_numbers(1)):
        with pytest.raises(StoreUnavailable, match="the server only lets us read"):
            await attempt
    fragile.query(f"ALTER DATABASE {victim.name} RESET default_transaction_read_only")
    fragile.stop()
    fragile.start()
    await victim.state.check_writable()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://nobody:hunter2@127.0.0.1:{port}/postgres", "the server does not let us in"),
        ("postgresql://gateway:hunter2@127.0.0.1:{port}/none", "there is no such database"),
        ("postgresql://gateway:hunter2@127.0.0.1:1/postgres", "the server cannot be reached"),
        ("postgresql://gateway:hunter2@host.invalid/postgres", "the server cannot be reached"),
        ("postgresql://gateway:hunter2@127.0.0.1:{port}/postgres?foo=1", "does not know or take a setting"),
        (
            "postgresql://gateway:hunter2@127.0.0.1:{port}/postgres?fsync=off",
            "does not know or take a setting",
        ),
        (
            "postgresql://gateway:hunter2@/it?host=/none",
            "a socket or a file that store.url names is not there",
        ),
        (
            "postgresql://gateway:hunter2@127.0.0.1:{port}/it?sslmode=verify-full&sslrootcert=/none",
            "a socket or a file that store.url names is not there",
        ),
    ],
)
async def test_a_database_that_cannot_be_opened(postgres: Postgres, url: str, said: str) -> None:
    """One line, which has no password."""
    location = parse_url(url.format(port=postgres.port))
    with pytest.raises(GatewayError, match=said) as caught:
        await PostgresTransactions.open(location)
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)
    (finding,) = [one async for one in examine(location, 10)]
    assert said in finding.text


async def test_a_url_that_cannot_be_used(postgres: Postgres) -> None:
    """It is no outage: to wait does not help."""
    with pytest.raises(GatewayError, match=r"store\.url cannot be used") as caught:
        await PostgresTransactions.open(parse_url(f"{postgres.url()}?sslmode=sometimes"))
    assert not isinstance(caught.value, StoreUnavailable)
    assert "\n" not in str(caught.value)
    assert (
        parse_url("postgresql://one:5432,[::1]:5433,two/it").name == "postgresql://one:5432,[::1]:5433,two/it"
    )
    with pytest.raises(ConfigError, match="allowed is postgresql://user:password@host/database"):
        parse_url("postgresql://gateway:hunter2@one:5432,two:port/it")


async def test_a_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "CONNECT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(StoreUnavailable, match="the server took too long to answer"):
            await PostgresTransactions.open(parse_url(f"postgresql://gateway@127.0.0.1:{port}/it"))


async def test_a_full_disk_fails_what_is_written_and_is_got_over(
    postgres: Postgres, here: PostgresStore
) -> None:
    name = postgres.create()
    opened = PostgresStore(postgres.url(name), here.clock)
    await opened.open()
    failing = FailingWrites(postgres, name)
    failing.after(0)
    assert await opened.state.load_device(ANNA, PHONE) is None
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="the disk of the server is full: free some space"):
            await opened.state.save_device(Device(user=ANNA, id=PHONE, type="x"))
    failing.never()
    await opened.state.save_device(Device(user=ANNA, id=PHONE, type="x"))
    await opened.aclose()


async def test_what_is_wrong_with_the_data_is_no_failure_of_the_store(here: PostgresStore) -> None:
    """It would be so for ever: who came with it must be told, not asked to wait."""

    async def write(transaction: Transaction, statement: str, *values: object) -> None:
        await transaction.run(statement, values)

    for statement, values in (
        ("INSERT INTO probe (id, count) VALUES (?, 1)", ("text",)),
        ("INSERT INTO probe (id, count) VALUES (?, 1)", (2**70,)),
        ("INSERT INTO probe (id, count) VALUES (1, NULL)", ()),
        ("SELECT repeat('x', 2000000000)", ()),
    ):
        with pytest.raises(GatewayError) as caught:
            await here.database.write(write, statement, *values)
        assert not isinstance(caught.value, StoreUnavailable), caught.value


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("53100", "the disk of the server is full"),
        ("53200", "it failed: see the server's log"),
        ("58030", "it failed: see the server's log"),
        ("XX000", "it failed: see the server's log"),
        ("XX001", "it is damaged"),
        ("08P01", "a pooler refuses us"),
    ],
)
async def test_what_is_wrong_with_the_server_is_a_failure_of_the_store(
    here: PostgresStore, state: str, said: str
) -> None:
    """Whatever is stored: who came with it is asked to wait. XX000 is a quota of the disk, among others."""

    async def fail(transaction: Transaction) -> None:
        why = 'could not extend file "base/1/2": Disk quota exceeded'
        await transaction.run(f"DO $$ BEGIN RAISE '{why}' USING ERRCODE = '{state}'; END $$")

    with pytest.raises(StoreUnavailable, match=said):
        await here.database.write(fail)


async def test_transactions_that_wait_for_each_other_are_done_both(here: PostgresStore) -> None:
    """One of them is undone by the server, and done again."""
    devices = [Device(user=ANNA, id=PHONE, type=kind) for kind in "ab"]
    users = [ANNA, type(ANNA)("other")]
    for user in users:
        await here.state.save_device(devices[0].replace(user=user))
    both = asyncio.Barrier(2)
    begun = 0

    async def cross(transaction: Transaction, order: list[str]) -> int:
        nonlocal begun
        begun += 1
        statement = 'UPDATE device SET version = ? WHERE "user" = ?'
        await transaction.run(statement, ("1", order[0]))
        if begun <= 2:
            await both.wait()
        return await transaction.run(statement, ("2", order[1]))

    done = await asyncio.gather(
        here.database.write(cross, [*users]), here.database.write(cross, [*reversed(users)])
    )
    assert [*done] == [1, 1]
    assert begun > 2


async def test_what_a_transaction_raises_undoes_it(here: PostgresStore) -> None:
    async def fail(transaction: Transaction) -> None:
        await transaction.run('INSERT INTO trace ("user", device, until) VALUES (?, ?, ?)', ("a", "b", 1))
        raise GatewayError("no")

    with pytest.raises(GatewayError, match=r"^no$"):
        await here.database.write(fail)

    async def count(transaction: Transaction) -> int:
        row = await transaction.row("SELECT count(*) FROM trace")
        assert row is not None
        return int(row[0])

    assert await here.database.read(count) == 0


async def test_more_writers_than_connections(here: PostgresStore) -> None:
    numbers = await asyncio.gather(*(here.items.new_item_numbers(1) for _ in range(100)))
    assert len({number for (number,) in numbers}) == 100


async def test_a_server_that_takes_no_more_connections(postgres: Postgres) -> None:
    """With those that there are all is done; where there is none, that is said."""
    name = postgres.create()
    postgres.query(f"CREATE ROLE {name} LOGIN; ALTER DATABASE {name} OWNER TO {name}")
    store = PostgresStore(postgres.url(name, user=name), Time(NOON))
    await store.open()
    try:
        await store.state.check_writable()
        postgres.query(f"ALTER ROLE {name} CONNECTION LIMIT 1")
        numbers = await asyncio.gather(*(store.items.new_item_numbers(1) for _ in range(40)))
        assert len({number for (number,) in numbers}) == 40
        postgres.query(f"ALTER ROLE {name} CONNECTION LIMIT 0")
        postgres.query(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND usename <> current_user",
            name,
        )
        with pytest.raises(StoreUnavailable, match="the server takes no more connections"):
            await store.state.check_writable()
    finally:
        await store.aclose()


class CuttingWay:
    """A way to the server that is cut at certain words: before they arrive there, or before their answer."""

    def __init__(self, port: int, *, arrives: bool) -> None:
        self._port = port
        self._arrives = arrives
        self._words: bytes | None = None
        self._server: asyncio.Server | None = None

    def arm(self, words: bytes) -> None:
        self._words = words

    async def __aenter__(self) -> int:
        """The port of this way."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        cut = asyncio.Event()

        async def answer() -> None:
            while data := await there.read(65536):
                if cut.is_set():  # it is done: nobody hears of it
                    break
                writer.write(data)
            writer.close()

        answering = asyncio.create_task(answer())
        while data := await reader.read(65536):
            if self._words is not None and self._words in data:
                self._words = None
                if not self._arrives:
                    break
                cut.set()
            back.write(data)
        back.close()
        writer.close()
        await answering


@pytest.mark.parametrize("arrives", [False, True])
async def test_a_connection_lost_in_the_commit(
    postgres: Postgres, here: PostgresStore, arrives: bool
) -> None:
    """Nobody knows whether it was done; who comes again finds out, and it is not done twice.

    Who watches looks for himself.
    """
    way = CuttingWay(postgres.port, arrives=arrives)
    async with way as port:
        url = f"postgresql://gateway@127.0.0.1:{port}/{here.name}"
        async with await PostgresTransactions.open(parse_url(url)) as database:
            state = StoredState(database)
            first = await state.save_folders(ANNA, FolderList(0, 1))
            looked: list[CollectionId] = []
            state.watch_folders(ANNA, looked.append)
            way.arm(b"COMMIT\0")
            with pytest.raises(StoreUnavailable, match="lost while a change was being stored"):
                await state.save_folders(ANNA, first)
            assert looked
            stored = await state.load_folders(ANNA)
            assert stored.revision == first.revision + arrives
            await state.save_folders(ANNA, stored)


@pytest.mark.parametrize("arrives", [False, True])
async def test_a_connection_lost_in_a_single_statement(
    postgres: Postgres, here: PostgresStore, arrives: bool
) -> None:
    """It is a commit, too."""
    way = CuttingWay(postgres.port, arrives=arrives)
    async with way as port:
        url = f"postgresql://gateway@127.0.0.1:{port}/{here.name}"
        async with await PostgresTransactions.open(parse_url(url)) as database:
            state = StoredState(database)
            first = await state.save_sync(ANNA, PHONE, INBOX, SyncState("e", 1, b""))
            first = await state.save_sync(ANNA, PHONE, INBOX, first)  # from now on it is a prepared one
            way.arm(b"mark")
            with pytest.raises(StoreUnavailable, match="lost while a change was being stored"):
                await state.save_sync(ANNA, PHONE, INBOX, replace(first, cursor=b"mark"))
            stored = await state.load_sync(ANNA, PHONE, INBOX)
            assert stored is not None
            assert stored.revision == first.revision + arrives
            await state.save_sync(ANNA, PHONE, INBOX, stored)


async def test_work_that_is_not_single_is_not_let_pass_for_it(here: PostgresStore) -> None:
    """Its statements would be done by halves."""

    @single
    async def two(transaction: Transaction) -> None:
        await transaction.row("SELECT 1")
        await transaction.row("SELECT 2")

    with pytest.raises(RuntimeError, match="2 statements"):
        await here.database.write(two)
