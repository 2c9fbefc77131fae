"""Sessions of the web pages, as transactions."""

from __future__ import annotations

from datetime import datetime

from gateway.ports.audit import Act
from gateway.ports.sessions import EVERY_DEVICE, MOST_SESSIONS, Session
from gateway.store.tables import audit, devices
from gateway.store.tables.times import from_milliseconds, milliseconds
from gateway.store.transactions import Dialects, Transaction
from gateway.types import UserId

__all__ = ["begin", "end", "end_all", "load", "note", "prune", "sign_out"]

_BEGIN = 'INSERT INTO web_session (key, "user", email, began, seen, seal) VALUES (?, ?, ?, ?, ?, ?)'
_TOO_MANY = Dialects(
    sqlite="""
        DELETE FROM web_session WHERE key IN (
            SELECT key FROM web_session WHERE user = ?1 ORDER BY began DESC, rowid DESC LIMIT -1 OFFSET ?2
        )
    """,
    postgres="""
        DELETE FROM web_session WHERE key IN (
            SELECT key FROM web_session WHERE "user" = $1 ORDER BY began DESC, number DESC OFFSET $2
        )
    """,
)
_LOAD = 'SELECT "user", email, began, seen, seal FROM web_session WHERE key = ?'


async def begin(transaction: Transaction, session: Session) -> None:
    """Store a session, and forget the oldest ones of a user who has too many."""
    times = milliseconds(session.began), milliseconds(session.seen)
    await transaction.run(_BEGIN, (session.key, session.user, session.email, *times, session.seal))
    await transaction.run(_TOO_MANY, (session.user, MOST_SESSIONS))


async def load(transaction: Transaction, key: bytes) -> Session | None:
    """One session, or None."""
    row = await transaction.row(_LOAD, (key,))
    if row is None:
        return None
    user, email, began, seen, seal = row
    return Session(key, UserId(user), email, from_milliseconds(began), from_milliseconds(seen), bytes(seal))


async def note(transaction: Transaction, key: bytes, seen: datetime) -> None:
    """Note that a session was used, if it is there."""
    await transaction.run("UPDATE web_session SET seen = ? WHERE key = ?", (milliseconds(seen), key))


async def end(transaction: Transaction, key: bytes) -> None:
    """Forget a session."""
    await transaction.run("DELETE FROM web_session WHERE key = ?", (key,))


async def end_all(transaction: Transaction, user: UserId) -> None:
    """Forget the sessions of a user."""
    await transaction.run('DELETE FROM web_session WHERE "user" = ?', (user,))


async def sign_out(transaction: Transaction, user: UserId, act: Act | None) -> None:
    """Forget the sessions of a user, and have his logins checked anew."""
    await devices.tell(transaction, user, EVERY_DEVICE)
    await end_all(transaction, user)
    await audit.note(transaction, act)


async def prune(transaction: Transaction, began: datetime, seen: datetime) -> None:
    """Forget sessions that are too old, or were not used for too long."""
    row = (milliseconds(began), milliseconds(seen))
    await transaction.run("DELETE FROM web_session WHERE began < ? OR seen < ?", row)
