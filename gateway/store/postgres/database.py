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
from functools import partial
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeAlias, TypeVar

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from gateway.errors import GatewayError, StoreUnavailable
from gateway.ports import Unsubscribe
from gateway.store.postgres.alone import Alone, check_not_alone, take_alone
from gateway.store.postgres.bus import Bus, common_secret
from gateway.store.postgres.connecting import CONNECT_SECONDS, Hosts, connect, options
from gateway.store.postgres.failures import FAILURES, explain, is_lost, is_useless, is_worth_another_try
from gateway.store.postgres.leases import SharedLeases
from gateway.store.postgres.location import Location
from gateway.store.postgres.schema import migrate
from gateway.store.postgres.schemawatch import SchemaWatch
from gateway.store.postgres.transaction import BEGIN, Connection, PostgresTransaction
from gateway.store.postgres.turns import SharedTurns
from gateway.store.transactions import Topic, Transaction, Work, is_single
from gateway.store.watchers import Watchers
from gateway.types import CollectionId, UserId

__all__ = ["PostgresTransactions", "connect_alone"]

T = TypeVar("T")
P = ParamSpec("P")
_Todo: TypeAlias = Callable[[Transaction], Coroutine[Any, Any, T]]

_WAIT_SECONDS = 10.0
"""How long work waits for a connection of the pool."""
_ATTEMPTS = 5
_PATIENCE = 12.0
"""Seconds after which nothing is tried again: whoever asked waits, too. A connection that a firewall forgot
is found out within `ANSWER_SECONDS`, and then a new one is tried."""
_PAUSE = 0.02
"""Seconds before the second attempt, more before each further one."""
_LONGEST_PAUSE = 0.5
"""Seconds from one attempt to have a connection to the next, while the server takes no more."""
_IDLE_SECONDS = 300.0
_BEGIN_POOLED = f"{BEGIN}; SET LOCAL idle_in_transaction_session_timeout = '30s'"
"""A pooler takes no settings for a session."""
_PROBE = """
    INSERT INTO probe (id, count) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET count = probe.count + 1
"""


