"""Fetch of an item by its ServerId (MS-ASCMD 2.2.3.67.1): an event as Sync shows it, and all of it."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.eas import multipart, storeditems
from gateway.eas.commands.base import Context
from gateway.eas.content.ids import ItemName
from gateway.eas.content.kinds import content_of, knows
from gateway.eas.content.preferences import parse_body_options
from gateway.eas.itemoptions import ItemOptions
from gateway.errors import NotFound
from gateway.sync import itemfolders
from gateway.sync.guests import load_seen
from wbxml import Element, Tag
from wbxml.pages import AirSyncBase
from wbxml.pages import ItemOperations as Page

__all__ = ["fetched_item"]


async def fetched_item(
    context: Context,
    name: ItemName,
    options: Element,
    schema: frozenset[Tag],
    parts: multipart.Parts | None,
) -> tuple[str, Sequence[Element]]:
    """The Class of an item and its properties, those of the schema if there is one.

    With `parts` the text goes there. Raises `NotFound`, and `Refused` for options that are none.
    """
    items = context.services.items
    folder = await itemfolders.find(items, context.principal.user, name.collection)
    found = await load_seen(items, folder, [name.number]) if folder else {}
    if folder is None or not found or not knows(context.request.version, folder.kind):
        raise NotFound("the item is gone")
    wanted = ItemOptions(body=parse_body_options(options, context.request.version))
    rendered = await storeditems.render(context, folder, list(found.values()), wanted)
    shown = [one for one in rendered[name.number] if not schema or one.tag in schema]
    if parts is not None:
        await _take_apart(shown, parts)
    return content_of(folder.kind).name, shown


async def _take_apart(shown: Sequence[Element], parts: multipart.Parts) -> None:
    """Put the text into a part of its own."""
    for body in shown:
        data = body.find(AirSyncBase.Data) if body.tag is AirSyncBase.Body else None
        if data is not None:
            at = body.children.index(data)
            body.children[at] = Element(Page.Part, str(parts.add(data.data())))
    await parts.settle()
