"""Searching what a user has, for Search and Find alike: which folders, the list of hits, its pages."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import groupby

from gateway.eas import fields, itemsearch
from gateway.eas.commands.base import Context
from gateway.eas.content.email import Rendered
from gateway.eas.content.ids import item_server_id, server_id
from gateway.eas.content.preferences import BodyOptions
from gateway.errors import Kind, NotFound, Refused
from gateway.query import Query
from gateway.sync import hierarchy, itemfolders
from gateway.sync.folders import Folders
from gateway.sync.searches import Entry, Listed, ListedItem, Listing, Scope, below, in_order
from gateway.types import CollectionId, Folder, FolderList, ServerId
from wbxml import Element

__all__ = ["PAGE", "Scope", "Show", "listing", "name_of", "page", "parse_range", "recall"]

PAGE = 100
"""Results of one answer when a device names no range, and at most in an answer to Search."""
_RANGE = re.compile(r"([0-9]{1,9})-([0-9]{1,9})")

Show = Callable[[Folder, int, Sequence[int]], Awaitable[Mapping[int, Rendered]]]
"""Renders messages of a folder: its UIDVALIDITY, and UIDs. Those that are gone are left out."""


def parse_range(text: str | None) -> tuple[int, int]:
    """The first and the last result wanted, counted from 0. Raises `Refused(INVALID_XML)`."""
    if text is None:
        return 0, PAGE - 1
    match = _RANGE.fullmatch(text.strip())
    if match is None or int(match[1]) > int(match[2]):
        raise fields.malformed("a Range that is none")
    return int(match[1]), int(match[2])


def recall(context: Context, key: str) -> Listing | None:
    """The list a device had for a search before, if it is still there; an unfinished one too."""
    services = context.services
    query = _digest(key)
    return services.searches.recall(context.principal.user, context.device.id, query, services.clock.now())


async def listing(context: Context, key: str, query: Query, scope: Scope) -> Listing:
    """Search now; the list is kept under `key`, which names everything that was asked for.

    Raises `Refused(SYNC_STATE_NOT_FOUND)` for folders that are not there, and what `Mailboxes.search` raises.
    """
    services, user, device = context.services, context.principal.user, context.device.id
    searches, digest = services.searches, _digest(key)

    async def search() -> Listing:
        made = await _search(context, query, scope)
        if made.complete or made.entries:
            searches.keep(user, device, digest, made, services.clock.now())
        return made

    unsubscribe = context.stopping.listen(lambda: searches.end(user, device))
    try:
        return await searches.join(user, device, digest, search)
    finally:
        unsubscribe()


async def _search(context: Context, query: Query, scope: Scope) -> Listing:
    """Search the items first, which takes a moment: what is left of the time is for the mail."""
    limits = context.services.limits
    ends = asyncio.get_running_loop().time() + limits.search_seconds
    items = await itemsearch.search(context, query, scope, limits.search_results, ends)
    return (await _search_mail(context, query, scope, ends)).followed_by(items)


async def _search_mail(context: Context, query: Query, scope: Scope, ends: float) -> Listing:
    limits, now = context.services.limits, asyncio.get_running_loop().time
    if not scope.mail:
        return Listing()
    try:
        async with asyncio.timeout_at(ends):
            mailboxes = in_order(await _folders(context, scope))
    except TimeoutError:
        return Listing(complete=False)
    found = await context.mailboxes.search(
        list(mailboxes), query, limit=limits.search_results, seconds=max(ends - now(), 0)
    )
    return Listing.of(found, mailboxes)


def name_of(entry: Entry) -> ServerId:
    """The ServerId of what was found."""
    if isinstance(entry, ListedItem):
        return item_server_id(entry.collection, entry.number)
    return server_id(entry.collection, entry.uidvalidity, entry.uid)


async def page(
    context: Context, listed: Listing, first: int, last: int, show: Show, *, body: BodyOptions | None = None
) -> list[tuple[Entry, list[Element]]]:
    """A part of a list, rendered; items with this text. What is gone drops out, and the next move up."""
    folders = await Folders(context.services.state, context.mailboxes, context.principal.user).all()
    shown: dict[Entry, list[Element]] = {}
    while True:
        wanted = listed.entries[first : last + 1]
        missing = [one for one in wanted if one not in shown]
        if not missing:
            return [(one, shown[one]) for one in wanted]
        shown |= await _render(folders, [one for one in missing if isinstance(one, Listed)], show)
        items = [one for one in missing if isinstance(one, ListedItem)]
        shown |= await itemsearch.render(context, items, body or BodyOptions())
        listed.drop({one for one in missing if one not in shown})


async def _folders(context: Context, scope: Scope) -> list[Folder]:
    folders = Folders(context.services.state, context.mailboxes, context.principal.user)
    wanted, everywhere = scope.named, scope.everywhere
    # There is no mail in folders of items; to be sent to FolderSync for them, a device would come again.
    wanted = [one for one in wanted if not await _holds_items(context, one)]
    if not everywhere and not scope.deep:
        known = await folders.all()
        chosen = frozenset(wanted)
    else:
        known, mailboxes = await folders.refresh()
        rows = hierarchy.listing(known, mailboxes)
        chosen = below(rows, [CollectionId(hierarchy.ROOT)] if everywhere else wanted)
    if any(hierarchy.find(known, one) is None for one in wanted):
        raise Refused(Kind.SYNC_STATE_NOT_FOUND, "a folder to be searched is not there")
    return [folder for folder in known.folders if folder.id in chosen and not folder.gone]


async def _holds_items(context: Context, collection: CollectionId) -> bool:
    """Whether this is a folder of items, which the user sees."""
    return await itemfolders.find(context.services.items, context.principal.user, collection) is not None


async def _render(folders: FolderList, entries: Sequence[Listed], show: Show) -> dict[Entry, list[Element]]:
    def place(entry: Listed) -> tuple[CollectionId, int]:
        return entry.collection, entry.uidvalidity

    shown: dict[Entry, list[Element]] = {}
    for (collection, uidvalidity), several in groupby(sorted(entries, key=place), place):
        folder = hierarchy.find(folders, collection)
        if folder is None:
            continue
        try:
            rendered = await show(folder, uidvalidity, [one.uid for one in several])
        except NotFound:
            continue
        for uid, message in rendered.items():
            shown[Listed(collection, uidvalidity, uid)] = message.elements
    return shown


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
