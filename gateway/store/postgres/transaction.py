"""A transaction on a connection to PostgreSQL."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from gateway.store.transactions import Row, Statement, Topic, Values
from gateway.store.watchers import Told

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

__all__ = ["Connection", "PostgresTransaction", "key_of", "prepare"]

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
"""One of our own, or one of a pool."""

_TOKEN = re.compile(r"'[^']*'|\?(\d*)")
_ESCAPE = "\x1a"
"""Never in any text in earnest."""
_ALONE = "SELECT pg_advisory_xact_lock(key) FROM unnest($1::bigint[]) AS key"


class PostgresTransaction:
    """A `Transaction`. Outside of one that was begun, each statement is one of its own."""

    __slots__ = ("_connection", "told")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.told: list[tuple[Topic, Told]] = []
        """What watches are to be told."""

    async def rows(self, statement: Statement, values: Values = ()) -> Iterable[Row]:
        found: list[Any] = await self._connection.fetch(_text(statement), *_bound(values))
        return found

    async def row(self, statement: Statement, values: Values = ()) -> Row | None:
        found: Row | None = await self._connection.fetchrow(_text(statement), *_bound(values))  # type: ignore[assignment]
        return found

    async def run(self, statement: Statement, values: Values = ()) -> int:
        # A command is answered with its name and how many rows it was about: "INSERT 0 1", "UPDATE 3".
        status = await self._connection.execute(_text(statement), *_bound(values))
        return int(status.rpartition(" ")[2])

    async def run_all(self, statement: Statement, rows: Iterable[Values]) -> None:
        some = [_bound(row) for row in rows]
        if some:
            await self._connection.executemany(_text(statement), some)

    async def alone(self, *names: str) -> None:
        # In one order, so that two that want the same ones do not wait for each other.
        await self._connection.execute(_ALONE, sorted(map(key_of, names)))

    def tell(self, topic: Topic, changes: Told) -> None:
        self.told.append((topic, changes))


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


async def prepare(connection: Connection) -> None:
    """Have a new connection tell text as it is, with the NUL that PostgreSQL cannot hold."""
    await connection.set_type_codec(
        "text", schema="pg_catalog", encoder=_escaped, decoder=_unescaped, format="text"
    )


def _escaped(text: str) -> str:
    if "\0" in text or _ESCAPE in text:
        return text.replace(_ESCAPE, f"{_ESCAPE}1").replace("\0", f"{_ESCAPE}0")
    return text


def _unescaped(text: str) -> str:
    if _ESCAPE in text:
        return text.replace(f"{_ESCAPE}0", "\0").replace(f"{_ESCAPE}1", _ESCAPE)
    return text


def _bound(values: Values) -> Values:
    """The values, those in arrays escaped too, to which the library does not do it."""
    if any(isinstance(value, list) for value in values):
        return [[*map(_element, value)] if isinstance(value, list) else value for value in values]
    return values


def _element(value: Any) -> Any:
    return _escaped(value) if isinstance(value, str) else value
