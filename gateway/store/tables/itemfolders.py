"""Folders of items and who may see them, as transactions.

What changes the list of folders tells those who see it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.errors import Kind, NotFound, Refused
from gateway.items import ItemFolder, ItemKind, Right
from gateway.ports.items import MOST_SHARES
from gateway.store.transactions import Row, Topic, Transaction
from gateway.types import CollectionId, UserId

__all__ = [
    "audience",
    "create",
    "default",
    "delete",
    "folder_id",
    "load",
    "load_all",
    "load_everybodys",
    "lock",
    "number_of",
    "provide",
    "provide_all",
    "share",
    "shares",
    "update",
]

_ID = re.compile(r"i([1-9][0-9]{0,17})")
_LIST = CollectionId("")

_LOAD_ALL = """
    SELECT id, owner, kind, name, standard, parent, revision, 'owner' FROM item_folder WHERE owner = ?1
    UNION ALL
    SELECT id, owner, kind, name, standard, '', revision, access
    FROM item_share CROSS JOIN item_folder WHERE id = folder AND "user" = ?1
    ORDER BY id
"""
_LOAD_EVERYBODYS = """
    SELECT id, owner, kind, name, standard, parent, revision, 'owner' FROM item_folder ORDER BY owner, id
"""
_LOAD = """
    SELECT id, owner, kind, name, standard, CASE WHEN owner = ?1 THEN parent ELSE '' END, revision,
        CASE WHEN owner = ?1 THEN 'owner' ELSE access END
    FROM item_folder LEFT JOIN item_share ON folder = id AND "user" = ?1
    WHERE id = ?2 AND (owner = ?1 OR access IS NOT NULL)
"""
_DEFAULT = """
    SELECT id, owner, kind, name, standard, parent, revision, 'owner' FROM item_folder
    WHERE owner = ? AND kind = ? AND standard = 1
"""
_CREATE = """
    INSERT INTO item_folder (owner, kind, name, standard, parent, revision) VALUES (?, ?, ?, ?, ?, 0)
    ON CONFLICT DO NOTHING
    RETURNING id, owner, kind, name, standard, parent, revision, 'owner'
"""
_PROVIDE = """
    INSERT INTO item_folder (owner, kind, name, standard, parent, revision) VALUES {rows}
    ON CONFLICT DO NOTHING
"""
_AUDIENCE = """
    SELECT owner FROM item_folder WHERE id = ?1 UNION ALL SELECT "user" FROM item_share WHERE folder = ?1
"""
_WITH_THOSE_BELOW = """
    WITH RECURSIVE doomed (id, owner) AS (
        SELECT id, owner FROM item_folder WHERE id = ?
        UNION
        SELECT below.id, below.owner FROM doomed CROSS JOIN item_folder AS below
        WHERE below.owner = doomed.owner AND below.parent = 'i' || doomed.id
    )
    SELECT id FROM doomed
"""
_LET_GO_OF_FILES = """
    UPDATE item_file SET item = NULL, since = ?
    WHERE item IN (SELECT number FROM item WHERE folder = ?)
"""
_SHARE = """
    INSERT INTO item_share ("user", folder, access) VALUES (?, ?, ?)
    ON CONFLICT ("user", folder) DO UPDATE SET access = excluded.access
"""
_OWNER = "SELECT owner FROM item_folder WHERE id = ?"
# But for the one that is about to be made or changed.
_SHARED_BY = """
    SELECT count(*) FROM item_folder CROSS JOIN item_share
    WHERE owner = ?1 AND folder = id AND NOT (folder = ?2 AND "user" = ?3)
"""
_SHARED_WITH = 'SELECT count(*) FROM item_share WHERE "user" = ?1 AND NOT (folder = ?2 AND "user" = ?3)'
_OF_COLLECTIONS = ("sync_state", "intent", "poison")


def number_of(folder: CollectionId) -> int:
    """The number behind the id of a folder; 0, which is no folder's, for any other id."""
    match = _ID.fullmatch(folder)
    return int(match[1]) if match else 0


def folder_id(number: int) -> CollectionId:
    """The id of the folder with this number."""
    return CollectionId(f"i{number}")


async def load_all(transaction: Transaction, user: UserId) -> list[ItemFolder]:
    """The folders a user sees, by age."""
    return [_folder(row) for row in await transaction.rows(_LOAD_ALL, (user,))]


async def load_everybodys(transaction: Transaction) -> list[ItemFolder]:
    """All folders, as their owners see them."""
    return [_folder(row) for row in await transaction.rows(_LOAD_EVERYBODYS)]


async def load(transaction: Transaction, user: UserId, folder: CollectionId) -> ItemFolder | None:
    """One folder as a user sees it, or None."""
    row = await transaction.row(_LOAD, (user, number_of(folder)))
    return None if row is None else _folder(row)


async def default(transaction: Transaction, user: UserId, kind: ItemKind) -> ItemFolder | None:
    """The default folder of a kind, or None."""
    row = await transaction.row(_DEFAULT, (user, kind.value))
    return None if row is None else _folder(row)


async def provide(transaction: Transaction, user: UserId, kind: ItemKind, name: str) -> ItemFolder:
    """The default folder of a kind, made if there is none."""
    made = await _create(transaction, user, kind, name, standard=True)
    if made is None:
        made = await default(transaction, user, kind)
        assert made is not None
    return made


