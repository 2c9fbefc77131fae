"""Devices and the small values remembered for them, as transactions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from gateway.errors import StateConflict
from gateway.ports import Act
from gateway.store.tables import audit
from gateway.store.tables.times import from_milliseconds, milliseconds
from gateway.store.transactions import EVERYBODY, Row, Topic, Transaction, single
from gateway.types import Access, CollectionId, Control, Device, DeviceId, UserId, Visit, Wipe, WipeStage

__all__ = [
    "AWAITED",
    "COLUMNS",
    "SELECT",
    "TABLES",
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
    "of_row",
    "prune",
    "save",
    "save_memo",
    "set_access",
    "tell",
    "tell_all",
]

COLUMNS = """
    d."user", d.id, d.type, d.policy_key, d.version, d.agent, d.information, d.first_seen, d.last_seen,
        d.policy, d.compliance, d.provisioned, d.refused, d.synced, d.address, coalesce(c.changed, 0),
        c.access, c.wipe, c.stage, c.asked, c.answered
"""
"""What `of_row` makes a device of; of `TABLES`."""
TABLES = 'device AS d LEFT JOIN device_control AS c ON c."user" = d."user" AND c.id = d.id'
SELECT = f"SELECT {COLUMNS} FROM {TABLES}"  # noqa: S608 - put together from constants
_LOAD = f'{SELECT} WHERE d."user" = ? AND d.id = ?'
_LIST = f'{SELECT} WHERE cast(?1 AS text) IS NULL OR d."user" = ?1 ORDER BY d."user", d.id'
AWAITED = """
    SELECT c."user", c.id, '', 0, '', '', '{}', NULL, NULL, '', 1, NULL, 0, NULL, '', c.changed,
        c.access, c.wipe, c.stage, c.asked, c.answered
    FROM device_control AS c
    WHERE (c.access IS NOT NULL OR c.wipe IS NOT NULL)
        AND NOT EXISTS (SELECT 1 FROM device AS d WHERE d."user" = c."user" AND d.id = c.id)
