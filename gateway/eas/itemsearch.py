"""Searching the items a user sees: which folders, the hits, and how they are shown.

There is no index: items are read and looked at, a bounded number of them, the newest first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby

from gateway.eas import storeditems
from gateway.eas.commands.base import Context
from gateway.eas.content.failures import reason_of
from gateway.eas.content.items import ItemContent, Scene
from gateway.eas.content.kinds import content_of
from gateway.eas.content.preferences import BodyOptions
from gateway.eas.itemoptions import ItemOptions
from gateway.errors import Kind, Refused
from gateway.items import Item, ItemFolder, ItemNumber
from gateway.pim.matching import Searched, may_match
from gateway.query import Query
from gateway.sync import itemfolders
from gateway.sync.background import compute
from gateway.sync.guests import as_seen, load_seen
from gateway.sync.searches import Entry, ListedItem, Listing, Scope, below
from gateway.types import CollectionId
from wbxml import Element
from wbxml.pages import AirSyncBase, Calendar, Tasks

__all__ = ["MOST_LOOKED_AT", "render", "search"]

MOST_LOOKED_AT = 10_000
"""Items that one search reads; those that were stored last."""
_AT_ONCE = 100
"""Items that are read and looked at together: some ten milliseconds."""
_NOT_IN_RESULTS = frozenset(
    {
        AirSyncBase.InstanceId,
        Calendar.Categories,
        Calendar.OnlineMeetingConfLink,
        Calendar.OnlineMeetingExternalLink,
        Tasks.OrdinalDate,
        Tasks.SubOrdinalDate,
    }
)
"""What the schema of a result does not have (MS-ASCMD 6.35); a Fetch shows it."""


async def search(context: Context, query: Query, scope: Scope, limit: int, ends: float) -> Listing:
    """The items that fit, those stored last first, at most `limit`; `ends` is a time of the event loop.

    Raises `Refused(SYNC_STATE_NOT_FOUND)` for a folder of items that the user does not see.
    """
    if not scope.kinds:
        return Listing()
    folders = await _folders(context, scope)
    numbers = await _newest(context, folders)
    found: list[tuple[datetime, ListedItem]] = []
    for at in range(0, len(numbers), _AT_ONCE):
        if asyncio.get_running_loop().time() >= ends:
            return _listed(found, limit, complete=False)
        some = sorted(numbers[at : at + _AT_ONCE], key=lambda place: place[1])
        for folder, several in groupby(some, lambda place: folders[place[1]]):
            items = await context.services.items.load_items(folder.id, [number for number, _ in several])
            found += await _matching(context, query, folder, list(items.values()))
    return _listed(found, limit, complete=True)


async def render(
    context: Context, wanted: Sequence[ListedItem], body: BodyOptions
) -> dict[Entry, list[Element]]:
    """The properties of items that were found; what the user does not see any more is left out."""
    shown: dict[Entry, list[Element]] = {}
    items, options = context.services.items, ItemOptions(body=body)
    for collection, several in groupby(sorted(wanted, key=_place), lambda one: one.collection):
        folder = await itemfolders.find(items, context.principal.user, collection)
        if folder is None:
            continue
        loaded = await load_seen(items, folder, [one.number for one in several])
        for number, elements in (
            await storeditems.render(context, folder, list(loaded.values()), options)
        ).items():
            told = [one for one in elements if one.tag not in _NOT_IN_RESULTS]
            shown[ListedItem(folder.id, folder.kind, number)] = told
    return shown


async def _folders(context: Context, scope: Scope) -> Mapping[CollectionId, ItemFolder]:
    """The folders to be searched, which the user sees."""
    user = context.principal.user
    seen = await itemfolders.seen(context.services.items, user)
    known = {itemfolders.shown_id(folder) for folder in seen}
    if any(itemfolders.is_item_folder(one) and one not in known for one in scope.named):
        raise Refused(Kind.SYNC_STATE_NOT_FOUND, "a folder to be searched is not there")
    if scope.everywhere:
        chosen = frozenset(known)
    elif scope.deep:
        chosen = below(itemfolders.joined((), seen, user), scope.named)
    else:
        chosen = frozenset(scope.named)
    return {folder.id: folder for folder in seen if folder.id in chosen and folder.kind in scope.kinds}


async def _newest(
    context: Context, folders: Mapping[CollectionId, ItemFolder]
) -> Sequence[tuple[ItemNumber, CollectionId]]:
    """Where to look: the items with the highest numbers, the highest first."""
    places = [
        (change.number, folder)
        for folder in folders
        for change in await context.services.items.item_changes(folder, 0)
        if not change.gone
    ]
    return sorted(places, reverse=True)[:MOST_LOOKED_AT]


async def _matching(
    context: Context, query: Query, folder: ItemFolder, items: Sequence[Item]
) -> Sequence[tuple[datetime, ListedItem]]:
    content, scene = content_of(folder.kind), storeditems.scene_of(context, folder)
    hits, unreadable = await compute(_hits, query, content, scene, items)
    if unreadable:
        reasons = sorted(set(unreadable.values()))
        context.log.warning("items not searched", collection=folder.id, items=[*unreadable], reasons=reasons)
    return [(item.created, ListedItem(folder.id, folder.kind, item.number)) for item in hits]


def _hits(
    query: Query, content: ItemContent, scene: Scene, items: Sequence[Item]
) -> tuple[Sequence[Item], Mapping[ItemNumber, str]]:
    """The items that fit as their user sees them, and why others could not be read."""
    hits: list[Item] = []
    unreadable: dict[ItemNumber, str] = {}
    for item in items:
        try:
            seen = as_seen(scene.folder, item)
            if seen is None or not may_match(query, seen.stored.text):
                continue
            if Searched.of(content.texts(seen, scene), item.created).matches(query):
                hits.append(item)
        except Exception as error:  # noqa: BLE001 - one item must not keep back the others; the caller logs it
            unreadable[item.number] = reason_of(error)
    return hits, unreadable


def _listed(found: Sequence[tuple[datetime, ListedItem]], limit: int, *, complete: bool) -> Listing:
    newest = sorted(found, key=lambda one: (one[0], one[1].number), reverse=True)
    return Listing([entry for _, entry in newest[:limit]], len(found), complete)


def _place(entry: ListedItem) -> CollectionId:
    return entry.collection
