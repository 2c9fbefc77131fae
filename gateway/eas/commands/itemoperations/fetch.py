"""Fetch: a message by its ServerId or LongId, or an attachment by its FileReference (MS-ASCMD 2.2.3.67.1)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from gateway.eas import fields, mailitems, multipart
from gateway.eas.commands.base import Context
from gateway.eas.commands.itemoperations.fetchitem import fetched_item
from gateway.eas.commands.itemoperations.operation import (
    BAD_ATTACHMENT,
    BAD_RANGE,
    EMPTY_FILE,
    PROTOCOL_ERROR,
    SUCCESS,
    TOO_LARGE,
    UNKNOWN_STORE,
    Failed,
    folder_of,
    named,
)
from gateway.eas.content.attachments import LARGEST, Base64Text, Extent, Sink, copy_attachment
from gateway.eas.content.ids import (
    ItemName,
    MessageName,
    item_file_of,
    parse_file_reference,
    parse_item_server_id,
    parse_long_id,
    parse_server_id,
)
from gateway.eas.content.itemfiles import copy_item_file
from gateway.eas.content.preferences import parse_body_options
from gateway.errors import NotFound
from gateway.sync.cursor import MailCursor
from gateway.sync.itemfolders import is_item_folder
from gateway.types import CollectionId, FolderList, SectionRequest
from wbxml import Element, Tag, element
from wbxml.pages import AirSync, AirSyncBase, DocumentLibrary, RightsManagement, Search
from wbxml.pages import ItemOperations as Page

_RANGE = re.compile(r"([0-9]{1,10})-([0-9]{1,10})")
_NAMES = (AirSyncBase.FileReference, AirSync.ServerId, Search.LongId, DocumentLibrary.LinkId)
"""The ways to name what to fetch, of which a Fetch uses one."""
_OPTIONS_OF_DOCUMENTS = frozenset({Page.Range, Page.UserName, Page.Password})
_OPTIONS_OF_ITEMS = frozenset(
    {
        Page.Schema,
        AirSync.MIMESupport,
        AirSyncBase.BodyPreference,
        AirSyncBase.BodyPartPreference,
        RightsManagement.RightsManagementSupport,
    }
)


@dataclass(slots=True)
class Fetcher:
    """Serves the Fetch operations of one request.

    `parts` takes the data of a multipart reply. `left` is how many octets of data an inline one still holds.
    """

    context: Context
    folders: FolderList
    parts: multipart.Parts | None
    left: int = LARGEST

    async def answer(self, operation: Element) -> Element:
        """The answer to a Fetch that succeeded. Raises `Failed` and `GatewayError`."""
        store = operation.child_text(Page.Store)
        if store is None or store.strip().lower() != "mailbox":
            raise Failed(UNKNOWN_STORE if store else PROTOCOL_ERROR)
        names = [child for child in operation if child.tag in _NAMES]
        if len(names) != 1:
            raise Failed(PROTOCOL_ERROR)
        if self._room() <= 0:
            raise Failed(TOO_LARGE)
        options = fields.only(operation, Page.Options)
        (name,) = names
        if name.tag is AirSyncBase.FileReference:
            _forbid(options, _OPTIONS_OF_ITEMS | {Page.UserName, Page.Password})
            return await self._attachment(name.text(), _range(options))
        _forbid(options, _OPTIONS_OF_DOCUMENTS)
        if name.tag is DocumentLibrary.LinkId:
            raise Failed(PROTOCOL_ERROR)
        if name.tag is AirSync.ServerId and is_item_folder(operation.child_text(AirSync.CollectionId) or ""):
            found: MessageName | ItemName = _item_by_server_id(operation)
        elif name.tag is Search.LongId:
            found = parse_long_id(self.context.principal.user, name.text().strip())
        else:
            found = _by_server_id(operation)
        options = options or element(Page.Options)
        if isinstance(found, ItemName):
            return await self._stored_item(operation, found, options)
        return await self._item(operation, found, options)

    async def _item(self, operation: Element, name: MessageName, options: Element) -> Element:
        folder, mailbox = folder_of(self.folders, name.collection)
        schema = _schema(options)
        shows_body = not schema or AirSyncBase.Body in schema
        parts = self.parts if shows_body else None
        body = parse_body_options(options, self.context.request.version)
        flags = await self._known_flags(name)
        render = partial(
            mailitems.render, self.context, folder, name.uidvalidity, [name.uid], body, flags=flags
        )
        rendered = await render(parts=parts)
        if parts is not None and not await self._settled(parts, mailbox, name):
            rendered = await render()  # as what it is: gone, or what the server lists and does not give
        if name.uid not in rendered:
            raise NotFound("the message is gone")
        shown = [one for one in rendered[name.uid].elements if not schema or one.tag in schema]
        return self._told(operation, "Email", shown)

    async def _stored_item(self, operation: Element, name: ItemName, options: Element) -> Element:
        """An item of the gateway's own store."""
        kind, shown = await fetched_item(self.context, name, options, _schema(options), self.parts)
        return self._told(operation, kind, shown)

    def _told(self, operation: Element, kind: str, shown: Sequence[Element]) -> Element:
        told = element(Page.Fetch, element(Page.Status, SUCCESS), *named(operation))
        told.add(AirSync.Class, kind)
        self.left -= sum(len(data.data()) for one in shown if (data := one.find(AirSyncBase.Data)))
        told.append(element(Page.Properties, *shown))
        return told

    async def _settled(self, parts: multipart.Parts, mailbox: str, name: MessageName) -> bool:
        """Have the parts of a message put into the spool; False when it was not given."""

        def message(limit: int | None) -> AsyncIterator[bytes]:
            wanted = SectionRequest(name.uid, "", 0, limit)
            return self.context.mailboxes.stream_section(mailbox, name.uidvalidity, wanted)

        try:
            await parts.settle(message)
        except NotFound:
            return False
        return True

    def _room(self) -> int:
        """How many octets of data the reply may still get."""
        return self.left if self.parts is None else self.parts.left

    async def _known_flags(self, name: MessageName) -> Mapping[int, Collection[str]]:
        """The flags a Sync told the device last, if it holds the message: it is shown with those.

        A Fetch proves nothing and changes no cursor. A mark it showed before a Sync did, and that was gone
        again by then, would stay on the device for good.
        """
        context = self.context
        stored = await context.services.state.load_sync(
            context.principal.user, context.device.id, name.collection
        )
        cursor = MailCursor.unpack(stored.cursor if stored else b"")
        if cursor.uidvalidity != name.uidvalidity or name.uid not in cursor.uids:
            return {}
        return {name.uid: cursor.flags_of(name.uid)}

    async def _attachment(self, reference: str, wanted: tuple[int, int] | None) -> Element:
        inline = Base64Text()
        sink = inline if self.parts is None else self.parts
        try:
            file = await self._copied(reference, sink, wanted)
        except BaseException:
            if self.parts is not None:
                self.parts.undo()
            raise
        properties = element(Page.Properties)
        if wanted is not None:
            properties.add(Page.Range, f"{file.start}-{file.start + file.size - 1}")
            properties.add(Page.Total, str(file.total))
        properties.add(AirSyncBase.ContentType, file.content_type)
        if self.parts is not None:
            properties.add(Page.Part, str(self.parts.end()))
        else:
            self.left -= file.size
            properties.add(Page.Data, inline.text())
        return element(
            Page.Fetch,
            element(Page.Status, SUCCESS),
            element(AirSyncBase.FileReference, reference),
            properties,
        )

    async def _copied(self, reference: str, sink: Sink, wanted: tuple[int, int] | None) -> Extent:
        context = self.context
        try:
            of_item = item_file_of(reference)
            if of_item is not None:
                items, user = context.services.items, context.principal.user
                file = await copy_item_file(items, user, of_item, sink, wanted, largest=self._room())
            else:
                name = parse_file_reference(reference)
                _, mailbox = folder_of(self.folders, name.collection)
                file = await copy_attachment(
                    context.mailboxes, mailbox, name, sink, wanted, largest=self._room()
                )
        except NotFound as error:
            raise Failed(BAD_ATTACHMENT) from error
        if not file.total:
            raise Failed(EMPTY_FILE)
        if wanted is not None and not file.size:
            raise Failed(BAD_RANGE)
        return file


