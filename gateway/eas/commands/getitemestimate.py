"""GetItemEstimate (MS-ASCMD 2.2.1.9): how many changes the next Sync of a collection would bring."""

from __future__ import annotations

from gateway.eas import fields
from gateway.eas.classes import default_collection
from gateway.eas.commands.base import BodyRule, Context, Reply
from gateway.eas.content.kinds import content_of, knows
from gateway.eas.itemoptions import parse_item_options
from gateway.eas.itemwindow import window_start
from gateway.eas.options import CollectionOptions, mail_block
from gateway.eas.versions import Version
from gateway.errors import Kind, NotFound, Refused
from gateway.items import ItemKind
from gateway.sync import diff, itemfolders
from gateway.sync.annotations import noted
from gateway.sync.cursor import MailCursor
from gateway.sync.folders import Folders
from gateway.sync.hierarchy import mailbox_of
from gateway.sync.itemcursor import ItemCursor, caught_up
from gateway.sync.itemfolders import is_item_folder
from gateway.sync.keys import KeyUse, classify, cursor_of
from gateway.sync.recipients import ends_of
from gateway.sync.window import Window
from gateway.types import CollectionId, SyncState
from wbxml import Element, element
from wbxml.pages import AirSync
from wbxml.pages import GetItemEstimate as Page

_INVALID_COLLECTION = 2
_NOT_PRIMED = 3
_INVALID_KEY = 4
_CLASSES_APART = 4
_NO_FILTER = 103
_WRONG_FILTER = 110
_CAP_WITHOUT_OPTIONS = 512
_FILTERS = frozenset("012345678")


class GetItemEstimate:
    """Counts pending changes. The keys named are only looked at, not advanced."""

    name = "GetItemEstimate"
    code = 14
    root = Page.GetItemEstimate
    status = Page.Status
    first = Version.V2_5
    last = None
    needs_policy_key = True
    body = BodyRule.REQUIRED

    async def handle(self, context: Context, root: Element | None, body: bytes) -> Reply:  # noqa: ARG002
        """Raises `Refused` for a request that names no collection or too many, and `UpstreamError`."""
        root = fields.document(root)
        collections = fields.required(root, Page.Collections).findall(Page.Collection)
        if not 0 < len(collections) <= context.services.limits.max_collections:
            raise fields.malformed("no collections, or too many")
        reply = element(Page.GetItemEstimate)
        for asked in collections:
            reply.append(await self._response(context, asked))
        if all(told.child_text(Page.Status) == str(_WRONG_FILTER) for told in reply):
            raise Refused(Kind.SERVER_ERROR, "a FilterType that no folder asked about has")
        return reply

    async def _response(self, context: Context, asked: Element) -> Element:
        try:
            collection = await _named(context, asked)
        except NotFound:
            return element(Page.Response, element(Page.Status, _INVALID_COLLECTION))
        if any(one.tag is AirSync.FilterType and one.text().strip() not in _FILTERS for one in asked.iter()):
            if not context.request.version.body_status:
                raise fields.malformed("a FilterType that does not exist")
            return element(Page.Response, element(Page.Status, _NO_FILTER))
        if is_item_folder(collection):
            return await self._of_items(context, collection, asked)
        blocks = _blocks(asked)
        problem, estimate = _unfit(blocks, context.request.version), 0
        if problem == _WRONG_FILTER and not context.request.version.body_status:
            raise Refused(Kind.SERVER_ERROR, "a FilterType that mail does not have")
        if not problem:
            options = CollectionOptions.parse(blocks, context.request.version) if blocks else None
            try:
                estimate, problem = await self._estimate(context, collection, asked, options)
            except NotFound:
                problem = _INVALID_COLLECTION
        if problem:
            return element(Page.Response, element(Page.Status, problem))
        return _told(context, "Email", collection, estimate)

    async def _of_items(self, context: Context, collection: CollectionId, asked: Element) -> Element:
        """The answer for a folder of items."""
        services, user, version = context.services, context.principal.user, context.request.version
        folder = await itemfolders.find(services.items, user, collection)
        blocks = _blocks(asked)
        unknown = folder is None or not knows(version, folder.kind)
        limited = any(block.find(AirSync.MaxItems) for block in blocks)
        if folder is None or unknown or (limited and folder.kind is not ItemKind.RECIPIENTS):
            return element(Page.Response, element(Page.Status, _INVALID_COLLECTION))
        if fields.boolean(asked, AirSync.ConversationMode, default=False):
            raise fields.malformed("ConversationMode outside mail")
        content = content_of(folder.kind)
        if any((block.child_text(AirSync.Class) or content.name) != content.name for block in blocks):
            return element(Page.Response, element(Page.Status, _CLASSES_APART))
        try:
            options = parse_item_options(blocks, content, version)
        except Refused:
            if not version.body_status:
                raise Refused(Kind.SERVER_ERROR, "a FilterType that these items do not have") from None
            return element(Page.Response, element(Page.Status, _WRONG_FILTER))
        stored = await services.state.load_sync(user, context.device.id, folder.id)
        cursor, problem = _known(stored, fields.identifier(asked, AirSync.SyncKey))
        if problem:
            return element(Page.Response, element(Page.Status, problem))
        ends = await ends_of(services.items, folder)
        since = window_start(folder, options, services.clock.now(), ends)
        count = len((await caught_up(services.items, folder, ItemCursor.unpack(cursor), since)).untold)
        return _told(context, content.name, collection, count if blocks else min(count, _CAP_WITHOUT_OPTIONS))

    async def _estimate(
        self, context: Context, collection: CollectionId, asked: Element, options: CollectionOptions | None
    ) -> tuple[int, int]:
        """The number of changes and 0, or 0 and the Status of why there is none."""
        key = fields.identifier(asked, AirSync.SyncKey)
        state, user = context.services.state, context.principal.user
        folder = await Folders(state, context.mailboxes, user).find(collection)
        if folder is None:
            raise NotFound("no such collection")
        stored = await state.load_sync(user, context.device.id, collection)
        known, problem = _known(stored, key)
        if stored is None or problem:
            return 0, problem
        mailbox = mailbox_of(folder)
        if mailbox is None:
            return 0, 0
        view = await context.mailboxes.view(mailbox)
        cursor = MailCursor.unpack(known).rebased(view.uidvalidity)
        cursor = await noted(state, user, collection, cursor, newest=stored.annotations)
        since = options.since(context.services.clock.now()) if options else None
        window = Window(since, fields.boolean(asked, AirSync.ConversationMode, default=False))
        within = await window.members(context.mailboxes, mailbox, view.uidvalidity)
        count = len(diff.compare(cursor, view, within))
        return (count if options else min(count, _CAP_WITHOUT_OPTIONS)), 0


