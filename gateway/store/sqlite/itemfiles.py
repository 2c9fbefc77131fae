"""Files of items, kept in chunks, as transactions on a connection. `now` is in milliseconds."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from gateway.errors import NotFound, StateConflict
from gateway.items import FileInfo, FileNumber, ItemNumber
from gateway.ports import Pieces
from gateway.store.sqlite.itemfolders import number_of
from gateway.types import CollectionId

__all__ = ["append", "begin", "chunks", "find", "hand_over", "prune", "read", "refer"]

CHUNK = 256 * 1024
"""Octets of a chunk; only the last one of a file is smaller."""

_APPEND = """
    INSERT INTO item_file_chunk (file, start, data) SELECT number, size, ?2 FROM item_file WHERE number = ?1
"""
_FIND = """
    SELECT item_file.number, name, content_type, size FROM item_file CROSS JOIN item
    WHERE item_file.number = ? AND item.number = item_file.item AND folder = ?
"""
# The first chunk is the last one that does not begin behind the offset.
_READ = """
    SELECT start, data FROM item_file LEFT JOIN item_file_chunk
        ON file = number AND start < ?2 + ?3
            AND start >= (SELECT max(start) FROM item_file_chunk WHERE file = ?1 AND start <= ?2)
    WHERE number = ?1 ORDER BY start
"""
_LET_GO = """
    UPDATE item_file SET item = NULL, since = ?2
    WHERE item = ?1 AND number NOT IN (SELECT value FROM json_each(?3))
"""
_TAKE = """
    UPDATE item_file SET item = ?1
    WHERE number IN (SELECT value FROM json_each(?2)) AND (item IS NULL OR item = ?1)
"""
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


def begin(connection: sqlite3.Connection, name: str, content_type: str, first: bytes, now: int) -> FileNumber:
    """Make a file with its first chunk. No item refers to it yet."""
    number = connection.execute(
        "INSERT INTO item_file (since, name, content_type, size) VALUES (?, ?, ?, 0)",
        (now, name, content_type),
    ).lastrowid
    assert number is not None
    append(connection, number, first)
    return number


def append(connection: sqlite3.Connection, number: FileNumber, chunk: bytes) -> None:
    """Add a chunk to a file."""
    connection.execute(_APPEND, (number, chunk))
    connection.execute("UPDATE item_file SET size = size + ? WHERE number = ?", (len(chunk), number))


def find(connection: sqlite3.Connection, folder: CollectionId, number: FileNumber) -> FileInfo | None:
    """What is known of a file that an item of the folder refers to."""
    row = connection.execute(_FIND, (number, number_of(folder))).fetchone()
    return None if row is None else FileInfo(*row)


def read(connection: sqlite3.Connection, number: FileNumber, offset: int, size: int) -> bytes:
    """Octets of a file from an offset. Raises `NotFound`."""
    rows = connection.execute(_READ, (number, offset, size)).fetchall()
    if not rows:
        raise NotFound(f"there is no file {number}")
    if rows[0][0] is None:
        return b""
    begun = offset - rows[0][0]
    return b"".join(data for _, data in rows)[begun : begun + size]


def refer(connection: sqlite3.Connection, item: ItemNumber, files: AbstractSet[FileNumber], now: int) -> None:
    """Note which files an item refers to, and that it does to no others.

    Raises `StateConflict` when one is forgotten by now, or that of another item.
    """
    wanted = json.dumps(sorted(files))
    connection.execute(_LET_GO, (item, now, wanted))
    if files and connection.execute(_TAKE, (item, wanted)).rowcount != len(files):
        raise StateConflict(f"a file of item {item} is forgotten by now, or that of another item")


def hand_over(connection: sqlite3.Connection, item: ItemNumber, heir: ItemNumber) -> None:
    """Let another item have the files of one."""
    connection.execute("UPDATE item_file SET item = ? WHERE item = ?", (heir, item))


def prune(connection: sqlite3.Connection, before: int) -> None:
    """Forget the files no item has referred to since before that time, and no notice does."""
    connection.execute(_PRUNE, (before,))
