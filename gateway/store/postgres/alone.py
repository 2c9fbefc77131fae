"""A database that one process uses alone, while no gateway does.

Whoever opens the database says so for a moment, and has connections under one name from then on. Who wants it
alone has a lock that refuses them, and looks whether one is there already. Both end with their connections.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ParamSpec, TypeVar

import asyncpg

from gateway.errors import GatewayError
from gateway.store.postgres.connecting import APPLICATION
from gateway.store.postgres.failures import FAILURES, explain
from gateway.store.postgres.location import Location
from gateway.store.postgres.schema import migrate
from gateway.store.postgres.transaction import Connection, PostgresTransaction, key_of
from gateway.store.transactions import Work

__all__ = ["Alone", "check_not_alone", "take_alone"]

T = TypeVar("T")
P = ParamSpec("P")

_LOCK = "alone"
_WAIT_SECONDS = 5.0
_PAUSE = 0.1
_CLOSE_SECONDS = 5.0
_OTHERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = $1 AND pid <> pg_backend_pid()
"""


class Alone:
    """Runs work on the one connection."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record], name: str) -> None:
        self._connection = connection
        self._name = name

    async def write(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run work as one transaction, durable on return. Raises `GatewayError`."""
        try:
            async with self._connection.transaction():
                return await work(PostgresTransaction(self._connection), *args, **kwargs)
        except FAILURES as error:
            raise explain(error, self._name) from error

    async def read(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run work that only reads. Raises `GatewayError`."""
        try:
            return await work(PostgresTransaction(self._connection), *args, **kwargs)
        except FAILURES as error:
            raise explain(error, self._name) from error


@asynccontextmanager
async def take_alone(connection: asyncpg.Connection[asyncpg.Record], name: str) -> AsyncIterator[Alone]:
    """Have the database to oneself, with the newest schema; closes the connection in the end.

    Waits a moment for others that are just ending. Raises `GatewayError`.
    """
    try:
        try:
            await _take(connection, name)
            await migrate(connection, name)
        except FAILURES as error:
            raise explain(error, name) from error
        yield Alone(connection, name)
    finally:
        try:
            await connection.close(timeout=_CLOSE_SECONDS)
        except FAILURES:
            connection.terminate()


async def check_not_alone(connection: Connection, location: Location) -> None:
    """Raises `GatewayError` while somebody has the database alone, and until then keeps others from it.

    That is so as long as the connection lasts, which another one is to follow before it ends. Through a
    pooler it is found out, and nobody kept from anything.
    """
    through = location.pooled and not location.direct
    lock = "pg_try_advisory_xact_lock_shared" if through else "pg_try_advisory_lock_shared"
    if not await connection.fetchval(f"SELECT {lock}($1)", key_of(_LOCK)):
        raise GatewayError(f"database {location.name}: migrate copies it just now: wait until that is done")


async def _take(connection: Connection, name: str) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _WAIT_SECONDS
    locked = False
    while True:
        locked = locked or await connection.fetchval("SELECT pg_try_advisory_lock($1)", key_of(_LOCK))
        if locked and not await connection.fetchval(_OTHERS, APPLICATION):
            return
        if loop.time() > deadline:
            raise GatewayError(f"database {name}: a gateway is using it: stop all of them first")
        await asyncio.sleep(_PAUSE)
