"""Devices and the small values remembered for them, as transactions on a connection."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.errors import StateConflict
from gateway.ports import Act
from gateway.store.sqlite import audit
from gateway.store.sqlite.times import from_milliseconds, milliseconds
from gateway.types import Access, Control, Device, DeviceId, UserId, Visit, Wipe, WipeStage

__all__ = [
    "ask_wipe",
    "decided",
    "expire",
    "forget",
    "forget_syncs",
    "list_all",
    "list_awaited",
    "load",
    "load_memo",
    "note_visits",
    "note_wipe",
    "prune",
    "save",
    "save_memo",
    "set_access",
]

_SELECT = """
    SELECT d.user, d.id, d.type, d.policy_key, d.version, d.agent, d.information, d.first_seen, d.last_seen,
        d.policy, d.compliance, d.provisioned, d.refused, d.synced, d.address, coalesce(c.changed, 0),
        c.access, c.wipe, c.stage, c.asked, c.answered
    FROM device AS d LEFT JOIN device_control AS c ON c.user = d.user AND c.id = d.id
"""
_LOAD = f"{_SELECT} WHERE d.user = ? AND d.id = ?"
_LIST = f"{_SELECT} WHERE ?1 IS NULL OR d.user = ?1 ORDER BY d.user, d.id"
_AWAITED = """
    SELECT c.user, c.id, '', 0, '', '', '{}', NULL, NULL, '', 1, NULL, 0, NULL, '', c.changed,
        c.access, c.wipe, c.stage, c.asked, c.answered
    FROM device_control AS c
    WHERE (?1 IS NULL OR c.user = ?1) AND (c.access IS NOT NULL OR c.wipe IS NOT NULL)
        AND NOT EXISTS (SELECT 1 FROM device AS d WHERE d.user = c.user AND d.id = c.id)
    ORDER BY c.user, c.id
