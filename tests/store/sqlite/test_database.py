"""The threads behind a database: grouping, errors, cancelling, closing."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.errors import GatewayError, StoreUnavailable
from gateway.store.sqlite.database import Database
from gateway.store.sqlite.state import SqliteState
from gateway.store.sqlite.transactions import SqliteTransactions
from gateway.store.transactions import Topic, Transaction
from gateway.types import CollectionId, UserId


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A database with a table of numbers, empty."""
    async with await Database.open(tmp_path / "gateway.db", busy_timeout=0.2) as opened:
        await opened.write(lambda connection: connection.execute("CREATE TABLE number (n INTEGER UNIQUE)"))
        yield opened


def insert(connection: sqlite3.Connection, number: int) -> None:
    connection.execute("INSERT INTO number VALUES (?)", (number,))


async def numbers(database: Database) -> list[int]:
    rows = await database.read(
        lambda connection: connection.execute("SELECT n FROM number ORDER BY n").fetchall()
    )
    return [row[0] for row in rows]


def names(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


class Gate:
    """Keeps the writer busy until opened, so that what is queued meanwhile becomes one group."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._busy = threading.Event()
        self._open = threading.Event()

    async def close(self) -> Gate:
        self._task = asyncio.ensure_future(self._database.write(self._wait))
        assert await asyncio.to_thread(self._busy.wait, 10)
        return self

    async def open(self) -> None:
        self._open.set()
        await self._task

    def _wait(self, _connection: sqlite3.Connection) -> None:
        self._busy.set()
        self._open.wait(10)


async def test_in_a_group_each_fails_alone(database: Database) -> None:
    def half_done(connection: sqlite3.Connection) -> None:
        insert(connection, 7)
        raise KeyError("half")

    gate = await Gate(database).close()
    group = [asyncio.ensure_future(database.write(lambda c, n=n: insert(c, n))) for n in (1, 2, 1)]  # type: ignore[misc]
    group.append(asyncio.ensure_future(database.write(half_done)))
    group.append(asyncio.ensure_future(database.write(lambda c: insert(c, 3))))
    await asyncio.sleep(0)
    await gate.open()
    outcomes = await asyncio.gather(*group, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [
        type(None),
        type(None),
        GatewayError,
        KeyError,
        type(None),
    ]
    assert await numbers(database) == [1, 2, 3]


async def test_what_comes_together_and_while_others_are_written_is_committed_together(
    database: Database,
) -> None:
    async def write_twice(number: int) -> None:
        await database.write(lambda c: insert(c, number))
        await database.write(lambda c: insert(c, 10 + number))

    before = database.commits
    await asyncio.gather(*(write_twice(number) for number in range(5)))
    assert database.commits == before + 2
    assert await numbers(database) == [*range(5), *range(10, 15)]


async def test_what_is_done_again_because_of_another_is_told_once(database: Database) -> None:
    store = SqliteTransactions(database)
    told: list[str] = []
    store.watch(Topic.FOLDERS, UserId("anna"), told.append)

    async def tell(transaction: Transaction) -> None:
        transaction.tell(Topic.FOLDERS, {CollectionId("1"): [UserId("anna")]})

    async def fail(transaction: Transaction) -> None:
        transaction.tell(Topic.FOLDERS, {CollectionId("2"): [UserId("anna")]})
        raise KeyError("half")

    outcomes = await asyncio.gather(store.write(tell), store.write(fail), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None), KeyError]
    assert told == ["1"]


async def test_a_cancelled_waiter_harms_nobody_and_its_work_is_done(database: Database) -> None:
    gate = await Gate(database).close()
    cancelled = asyncio.ensure_future(database.write(lambda c: insert(c, 1)))
    other = asyncio.ensure_future(database.write(lambda c: insert(c, 2)))
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.sleep(0)
    await gate.open()
    await other
    assert cancelled.cancelled()
    assert await numbers(database) == [1, 2]


async def test_a_file_that_cannot_be_written_for_now_is_passing(database: Database) -> None:
    await database.write(lambda connection: connection.execute("PRAGMA query_only = ON"))
    with pytest.raises(StoreUnavailable, match="cannot be written"):
        await database.write(lambda connection: insert(connection, 1))


async def test_a_full_disk_fails_the_whole_group_and_says_what_to_do(database: Database) -> None:
    def limit(connection: sqlite3.Connection, pages: int) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    def fill(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO memo VALUES ('u', 'd', 'n', zeroblob(1000000))")

    await database.write(lambda c: limit(c, 1))
    gate = await Gate(database).close()
    group = [
        asyncio.ensure_future(database.write(lambda c: insert(c, 1))),
        asyncio.ensure_future(database.write(fill)),
    ]
    await asyncio.sleep(0)
    await gate.open()
    outcomes = await asyncio.gather(*group, return_exceptions=True)
    assert isinstance(outcomes[1], StoreUnavailable)
    assert outcomes[1].why == "the disk is full: free some space"
    assert outcomes[1].why in outcomes[1].detail
    # The other one was either stored and told so, or neither.
    assert await numbers(database) == ([1] if outcomes[0] is None else [])
    await database.write(lambda c: limit(c, 100000))
    await database.write(fill)


async def test_a_commit_that_fails_is_told_to_all_and_the_next_one_works(database: Database) -> None:
    def dangling(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA defer_foreign_keys = ON")
        connection.execute("INSERT INTO folder VALUES ('nobody', 1, '1', NULL, NULL, NULL, NULL, 0, NULL)")

    gate = await Gate(database).close()
    group = [
        asyncio.ensure_future(database.write(lambda c: insert(c, 1))),
        asyncio.ensure_future(database.write(dangling)),
    ]
    await asyncio.sleep(0)
    await gate.open()
    outcomes = await asyncio.gather(*group, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [GatewayError, GatewayError]
    assert await numbers(database) == []
    await database.write(lambda c: insert(c, 2))
    assert await numbers(database) == [2]


async def test_what_is_wrong_with_the_data_is_no_failure_of_the_store(database: Database) -> None:
    """It would be so for ever: who came with it must be told, not asked to wait."""
    for statement in (
        "INSERT INTO memo VALUES ('u', 'd', 'n', zeroblob(2000000000))",
        "INSERT INTO memo VALUES (NULL, NULL, NULL, NULL)",
        "INSERT INTO nothing VALUES (1)",
    ):
        with pytest.raises(GatewayError) as caught:
            await database.write(lambda c, statement=statement: c.execute(statement))  # type: ignore[misc]
        assert not isinstance(caught.value, StoreUnavailable), caught.value
    await database.write(lambda c: insert(c, 1))


@pytest.mark.parametrize("ending", ["", "-wal"])
async def test_a_file_that_was_replaced_takes_no_more(database: Database, ending: str) -> None:
    """What would be written to the one that is open would be gone with it."""
    await database.write(lambda c: insert(c, 1))
    path = database.path.with_name(f"{database.path.name}{ending}")
    moved = path.rename(path.with_name("moved.db"))
    with pytest.raises(StoreUnavailable, match="moved or replaced while in use: restart the gateway"):
        await database.write(lambda c: insert(c, 2))
    path.write_bytes(moved.read_bytes())
    with pytest.raises(StoreUnavailable, match="moved or replaced"):
        await database.write(lambda c: insert(c, 2))
    moved.rename(path)
    await database.write(lambda c: insert(c, 3))
    assert await numbers(database) == [1, 3]


async def test_a_lock_held_elsewhere_is_worth_a_retry(database: Database) -> None:
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked the file"):
        await database.write(lambda c: insert(c, 1))
    assert await numbers(database) == []
    other.execute("ROLLBACK")
    other.close()
    await database.write(lambda c: insert(c, 1))


async def test_readers_cannot_write(database: Database) -> None:
    with pytest.raises(GatewayError, match="cannot be written"):
        await database.read(lambda c: insert(c, 1))


async def test_readers_survive_errors(database: Database) -> None:
    def fail(_connection: sqlite3.Connection) -> None:
        raise KeyError("reader")

    for _ in range(5):
        with pytest.raises(KeyError):
            await database.read(fail)
    assert await numbers(database) == []


async def test_a_look_up_sees_what_was_written_and_cannot_write(database: Database) -> None:
    def find(connection: sqlite3.Connection) -> tuple[int] | None:
        row: tuple[int] | None = connection.execute("SELECT n FROM number WHERE n = 1").fetchone()
        return row

    assert await database.look_up(find) is None
    await database.write(lambda c: insert(c, 1))
    assert await database.look_up(find) == (1,)
    with pytest.raises(GatewayError, match="cannot be written"):
        await database.look_up(lambda c: insert(c, 2))


async def test_a_look_up_waits_in_a_thread_where_it_has_to_wait(database: Database) -> None:
    threads = []

    def find(_connection: sqlite3.Connection) -> str:
        threads.append(threading.current_thread().name)
        if len(threads) == 1:
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorname = "SQLITE_BUSY_RECOVERY"
            raise error
        return "found"

    assert await database.look_up(find) == "found"
    assert threads[1].startswith("sqlite-reader")


async def test_what_comes_after_a_write_comes_before_its_caller_goes_on(database: Database) -> None:
    order: list[object] = []
    gate = await Gate(database).close()

    def stored(connection: sqlite3.Connection, number: int) -> int:
        insert(connection, number)
        return number

    async def write(number: int) -> None:
        await database.write(lambda c: stored(c, number), order.append)
        order.append(f"{number} is stored")

    writes = [asyncio.ensure_future(write(number)) for number in (1, 2)]
    await asyncio.sleep(0)
    await gate.open()
    await asyncio.gather(*writes)
    assert sorted(map(str, order)) == ["1", "1 is stored", "2", "2 is stored"]
    for number in (1, 2):
        assert order.index(number) < order.index(f"{number} is stored")


async def test_what_comes_after_a_write_comes_for_a_caller_who_left_and_not_for_one_that_failed(
    database: Database,
) -> None:
    done: list[None] = []
    gate = await Gate(database).close()
    left = asyncio.ensure_future(database.write(lambda c: insert(c, 1), done.append))
    failed = asyncio.ensure_future(database.write(lambda c: insert(c, 1), done.append))
    await asyncio.sleep(0)
    left.cancel()
    await gate.open()
    with pytest.raises(GatewayError):
        await failed
    assert await numbers(database) == [1]
    assert done == [None]


async def test_closing_does_first_what_is_queued(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    database = await Database.open(path)
    await database.write(lambda connection: connection.execute("CREATE TABLE number (n INTEGER UNIQUE)"))
    queued = [asyncio.ensure_future(database.write(lambda c, n=n: insert(c, n))) for n in range(50)]  # type: ignore[misc]
    await asyncio.sleep(0)
    await asyncio.gather(database.aclose(), database.aclose())
    await asyncio.gather(*queued)
    with pytest.raises(GatewayError, match="shutting down"):
        await database.write(lambda c: insert(c, 99))
    with pytest.raises(GatewayError, match="shutting down"):
        await numbers(database)
    with pytest.raises(GatewayError, match="shutting down"):
        await database.look_up(lambda c: c.execute("SELECT 1").fetchone())
    assert names(tmp_path) == ["gateway.db"]
    async with await Database.open(path) as again:
        assert await numbers(again) == list(range(50))


async def test_closing_leaves_the_one_file(tmp_path: Path) -> None:
    for number in range(50):
        async with await Database.open(tmp_path / "gateway.db", readers=4) as database:
            await database.write(lambda c, n=number: c.execute(f"CREATE TABLE t{n} (n INTEGER)"))  # type: ignore[misc]
        assert names(tmp_path) == ["gateway.db"]


def test_an_event_loop_that_is_gone_stops_no_thread(tmp_path: Path) -> None:
    release = threading.Event()
    finished = threading.Event()

    async def leave() -> Database:
        database = await Database.open(tmp_path / "gateway.db")
        task = asyncio.ensure_future(database.write(lambda _: release.wait(10)))
        await asyncio.sleep(0)
        queued = asyncio.ensure_future(database.write(lambda _: finished.set()))
        await asyncio.sleep(0)
        task.cancel()
        queued.cancel()
        return database

    database = asyncio.run(leave())
    release.set()
    asyncio.run(database.aclose())
    assert finished.is_set()


@pytest.mark.parametrize(
    ("offset", "garbage", "advice"),
    [
        (0, b"not a database at all", "no SQLite database"),
        (4096, b"\xff" * 200000, "damaged: stop the gateway"),
    ],
)
async def test_a_damaged_file_is_explained(tmp_path: Path, offset: int, garbage: bytes, advice: str) -> None:
    path = tmp_path / "gateway.db"
    async with await SqliteState.open(path):
        pass
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(garbage)
    with pytest.raises(GatewayError, match=advice):
        async with await SqliteState.open(path) as state:
            await state.list_devices()


async def test_a_file_that_was_replaced_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    async with await SqliteState.open(path) as state:
        await state.check_writable()
        path.rename(tmp_path / "moved.db")
        with pytest.raises(GatewayError, match="restart the gateway"):
            await state.check_writable()


async def test_a_store_that_cannot_be_written_is_noticed(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "gateway.db")
    async with SqliteState(database) as state:
        await database.write(lambda connection: connection.execute("PRAGMA query_only = ON"))
        with pytest.raises(GatewayError, match="cannot be written: the gateway's user must own it"):
            await state.check_writable()