"""
"""The same columns of devices that were decided of and are not known."""
_AWAITED = f'{AWAITED} AND (cast(?1 AS text) IS NULL OR c."user" = ?1) ORDER BY c."user", c.id'
_SAVE = """
    INSERT INTO device (
        "user", id, type, policy_key, version, agent, information, first_seen, last_seen,
        policy, compliance, provisioned, refused
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT ("user", id) DO UPDATE SET
        type = excluded.type, policy_key = excluded.policy_key, version = excluded.version,
        agent = excluded.agent, information = excluded.information, first_seen = excluded.first_seen,
        last_seen = excluded.last_seen, policy = excluded.policy, compliance = excluded.compliance,
        provisioned = excluded.provisioned, refused = excluded.refused
"""
_DECISION = 'SELECT changed FROM device_control WHERE "user" = ? AND id = ?'
_VISIT = 'UPDATE device SET address = ?, synced = coalesce(?, synced) WHERE "user" = ? AND id = ?'
_SET_ACCESS = """
    INSERT INTO device_control ("user", id, access, changed)
    VALUES (?, ?, ?, (SELECT coalesce(max(changed), 0) + 1 FROM device_control))
    ON CONFLICT ("user", id) DO UPDATE SET access = excluded.access, changed = excluded.changed
"""
_ASK_WIPE = """
    INSERT INTO device_control ("user", id, wipe, stage, asked, changed)
    VALUES (?, ?, ?, 'asked', ?, (SELECT coalesce(max(changed), 0) + 1 FROM device_control))
    ON CONFLICT ("user", id) DO UPDATE SET
        wipe = excluded.wipe, stage = 'asked', asked = excluded.asked, answered = NULL,
        changed = excluded.changed
    WHERE device_control.wipe IS NULL OR device_control.stage <> 'done'
"""
_CHANGE = """
    INSERT INTO device_control ("user", id, changed)
    VALUES (?, ?, (SELECT coalesce(max(changed), 0) + 1 FROM device_control))
    ON CONFLICT ("user", id) DO UPDATE SET changed = excluded.changed
"""
_CHANGE_ALL = """
    INSERT INTO device_control ("user", id, changed)
    SELECT "user", id, (SELECT coalesce(max(changed), 0) + 1 FROM device_control) FROM device WHERE "user" = ?
    ON CONFLICT ("user", id) DO UPDATE SET changed = excluded.changed
"""
_UNDECIDE = """
    UPDATE device_control SET access = NULL, wipe = NULL, stage = NULL, asked = NULL, answered = NULL
    WHERE "user" = ? AND id = ? AND (access IS NOT NULL OR wipe IS NOT NULL)
"""
_CANCEL_WIPE = """
    UPDATE device_control SET wipe = NULL, stage = NULL, asked = NULL, answered = NULL
    WHERE "user" = ? AND id = ? AND stage <> 'done'
"""
_NOTE_WIPE = """
    UPDATE device_control SET stage = ?3, answered = ?4
    WHERE "user" = ?1 AND id = ?2 AND wipe = ?5 AND stage IN ('asked', 'told', 'failed')
"""
_DECIDED = 'SELECT "user", id, changed FROM device_control WHERE changed > ? ORDER BY changed'
_EXPIRE = 'DELETE FROM device WHERE coalesce(last_seen, first_seen, 0) < ? RETURNING "user", id'
_PRUNE = """
    DELETE FROM device WHERE policy_key = 0 AND coalesce(last_seen, first_seen, 0) < ?
        AND NOT EXISTS (SELECT 1 FROM sync_state AS s WHERE s."user" = device."user" AND s.device = device.id)
    RETURNING "user", id
"""
_OF_DEVICES = ("memo", "sync_state", "intent", "move")
_KNOWN = ("sync_state", "intent", "move")
"""Where it is kept what a device knows of its collections."""
_SAVE_MEMO = """
    INSERT INTO memo ("user", device, name, value) VALUES (?, ?, ?, ?)
    ON CONFLICT ("user", device, name) DO UPDATE SET value = excluded.value
"""
_DECISIONS = "decisions"


async def load(transaction: Transaction, user: UserId, device: DeviceId) -> Device | None:
    """One device, or None."""
    row = await transaction.row(_LOAD, (user, device))
    return None if row is None else of_row(row)


async def list_all(transaction: Transaction, user: UserId | None) -> list[Device]:
    """The devices of a user, or of all users, ordered by user and id."""
    return [of_row(row) for row in await transaction.rows(_LIST, (user,))]


async def list_awaited(transaction: Transaction, user: UserId | None) -> list[Device]:
    """The devices of a user, or of all users, that were decided of and are not known."""
    return [of_row(row) for row in await transaction.rows(_AWAITED, (user,))]


async def save(transaction: Transaction, device: Device) -> Device:
    """Store a device over what is stored of it; returns it with what was decided. Raises `StateConflict`."""
    if device.decided is not None:
        await transaction.alone(_name(device.user, device.id))
        newest = await transaction.row(_DECISION, (device.user, device.id))
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
    await transaction.run(_SAVE, row)
    stored = await load(transaction, device.user, device.id)
    assert stored is not None
    return stored


@single
async def note_visits(transaction: Transaction, visits: Mapping[tuple[UserId, DeviceId], Visit]) -> None:
    """Note where devices were and when they synchronised, of those that are known."""
    rows = [
        (visit.address, None if visit.synced is None else milliseconds(visit.synced), *key)
        for key, visit in sorted(visits.items())
    ]
    await transaction.run_all(_VISIT, rows)


async def set_access(
    transaction: Transaction, user: UserId, device: DeviceId, access: Access | None, act: Act | None
) -> None:
    """Decide what a device may do; None: what the rules say."""
    await _decide(transaction, _name(user, device))
    await transaction.run(_SET_ACCESS, (user, device, access))
    await audit.note(transaction, act)


async def ask_wipe(
    transaction: Transaction,
    key: tuple[UserId, DeviceId],
    wipe: Wipe | None,
    now: datetime,
    act: Act | None,
) -> bool:
    """Have a device wiped, or not any more; returns False when it is done already."""
    await _decide(transaction, _name(*key))
    if wipe is None:
        found = await transaction.run(_CANCEL_WIPE, key)
    else:
        found = await transaction.run(_ASK_WIPE, (*key, wipe, milliseconds(now)))
    if found:
        await audit.note(transaction, act)
    return found > 0


@single
async def note_wipe(
    transaction: Transaction, key: tuple[UserId, DeviceId], wipe: Wipe, stage: WipeStage, now: datetime
) -> bool:
    """Note how far a wipe is; returns False when none of the kind is asked for, or it is done already."""
    answered = None if stage is WipeStage.TOLD else milliseconds(now)
    return await transaction.run(_NOTE_WIPE, (*key, stage, answered, wipe)) > 0


async def decided(transaction: Transaction, after: int) -> tuple[int, list[tuple[UserId, DeviceId]]]:
    """The devices of which something was decided after that change, and the number of the newest."""
    rows = list(await transaction.rows(_DECIDED, (after,)))
    return (rows[-1][2] if rows else after), [(UserId(user), DeviceId(name)) for user, name, _ in rows]


async def tell(transaction: Transaction, user: UserId, device: DeviceId) -> None:
    """Have something decided of a device, which changes nothing of what it may do."""
    await _decide(transaction)
    await transaction.run(_CHANGE, (user, device))


async def tell_all(transaction: Transaction, user: UserId) -> None:
    """Have something decided of all devices of a user, which changes nothing of what they may do."""
    await _decide(transaction)
    await transaction.run(_CHANGE_ALL, (user,))


async def expire(transaction: Transaction, before: datetime) -> int:
    """Forget devices last seen before that time, but not what was decided of them; returns how many."""
    return await _forget_of(transaction, await transaction.rows(_EXPIRE, (milliseconds(before),)))


async def forget(transaction: Transaction, user: UserId, device: DeviceId, act: Act | None) -> bool:
    """Forget a device with everything kept of it, also what was decided; returns whether there was one.

    The row of what was decided stays, empty: numbers of changes are never given out twice.
    """
    await _decide(transaction, _name(user, device))
    known = await transaction.run('DELETE FROM device WHERE "user" = ? AND id = ?', (user, device)) > 0
    await _forget_of(transaction, [(user, device)])
    decided = await transaction.run(_UNDECIDE, (user, device)) > 0
    if known or decided:
        await transaction.run(_CHANGE, (user, device))
        await audit.note(transaction, act)
    return known or decided


async def forget_syncs(transaction: Transaction, user: UserId, device: DeviceId, act: Act | None) -> None:
    """Forget what a device knows of its collections, so that it begins anew with all of them."""
    await _decide(transaction, _name(user, device))
    for table in _KNOWN:
        await transaction.run(f'DELETE FROM {table} WHERE "user" = ? AND device = ?', (user, device))  # noqa: S608
    await transaction.run(_CHANGE, (user, device))
    await audit.note(transaction, act)


async def prune(transaction: Transaction, before: datetime) -> None:
    """Forget devices last seen before that time, with their values, that have no key and synced nothing."""
    await _forget_of(transaction, await transaction.rows(_PRUNE, (milliseconds(before),)))


async def _forget_of(transaction: Transaction, devices: Iterable[Row]) -> int:
    """Forget what is kept of these devices; returns how many there are."""
    gone = list(devices)
    for table in _OF_DEVICES:
        await transaction.run_all(f'DELETE FROM {table} WHERE "user" = ? AND device = ?', gone)  # noqa: S608
    return len(gone)


async def load_memo(transaction: Transaction, user: UserId, device: DeviceId, name: str) -> bytes | None:
    """A remembered value, or None."""
    row = await transaction.row(
        'SELECT value FROM memo WHERE "user" = ? AND device = ? AND name = ?', (user, device, name)
    )
    return None if row is None else bytes(row[0])


@single
async def save_memo(
    transaction: Transaction, user: UserId, device: DeviceId, name: str, value: bytes | None
) -> None:
    """Remember a value, or with None forget it."""
    if value is None:
        await transaction.run(
            'DELETE FROM memo WHERE "user" = ? AND device = ? AND name = ?', (user, device, name)
        )
    else:
        await transaction.run(_SAVE_MEMO, (user, device, name, value))


async def _decide(transaction: Transaction, *names: str) -> None:
    """Be the one that decides: changes have their numbers in the order in which they are committed."""
    await transaction.alone(_DECISIONS, *names)
    transaction.tell(Topic.DECISIONS, {CollectionId(""): [EVERYBODY]})


def of_row(row: Row) -> Device:
    """The device of a row of `COLUMNS`."""
    return _device(tuple(row))


@lru_cache(maxsize=1024)
def _device(row: tuple[Any, ...]) -> Device:
    """The same values for the same row: each request of a device loads it, and few change it."""
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


def _name(user: UserId, device: DeviceId) -> str:
    """Of a device, of which one transaction at a time decides, or is stored by what was decided."""
    return f"device {device} {user}"
