"""ItemOperations, the handler: each operation of a request has its own Status and touches no other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack

from gateway.eas import fields, multipart, status
from gateway.eas.commands.base import BodyRule, Context, Raw, Reply
from gateway.eas.commands.itemoperations.empty import Emptier
from gateway.eas.commands.itemoperations.fetch import Fetcher
from gateway.eas.commands.itemoperations.move import ConversationMover
from gateway.eas.commands.itemoperations.operation import SUCCESS, TOO_MANY, Failed, named
from gateway.eas.versions import Version
from gateway.errors import ENDS_REQUEST, GatewayError, Kind
from gateway.sync.folders import Folders
from wbxml import Element, Tag, element, encode
from wbxml.pages import AirSync, AirSyncBase
from wbxml.pages import ItemOperations as Page

_MAX_OPERATIONS = 100

_Answer = Callable[[Element], Awaitable[Element]]


class ItemOperations:
    """Serves Fetch, EmptyFolderContents and Move, in the order of the request."""

    name = "ItemOperations"
    code = 19
    root = Page.ItemOperations
    status = Page.Status
    first = Version.V12_0
    last = None
    needs_policy_key = True
    body = BodyRule.REQUIRED

    async def handle(self, context: Context, root: Element | None, body: bytes) -> Reply:  # noqa: ARG002
        """Raises what concerns the whole request: `Refused` and `ENDS_REQUEST`."""
        root = fields.document(root)
        if not root.children:
            raise fields.malformed("ItemOperations without operations")
        if len(root) > _MAX_OPERATIONS:
            return element(Page.ItemOperations, element(Page.Status, TOO_MANY))
        if not context.request.accept_multipart:
            return await self._done(context, root, None)
        parts = multipart.Parts(context.services.spool)
        with ExitStack() as stack:
            stack.callback(parts.close)
            document = encode(await self._done(context, root, parts))
            stack.pop_all()
        return Raw(multipart.CONTENT_TYPE, parts.pack(document), parts.close)

    async def _done(self, context: Context, root: Element, parts: multipart.Parts | None) -> Element:
        """Do what the request asks for; returns the document of the reply."""
        folders = Folders(context.services.state, context.mailboxes, context.principal.user)
        fetcher = Fetcher(context, await folders.all(), parts)
        answers: dict[Tag, _Answer] = {
            Page.Fetch: fetcher.answer,
            Page.EmptyFolderContents: Emptier(context, folders).answer,
        }
        if context.request.version >= Version.V14_0:
            answers[Page.Move] = ConversationMover(context, folders).answer
        for operation in root:
            if operation.tag not in answers:
                raise fields.malformed(f"{operation.tag!r} is no operation")
            _check(operation)
        response = element(Page.Response)
        malformed: list[GatewayError] = []
        for operation in root:
            response.append(await _answer(context, answers, operation, malformed))
        if len(malformed) == len(root):  # then the request is wrong, not what it is about
            raise malformed[0]
        return element(Page.ItemOperations, element(Page.Status, SUCCESS), response)


def _check(operation: Element) -> None:
    """See to it that an operation says what it is about, or its answer could not (MS-ASCMD 2.2.1.10.2).

    Raises `Refused(INVALID_XML)`, which concerns the request as a whole.
    """
    if operation.tag is Page.EmptyFolderContents:
        fields.required(operation, AirSync.CollectionId)
    elif operation.tag is Page.Move:
        fields.required(operation, Page.ConversationId)
    else:
        fields.only(operation, AirSyncBase.FileReference)


async def _answer(
    context: Context, answers: Mapping[Tag, _Answer], operation: Element, malformed: list[GatewayError]
) -> Element:
    """Do one operation; whatever becomes of it, it gets an answer of its own.

    One that was not asked for as the protocol has it is added to those `malformed`.
    """
    what = operation.tag.name
    try:
        return await answers[operation.tag](operation)
    except Failed as failure:
        value = failure.value
        context.note("", f"{what} refused with Status {value}")
    except ENDS_REQUEST:
        raise  # it concerns every operation
    except GatewayError as error:
        if error.kind is Kind.INVALID_XML:
            malformed.append(error)
        value = status.value("ItemOperations", status.Level.ITEM, error.kind, context.request.version)
        context.note("", f"{what} refused with Status {value}: {error.detail}")
    return element(operation.tag, element(Page.Status, value), *named(operation))