def _schema(options: Element) -> frozenset[Tag]:
    """The properties wanted; none are all of them."""
    return frozenset(tag.tag for block in options.findall(Page.Schema) for tag in block)


def _by_server_id(operation: Element) -> MessageName:
    name = parse_server_id(fields.identifier(operation, AirSync.ServerId))
    if name.collection != CollectionId(fields.identifier(operation, AirSync.CollectionId)):
        raise NotFound("an item of another collection")
    return name


def _item_by_server_id(operation: Element) -> ItemName:
    name = parse_item_server_id(fields.identifier(operation, AirSync.ServerId))
    if name.collection != fields.identifier(operation, AirSync.CollectionId):
        raise NotFound("an item of another collection")
    return name


def _forbid(options: Element | None, tags: frozenset[Tag]) -> None:
    """Refuse options that are not for this kind of Fetch (MS-ASCMD 2.2.3.125.2)."""
    if options is not None and any(option.tag in tags for option in options):
        raise Failed(PROTOCOL_ERROR)


def _range(options: Element | None) -> tuple[int, int] | None:
    """The Range of a fetch, in octets, both ends included (MS-ASCMD 2.2.3.143)."""
    text = options.child_text(Page.Range) if options else None
    if text is None:
        return None
    match = _RANGE.fullmatch(text.strip())
    if match is None or int(match[1]) > int(match[2]):
        raise Failed(BAD_RANGE)
    return int(match[1]), int(match[2])
