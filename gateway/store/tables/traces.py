"""Which devices are traced and what came of it, as transactions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway.ports.traces import Traced
from gateway.store.tables.times import from_milliseconds, milliseconds
from gateway.store.transactions import Transaction
from gateway.types import DeviceId, UserId

__all__ = ["begin", "prune", "read", "running", "write"]

_BEGIN = """
    INSERT INTO trace ("user", device, until) VALUES (?, ?, ?)
    ON CONFLICT ("user", device) DO UPDATE SET until = excluded.until
"""
_WRITE = 'INSERT INTO trace_entry (at, "user", device, line) VALUES (?, ?, ?, ?)'
_READ = """
    SELECT number, at, "user", device, line FROM trace_entry
    WHERE "user" = ?1 AND (?2 = '' OR device = ?2) AND number > ?3 ORDER BY number LIMIT ?4
"""
_CUT = """
    DELETE FROM trace_entry WHERE "user" = ?1 AND device = ?2 AND number <= (
        SELECT number FROM trace_entry WHERE "user" = ?1 AND device = ?2
        ORDER BY number DESC LIMIT 1 OFFSET ?3
    )
"""


async def begin(transaction: Transaction, user: UserId, device: DeviceId, until: datetime | None) -> None:
    """Trace a device until that time; None: not any more."""
    if until is None:
        await transaction.run('DELETE FROM trace WHERE "user" = ? AND device = ?', (user, device))
    else:
        await transaction.run(_BEGIN, (user, device, milliseconds(until)))


async def running(transaction: Transaction, now: datetime) -> list[tuple[UserId, DeviceId]]:
    """The devices that are traced at that time."""
    rows = await transaction.rows('SELECT "user", device FROM trace WHERE until > ?', (milliseconds(now),))
    return [(UserId(user), DeviceId(device)) for user, device in rows]


async def write(transaction: Transaction, entries: Sequence[Traced], keep: int) -> None:
    """Add entries, and keep so many of each device."""
    await transaction.alone("traces")  # a reader goes on from the greatest number it saw
    await transaction.run_all(
        _WRITE, [(milliseconds(one.at), one.user, one.device, one.line) for one in entries]
    )
    await transaction.run_all(_CUT, sorted({(one.user, one.device, keep) for one in entries}))


async def read(
    transaction: Transaction, user: UserId, device: DeviceId, after: int, limit: int
) -> list[Traced]:
    """Entries after that number, oldest first."""
    rows = await transaction.rows(_READ, (user, device, after, limit))
    return [
        Traced(number, from_milliseconds(at), UserId(whose), DeviceId(which), line)
        for number, at, whose, which, line in rows
    ]


async def prune(transaction: Transaction, now: datetime, before: datetime) -> None:
    """Forget the traces that ended, and entries made before that time."""
    await transaction.run("DELETE FROM trace WHERE until <= ?", (milliseconds(now),))
    await transaction.run("DELETE FROM trace_entry WHERE at < ?", (milliseconds(before),))