"""
_SAVE = """
    INSERT INTO device (
        user, id, type, policy_key, version, agent, information, first_seen, last_seen,
        policy, compliance, provisioned, refused
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET
        type = excluded.type, policy_key = excluded.policy_key, version = excluded.version,
        agent = excluded.agent, information = excluded.information, first_seen = excluded.first_seen,
        last_seen = excluded.last_seen, policy = excluded.policy, compliance = excluded.compliance,
        provisioned = excluded.provisioned, refused = excluded.refused
"""
_DECISION = "SELECT changed FROM device_control WHERE user = ? AND id = ?"
_VISIT = "UPDATE device SET address = ?, synced = coalesce(?, synced) WHERE user = ? AND id = ?"
_SET_ACCESS = """
    INSERT INTO device_control (user, id, access, changed)
    VALUES (?, ?, ?, (SELECT coalesce(max(changed), 0) + 1 FROM device_control))
    ON CONFLICT DO UPDATE SET access = excluded.access, changed = excluded.changed
"""
_ASK_WIPE = """
    INSERT INTO device_control (user, id, wipe, stage, asked, changed)
    VALUES (?, ?, ?, 'asked', ?, (SELECT coalesce(max(changed), 0) + 1 FROM device_control))
    ON CONFLICT DO UPDATE SET wipe = excluded.wipe, stage = 'asked', asked = excluded.asked, answered = NULL,
        changed = excluded.changed
    WHERE wipe IS NULL OR stage <> 'done'
"""
_CHANGE = """
    INSERT INTO device_control (user, id, changed)
    VALUES (?, ?, (SELECT coalesce(max(changed), 0) + 1 FROM device_control))
    ON CONFLICT DO UPDATE SET changed = excluded.changed
"""
_UNDECIDE = """
    UPDATE device_control SET access = NULL, wipe = NULL, stage = NULL, asked = NULL, answered = NULL
    WHERE user = ? AND id = ? AND (access IS NOT NULL OR wipe IS NOT NULL)
"""
_CANCEL_WIPE = """
    UPDATE device_control SET wipe = NULL, stage = NULL, asked = NULL, answered = NULL
    WHERE user = ? AND id = ? AND stage <> 'done'
"""
_NOTE_WIPE = """
    UPDATE device_control SET stage = ?3, answered = ?4
    WHERE user = ?1 AND id = ?2 AND stage IN ('asked', 'told', 'failed')
"""
_DECIDED = "SELECT user, id, changed FROM device_control WHERE changed > ? ORDER BY changed"
_EXPIRE = "DELETE FROM device WHERE coalesce(last_seen, first_seen, 0) < ? RETURNING user, id"
_PRUNE = """
    DELETE FROM device WHERE policy_key = 0 AND coalesce(last_seen, first_seen, 0) < ?
        AND NOT EXISTS (SELECT 1 FROM sync_state AS s WHERE s.user = device.user AND s.device = device.id)
    RETURNING user, id
"""
_OF_DEVICES = ("memo", "sync_state", "intent", "move")
_KNOWN = ("sync_state", "intent", "move")
"""Where it is kept what a device knows of its collections."""


def load(connection: sqlite3.Connection, user: UserId, device: DeviceId) -> Device | None:
    """One device, or None."""
    row = connection.execute(_LOAD, (user, device)).fetchone()
    return None if row is None else _device(row)


def list_all(connection: sqlite3.Connection, user: UserId | None) -> list[Device]:
    """The devices of a user, or of all users, ordered by user and id."""
    return [_device(row) for row in connection.execute(_LIST, (user,))]


def list_awaited(connection: sqlite3.Connection, user: UserId | None) -> list[Device]:
    """The devices of a user, or of all users, that were decided of and are not known."""
    return [_device(row) for row in connection.execute(_AWAITED, (user,))]


def save(connection: sqlite3.Connection, device: Device) -> Device:
    """Store a device over what is stored of it; returns it with what was decided. Raises `StateConflict`."""
    if device.decided is not None:
        newest = connection.execute(_DECISION, (device.user, device.id)).fetchone()
        if device.decided != (newest[0] if newest else 0):
            raise StateConflict(f"device {device.id} of {device.user} was decided of")
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
        device.policy,
        device.compliance,
        None if device.provisioned is None else milliseconds(device.provisioned),
        device.refused,
    )
    connection.execute(_SAVE, row)
    return _device(connection.execute(_LOAD, (device.user, device.id)).fetchone())


def note_visits(connection: sqlite3.Connection, visits: Mapping[tuple[UserId, DeviceId], Visit]) -> None:
    """Note where devices were and when they synchronised, of those that are known."""
    rows = [
        (visit.address, None if visit.synced is None else milliseconds(visit.synced), *key)
        for key, visit in visits.items()
    ]
    connection.executemany(_VISIT, rows)


def set_access(
    connection: sqlite3.Connection, user: UserId, device: DeviceId, access: Access | None, act: Act | None
) -> None:
    """Decide what a device may do; None: what the rules say."""
    connection.execute(_SET_ACCESS, (user, device, access))
    audit.note(connection, act)


def ask_wipe(
    connection: sqlite3.Connection,
    key: tuple[UserId, DeviceId],
    wipe: Wipe | None,
    now: datetime,
    act: Act | None,
) -> bool:
    """Have a device wiped, or not any more; returns False when it is done already."""
    if wipe is None:
        found = connection.execute(_CANCEL_WIPE, key)
    else:
        found = connection.execute(_ASK_WIPE, (*key, wipe, milliseconds(now)))
    if found.rowcount > 0:
        audit.note(connection, act)
    return found.rowcount > 0


def note_wipe(
    connection: sqlite3.Connection, user: UserId, device: DeviceId, stage: WipeStage, now: datetime
) -> bool:
    """Note how far a wipe is; returns False when there is none, or it is done already."""
    answered = None if stage is WipeStage.TOLD else milliseconds(now)
    return connection.execute(_NOTE_WIPE, (user, device, stage, answered)).rowcount > 0


def decided(connection: sqlite3.Connection, after: int) -> tuple[int, list[tuple[UserId, DeviceId]]]:
    """The devices of which something was decided after that change, and the number of the newest."""
    rows = connection.execute(_DECIDED, (after,)).fetchall()
    return (rows[-1][2] if rows else after), [(UserId(user), DeviceId(name)) for user, name, _ in rows]


def expire(connection: sqlite3.Connection, before: datetime) -> int:
    """Forget devices last seen before that time, but not what was decided of them; returns how many."""
    return _forget_of(connection, connection.execute(_EXPIRE, (milliseconds(before),)).fetchall())


def forget(connection: sqlite3.Connection, user: UserId, device: DeviceId, act: Act | None) -> bool:
    """Forget a device with everything kept of it, also what was decided; returns whether there was one.

    The row of what was decided stays, empty: numbers of changes are never given out twice.
    """
    known = connection.execute("DELETE FROM device WHERE user = ? AND id = ?", (user, device)).rowcount > 0
    _forget_of(connection, [(user, device)])
    decided = connection.execute(_UNDECIDE, (user, device)).rowcount > 0
    if known or decided:
        connection.execute(_CHANGE, (user, device))
        audit.note(connection, act)
    return known or decided


def forget_syncs(connection: sqlite3.Connection, user: UserId, device: DeviceId, act: Act | None) -> None:
    """Forget what a device knows of its collections, so that it begins anew with all of them."""
    for table in _KNOWN:
        connection.execute(f"DELETE FROM {table} WHERE user = ? AND device = ?", (user, device))  # noqa: S608
    connection.execute(_CHANGE, (user, device))
    audit.note(connection, act)


def prune(connection: sqlite3.Connection, before: datetime) -> None:
    """Forget devices last seen before that time, with their values, that have no key and synced nothing."""
    _forget_of(connection, connection.execute(_PRUNE, (milliseconds(before),)).fetchall())


def _forget_of(connection: sqlite3.Connection, gone: list[tuple[str, str]]) -> int:
    """Forget what is kept of these devices."""
    for table in _OF_DEVICES:
        connection.executemany(f"DELETE FROM {table} WHERE user = ? AND device = ?", gone)  # noqa: S608
    return len(gone)


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
    user, name, kind, key, version, agent, information, first_seen, last_seen, *provisioned = row
    policy, compliance, acknowledged, refused, synced, address, decided, *control = provisioned
    access, wipe, stage, asked, answered = control
    return Device(
        user=UserId(user),
        id=DeviceId(name),
        type=kind,
        policy_key=key,
        version=version,
        agent=agent,
        information=json.loads(information),
        first_seen=_moment(first_seen),
        last_seen=_moment(last_seen),
        policy=policy,
        compliance=compliance,
        provisioned=_moment(acknowledged),
        refused=refused,
        synced=_moment(synced),
        address=address,
        decided=decided,
        control=Control(
            access=Access(access) if access else None,
            wipe=Wipe(wipe) if wipe else None,
            stage=WipeStage(stage) if stage else None,
            asked=_moment(asked),
            answered=_moment(answered),
        ),
    )


def _moment(value: int | None) -> datetime | None:
    return None if value is None else from_milliseconds(value)
