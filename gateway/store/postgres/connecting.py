"""Connections to PostgreSQL: to whichever of its hosts takes writes, directly or through a pooler.

A pooler in transaction mode (PgBouncer) gives each transaction another connection. Nothing that belongs to a
session works there: settings, prepared statements, LISTEN, locks that outlive a transaction.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from gateway.store.postgres.failures import FAILURES
from gateway.store.postgres.location import Location

__all__ = ["ANSWER_SECONDS", "APPLICATION", "CONNECT_SECONDS", "Hosts", "connect", "options"]

APPLICATION = "activesync-gateway"
"""The name of all connections of gateways."""
CONNECT_SECONDS = 5.0
"""How long a host may take to let us in."""
ANSWER_SECONDS = 10.0
"""How long the server may take for one statement. All of them look for few rows by an index."""
_LONG_ANSWER_SECONDS = 30.0
"""The same where much may have to be done at once: while it is migrated or copied."""
# Of a node that died in a transaction nobody else may be kept waiting for long.
_SETTINGS = {
    "application_name": APPLICATION,
    "idle_in_transaction_session_timeout": "30s",
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
# PgBouncer compares these with what the server calls them, and sets again what is spelled otherwise. The
# library spells the encoding otherwise.
_SETTINGS_POOLED = {"application_name": APPLICATION, "client_encoding": "UTF8"}


class Hosts:
    """The hosts of a database: the one is asked first that was good the last time, those that failed last."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = [*urls]

    async def connect(self, *_: object, **wanted: Any) -> asyncpg.Connection[asyncpg.Record]:
        """A connection to the first of them that can be reached; of several, that takes writes.

        `wanted` are the options of the library. Raises what the last one failed with, one of `FAILURES`.
        """
        several: dict[str, Any] = {"target_session_attrs": "read-write"} if len(self._urls) > 1 else {}
        failed: BaseException = OSError("no host")
        connection: asyncpg.Connection[asyncpg.Record]
        for url in tuple(self._urls):
            try:
                connection = await asyncpg.connect(url, **several, **wanted)
            except (*FAILURES, asyncio.CancelledError) as error:
                self._urls.remove(url)
                self._urls.append(url)
                if isinstance(error, asyncio.CancelledError):  # it says nothing, and nobody waits any more
                    raise
                failed = error
            else:
                self._urls.remove(url)
                self._urls.insert(0, url)
                return connection
        raise failed


def options(location: Location, *, pooled: bool, seconds: float | None = None) -> Mapping[str, Any]:
    """What connections are made with; `pooled` are those that may lead to a pooler."""
    made: dict[str, Any] = {"timeout": CONNECT_SECONDS, "command_timeout": seconds or ANSWER_SECONDS}
    if pooled and location.pooled:
        return {**made, "server_settings": _SETTINGS_POOLED, "statement_cache_size": 0}
    return {**made, "server_settings": _SETTINGS}


async def connect(
    location: Location, *, seconds: float = _LONG_ANSWER_SECONDS
) -> asyncpg.Connection[asyncpg.Record]:
    """A connection of one's own, past the pooler where that is known. Raises `FAILURES`."""
    pooled = location.pooled and not location.direct
    made = options(location, pooled=pooled, seconds=seconds)
    # The library's own time is for the whole of it: a name that is looked up for long, too.
    async with asyncio.timeout(2 * CONNECT_SECONDS * len(location.direct or location.urls)):
        return await Hosts(location.direct or location.urls).connect(**made)
