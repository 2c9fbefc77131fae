"""A PostgreSQL database behind asyncio: a bounded pool, and one connection for each transaction.

A transaction that PostgreSQL undid because of another one, or whose connection was lost before it was to be
committed, is done again from its beginning: it has done nothing. One whose connection is lost in the COMMIT
may have been committed or not: that is an error, and who asked comes again and finds out by what is stored.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeAlias, TypeVar

import asyncpg

from gateway.errors import StoreUnavailable
from gateway.ports import Unsubscribe
from gateway.store.postgres.alone import APPLICATION, Alone, check_not_alone, take_alone
from gateway.store.postgres.bus import Bus
from gateway.store.postgres.failures import FAILURES, explain, is_lost, is_worth_another_try
from gateway.store.postgres.leases import SharedLeases
from gateway.store.postgres.location import Location
from gateway.store.postgres.schema import migrate
from gateway.store.postgres.schemawatch import SchemaWatch
from gateway.store.postgres.transaction import Connection, PostgresTransaction
from gateway.store.postgres.turns import SharedTurns
from gateway.store.transactions import Topic, Transaction, Work, is_single
from gateway.store.watchers import Watchers
from gateway.types import CollectionId, UserId

__all__ = ["PostgresTransactions", "connect", "connect_alone"]

T = TypeVar("T")
P = ParamSpec("P")
_Todo: TypeAlias = Callable[[Transaction], Coroutine[Any, Any, T]]

_CONNECT_SECONDS = 10.0
_WAIT_SECONDS = 10.0
"""How long work waits for a connection of the pool."""
_ANSWER_SECONDS = 30.0
"""How long the server may take for one statement."""
_ATTEMPTS = 5
_PAUSE = 0.02
"""Seconds before the second attempt, more before each further one."""
_IDLE_SECONDS = 300.0
# Of a node that died in a transaction nobody else may be kept waiting for long.
_SETTINGS = {
    "application_name": APPLICATION,
    "idle_in_transaction_session_timeout": "30s",
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
_PROBE = """
    INSERT INTO probe (id, count) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET count = probe.count + 1
