"""ItemOperations (MS-ASCMD 2.2.1.10): fetches whole messages and attachments.

Each operation of a request has its own Status; one that fails does not touch the others.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from gateway.eas import fields, mailitems, multipart, status
from gateway.eas.commands.base import BodyRule, Context, Raw, Reply
from gateway.eas.content.attachments import fetch_attachment
from gateway.eas.content.ids import parse_file_reference, parse_server_id
from gateway.eas.content.preferences import parse_body_options
from gateway.eas.versions import Version
from gateway.errors import AuthenticationFailed, GatewayError, Kind, NotFound, Refused, UpstreamUnavailable
from gateway.sync.folders import Folders
from gateway.sync.hierarchy import find, mailbox_of
from gateway.types import CollectionId, Folder, FolderList
from wbxml import Element, Tag, element, encode
from wbxml.pages import AirSync, AirSyncBase, DocumentLibrary, Search
from wbxml.pages import ItemOperations as Page

_SUCCESS = 1
_PROTOCOL_ERROR = 2
_BAD_RANGE = 8
_UNKNOWN_STORE = 9
_EMPTY_FILE = 10
_TOO_MANY = 11
_BAD_ATTACHMENT = 15
_ACCESS_DENIED = 16
_MAX_OPERATIONS = 100
_RANGE = re.compile(r"([0-9]{1,10})-([0-9]{1,10})")
_NAMES = (AirSyncBase.FileReference, AirSync.ServerId, Search.LongId, DocumentLibrary.LinkId)
"""The ways to name what to fetch, of which a Fetch uses one."""
_OPTIONS_OF_DOCUMENTS = frozenset({Page.Range, Page.UserName, Page.Password})
_OPTIONS_OF_ITEMS = frozenset(
    {Page.Schema, AirSync.MIMESupport, AirSyncBase.BodyPreference, AirSyncBase.BodyPartPreference}
)


class _Failed(Exception):
    """An operation failed with this Status."""

    def __init__(self, value: int) -> None:
        super().__init__(value)
        self.value = value


class ItemOperations:
    """Serves Fetch, for items by ServerId and for attachments by FileReference."""

    name = "ItemOperations"
    code = 19
    root = Page.ItemOperations
    status = Page.Status
    first = Version.V12_0
    last = None
    needs_policy_key = True
    body = BodyRule.REQUIRED

    async def handle(self, context: Context, root: Element | None, body: bytes) -> Reply:  # noqa: ARG002
        """Raises what concerns the whole request: `Refused`, `UpstreamUnavailable`, a login refused."""
        if root is None:
            raise Refused(Kind.INVALID_CONTENT, "ItemOperations without a body")
        if not root.children:
            raise fields.malformed("ItemOperations without operations")
        if len(root) > _MAX_OPERATIONS:
            return element(Page.ItemOperations, element(Page.Status, _TOO_MANY))
        folders = Folders(context.services.state, context.mailboxes, context.principal.user)
        parts = multipart.Parts() if context.request.accept_multipart else None
        work = _Work(context, await folders.all(), parts)
        known = {Page.Fetch, Page.EmptyFolderContents}
        if context.request.version >= Version.V14_0:
            known.add(Page.Move)
        response = element(Page.Response)
        for operation in root:
            if operation.tag not in known:
                raise fields.malformed(f"{operation.tag!r} is no operation")
        for operation in root:
            response.append(await work.answer(operation))
        reply = element(Page.ItemOperations, element(Page.Status, _SUCCESS), response)
        if parts is None:
            return reply
        return Raw(multipart.CONTENT_TYPE, multipart.pack([encode(reply), *parts.data]))


@dataclass(slots=True)
class _Work:
    """The operations of one request."""

    context: Context
    folders: FolderList
    parts: multipart.Parts | None

    async def answer(self, operation: Element) -> Element:
        """Do one operation; whatever it is, it gets an answer of its own."""
        if operation.tag is not Page.Fetch:  # not offered
            return element(operation.tag, element(Page.Status, _ACCESS_DENIED), *_named(operation))
        try:
            return await self._fetch(operation)
        except _Failed as failure:
            value = failure.value
            self.context.note("", f"fetch refused with Status {value}")
        except (UpstreamUnavailable, AuthenticationFailed):
            raise  # it concerns every operation
        except GatewayError as error:
            version = self.context.request.version
            value = status.value("ItemOperations", status.Level.ITEM, error.kind, version)
            self.context.note("", f"fetch refused with Status {value}: {error.detail}")
        return element(Page.Fetch, element(Page.Status, value), *_named(operation))

    async def _fetch(self, operation: Element) -> Element:
        store = operation.child_text(Page.Store)
        if store is None or store.strip().lower() != "mailbox":
            raise _Failed(_UNKNOWN_STORE if store else _PROTOCOL_ERROR)
        names = [child for child in operation if child.tag in _NAMES]
        if len(names) != 1:
            raise _Failed(_PROTOCOL_ERROR)
        options = fields.only(operation, Page.Options)
        (name,) = names
        if name.tag is AirSyncBase.FileReference:
            _forbid(options, _OPTIONS_OF_ITEMS)
            return await self._attachment(name.text(), _range(options))
        _forbid(options, _OPTIONS_OF_DOCUMENTS)
        if name.tag is Search.LongId:
            raise NotFound("no search gave out this LongId")
        if name.tag is DocumentLibrary.LinkId:
            raise _Failed(_PROTOCOL_ERROR)
        return await self._item(operation, options or element(Page.Options))

    async def _item(self, operation: Element, options: Element) -> Element:
        name = parse_server_id(fields.identifier(operation, AirSync.ServerId))
        collection = CollectionId(fields.identifier(operation, AirSync.CollectionId))
        if name.collection != collection:
            raise NotFound("an item of another collection")
        folder, _ = self._folder(collection)
        schema = {tag.tag for block in options.findall(Page.Schema) for tag in block}
        shows_body = not schema or AirSyncBase.Body in schema
        parts = self.parts.add if self.parts is not None and shows_body else None
        body = parse_body_options(options)
        rendered = await mailitems.render(
            self.context, folder, name.uidvalidity, [name.uid], body, parts=parts
        )
        if name.uid not in rendered:
            raise NotFound("the message is gone")
        told = element(Page.Fetch, element(Page.Status, _SUCCESS), *_named(operation))
        told.add(AirSync.Class, "Email")
        shown = (one for one in rendered[name.uid].elements if not schema or one.tag in schema)
        told.append(element(Page.Properties, *shown))
        return told

    async def _attachment(self, reference: str, wanted: tuple[int, int] | None) -> Element:
        try:
            name = parse_file_reference(reference)
            _, mailbox = self._folder(name.collection)
            file = await fetch_attachment(self.context.mailboxes, mailbox, name, wanted)
        except NotFound as error:
            raise _Failed(_BAD_ATTACHMENT) from error
        if not file.total:
            raise _Failed(_EMPTY_FILE)
        if wanted is not None and not file.data:
            raise _Failed(_BAD_RANGE)
        properties = element(Page.Properties)
        if wanted is not None:
            properties.add(Page.Range, f"{file.start}-{file.start + len(file.data) - 1}")
            properties.add(Page.Total, str(file.total))
        properties.add(AirSyncBase.ContentType, file.content_type)
        if self.parts is not None:
            properties.add(Page.Part, str(self.parts.add(file.data)))
        else:
            properties.add(Page.Data, base64.b64encode(file.data).decode("ascii"))
        return element(
            Page.Fetch,
            element(Page.Status, _SUCCESS),
            element(AirSyncBase.FileReference, reference),
            properties,
        )

    def _folder(self, collection: CollectionId) -> tuple[Folder, str]:
        """The folder with this id and its mailbox. Raises `NotFound`."""
        folder = find(self.folders, collection)
        mailbox = mailbox_of(folder) if folder else None
        if folder is None or mailbox is None:
            raise NotFound("no such collection")
        return folder, mailbox


def _named(operation: Element) -> list[Element]:
    """What the request called its object, to be repeated in the answer."""
    tags = (
        AirSync.CollectionId,
        AirSync.ServerId,
        Search.LongId,
        DocumentLibrary.LinkId,
        AirSyncBase.FileReference,
        Page.ConversationId,
    )
    return [named for tag in tags if (named := operation.find(tag)) is not None]


def _forbid(options: Element | None, tags: frozenset[Tag]) -> None:
    """Refuse options that are not for this kind of Fetch (MS-ASCMD 2.2.3.125.2)."""
    if options is not None and any(option.tag in tags for option in options):
        raise _Failed(_PROTOCOL_ERROR)


def _range(options: Element | None) -> tuple[int, int] | None:
    """The Range of a fetch, in octets, both ends included (MS-ASCMD 2.2.3.143)."""
    text = options.child_text(Page.Range) if options else None
    if text is None:
        return None
    match = _RANGE.fullmatch(text.strip())
    if match is None or int(match[1]) > int(match[2]):
        raise _Failed(_BAD_RANGE)
    return int(match[1]), int(match[2])
