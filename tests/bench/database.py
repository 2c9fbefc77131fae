"""What PostgreSQL has to do for others: statements, transactions that write, and octets of its log."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.support.postgres import Postgres

__all__ = ["SETTINGS", "Meter", "Seen"]

SETTINGS: Mapping[str, str] = {
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.max": "10000",
    "autovacuum": "on",
    "fsync": "on",
    "full_page_writes": "on",
    "max_wal_size": "2GB",
    "shared_buffers": "128MB",
}
"""What a server that is measured is started with: durable, as administrators run it."""

_READ = """
    SELECT json_build_object(
        'writes', pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
        'wal', pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint,
        'calls', coalesce((
            SELECT json_object_agg(query, calls) FROM (
                SELECT query, sum(calls) AS calls FROM pg_stat_statements(true)
                WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
                    AND query NOT LIKE '%pg_stat_statements%'
                GROUP BY query
            ) AS seen
        ), '{}'::json),
        'ms', coalesce((
            SELECT sum(total_exec_time) FROM pg_stat_statements(true)
            WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND query NOT LIKE '%pg_stat_statements%'
        ), 0)
    )
"""

_FLUSHED = """
    SELECT count(DISTINCT xid::text)
    FROM pg_get_wal_records_info('0/0'::pg_lsn + {begin}, '0/0'::pg_lsn + {end})
    WHERE resource_manager <> 'Transaction' AND xid::text <> '0'
"""
_END = "SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint"


@dataclass(frozen=True, slots=True)
class Seen:
    """Counts since the server began; the difference of two is what was done in between.

    `statements` has BEGIN and COMMIT among them; several of them may come in one message. `writes` are the
    transactions that wrote something, `wal` the octets of the log for them, `ms` the time in the executor.
    """

    writes: int
    wal: int
    ms: float
    calls: Counter[str] = field(default_factory=Counter)
    """How often each statement was run, by its text with `$1` for values."""

    @property
    def statements(self) -> int:
        return self.calls.total()

    def __sub__(self, before: Seen) -> Seen:
        return Seen(
            self.writes - before.writes,
            self.wal - before.wal,
            self.ms - before.ms,
            self.calls - before.calls,
        )

    def each(self, count: int) -> dict[str, float]:
        """The counts for each of so many requests."""
        return {
            "statements": round(self.statements / count, 2),
            "writes": round(self.writes / count, 2),
            "wal": round(self.wal / count),
            "ms": round(self.ms / count, 3),
        }


class Meter:
    """Reads what the server has counted of one database; it was started with `SETTINGS`."""

    def __init__(self, server: Postgres, database: str) -> None:
        self._server = server
        self._database = database
        server.query("CREATE EXTENSION IF NOT EXISTS pg_stat_statements", database)

    def read(self) -> Seen:
        """All counts as they are now: none of these lags behind, as those of `pg_stat_database` do."""
        found = json.loads(self._server.query(_READ, self._database))
        return Seen(found["writes"], found["wal"], found["ms"], Counter(found["calls"]))

    def durable(self, since: int) -> int:
        """How many transactions wrote to the log, all databases together, since it was as long as `since`.

        Their COMMITs wait for the disk; those of transactions that only wrote to tables that are not logged,
        as that of the leases, do not.
        """
        self._server.query("CREATE EXTENSION IF NOT EXISTS pg_walinspect")
        end = int(self._server.query(_END))
        return int(self._server.query(_FLUSHED.format(begin=since, end=end))) if end > since else 0
