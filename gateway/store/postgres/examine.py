"""What an administrator should know of the database: whether it lets us in, its schema, its connections."""

from __future__ import annotations

from collections.abc import AsyncIterator

from gateway.errors import GatewayError
from gateway.ports.examining import Finding, bad, doubtful, good
from gateway.store.postgres.connecting import connect
from gateway.store.postgres.failures import FAILURES, explain
from gateway.store.postgres.location import Location
from gateway.store.postgres.schema import applied, migrations, unsuited
from gateway.store.postgres.transaction import Connection

__all__ = ["examine"]

_OLDEST = 130000
_OLDEST_NAME = "13"
_SPARE = 10
"""Connections that others, and the next gateway while one is upgraded, should be left."""


async def examine(location: Location, connections: int) -> AsyncIterator[Finding]:
    """Look at the database, and change nothing; `connections` is how many a process takes."""
    try:
        connection = await connect(location)
        try:
            findings = [finding async for finding in _look(connection, location, connections)]
        finally:
            await connection.close(timeout=5)
    except FAILURES as error:
        yield bad(explain(error, location.own_name).detail, "see to it, or change store.url")
        return
    for finding in findings:
        yield finding


async def _look(connection: Connection, location: Location, connections: int) -> AsyncIterator[Finding]:
    version = await connection.fetchval("SHOW server_version")
    if await connection.fetchval("SELECT current_setting('server_version_num')::int") < _OLDEST:
        yield bad(f"PostgreSQL {version} is too old", f"use {_OLDEST_NAME} or newer")
    else:
        yield good(f"PostgreSQL {version} at {location.name}")
    if await connection.fetchval("SHOW transaction_read_only") == "on":
        yield bad("it can only be read", "name the primary in store.url")
    if await connection.fetchval("SHOW synchronous_commit") == "off":
        what = "synchronous_commit is off: after a power cut what phones were told last is gone"
        yield doubtful(what, "set it to on for this database and role")
    allowed = int(await connection.fetchval("SHOW max_connections"))
    text = (
        f"it takes {allowed} connections, of which each process of the gateway uses up to {connections + 1}"
    )
    if connections + 1 + _SPARE > allowed:
        yield doubtful(text, "raise its max_connections, or lower store.connections")
    else:
        yield good(text)
    if found := await unsuited(connection):
        yield bad(*found)
    else:
        yield await _schema(connection, location)


async def _schema(connection: Connection, location: Location) -> Finding:
    newest = migrations()[-1].number
    try:
        version = await applied(connection, location.name)
    except GatewayError as error:
        return bad(error.detail, "change store.url, or upgrade the gateway")
    if version < newest:
        return good(f"schema {version}; the gateway makes it {newest} at its next start")
    if version > newest:
        return good(f"schema {version} of a newer gateway, which this one can do with")
    return good(f"schema {version}, the newest")
