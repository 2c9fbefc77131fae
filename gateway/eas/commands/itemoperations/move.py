"""Move: a whole conversation goes to one folder, wherever its messages are (MS-ASCON 3.2.5.4).

MS-ASCMD 2.2.3.117.1.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.eas import fields
from gateway.eas.commands.base import Context
from gateway.eas.commands.itemoperations.operation import (
    FORBIDDEN_TARGET,
    MOVE_ALWAYS_MISSING,
    NO_MAIL_FOLDER,
    PARTIAL_SUCCESS,
    SUCCESS,
    Failed,
    named,
    only_options,
)
from gateway.eas.content.conversation import parse_conversation
from gateway.errors import NotFound
from gateway.query import Found, InConversation, Or
from gateway.sync.folders import Folders
from gateway.sync.hierarchy import RECIPIENT_CACHE, find, mailbox_of
from gateway.sync.moves import Message, MoveOutcome, Mover, Place
from gateway.types import VIRTUAL_ROLES, FolderList, Role
from wbxml import Element, element
from wbxml.pages import ItemOperations as Page

_NOT_MOVED_FROM = {Role.SENT, *VIRTUAL_ROLES}
_NOT_FOLLOWED_FROM = {Role.DRAFTS, Role.TRASH, Role.JUNK}
"""Where no mail comes of itself that belongs elsewhere."""
_MOST = 5000
"""Messages of a conversation that are moved; the request is to be repeated for more."""


@dataclass(slots=True)
class ConversationMover:
    """Serves the Move operations of one request."""

    context: Context
    folders: Folders

    async def answer(self, operation: Element) -> Element:
        """The answer to an operation that succeeded, in part at least. Raises `Failed` and `GatewayError`."""
        ids = parse_conversation(fields.required(operation, Page.ConversationId))
        options = fields.only(operation, Page.Options)
        if options is None or options.find(Page.MoveAlways) is None:
            raise Failed(MOVE_ALWAYS_MISSING)
        only_options(options, Page.MoveAlways)
        known, _ = await self.folders.refresh()
        target = _target(known, fields.identifier(operation, Page.DstFldId))
        sources = {
            mailbox: Place(folder.id, mailbox)
            for folder in known.folders
            if not folder.gone and (mailbox := mailbox_of(folder)) and folder.role not in _NOT_MOVED_FROM
        }
        found = await self.context.mailboxes.search(
            list(sources),
            Or(tuple(map(InConversation, ids))),
            limit=_MOST,
            seconds=self.context.services.limits.search_seconds,
        )
        if not found.hits and found.complete:
            raise NotFound("no such conversation")
        await self._remember(ids, found, known, sources, target)
        complete = await self._move(found, sources, target) and found.complete and found.total <= _MOST
        return element(
            Page.Move, element(Page.Status, SUCCESS if complete else PARTIAL_SUCCESS), *named(operation)
        )

    async def _remember(
        self,
        ids: Sequence[bytes],
        found: Found,
        folders: FolderList,
        sources: dict[str, Place],
        target: Place,
    ) -> None:
        """Have what comes later follow, from where the conversation was, and from the INBOX."""
        context = self.context
        met = {hit.mailbox for hit in found.hits}
        came = [
            sources[folder.mailbox].collection
            for folder in folders.folders
            if folder.mailbox in sources
            and folder.role not in _NOT_FOLLOWED_FROM
            and (folder.mailbox in met or folder.role == Role.INBOX)
        ]
        now = context.services.clock.now()
        await context.services.always.keep(context.principal.user, ids, target.collection, came, now)

    async def _move(self, found: Found, sources: dict[str, Place], target: Place) -> bool:
        """Move what was found; False when some of it stayed."""
        messages: defaultdict[str, list[Message]] = defaultdict(list)
        for hit in found.hits:
            if hit.mailbox != target.mailbox:
                messages[hit.mailbox].append((hit.uidvalidity, hit.uid))
        complete = True
        for mailbox, several in messages.items():
            complete &= await self._move_some(sources[mailbox], target, several)
        return complete

    async def _move_some(self, source: Place, target: Place, messages: Sequence[Message]) -> bool:
        context = self.context
        services = context.services
        mover = Mover(
            services.state, context.mailboxes, services.clock, context.principal.user, context.device.id
        )
        # The answer does not name the messages: the next Sync tells this device too where they are.
        moved = await mover.move(source, target, messages, told=False)
        outcomes = {one.outcome for one in moved.values()}
        return outcomes <= {MoveOutcome.DONE, MoveOutcome.NOT_FOUND}


def _target(folders: FolderList, identity: str) -> Place:
    """The folder to move to. Raises `Failed` for one that cannot be it, and `NotFound`."""
    if identity == RECIPIENT_CACHE:
        raise Failed(FORBIDDEN_TARGET)
    folder = find(folders, identity)
    if folder is None:
        raise NotFound("no such folder to move to")
    mailbox = mailbox_of(folder)
    if mailbox is None or folder.role == Role.DRAFTS:
        raise Failed(NO_MAIL_FOLDER)
    return Place(folder.id, mailbox)
