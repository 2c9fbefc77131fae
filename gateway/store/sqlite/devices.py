"""Devices and the small values remembered for them, as transactions on a connection."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime
from typing import Any

from gateway.store.sqlite.times import from_milliseconds, milliseconds
from gateway.types import Device, DeviceId, UserId

__all__ = ["list_all", "load", "load_memo", "prune", "save", "save_memo"]

_LOAD = """
    SELECT user, id, type, policy_key, version, agent, information, first_seen, last_seen
    FROM device WHERE user = ? AND id = ?
"""
_LIST = """
    SELECT user, id, type, policy_key, version, agent, information, first_seen, last_seen
    FROM device WHERE ?1 IS NULL OR user = ?1 ORDER BY user, id
"""
_SAVE = """
    INSERT OR REPLACE INTO device (
        user, id, type, policy_key, version, agent, information, first_seen, last_seen
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_PRUNE = """
    DELETE FROM device WHERE policy_key = 0 AND coalesce(last_seen, first_seen, 0) < ? RETURNING user, id
"""
_OF_DEVICES = ("memo", "sync_state", "intent", "move")


def load(connection: sqlite3.Connection, user: UserId, device: DeviceId) -> Device | None:
    """One device, or None."""
    row = connection.execute(_LOAD, (user, device)).fetchone()
    return None if row is None else _device(row)


def list_all(connection: sqlite3.Connection, user: UserId | None) -> list[Device]:
    """The devices of a user, or of all users, ordered by user and id."""
    return [_device(row) for row in connection.execute(_LIST, (user,))]


def save(connection: sqlite3.Connection, device: Device) -> None:
    """Store a device over what is stored of it."""
    row = (
        device.user,
        device.id,
        device.type,
        device.policy_key,
        device.version,
        device.agent,
        json.dumps(dict(device.information), separators=(",", ":")),
        None if device.first_seen is None else milliseconds(device.first_seen),
        None if device.last_seen is None else milliseconds(device.last_seen),
    )
    connection.execute(_SAVE, row)


def prune(connection: sqlite3.Connection, before: datetime) -> None:
    """Forget the devices without a policy key that were last seen before that time, and their values."""
    gone = connection.execute(_PRUNE, (milliseconds(before),)).fetchall()
    for table in _OF_DEVICES:
        connection.executemany(f"DELETE FROM {table} WHERE user = ? AND device = ?", gone)  # noqa: S608


def load_memo(connection: sqlite3.Connection, user: UserId, device: DeviceId, name: str) -> bytes | None:
    """A remembered value, or None."""
    row = connection.execute(
        "SELECT value FROM memo WHERE user = ? AND device = ? AND name = ?", (user, device, name)
    ).fetchone()
    return None if row is None else bytes(row[0])


def save_memo(
    connection: sqlite3.Connection, user: UserId, device: DeviceId, name: str, value: bytes | None
) -> None:
    """Remember a value, or with None forget it."""
    if value is None:
        connection.execute(
            "DELETE FROM memo WHERE user = ? AND device = ? AND name = ?", (user, device, name)
        )
    else:
        connection.execute(
            "INSERT OR REPLACE INTO memo (user, device, name, value) VALUES (?, ?, ?, ?)",
            (user, device, name, value),
        )


def _device(row: tuple[Any, ...]) -> Device:
    user, name, kind, key, version, agent, information, first_seen, last_seen = row
    return Device(
        user=UserId(user),
        id=DeviceId(name),
        type=kind,
        policy_key=key,
        version=version,
        agent=agent,
        information=json.loads(information),
        first_seen=None if first_seen is None else from_milliseconds(first_seen),
        last_seen=None if last_seen is None else from_milliseconds(last_seen),
    )
