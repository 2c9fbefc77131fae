"""The log of what people decided, as transactions."""

from __future__ import annotations

from datetime import datetime

from gateway.ports.audit import Act, Noted, Wanted
from gateway.store.tables.times import from_milliseconds, milliseconds
from gateway.store.transactions import Transaction
from gateway.types import DeviceId, UserId

__all__ = ["listed", "note", "prune"]

_NOTE = 'INSERT INTO audit (at, who, act, "user", device, details) VALUES (?, ?, ?, ?, ?, ?)'
_PRUNE = "DELETE FROM audit WHERE at < ?"
_FIELDS = ("who", "act", "user", "device")


async def note(transaction: Transaction, act: Act | None) -> None:
    """Note an act, if there is one."""
    if act is not None:
        row = (milliseconds(act.at), act.who, act.act, act.user, act.device, act.details)
        await transaction.run(_NOTE, row)


async def listed(transaction: Transaction, wanted: Wanted, limit: int) -> list[Noted]:
    """The newest acts that are wanted, newest first."""
    given = {f'"{name}" = ?': text for name in _FIELDS if (text := getattr(wanted, name))}
    conditions = " AND ".join(["number < ?", *given])
    newest = (1 << 63) - 1 if wanted.before is None else wanted.before
    rows = await transaction.rows(
        f'SELECT number, at, who, act, "user", device, details FROM audit WHERE {conditions} '  # noqa: S608
        "ORDER BY number DESC LIMIT ?",
        (newest, *given.values(), limit),
    )
    return [
        Noted(number, Act(from_milliseconds(at), who, act, UserId(user), DeviceId(device), details))
        for number, at, who, act, user, device, details in rows
    ]


async def prune(transaction: Transaction, before: datetime) -> None:
    """Forget what was decided before that time."""
    await transaction.run(_PRUNE, (milliseconds(before),))