"""


class PostgresTransactions:
    """`Transactions` of a database that other processes share. Made by `open`, ended by `aclose`."""

    def __init__(self, location: Location, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self.node = uuid.uuid4().hex
        """Names this process among those that share the database."""
        self.transactions = 0
        """Writes committed since it was opened."""
        self._name = location.name
        self._pool = pool
        self._watchers = {topic: Watchers() for topic in Topic}
        self.bus = Bus(lambda: connect(location), location.name, self.node, self._watchers)
        self.turns = SharedTurns(self.read, self.node)
        self._leases = SharedLeases(self.read, self.node)
        self._schema = SchemaWatch(self._alone, location.name)
        self._writing: set[asyncio.Task[Any]] = set()

    @classmethod
    async def open(cls, location: Location, *, connections: int = 10) -> Self:
        """Bring the schema up to date, and have the pool and what listens ready. Raises `GatewayError`."""
        try:
            first = await connect(location)
        except FAILURES as error:
            raise explain(error, location.name) from error
        # Kept until what listens has its connection: somebody who wants the database alone sees one of them.
        try:
            return await cls._opened(first, location, connections)
        except FAILURES as error:
            raise explain(error, location.name) from error
        finally:
            with suppress(*FAILURES):
                await first.close(timeout=_CONNECT_SECONDS)

    @classmethod
    async def _opened(cls, first: Connection, location: Location, connections: int) -> Self:
        """What `open` does while it has a connection. Raises `FAILURES`."""
        await check_not_alone(first, location.name)
        await migrate(first, location.name)
        pool = await asyncpg.create_pool(
            location.url,
            min_size=0,
            max_size=connections,
            max_inactive_connection_lifetime=_IDLE_SECONDS,
            reset=_leave,
            **_OPTIONS,
        )
        opened = cls(location, pool)
        opened._leases.start()
        opened._schema.start()
        await opened.bus.start()
        return opened

    async def aclose(self) -> None:
        """Finish the writes that were begun, and close all connections. May be called again."""
        if self._writing:
            await asyncio.wait(self._writing)
        await self._schema.aclose()
        await self._leases.aclose()
        await self.bus.aclose()
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await self._pool.close()
        except FAILURES:
            self._pool.terminate()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def write(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        # A task of its own: it goes on when whoever waits for it is cancelled.
        self._schema.check()
        run = self._transact_alone if is_single(work) else self._transact
        todo = self._write(lambda transaction: work(transaction, *args, **kwargs), run)
        task = asyncio.create_task(todo)
        self._writing.add(task)
        task.add_done_callback(self._written)
        return await asyncio.shield(task)

    async def read(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        self._schema.check()
        return await self._alone(lambda transaction: work(transaction, *args, **kwargs))

    async def look_up(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        self._schema.check()
        return await self._alone(lambda transaction: work(transaction, *args, **kwargs))

    def watch(self, topic: Topic, user: UserId, notify: Callable[[CollectionId], None]) -> Unsubscribe:
        return self._watchers[topic].watch(user, notify)

    def lease(self, user: UserId, device: str, name: str) -> AbstractAsyncContextManager[None]:
        return self._leases.hold(f"{user}\n{device}\n{name}")

    async def check_writable(self) -> None:
        """Write a row and have it durable, to the schema this process knows. Raises `GatewayError`."""

        async def probe(transaction: Transaction) -> None:
            await transaction.run(_PROBE)

        await self._schema.look()
        await self.write(probe)

    async def _alone(self, work: _Todo[T]) -> T:
        """Run work whose statements are each a transaction of its own; again when the connection is lost."""
        again = True
        while True:
            try:
                async with self._pool.acquire(timeout=_WAIT_SECONDS) as connection:
                    return await work(PostgresTransaction(connection))
            except FAILURES as error:
                await self._leave_reader(error)
                if not (again and is_lost(error)):
                    raise explain(error, self._name) from error
            again = False

    async def _write(self, work: _Todo[T], run: Callable[[Connection, _Todo[T]], Awaitable[T]]) -> T:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                async with self._connection() as connection:
                    done = await run(connection, work)
            except FAILURES as error:
                await self._leave_reader(error)
                if attempt == _ATTEMPTS or not is_worth_another_try(error):
                    raise explain(error, self._name) from error
                await asyncio.sleep(_PAUSE * attempt)
            else:
                self.transactions += 1
                return done
        raise AssertionError("the last attempt returns or raises")

    async def _leave_reader(self, error: BaseException) -> None:
        """After a failover the connections to what was the primary are of no use."""
        if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
            await self._pool.expire_connections()

    async def _transact(self, connection: Connection, work: _Todo[T]) -> T:
        """One transaction; who watches is told of it. `FAILURES` say that nothing was done."""
        transaction = PostgresTransaction(connection, begins=True)
        try:
            done = await work(transaction)
        except BaseException:
            await _undo(connection, transaction)
            raise
        if transaction.begun or transaction.told:
            ended = "COMMIT" if transaction.begun else "SELECT 1"
            try:
                # In one journey. They are told if and when it is committed.
                await connection.execute("; ".join([*self.bus.notifying(transaction.told), ended]))
            except FAILURES as error:
                self._check_undone(error)
                await _undo(connection, transaction)
                raise
        for topic, changes in transaction.told:
            self._watchers[topic].tell(changes)
        return done

    async def _transact_alone(self, connection: Connection, work: _Todo[T]) -> T:
        """Work that is one statement, a transaction by itself. `FAILURES` say that nothing was done."""
        transaction = PostgresTransaction(connection)
        try:
            done = await work(transaction)
        except FAILURES as error:
            self._check_undone(error)
            raise
        if transaction.said > 1 or transaction.told:
            raise RuntimeError(f"{transaction.said} statements of work that is to be single")
        return done

    def _check_undone(self, error: BaseException) -> None:
        """Raises `StoreUnavailable` where nobody knows whether what failed so was made durable."""
        if is_lost(error) or isinstance(error, TimeoutError):
            why = "lost while a change was being stored"
            raise StoreUnavailable(f"database {self._name}: {why} ({error})", why) from error

    def _written(self, task: asyncio.Task[Any]) -> None:
        self._writing.discard(task)
        if not task.cancelled():
            task.exception()  # told to whoever still waits, and to nobody else

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        async with self._pool.acquire(timeout=_WAIT_SECONDS) as connection:
            yield connection


async def _undo(connection: Connection, transaction: PostgresTransaction) -> None:
    if transaction.begun:
        with suppress(*FAILURES):
            await connection.execute("ROLLBACK")


_OPTIONS: dict[str, Any] = {
    "timeout": _CONNECT_SECONDS,
    "command_timeout": _ANSWER_SECONDS,
    "server_settings": _SETTINGS,
}


async def connect(location: Location) -> asyncpg.Connection[asyncpg.Record]:
    """A connection of one's own. Raises `FAILURES`."""
    return await asyncpg.connect(location.url, **_OPTIONS)


@asynccontextmanager
async def connect_alone(location: Location) -> AsyncIterator[Alone]:
    """The database to oneself, while no gateway uses it. Raises `GatewayError`."""
    try:
        connection = await connect(location)
    except FAILURES as error:
        raise explain(error, location.name) from error
    async with take_alone(connection, location.name) as alone:
        yield alone


async def _leave(connection: object) -> None:
    """Nothing of a session is changed here that the next work would have to be spared."""
