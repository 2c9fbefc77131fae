"""SmartReply and SmartForward: which message they are about, and how the new one comes to be."""

from __future__ import annotations

import asyncio
import re
from contextlib import ExitStack
from dataclasses import dataclass, replace

from gateway.eas import fields, forwardees, sending, sentmail
from gateway.eas.commands.base import Context
from gateway.eas.content.ids import ItemName, MalformedId, MessageName, parse_long_id, parse_server_id
from gateway.eas.content.values import parse_date_time
from gateway.eas.versions import Version
from gateway.errors import Kind, NotFound, Refused
from gateway.mail import original as originals
from gateway.mail import reply
from gateway.mail.compose import Outgoing
from gateway.mail.original import Original
from gateway.mail.reply import Verb
from gateway.sync.folders import Folders
from gateway.sync.hierarchy import mailbox_of
from gateway.sync.itemfolders import is_item_name
from gateway.sync.outbox import Letter
from gateway.sync.verbs import VerbMark
from gateway.types import CollectionId
from wbxml import Element
from wbxml.pages import AirSyncBase, ComposeMail

__all__ = ["answer"]

_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Source:
    """The message that is replied to or forwarded; `instance` names an occurrence of a meeting, or is ""."""

    name: MessageName
    instance: str

    def __str__(self) -> str:
        return f"{self.name.collection}:{self.name.uidvalidity}.{self.name.uid} {self.instance}"


async def answer(context: Context, root: Element | None, body: bytes, *, forward: bool) -> None:
    """Serve one request. Raises `Refused`, `SubmissionError` and what the upstream raises.

    Once begun, sending goes on when the client goes away. The original is looked at only when the message
    was not sent before: a repeated request is answered alike when the original is gone by then.
    """
    wish = sending.wish(context, root, body)
    source = _source(context, root)
    replaced = root is not None and fields.boolean(root, ComposeMail.ReplaceMime, default=False)
    mime, untitled = wish.mime, False
    if root is not None and (root.find(ComposeMail.Forwardees) or root.find(AirSyncBase.Body)):
        if not forward or context.request.version < Version.V16_0:
            raise fields.malformed("Forwardees or Body in a request that has none")
        mime, untitled = forwardees.written(root), True
        wish = replace(wish, save=True)
    if mime is None:
        raise fields.malformed("Mime is missing")
    root, body = None, b""
    about = f"\n{context.request.command} {source} {replaced}"
    message = await sending.outgoing(context, wish.client_id, mime, about)
    work = _Work(context, source, message, forward=forward, replaced=replaced, untitled=untitled)
    wish = replace(wish, mime=None)  # which may be large
    mime = b""
    await asyncio.shield(context.services.background.start(work.send(wish)))


class _Work:
    """One message on its way."""

    def __init__(
        self,
        context: Context,
        source: _Source,
        message: Outgoing,
        *,
        forward: bool,
        replaced: bool,
        untitled: bool,
    ) -> None:
        self._context = context
        self._source = source
        self._message = message
        self._forward = forward
        self._replaced = replaced
        self._untitled = untitled
        self._verb = Verb.FORWARD if forward else Verb.REPLY
        self._stack = ExitStack()

    async def send(self, wish: sending.Wish) -> None:
        with self._stack:
            try:
                await sending.send(self._context, wish, self._message, self._write, self._keep_mark)
            finally:
                await sentmail.mark(self._context)

    async def _write(self) -> Letter:
        original = await self._find()
        self._verb = reply.verb(self._message, original.headers, forward=self._forward)
        message = reply.threaded(self._message, original.headers, forward=self._forward)
        if self._untitled:
            message = reply.titled(message, original.headers)
        if not self._replaced:
            message = await reply.with_original(
                self._context.mailboxes,
                original,
                message,
                forward=self._forward,
                spool=self._context.services.spool,
                stack=self._stack,
            )
        return Letter(message.message, message.sent_copy)

    async def _find(self) -> Original:
        context, name = self._context, self._source.name
        folders = Folders(context.services.state, context.mailboxes, context.principal.user)
        folder = await folders.find(name.collection)
        mailbox = mailbox_of(folder) if folder else None
        if mailbox is None:
            raise NotFound("no such collection")
        found = await originals.find(context.mailboxes, mailbox, name.uidvalidity, name.uid)
        if self._source.instance:
            raise Refused(Kind.NO_RECURRENCE, "a mail has no occurrences")
        return found

    async def _keep_mark(self) -> None:
        name, services = self._source.name, self._context.services
        now = int(services.clock.now().timestamp())
        mark = VerbMark(name.collection, name.uidvalidity, name.uid, self._verb, now)
        await services.verbs.keep(self._context.principal.user, mark)


def _source(context: Context, root: Element | None) -> _Source:
    """What the request is about. Raises `Refused`, `NotFound` for names nobody was given.

    What is no id at all has a Status of its own (MS-ASCMD 2.2.2). Where there is an HTTP code only, it is
    answered as one that is not there: phones then send the whole message by SendMail.
    """
    try:
        return _named(context, root)
    except MalformedId as error:
        if not context.request.version.body_status:
            raise
        raise Refused(Kind.INVALID_IDS, error.detail) from error


def _named(context: Context, root: Element | None) -> _Source:
    if root is None:
        request = context.request
        item, folder = request.item_id, request.collection_id
        long_id, instance = request.long_id, request.occurrence
    else:
        source = fields.required(root, ComposeMail.Source)
        item, folder, long_id, instance = (
            (source.child_text(tag) or "").strip()
            for tag in (
                ComposeMail.ItemId,
                ComposeMail.FolderId,
                ComposeMail.LongId,
                ComposeMail.InstanceId,
            )
        )
    if instance:
        parse_date_time(_COMPACT.sub(r"\1-\2-\3T\4:\5:\6", instance))
    if bool(long_id) == bool(item) or (long_id and folder):
        raise fields.malformed("the original is named in no way, or in two")
    name = parse_long_id(context.principal.user, long_id) if long_id else None
    if is_item_name(item) or isinstance(name, ItemName):
        raise NotFound("an event: phones send its text by SendMail then")
    if name is not None:
        return _Source(name, instance)
    name = parse_server_id(item)
    if folder and name.collection != CollectionId(folder):
        raise NotFound("an item of another collection")
    return _Source(name, instance)
