"""Files of items, kept in chunks, as transactions. `now` is in milliseconds."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from gateway.errors import NotFound, StateConflict
from gateway.items import FileInfo, FileNumber, ItemNumber
from gateway.ports import Pieces
from gateway.store.tables.itemfolders import number_of
from gateway.store.transactions import Dialects, Transaction
from gateway.types import CollectionId

__all__ = ["append", "begin", "chunks", "find", "hand_over", "prune", "read", "refer"]

CHUNK = 256 * 1024
"""Octets of a chunk; only the last one of a file is smaller."""

_APPEND = """
    INSERT INTO item_file_chunk (file, start, data)
    VALUES (?1, (SELECT size FROM item_file WHERE number = ?1), ?2)
"""
_FIND = """
    SELECT item_file.number, name, content_type, size FROM item_file CROSS JOIN item
    WHERE item_file.number = ? AND item.number = item_file.item AND folder = ?
"""
# The first chunk is the last one that does not begin behind the offset.
_READ = """
    SELECT start, data FROM item_file LEFT JOIN item_file_chunk
        ON file = number AND start < cast(?2 AS bigint) + cast(?3 AS bigint)
            AND start >= (SELECT max(start) FROM item_file_chunk WHERE file = ?1 AND start <= ?2)
    WHERE number = ?1 ORDER BY start
"""
_LET_GO = Dialects(
    sqlite="""
        UPDATE item_file SET item = NULL, since = ?2
        WHERE item = ?1 AND number NOT IN (SELECT value FROM json_each(?3))
    """,
    postgres="""
        UPDATE item_file SET item = NULL, since = $2 WHERE item = $1 AND number <> ALL ($3::bigint[])
    """,
)
_TAKE = Dialects(
    sqlite="""
        UPDATE item_file SET item = ?1
        WHERE number IN (SELECT value FROM json_each(?2)) AND (item IS NULL OR item = ?1)
    """,
    postgres="""
        UPDATE item_file SET item = $1
        WHERE number = ANY ($2::bigint[]) AND (item IS NULL OR item = $1)
    """,
)
_PRUNE = """
    DELETE FROM item_file WHERE item IS NULL AND since < ?
        AND NOT EXISTS (SELECT 1 FROM notice_file WHERE file = number)
"""


def chunks(content: Pieces) -> Iterator[bytes]:
    """The octets of a file, a chunk at a time; at least one."""
    held = bytearray()
    for piece in content:
        rest = memoryview(piece)
        while rest:
            if len(held) == CHUNK:
                yield bytes(held)
                held.clear()
            taken = rest[: CHUNK - len(held)]
            held += taken
            rest = rest[len(taken) :]
    yield bytes(held)


async def begin(transaction: Transaction, name: str, content_type: str, first: bytes, now: int) -> FileNumber:
    """Make a file with its first chunk. No item refers to it yet."""
    row = await transaction.row(
        "INSERT INTO item_file (since, name, content_type, size) VALUES (?, ?, ?, 0) RETURNING number",
        (now, name, content_type),
    )
    assert row is not None
    await append(transaction, row[0], first)
    return FileNumber(row[0])


async def append(transaction: Transaction, number: FileNumber, chunk: bytes) -> None:
    """Add a chunk to a file."""
    await transaction.run(_APPEND, (number, chunk))
    await transaction.run("UPDATE item_file SET size = size + ? WHERE number = ?", (len(chunk), number))


async def find(transaction: Transaction, folder: CollectionId, number: FileNumber) -> FileInfo | None:
    """What is known of a file that an item of the folder refers to."""
    row = await transaction.row(_FIND, (number, number_of(folder)))
    return None if row is None else FileInfo(*row)


async def read(transaction: Transaction, number: FileNumber, offset: int, size: int) -> bytes:
    """Octets of a file from an offset. Raises `NotFound`."""
    rows = list(await transaction.rows(_READ, (number, offset, size)))
    if not rows:
        raise NotFound(f"there is no file {number}")
    if rows[0][0] is None:
        return b""
    begun = offset - rows[0][0]
    return b"".join(data for _, data in rows)[begun : begun + size]


async def refer(transaction: Transaction, item: ItemNumber, files: AbstractSet[FileNumber], now: int) -> None:
    """Note which files an item refers to, and that it does to no others.

    Raises `StateConflict` when one is forgotten by now, or that of another item.
    """
    wanted = sorted(files)
    await transaction.run(_LET_GO, (item, now, wanted))
    if files and await transaction.run(_TAKE, (item, wanted)) != len(files):
        raise StateConflict(f"a file of item {item} is forgotten by now, or that of another item")


async def hand_over(transaction: Transaction, item: ItemNumber, heir: ItemNumber) -> None:
    """Let another item have the files of one."""
    await transaction.run("UPDATE item_file SET item = ? WHERE item = ?", (heir, item))


async def prune(transaction: Transaction, before: int) -> None:
    """Forget the files no item has referred to since before that time, and no notice does."""
    await transaction.run(_PRUNE, (before,))