def _known(stored: SyncState | None, key: str) -> tuple[bytes, int]:
    """The cursor a key stands for and 0, or nothing and the Status of why there is none."""
    use = classify(stored, key)
    if stored is None or use is KeyUse.INITIAL:
        return b"", _NOT_PRIMED
    if use is KeyUse.UNKNOWN:
        return b"", _INVALID_KEY
    return cursor_of(stored, key), 0


def _told(context: Context, kind: str, collection: CollectionId, estimate: int) -> Element:
    told = element(Page.Collection)
    if context.request.version < Version.V14_0:
        told.add(Page.Class, kind)
    told.add(Page.CollectionId, collection)
    told.add(Page.Estimate, str(estimate))
    return element(Page.Response, element(Page.Status, 1), told)


async def _named(context: Context, asked: Element) -> CollectionId:
    """The collection meant; devices of version 2.5 may name its class alone."""
    kind = (asked.child_text(Page.Class) or "").strip()
    if asked.find(Page.CollectionId) is None and kind and context.request.version < Version.V12_0:
        return await default_collection(context, kind)
    return CollectionId(fields.identifier(asked, Page.CollectionId))


def _blocks(asked: Element) -> list[Element]:
    """The Options of a Collection; up to 12.1 there is a FilterType beside them instead."""
    blocks = asked.findall(AirSync.Options)
    old = asked.find(AirSync.FilterType)
    return [element(AirSync.Options, old)] if old is not None and not blocks else blocks


def _unfit(blocks: list[Element], version: Version) -> int:
    """The Status of Options that a mail folder cannot have, 0 for others."""
    if any(block.find(AirSync.MaxItems) for block in blocks):
        return _INVALID_COLLECTION  # it belongs to the recipient information cache
    try:
        mail_block(blocks)
    except Refused:
        return _CLASSES_APART
    try:
        CollectionOptions.parse(blocks, version)
    except Refused:
        return _WRONG_FILTER
    return 0
