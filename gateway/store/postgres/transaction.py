"""A transaction on a connection to PostgreSQL."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Coroutine, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from gateway.store.transactions import Row, Statement, Topic, Transaction, Values
from gateway.store.watchers import Told

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

__all__ = ["BEGIN", "Connection", "PostgresTransaction", "Run", "key_of", "quoted", "unescaped"]

T = TypeVar("T")

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
"""One of our own, or one of a pool."""

_TOKEN = re.compile(r"'[^']*'|\?(\d*)")
_ESCAPE = "\x1a"
"""Never in any text in earnest."""
BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"


class Run(Protocol):
    """Runs work whose statements are each a transaction of its own. Raises `GatewayError`."""

    async def __call__(self, work: Callable[[Transaction], Coroutine[Any, Any, T]]) -> T: ...


class PostgresTransaction:
    """A `Transaction`, begun with its first statement, and ended by who made it.

    `begin` is what begins it; without that each statement is a transaction of its own.
    """

    __slots__ = ("_begin", "_connection", "begun", "said", "told")
    distant = True

    def __init__(self, connection: Connection, begin: str = "") -> None:
        self._connection = connection
        self._begin = begin
        self.begun = False
        """Whether there is anything to be committed or undone."""
        self.said = 0
        """How many statements were run."""
        self.told: list[tuple[Topic, Told]] = []
        """What watches are to be told."""

    async def rows(self, statement: Statement, values: Values = ()) -> Iterable[Row]:
        connection = await self._ready()
        return [*map(_row, await connection.fetch(_text(statement), *_bound(values)))]

    async def row(self, statement: Statement, values: Values = ()) -> Row | None:
        connection = await self._ready()
        found = await connection.fetchrow(_text(statement), *_bound(values))
        return None if found is None else _row(found)

    async def run(self, statement: Statement, values: Values = ()) -> int:
        connection = await self._ready()
        # A command is answered with its name and how many rows it was about: "INSERT 0 1", "UPDATE 3".
        status = await connection.execute(_text(statement), *_bound(values))
        return int(status.rpartition(" ")[2])

    async def run_all(self, statement: Statement, rows: Iterable[Values]) -> None:
        some = [_bound(row) for row in rows]
        if some:
            connection = await self._ready()
            await connection.executemany(_text(statement), some)

    async def alone(self, *names: str) -> None:
        # In one order, so that two that want the same ones do not wait for each other. Said together with
        # the beginning: that spares a journey.
        locks = [f"SELECT pg_advisory_xact_lock({key})" for key in sorted(map(key_of, names))]
        await self._say(*locks)

    def tell(self, topic: Topic, changes: Told) -> None:
        self.told.append((topic, changes))

    async def _ready(self) -> Connection:
        """The connection, with the transaction begun."""
        self.said += 1
        if self._begin and not self.begun:
            await self._say()
        return self._connection

    async def _say(self, *statements: str) -> None:
        """Run statements without values in one journey, and begin before that what is not begun."""
        if self._begin and not self.begun:
            self.begun = True
            statements = (self._begin, *statements)
        if statements:
            await self._connection.execute("; ".join(statements))


def key_of(name: str) -> int:
    """The number that PostgreSQL's advisory locks know a name by. Two with the same one wait needlessly."""
    digest = hashlib.blake2b(f"activesync-gateway {name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


@lru_cache(1024)
def _text(statement: Statement) -> str:
    """The statement with its values numbered as PostgreSQL has it: `$1`."""
    count = 0

    def number(match: re.Match[str]) -> str:
        nonlocal count
        if match[1] is None:  # a text in quotes
            return match[0]
        count += 1
        return f"${match[1] or count}"

    return _TOKEN.sub(number, statement if isinstance(statement, str) else statement.postgres)


def quoted(text: str) -> str:
    """A text as a literal of SQL. There is no NUL in it."""
    return "'" + text.replace("'", "''") + "'"


def _row(record: asyncpg.Record) -> Row:
    """A row, with its texts as they were before `_bound`."""
    return [unescaped(value) if type(value) is str else value for value in record]


def _bound(values: Values) -> Values:
    """The values, with texts that PostgreSQL can hold: it knows no NUL."""
    return [[*map(_element, value)] if isinstance(value, list) else _element(value) for value in values]


def _element(value: Any) -> Any:
    return _escaped(value) if isinstance(value, str) else value


def _escaped(text: str) -> str:
    if "\0" in text or _ESCAPE in text:
        return text.replace(_ESCAPE, f"{_ESCAPE}1").replace("\0", f"{_ESCAPE}0")
    return text


def unescaped(text: str) -> str:
    """A text of the database as it was before it was stored."""
    if _ESCAPE in text:
        return text.replace(f"{_ESCAPE}0", "\0").replace(f"{_ESCAPE}1", _ESCAPE)
    return text
