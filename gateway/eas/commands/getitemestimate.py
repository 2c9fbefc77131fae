"""GetItemEstimate (MS-ASCMD 2.2.1.9): how many changes the next Sync of a collection would bring."""

from __future__ import annotations

from gateway.eas import fields, status
from gateway.eas.commands.base import BodyRule, Context, Reply
from gateway.eas.options import CollectionOptions
from gateway.eas.versions import Version
from gateway.errors import Kind, NotFound, Refused
from gateway.sync import diff
from gateway.sync.cursor import MailCursor
from gateway.sync.folders import Folders
from gateway.sync.hierarchy import CONTAINER
from gateway.sync.keys import KeyUse, classify
from gateway.types import CollectionId
from wbxml import Element, element
from wbxml.pages import AirSync
from wbxml.pages import GetItemEstimate as Page

_NOT_PRIMED = 3
_INVALID_KEY = 4
_CAP_WITHOUT_OPTIONS = 512
_WRONG_FILTER = 110
_FILTERS = frozenset("012345678")


class GetItemEstimate:
    """Counts pending changes. The keys named are only looked at, not advanced."""

    name = "GetItemEstimate"
    code = 14
    root = Page.GetItemEstimate
    status = Page.Status
    first = Version.V12_0
    last = None
    needs_policy_key = True
    body = BodyRule.REQUIRED

    async def handle(self, context: Context, root: Element | None, body: bytes) -> Reply:  # noqa: ARG002
        """Raises `Refused` for a request that names no collection or too many, and `UpstreamError`."""
        if root is None:
            raise Refused(Kind.INVALID_CONTENT, "GetItemEstimate without a body")
        for asked in root.iter():
            if asked.tag is AirSync.FilterType and asked.text().strip() not in _FILTERS:
                raise fields.malformed("a FilterType that does not exist")
        collections = fields.required(root, Page.Collections).findall(Page.Collection)
        if not 0 < len(collections) <= context.services.limits.max_collections:
            raise fields.malformed("no collections, or too many")
        reply = element(Page.GetItemEstimate)
        for asked in collections:
            reply.append(await self._response(context, asked))
        return reply

    async def _response(self, context: Context, asked: Element) -> Element:
        collection = CollectionId(fields.identifier(asked, Page.CollectionId))
        key = fields.identifier(asked, AirSync.SyncKey)
        try:
            estimate, problem = await self._estimate(context, collection, key, self._options(asked))
        except NotFound:
            estimate, problem = (
                0,
                status.value(
                    self.name, status.Level.COLLECTION, Kind.ITEM_NOT_FOUND, context.request.version
                ),
            )
        except Refused:
            estimate, problem = 0, _WRONG_FILTER
        if problem:
            return element(Page.Response, element(Page.Status, problem))
        told = element(
            Page.Collection, element(Page.CollectionId, collection), element(Page.Estimate, estimate)
        )
        return element(Page.Response, element(Page.Status, 1), told)

    def _options(self, asked: Element) -> CollectionOptions | None:
        """The filter to count with, from Options or, up to 12.1, from the FilterType beside it."""
        blocks = asked.findall(AirSync.Options)
        old = asked.find(AirSync.FilterType)
        if not blocks and old is not None:
            blocks = [element(AirSync.Options, old)]
        if not blocks:
            return None
        return CollectionOptions.parse(blocks)

    async def _estimate(
        self, context: Context, collection: CollectionId, key: str, options: CollectionOptions | None
    ) -> tuple[int, int]:
        """The number of changes and 0, or 0 and the Status of why there is none."""
        state, user = context.services.state, context.principal.user
        folder = await Folders(state, context.mailboxes, user).find(collection)
        if folder is None:
            raise NotFound("no such collection")
        stored = await state.load_sync(user, context.device.id, collection)
        use = classify(stored, key)
        if stored is None or use is KeyUse.INITIAL:
            return 0, _NOT_PRIMED
        if use is KeyUse.UNKNOWN:
            return 0, _INVALID_KEY
        if folder.mailbox is None or folder.role == CONTAINER:
            return 0, 0
        packed = stored.cursor if use is KeyUse.CURRENT else stored.previous or b""
        view = await context.mailboxes.view(folder.mailbox)
        cursor = MailCursor.unpack(packed).rebased(view.uidvalidity)
        since = options.since(context.services.clock.now()) if options else None
        window = None
        if since is not None:
            window = await context.mailboxes.received_since(folder.mailbox, view.uidvalidity, since)
        count = len(diff.compare(cursor, view, window))
        return (count if options else min(count, _CAP_WITHOUT_OPTIONS)), 0
