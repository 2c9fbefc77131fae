"""The bytes behind the FileReference of an item's file (MS-ASCMD 2.2.1.10.1 Fetch)."""

from __future__ import annotations

from gateway.eas.content.attachments import LARGEST, Extent, Sink, known_type
from gateway.eas.content.ids import ItemFileName
from gateway.errors import Kind, NotFound, Refused
from gateway.ports import Items
from gateway.sync.guests import load_seen
from gateway.types import UserId

__all__ = ["copy_item_file"]

_STEP = 256 * 1024
"""Octets that are read at once."""


async def copy_item_file(
    items: Items,
    user: UserId,
    name: ItemFileName,
    sink: Sink,
    byte_range: tuple[int, int] | None = None,
    *,
    largest: int = LARGEST,
) -> Extent:
    """Write a file of an item into `sink`, piece by piece.

    `byte_range` counts octets from 0, both ends included. It may reach beyond the end: what is there is
    written, nothing if it begins behind the end. Raises `NotFound` when there is no such file or the user may
    not see it, `Refused` (TOO_LARGE) when more than `largest` octets would be written.
    """
    folder = await items.item_folder(user, name.item.collection)
    file = await items.item_file(folder.id, name.file) if folder else None
    seen = await load_seen(items, folder, [name.item.number]) if folder else {}
    if file is None or name.file not in {number for item in seen.values() for number in item.stored.files}:
        raise NotFound("the file or its item is gone")
    first, last = byte_range or (0, file.size)
    at, end = min(first, file.size), min(last + 1, file.size)
    if end - at > largest:
        raise Refused(Kind.TOO_LARGE, f"more than {largest} octets")
    while at < end:
        piece = await items.read_item_file(name.file, at, min(_STEP, end - at))
        if not piece:
            raise NotFound("the file was cut off meanwhile")
        await sink.write(piece)
        at += len(piece)
    return Extent(known_type(file.content_type), first, max(end - first, 0), file.size)
