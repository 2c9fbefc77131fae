"""Reading items and their changes, each as one SELECT on a connection."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from gateway.items import Item, ItemChange, ItemKind, ItemNumber, StoredItem
from gateway.store.tables.itemfolders import folder_id, number_of
from gateway.store.tables.times import from_milliseconds, milliseconds
from gateway.store.transactions import Dialects, Row, Transaction
from gateway.types import CollectionId, UserId

__all__ = ["between", "changes", "ending", "find", "load", "span"]

_ALWAYS_WAS = -(2**63)
_FOR_EVER = 2**63 - 1
_ALL = 2**63 - 1

_ITEM = """
    item.number, item.folder, item.revision, item.uid, item.text, item.starts, item.ends, item.created,
    item.modified
"""
_FILES = Dialects(
    sqlite="(SELECT json_group_array(item_file.number) FROM item_file WHERE item_file.item = item.number)",
    postgres="(SELECT json_agg(item_file.number) FROM item_file WHERE item_file.item = item.number)",
)
_LOAD = Dialects(
    sqlite=f"""
        SELECT {_ITEM}, {_FILES.sqlite} FROM json_each(?2) AS wanted CROSS JOIN item
        WHERE item.number = wanted.value AND folder = ?1 AND gone = 0
    """,  # noqa: S608 - put together from constants
    postgres=f"""
        SELECT {_ITEM}, {_FILES.postgres} FROM item
        WHERE item.number = ANY ($2::bigint[]) AND folder = $1 AND gone = 0
    """,  # noqa: S608
)
_FIND = Dialects(
    sqlite=f"""
        SELECT {_ITEM}, {_FILES.sqlite}
        FROM item_folder CROSS JOIN json_each(?3) AS wanted CROSS JOIN item
        WHERE owner = ?1 AND kind = ?2 AND folder = item_folder.id AND uid = wanted.value AND gone = 0
        ORDER BY standard DESC, item_folder.id
    """,  # noqa: S608
    postgres=f"""
        SELECT {_ITEM}, {_FILES.postgres} FROM item_folder JOIN item ON folder = item_folder.id
        WHERE owner = $1 AND kind = $2 AND uid = ANY ($3::text[]) AND gone = 0
            AND md5(uid) = ANY (SELECT md5(wanted) FROM unnest($3::text[]) AS wanted)
        ORDER BY standard DESC, item_folder.id
    """,  # noqa: S608
)
_BETWEEN = Dialects(
    sqlite=f"""
        SELECT {_ITEM}, {_FILES.sqlite} FROM json_each(?1) AS wanted CROSS JOIN item
        WHERE folder = wanted.value AND gone = 0 AND ends > ?2 AND starts < ?3 LIMIT ?4
    """,  # noqa: S608
    postgres=f"""
        SELECT {_ITEM}, {_FILES.postgres} FROM item
        WHERE folder = ANY ($1::bigint[]) AND gone = 0 AND ends > $2 AND starts < $3 LIMIT $4
    """,  # noqa: S608
)
_CHANGES = """
    SELECT number, revision, gone, starts, ends, alike FROM item
    WHERE folder = ? AND revision > ? ORDER BY revision
"""
_ENDING = """
    SELECT number, revision, gone, starts, ends, alike FROM item
    WHERE folder = ? AND gone = 0 AND ends >= ? AND ends < ?
"""


async def load(
    transaction: Transaction, folder: CollectionId, numbers: Iterable[ItemNumber]
) -> dict[ItemNumber, Item]:
    """Those of some items of a folder that are there."""
    wanted = list(numbers)
    rows = {row[0]: row for row in await transaction.rows(_LOAD, (number_of(folder), wanted))}
    return {number: _item(rows[number]) for number in wanted if number in rows}


async def find(transaction: Transaction, user: UserId, kind: ItemKind, uids: Sequence[str]) -> list[Item]:
    """The items with these UIDs in a user's own folders of a kind."""
    return [_item(row) for row in await transaction.rows(_FIND, (user, kind.value, list(uids)))]


async def changes(transaction: Transaction, folder: CollectionId, after: int) -> list[ItemChange]:
    """The newest change of each item that changed after a revision, by revision."""
    rows = await transaction.rows(_CHANGES, (number_of(folder), after))
    return [_change(row) for row in rows]


async def ending(
    transaction: Transaction, folder: CollectionId, start: datetime, end: datetime
) -> list[ItemChange]:
    """The items that end from `start` on and before `end`."""
    rows = await transaction.rows(_ENDING, (number_of(folder), milliseconds(start), milliseconds(end)))
    return [_change(row) for row in rows]


async def between(
    transaction: Transaction,
    folders: Iterable[CollectionId],
    start: datetime,
    end: datetime,
    limit: int | None = None,
) -> list[Item]:
    """The items of some folders that start before `end` and end after `start`; at most `limit`."""
    wanted = sorted({number_of(folder) for folder in folders})
    row = (wanted, milliseconds(start), milliseconds(end), _ALL if limit is None else limit)
    rows = await transaction.rows(_BETWEEN, row)
    return [_item(row) for row in rows]


def span(stored: StoredItem) -> tuple[int, int]:
    """The columns `starts` and `ends` of an item."""
    return (
        _ALWAYS_WAS if stored.starts is None else milliseconds(stored.starts),
        _FOR_EVER if stored.ends is None else milliseconds(stored.ends),
    )


def _bound(count: int) -> datetime | None:
    return None if count in (_ALWAYS_WAS, _FOR_EVER) else from_milliseconds(count)


def _change(row: Row) -> ItemChange:
    number, revision, gone, starts, ends, alike = row
    if gone:
        return ItemChange(number, revision, gone=True)
    return ItemChange(number, revision, gone=False, starts=_bound(starts), ends=_bound(ends), alike=alike)


def _item(row: Row) -> Item:
    number, folder, revision, uid, text, starts, ends, created, modified, files = row
    return Item(
        number=number,
        folder=folder_id(folder),
        revision=revision,
        stored=StoredItem(uid, text, _bound(starts), _bound(ends), frozenset(json.loads(files or "[]"))),
        created=from_milliseconds(created),
        modified=from_milliseconds(modified),
    )
