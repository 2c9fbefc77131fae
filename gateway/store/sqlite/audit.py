"""The log of what people decided, as transactions on a connection."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from gateway.ports.audit import Act, Noted, Wanted
from gateway.store.sqlite.times import from_milliseconds, milliseconds
from gateway.types import DeviceId, UserId

__all__ = ["listed", "note", "prune"]

_NOTE = "INSERT INTO audit (at, who, act, user, device, details) VALUES (?, ?, ?, ?, ?, ?)"
_PRUNE = "DELETE FROM audit WHERE at < ?"
_FIELDS = ("who", "act", "user", "device")


def note(connection: sqlite3.Connection, act: Act | None) -> None:
    """Note an act, if there is one."""
    if act is not None:
        row = (milliseconds(act.at), act.who, act.act, act.user, act.device, act.details)
        connection.execute(_NOTE, row)


def listed(connection: sqlite3.Connection, wanted: Wanted, limit: int) -> list[Noted]:
    """The newest acts that are wanted, newest first."""
    given = {f"{name} = ?": text for name in _FIELDS if (text := getattr(wanted, name))}
    conditions = " AND ".join(["number < ?", *given])
    newest = (1 << 63) - 1 if wanted.before is None else wanted.before
    rows = connection.execute(
        f"SELECT number, at, who, act, user, device, details FROM audit WHERE {conditions} "  # noqa: S608
        "ORDER BY number DESC LIMIT ?",
        (newest, *given.values(), limit),
    )
    return [
        Noted(number, Act(from_milliseconds(at), who, act, UserId(user), DeviceId(device), details))
        for number, at, who, act, user, device, details in rows
    ]


def prune(connection: sqlite3.Connection, before: datetime) -> None:
    """Forget what was decided before that time."""
    connection.execute(_PRUNE, (milliseconds(before),))
