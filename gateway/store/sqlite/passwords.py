"""App passwords, as transactions on a connection."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Any

from gateway.errors import Kind, Refused
from gateway.ports.audit import Act
from gateway.ports.passwords import MOST_APP_PASSWORDS
from gateway.store.sqlite import audit
from gateway.store.sqlite.times import from_milliseconds, milliseconds
from gateway.types import AppPassword, DeviceId, UserId

__all__ = ["add", "list_all", "list_of", "revoke", "use"]

_ADD = """
    INSERT INTO app_password (user, name, digest, created, bound, device, used) VALUES (?, ?, ?, ?, ?, ?, ?)
    RETURNING number
"""
_COUNT = "SELECT count(*) FROM app_password WHERE user = ?"
_SELECT = "SELECT number, user, name, digest, created, bound, device, used FROM app_password"
_OF = f"{_SELECT} WHERE user = ? ORDER BY number"
_ALL = f"{_SELECT} ORDER BY user, number"
_USE = """
    UPDATE app_password SET device = ?2, used = ?3 WHERE number = ?1 AND (NOT bound OR device IN ('', ?2))
"""
_REVOKE = "DELETE FROM app_password WHERE user = ? AND number = ?"
_TELL = """
    INSERT INTO device_control (user, id, changed)
    SELECT user, id, (SELECT coalesce(max(changed), 0) + 1 FROM device_control) FROM device WHERE user = ?
    ON CONFLICT DO UPDATE SET changed = excluded.changed
"""
"""Whichever devices wait: of one that is not bound nobody knows who uses it, and the others lose nothing."""


def add(connection: sqlite3.Connection, password: AppPassword, act: Act | None) -> int:
    """Store one; returns its number. Raises `Refused` when there are too many."""
    (count,) = connection.execute(_COUNT, (password.user,)).fetchone()
    if count >= MOST_APP_PASSWORDS:
        raise Refused(Kind.ACCESS_DENIED, f"{password.user} has {MOST_APP_PASSWORDS} app passwords, the most")
    row = (
        password.user,
        password.name,
        password.digest,
        milliseconds(password.created),
        password.bound,
        password.device,
        None if password.used is None else milliseconds(password.used),
    )
    (number,) = connection.execute(_ADD, row).fetchone()
    audit.note(connection, act)
    return int(number)


def list_of(connection: sqlite3.Connection, user: UserId) -> list[AppPassword]:
    """Those of a user, oldest first."""
    return [_password(row) for row in connection.execute(_OF, (user,))]


def list_all(connection: sqlite3.Connection) -> list[AppPassword]:
    """Those of all users, by user."""
    return [_password(row) for row in connection.execute(_ALL)]


def use(connection: sqlite3.Connection, number: int, device: DeviceId, now: datetime) -> bool:
    """Note that a device uses one; False when it may not."""
    return connection.execute(_USE, (number, device, milliseconds(now))).rowcount > 0


def revoke(connection: sqlite3.Connection, user: UserId, number: int, act: Act | None) -> bool:
    """Forget one; False when there is none."""
    if not connection.execute(_REVOKE, (user, number)).rowcount:
        return False
    connection.execute(_TELL, (user,))
    audit.note(connection, act)
    return True


def _password(row: tuple[Any, ...]) -> AppPassword:
    number, user, name, digest, created, bound, device, used = row
    return AppPassword(
        user=UserId(user),
        name=name,
        digest=digest,
        created=from_milliseconds(created),
        bound=bool(bound),
        device=DeviceId(device),
        used=None if used is None else from_milliseconds(used),
        number=number,
    )
