"""Work of the tables as transactions of an SQLite file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Coroutine, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any, ParamSpec, TypeVar

from gateway.ports import Unsubscribe
from gateway.store.leases import Leases
from gateway.store.sqlite.database import Database
from gateway.store.transactions import Row, Statement, Topic, Values, Work
from gateway.store.watchers import Told, Watchers
from gateway.types import CollectionId, UserId

__all__ = ["SqliteTransaction", "SqliteTransactions", "run"]

T = TypeVar("T")
P = ParamSpec("P")

_PROBE = "INSERT INTO probe (id, count) VALUES (1, 1) ON CONFLICT DO UPDATE SET count = count + 1"


class SqliteTransaction:
    """A `Transaction` on a connection. It never waits: SQLite has one writer at a time, and that is it."""

    __slots__ = ("_connection", "told")
    distant = False

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.told: list[tuple[Topic, Told]] = []
        """What watches are to be told."""

    async def rows(self, statement: Statement, values: Values = ()) -> Iterable[Row]:
        return self._execute(statement, values)

    async def row(self, statement: Statement, values: Values = ()) -> Row | None:
        found: Row | None = self._execute(statement, values).fetchone()
        return found

    async def run(self, statement: Statement, values: Values = ()) -> int:
        return self._execute(statement, values).rowcount

    async def run_all(self, statement: Statement, rows: Iterable[Values]) -> None:
        if isinstance(statement, str):
            self._connection.executemany(statement, rows)
        else:
            self._connection.executemany(statement.sqlite, map(_with_lists, rows))

    async def alone(self, *names: str) -> None:
        """Nothing needs to be done."""

    def tell(self, topic: Topic, changes: Told) -> None:
        self.told.append((topic, changes))

    def _execute(self, statement: Statement, values: Values) -> sqlite3.Cursor:
        if isinstance(statement, str):
            return self._connection.execute(statement, values)
        return self._connection.execute(statement.sqlite, _with_lists(values))


class SqliteTransactions:
    """`Transactions` of one database file. Leases and watches are those of this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._leases = Leases()
        self._watchers = {topic: Watchers() for topic in Topic}

    async def write(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        told: list[tuple[Topic, Told]] = []

        def job(connection: sqlite3.Connection) -> T:
            transaction = SqliteTransaction(connection)
            done = run(work(transaction, *args, **kwargs))
            told[:] = transaction.told
            return done

        return await self._database.write(job, lambda _: self._tell(told))

    async def read(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._database.read(
            lambda connection: run(work(SqliteTransaction(connection), *args, **kwargs))
        )

    async def look_up(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._database.look_up(
            lambda connection: run(work(SqliteTransaction(connection), *args, **kwargs))
        )

    def watch(self, topic: Topic, user: UserId, notify: Callable[[CollectionId], None]) -> Unsubscribe:
        return self._watchers[topic].watch(user, notify)

    def watching(self, topic: Topic) -> tuple[UserId, ...]:
        """Who watches."""
        return self._watchers[topic].users()

    def tell(self, topic: Topic, changes: Told) -> None:
        """Tell those who watch of changes that another process made."""
        self._watchers[topic].tell(changes)

    def lease(self, user: UserId, device: str, name: str) -> AbstractAsyncContextManager[None]:
        return self._leases.hold((user, device, name))

    async def check_writable(self) -> None:
        """Write a row and wait for the disk. Raises `GatewayError`."""
        await self._database.write(lambda connection: connection.execute(_PROBE))

    def _tell(self, told: list[tuple[Topic, Told]]) -> None:
        for topic, changes in told:
            self.tell(topic, changes)


def run(work: Coroutine[Any, Any, T]) -> T:
    """What work comes to that never has to wait, as on an `SqliteTransaction`."""
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    work.close()
    raise RuntimeError("a transaction awaited something that is none of its statements")


def _with_lists(values: Values) -> Values:
    return [json.dumps(value) if isinstance(value, list) else value for value in values]