async def provide_all(
    transaction: Transaction, user: UserId, names: Mapping[ItemKind, str]
) -> list[ItemFolder]:
    """All folders a user sees, with the default ones of some kinds made where there are none."""
    rows = ", ".join(["(?, ?, ?, 1, '', 0)"] * len(names))
    values = [value for kind, name in names.items() for value in (user, kind.value, name)]
    if await transaction.run(_PROVIDE.format(rows=rows), values):
        transaction.tell(Topic.ITEMS, {_LIST: {user}})
    return await load_all(transaction, user)


async def create(
    transaction: Transaction, user: UserId, kind: ItemKind, name: str, parent: str
) -> ItemFolder:
    """Make a folder."""
    made = await _create(transaction, user, kind, name, parent=parent)
    assert made is not None
    return made


async def update(transaction: Transaction, folder: CollectionId, name: str, parent: str) -> None:
    """Give a folder a name and a place. Raises `NotFound`."""
    number = number_of(folder)
    done = await transaction.run(
        "UPDATE item_folder SET name = ?, parent = ? WHERE id = ?", (name, parent, number)
    )
    if not done:
        raise NotFound(f"there is no folder {folder!r}")
    transaction.tell(Topic.ITEMS, {_LIST: await audience(transaction, number)})


async def delete(transaction: Transaction, folder: CollectionId, now: int) -> None:
    """Delete a folder, those below it, and what devices know of them (`now` in milliseconds)."""
    told: set[UserId] = set()
    doomed = [number for (number,) in await transaction.rows(_WITH_THOSE_BELOW, (number_of(folder),))]
    await lock(transaction, *map(folder_id, doomed))
    for number in doomed:
        users = await audience(transaction, number)
        told |= users
        await _forget(transaction, number, users)
        await transaction.run(_LET_GO_OF_FILES, (now, number))
        await transaction.run("DELETE FROM item_folder WHERE id = ?", (number,))
    transaction.tell(Topic.ITEMS, {_LIST: told})


async def share(transaction: Transaction, folder: CollectionId, user: UserId, right: Right | None) -> None:
    """Let a user see a folder, or not any more. Of the owner it changes nothing.

    Raises `NotFound`, and `Refused` where the owner shares too much, or too much is shared with the user.
    """
    number = number_of(folder)
    row = await transaction.row(_OWNER, (number,))
    if row is not None:
        # The owner is always the same one: what is read before the lock is true.
        names = (f"folder {folder}", f"shares by {row[0]}", f"shares with {user}")
        await transaction.alone(*names)
        row = await transaction.row(_OWNER, (number,))
    if row is None:
        raise NotFound(f"there is no folder {folder!r}")
    if row[0] == user:
        return
    if right is not None:
        await _check_number(transaction, number, UserId(row[0]), user)
    if right is None:
        await transaction.run('DELETE FROM item_share WHERE "user" = ? AND folder = ?', (user, number))
        await _forget(transaction, number, {user})
    else:
        await transaction.run(_SHARE, (user, number, right.value))
    transaction.tell(Topic.ITEMS, {_LIST: {user}})


async def _check_number(transaction: Transaction, number: int, owner: UserId, user: UserId) -> None:
    """Raise `Refused` when one more share would be too many; one that is changed is none more."""
    for statement, whose, said in (
        (_SHARED_BY, owner, f"{owner} shares {MOST_SHARES} times, the most: end a share first"),
        (_SHARED_WITH, user, f"{user} sees {MOST_SHARES} folders of others, the most"),
    ):
        row = await transaction.row(statement, (whose, number, user))
        if row is not None and row[0] >= MOST_SHARES:
            raise Refused(Kind.ACCESS_DENIED, said)


async def shares(transaction: Transaction, folder: CollectionId) -> dict[UserId, Right]:
    """The users a folder is shared with, and their rights."""
    rows = await transaction.rows(
        'SELECT "user", access FROM item_share WHERE folder = ? ORDER BY "user"', (number_of(folder),)
    )
    return {UserId(user): Right(access) for user, access in rows}


async def lock(transaction: Transaction, *folders: CollectionId) -> None:
    """Have nobody else change these folders, their items, or who sees them, to the end of the transaction."""
    await transaction.alone(*(f"folder {folder}" for folder in folders))


async def audience(transaction: Transaction, number: int) -> set[UserId]:
    """Everybody who sees a folder."""
    return {UserId(user) for (user,) in await transaction.rows(_AUDIENCE, (number,))}


async def _create(
    transaction: Transaction,
    user: UserId,
    kind: ItemKind,
    name: str,
    *,
    standard: bool = False,
    parent: str = "",
) -> ItemFolder | None:
    """None: there is a default folder of the kind."""
    row = await transaction.row(_CREATE, (user, kind.value, name, int(standard), parent))
    if row is None:
        return None
    transaction.tell(Topic.ITEMS, {_LIST: {user}})
    return _folder(row)


async def _forget(transaction: Transaction, number: int, users: set[UserId]) -> None:
    """Forget what devices of some users know of a folder."""
    keys = [(user, folder_id(number)) for user in users]
    for table in _OF_COLLECTIONS:
        await transaction.run_all(f'DELETE FROM {table} WHERE "user" = ? AND collection = ?', keys)  # noqa: S608


def _folder(row: Row) -> ItemFolder:
    number, owner, kind, name, standard, parent, revision, right = row
    return ItemFolder(
        id=folder_id(number),
        owner=UserId(owner),
        kind=ItemKind(kind),
        name=name,
        default=bool(standard),
        parent=parent,
        revision=revision,
        right=Right(right),
    )
