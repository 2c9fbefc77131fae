"""Items that could not be rendered, as transactions."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.store.transactions import Transaction, single
from gateway.types import CollectionId, UserId

__all__ = ["Poison", "count", "forget", "has_any", "list_all", "note", "of_others"]

Poison = tuple[UserId, CollectionId, str, str, str]
"""user, collection, item, release, reason"""

_NOTE = """
    INSERT INTO poison ("user", collection, item, release, reason) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING
"""
_FORGET = 'DELETE FROM poison WHERE "user" = ? AND collection = ? AND item = ?'
_LIST = """
    SELECT p."user", p.collection, p.item, p.release, p.reason FROM (
        SELECT DISTINCT "user", collection, item FROM poison WHERE cast(?1 AS text) IS NULL OR "user" = ?1
        ORDER BY "user", collection, item LIMIT ?2
    ) AS first JOIN poison AS p ON p."user" = first."user" AND p.collection = first.collection
        AND p.item = first.item
    ORDER BY p."user", p.collection, p.item, p.release
"""
_ALL = (1 << 63) - 1


@single
async def note(transaction: Transaction, poison: Poison) -> bool:
    """Remember an item; True the first time with this release."""
    return await transaction.run(_NOTE, poison) == 1


async def of_others(
    transaction: Transaction, user: UserId, collection: CollectionId, release: str
) -> list[str]:
    """The items other releases failed at, and this one not."""
    rows = await transaction.rows(
        """
        SELECT item FROM poison WHERE "user" = ?1 AND collection = ?2
        GROUP BY item HAVING sum(CASE WHEN release = ?3 THEN 1 ELSE 0 END) = 0 ORDER BY item
        """,
        (user, collection, release),
    )
    return [row[0] for row in rows]


@single
async def forget(
    transaction: Transaction, user: UserId, collection: CollectionId, items: Iterable[str]
) -> None:
    """Forget items."""
    await transaction.run_all(_FORGET, [(user, collection, item) for item in items])


async def count(transaction: Transaction) -> int:
    """How many items there are, whichever releases failed at them."""
    rows = await transaction.rows(
        'SELECT count(*) FROM (SELECT DISTINCT "user", collection, item FROM poison) AS items', ()
    )
    ((found,),) = rows
    return int(found)


async def has_any(transaction: Transaction, user: UserId) -> bool:
    """Whether anything is remembered of a user's items."""
    return await transaction.row('SELECT 1 FROM poison WHERE "user" = ? LIMIT 1', (user,)) is not None


async def list_all(transaction: Transaction, user: UserId | None, most: int | None) -> list[Poison]:
    """What is remembered of so many items of a user, or of all users, ordered."""
    rows = await transaction.rows(_LIST, (user, _ALL if most is None else most))
    return [(*row,) for row in rows]
