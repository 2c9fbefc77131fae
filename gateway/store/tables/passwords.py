"""App passwords, as transactions."""

from __future__ import annotations

from datetime import datetime

from gateway.errors import Kind, Refused
from gateway.ports.audit import Act
from gateway.ports.passwords import MOST_APP_PASSWORDS
from gateway.store.tables import audit, devices
from gateway.store.tables.times import from_milliseconds, milliseconds
from gateway.store.transactions import Row, Transaction, single
from gateway.types import AppPassword, DeviceId, UserId

__all__ = ["add", "list_all", "list_of", "revoke", "use"]

_ADD = """
    INSERT INTO app_password ("user", name, digest, created, bound, device, used) VALUES (?, ?, ?, ?, ?, ?, ?)
    RETURNING number
"""
_COUNT = 'SELECT count(*) FROM app_password WHERE "user" = ?'
_NAMED = 'SELECT 1 FROM app_password WHERE "user" = ? AND name = ?'
_SELECT = 'SELECT number, "user", name, digest, created, bound, device, used FROM app_password'
_OF = f'{_SELECT} WHERE "user" = ? ORDER BY number'
_ALL = f'{_SELECT} ORDER BY "user", number'
_USE = """
    UPDATE app_password SET device = ?2, used = ?3 WHERE number = ?1 AND (bound = 0 OR device IN ('', ?2))
"""
_REVOKE = 'DELETE FROM app_password WHERE "user" = ? AND number = ?'


async def add(transaction: Transaction, password: AppPassword, act: Act | None) -> int:
    """Store one; returns its number. Raises `Refused` when there are too many, or one of this name."""
    await transaction.alone(f"passwords {password.user}")
    counted = await transaction.row(_COUNT, (password.user,))
    assert counted is not None
    if counted[0] >= MOST_APP_PASSWORDS:
        raise Refused(Kind.ACCESS_DENIED, f"{password.user} has {MOST_APP_PASSWORDS} app passwords, the most")
    if await transaction.row(_NAMED, (password.user, password.name)) is not None:
        text = "there is an app password of this name already: revoke that first, or choose another name"
        raise Refused(Kind.ACCESS_DENIED, text)
    values = (
        password.user,
        password.name,
        password.digest,
        milliseconds(password.created),
        int(password.bound),
        password.device,
        None if password.used is None else milliseconds(password.used),
    )
    row = await transaction.row(_ADD, values)
    assert row is not None
    await audit.note(transaction, act)
    return int(row[0])


async def list_of(transaction: Transaction, user: UserId) -> list[AppPassword]:
    """Those of a user, oldest first."""
    return [_password(row) for row in await transaction.rows(_OF, (user,))]


async def list_all(transaction: Transaction) -> list[AppPassword]:
    """Those of all users, by user."""
    return [_password(row) for row in await transaction.rows(_ALL)]


@single
async def use(transaction: Transaction, number: int, device: DeviceId, now: datetime) -> bool:
    """Note that a device uses one; False when it may not."""
    return await transaction.run(_USE, (number, device, milliseconds(now))) > 0


async def revoke(transaction: Transaction, user: UserId, number: int, act: Act | None) -> bool:
    """Forget one; False when there is none."""
    if not await transaction.run(_REVOKE, (user, number)):
        return False
    # Whichever devices wait: of one that is not bound nobody knows who uses it, and the others lose nothing.
    await devices.tell_all(transaction, user)
    await audit.note(transaction, act)
    return True


def _password(row: Row) -> AppPassword:
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
