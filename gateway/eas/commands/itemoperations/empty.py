"""EmptyFolderContents: all in a folder goes, and the folders below it if wanted (MS-ASCMD 2.2.3.58)."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.eas import fields
from gateway.eas.commands.base import Context
from gateway.eas.commands.itemoperations.operation import PARTIAL_SUCCESS, SUCCESS, named, only_options
from gateway.errors import Kind, NotFound, Refused
from gateway.items import ItemKind
from gateway.sync import itemfolders
from gateway.sync.emptying import remove_below, remove_folders_below, remove_items, remove_messages
from gateway.sync.folders import Folders
from gateway.sync.hierarchy import find, mailbox_of
from gateway.sync.itemfolders import is_item_folder
from gateway.types import CollectionId
from wbxml import Element, element
from wbxml.pages import AirSync
from wbxml.pages import ItemOperations as Page


@dataclass(slots=True)
class Emptier:
    """Serves the EmptyFolderContents operations of one request."""

    context: Context
    folders: Folders

    async def answer(self, operation: Element) -> Element:
        """The answer to an operation that succeeded, in part at least. Raises `Failed` and `GatewayError`."""
        collection = CollectionId(fields.identifier(operation, AirSync.CollectionId))
        options = fields.only(operation, Page.Options) or element(Page.Options)
        only_options(options, Page.DeleteSubFolders)
        deep = fields.boolean(options, Page.DeleteSubFolders, default=False)
        if is_item_folder(collection):
            return _answered(operation, complete=await self._items(collection, deep=deep))
        known = await self.folders.all()
        folder = find(known, collection)
        if folder is None:
            raise NotFound("no such collection")
        mailbox = mailbox_of(folder)
        if mailbox is not None:
            await remove_messages(self.context.mailboxes, mailbox)
        complete = not deep or await self._below(collection)
        return _answered(operation, complete=complete)

    async def _items(self, collection: CollectionId, *, deep: bool) -> bool:
        services, user = self.context.services, self.context.principal.user
        folder = await itemfolders.find(services.items, user, collection)
        if folder is None:
            raise NotFound("no such collection")
        if folder.kind is ItemKind.RECIPIENTS:
            raise Refused(Kind.ACCESS_DENIED, "the recipient cache is nothing that devices may empty")
        complete = await remove_items(services.items, user, folder)
        if deep:
            await remove_folders_below(services.items, user, folder)
        return complete

    async def _below(self, collection: CollectionId) -> bool:
        known, mailboxes = await self.folders.refresh()
        complete = await remove_below(self.context.mailboxes, known, mailboxes, collection)
        await self.folders.refresh()
        return complete


def _answered(operation: Element, *, complete: bool) -> Element:
    status = SUCCESS if complete else PARTIAL_SUCCESS
    return element(Page.EmptyFolderContents, element(Page.Status, status), *named(operation))
