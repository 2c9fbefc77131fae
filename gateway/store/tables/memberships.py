"""Which groups of the directories users are in, as transactions."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby

from gateway.ports.memberships import Membership
from gateway.store.tables.times import from_milliseconds, milliseconds
from gateway.store.transactions import Row, Transaction
from gateway.types import UserId

__all__ = ["list_since", "load", "prune", "save"]

_SAVE = """
    INSERT INTO membership ("user", name, held, asked) VALUES (?, ?, ?, ?)
    ON CONFLICT ("user", name) DO UPDATE SET held = excluded.held, asked = excluded.asked
"""
_SUPERSEDED = 'DELETE FROM membership WHERE "user" = ? AND asked < ?'
_LOAD = 'SELECT "user", name, held, asked FROM membership WHERE "user" = ? ORDER BY name'
_LIST = 'SELECT "user", name, held, asked FROM membership WHERE asked >= ? ORDER BY "user", name'


async def save(transaction: Transaction, membership: Membership) -> None:
    """Store what was said of a user, in the place of what was said before."""
    asked = milliseconds(membership.asked)
    rows = [(membership.user, name, int(held), asked) for name, held in sorted(membership.groups.items())]
    await transaction.run_all(_SAVE, rows)
    await transaction.run(_SUPERSEDED, (membership.user, asked))


async def load(transaction: Transaction, user: UserId) -> Membership | None:
    """What was said of a user, or None."""
    return next(iter(_memberships([*await transaction.rows(_LOAD, (user,))])), None)


async def list_since(transaction: Transaction, since: datetime | None) -> list[Membership]:
    """What was said of all users at that time or later, by user."""
    return _memberships([*await transaction.rows(_LIST, (0 if since is None else milliseconds(since),))])


async def prune(transaction: Transaction, before: datetime) -> None:
    """Forget what was said before that time."""
    await transaction.run("DELETE FROM membership WHERE asked < ?", (milliseconds(before),))


def _memberships(rows: list[Row]) -> list[Membership]:
    return [
        Membership(
            UserId(user),
            {name: bool(held) for _, name, held, _ in known},
            from_milliseconds(min(row[3] for row in known)),
        )
        for user, some in groupby(rows, lambda row: row[0])
        if (known := list(some))
    ]