class PostgresTransactions:
    """`Transactions` of a database that other processes share. Made by `open`, ended by `aclose`."""

    def __init__(self, location: Location, pool: asyncpg.Pool[asyncpg.Record], secret: bytes) -> None:
        self.node = uuid.uuid4().hex
        """Names this process among those that share the database."""
        self.transactions = 0
        """Writes committed since it was opened."""
        self._name = location.name
        self._pool = pool
        self._begin = _BEGIN_POOLED if location.pooled else BEGIN
        self._watchers = {topic: Watchers() for topic in Topic}
        listening = None if location.pooled and not location.direct else partial(connect, location)
        self.bus = Bus(listening, location.own_name, self.node, self._watchers, secret)
        self.turns = SharedTurns(self.read, self.node)
        self._leases = SharedLeases(self.read, self.node)
        self._schema = SchemaWatch(self._alone, location.name)
        self._writing: set[asyncio.Task[Any]] = set()
        self._keeping: set[asyncio.Task[None]] = set()
        """What runs beside the transactions."""

    @classmethod
    async def open(cls, location: Location, *, connections: int = 10) -> Self:
        """Bring the schema up to date, and have the pool and what listens ready. Raises `GatewayError`."""
        try:
            first = await connect(location)
        except FAILURES as error:
            raise explain(error, location.own_name) from error
        # Kept until what listens has its connection: somebody who wants the database alone sees one of them.
        try:
            return await cls._opened(first, location, connections)
        except FAILURES as error:
            raise explain(error, location.name) from error
        finally:
            with suppress(*FAILURES):
                await first.close(timeout=CONNECT_SECONDS)

    @classmethod
    async def _opened(cls, first: Connection, location: Location, connections: int) -> Self:
        """What `open` does while it has a connection. Raises `FAILURES`."""
        await check_not_alone(first, location)
        await migrate(first, location.name)
        secret = await common_secret(first)
        pool = await asyncpg.create_pool(
            location.urls[0],
            connect=Hosts(location.urls).connect,
            min_size=0,
            max_size=connections,
            max_inactive_connection_lifetime=_IDLE_SECONDS,
            reset=_leave,
            **options(location, pooled=True),
        )
        opened = cls(location, pool, secret)
        opened._keeping = {asyncio.create_task(each.keep()) for each in (opened._leases, opened._schema)}
        await opened.bus.start()
        return opened

    async def aclose(self) -> None:
        """Finish the writes that were begun, and close all connections. May be called again."""
        if self._writing:
            await asyncio.wait(self._writing)
        keeping, self._keeping = self._keeping, set()
        for task in keeping:
            task.cancel()
        if keeping:
            await asyncio.wait(keeping)
        await self._leases.aclose()
        await self.bus.aclose()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
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
        until = asyncio.get_running_loop().time() + _PATIENCE
        again = True
        while True:
            try:
                async with self._connection() as connection:
                    return await work(PostgresTransaction(connection))
            except FAILURES as error:
                late = asyncio.get_running_loop().time() > until
                if late or not (again and is_lost(error)):
                    raise explain(error, self._name) from error
            again = False

    async def _write(self, work: _Todo[T], run: Callable[[Connection, _Todo[T]], Awaitable[T]]) -> T:
        until = asyncio.get_running_loop().time() + _PATIENCE
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                async with self._connection() as connection:
                    done = await run(connection, work)
            except FAILURES as error:
                late = attempt == _ATTEMPTS or asyncio.get_running_loop().time() > until
                if late or not is_worth_another_try(error):
                    raise explain(error, self._name) from error
                await asyncio.sleep(_PAUSE * attempt)
            else:
                self.transactions += 1
                return done
        raise AssertionError("the last attempt returns or raises")

    async def _transact(self, connection: Connection, work: _Todo[T]) -> T:
        """One transaction; who watches is told of it. `FAILURES` say that nothing was done."""
        transaction = PostgresTransaction(connection, self._begin)
        try:
            done = await work(transaction)
        except BaseException as error:
            await _undo(connection, transaction, error)
            raise
        if transaction.begun or transaction.told:
            ended = "COMMIT" if transaction.begun else "SELECT 1"
            try:
                # In one journey. They are told if and when it is committed.
                await connection.execute("; ".join([*self.bus.notifying(transaction.told), ended]))
            except FAILURES as error:
                if _is_doubtful(error):  # it may be committed: now, or in a moment, which the bus will tell
                    self.bus.doubt()
                    self._tell(transaction)
                self._check_undone(error)
                await _undo(connection, transaction, error)
                raise
        self._tell(transaction)
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

    def _tell(self, transaction: PostgresTransaction) -> None:
        for topic, changes in transaction.told:
            self._watchers[topic].tell(changes)

    def _check_undone(self, error: BaseException) -> None:
        """Raises `StoreUnavailable` where nobody knows whether what failed so was made durable."""
        if _is_doubtful(error):
            why = "lost while a change was being stored"
            raise StoreUnavailable(f"database {self._name}: {why} ({error})", why) from error

    def _written(self, task: asyncio.Task[Any]) -> None:
        self._writing.discard(task)
        if not task.cancelled():
            task.exception()  # told to whoever still waits, and to nobody else

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        """A connection of the pool; when it turns out to be of no use, neither are the others there are."""
        connection = await self._acquire()
        try:
            yield connection
        except (*FAILURES, StoreUnavailable) as error:
            if isinstance(error, StoreUnavailable) or is_useless(error):
                # Who says nothing any more is not waited for.
                with suppress(asyncpg.InterfaceError):  # it is closed already
                    connection.terminate()
                await self._pool.expire_connections()
            raise
        finally:
            await self._pool.release(connection)

    async def _acquire(self) -> PoolConnectionProxy[asyncpg.Record]:
        """A connection of the pool; one that is there already, when the server takes no more.

        Raises `FAILURES`.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + _WAIT_SECONDS
        pause = _PAUSE
        while True:
            try:
                return await self._pool.acquire(timeout=until - loop.time())
            except asyncpg.TooManyConnectionsError:
                if not self._pool.get_size() or loop.time() + pause > until:
                    raise
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


def _is_doubtful(error: BaseException) -> bool:
    """Whether what was to be made durable may be so."""
    return is_lost(error) or isinstance(error, TimeoutError)


async def _undo(connection: Connection, transaction: PostgresTransaction, error: BaseException) -> None:
    if transaction.begun and not isinstance(error, TimeoutError):
        with suppress(*FAILURES):
            await connection.execute("ROLLBACK")


@asynccontextmanager
async def connect_alone(location: Location) -> AsyncIterator[Alone]:
    """The database to oneself, while no gateway uses it. Raises `GatewayError`."""
    if location.pooled and not location.direct:
        raise GatewayError(f"database {location.name}: a pooler is in the way: set store.direct_url")
    try:
        connection = await connect(location)
    except FAILURES as error:
        raise explain(error, location.own_name) from error
    async with take_alone(connection, location.name) as alone:
        yield alone


async def _leave(connection: object) -> None:
    """Nothing of a session is changed here that the next work would have to be spared."""
