"""People looked up in the address list by Search and Find."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.eas import fields
from gateway.eas.commands.base import Context
from gateway.eas.content.galentry import PICTURE, entry_properties
from gateway.eas.pictures import Photos, Wish
from gateway.ports.directory import Entry
from wbxml import Element, Tag

__all__ = ["properties", "wanted_text"]


def wanted_text(query: Element, free_text: Tag) -> str:
    """What a Query of the address list looks for. Raises `Refused`.

    It is a text (MS-ASCMD 2.2.3.142.1); that of a query as mail is searched with is its FreeText.
    """
    if not query.children:
        return query.text().strip()
    texts = [one for one in query.iter() if one.tag is free_text]
    if len(texts) != 1:
        raise fields.malformed("Query holds conditions, and not one text")
    return texts[0].text().strip()


async def properties(context: Context, entries: Sequence[Entry], wish: Wish | None) -> list[list[Element]]:
    """The properties of each, with photos if they are wanted. Raises `UpstreamError`."""
    if wish is None:
        return [entry_properties(entry) for entry in entries]
    known = await context.services.directory.pictures(context.principal, entries)
    photos = Photos(wish, PICTURE)
    return [entry_properties(entry, photos.element(known.get(entry.address.lower()))) for entry in entries]
