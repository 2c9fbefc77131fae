"""People found in the address list, as Search and Find tell them."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.eas.commands.base import Context
from gateway.eas.content.galentry import PICTURE, entry_properties
from gateway.eas.pictures import Photos, Wish
from gateway.ports.directory import Entry
from wbxml import Element

__all__ = ["properties"]


async def properties(context: Context, entries: Sequence[Entry], wish: Wish | None) -> list[list[Element]]:
    """The properties of each, with photos if they are wanted. Raises `UpstreamError`."""
    if wish is None:
        return [entry_properties(entry) for entry in entries]
    known = await context.services.directory.pictures(context.principal, entries)
    photos = Photos(wish, PICTURE)
    return [entry_properties(entry, photos.element(known.get(entry.address.lower()))) for entry in entries]
