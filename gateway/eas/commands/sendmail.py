"""SendMail (MS-ASCMD 2.2.1.17): submits a message and keeps a copy of it in Sent Items."""

from __future__ import annotations

import asyncio
from functools import partial

from gateway.eas import fields, sentmail
from gateway.eas.commands.base import BodyRule, Context, Reply
from gateway.eas.versions import Version
from gateway.errors import Kind, Refused
from gateway.mail import compose
from gateway.sync.outbox import Outbox, Parcel, Sending
from gateway.types import OutboxStage, SentCopy
from wbxml import Element
from wbxml.pages import ComposeMail

_MAX_CLIENT_ID = 40
_THREAD_OCTETS = 256 * 1024
"""From this size on a message is read and rewritten outside the event loop."""


class SendMail:
    """Sends the message of the request: the body itself up to 12.1, the Mime element since."""

    name = "SendMail"
    code = 1
    root = ComposeMail.SendMail
    status = ComposeMail.Status
    first = Version.V12_0
    last = None
    needs_policy_key = True
    body = BodyRule.MIME

    async def handle(self, context: Context, root: Element | None, body: bytes) -> Reply:
        """Raises `Refused`, and `SubmissionError` when the SMTP server did not take the message.

        Once begun, sending goes on when the client goes away: it would only send again.
        """
        parcel = await self._parcel(context, root, body)
        root = None
        work = context.services.background.start(self._send(context, parcel))
        if await asyncio.shield(work) is Sending.REPEATED:
            raise Refused(Kind.PREVIOUSLY_SENT, "this ClientId was used before")
        return None

    async def _parcel(self, context: Context, root: Element | None, body: bytes) -> Parcel:
        client_id, mime, save = "", body, context.request.save_in_sent
        if root is not None:
            if root.find(ComposeMail.AccountId) is not None:
                raise Refused(Kind.INVALID_ACCOUNT, "there is one account only")
            client_id = fields.required(root, ComposeMail.ClientId).text()
            if not 0 < len(client_id) <= _MAX_CLIENT_ID:
                raise fields.malformed("a ClientId has 1 to 40 characters")
            mime = fields.required(root, ComposeMail.Mime).data()
            save = fields.boolean(root, ComposeMail.SaveInSentItems, default=False)
        principal, identity = context.principal, context.services.identity
        prepare = partial(
            compose.prepare,
            mime,
            sender=principal.email,
            sender_name=principal.display_name,
            may_send_as=lambda address: identity.may_send_as(principal, address),
            now=context.services.clock.now(),
            unique=client_id,
        )
        outgoing = prepare() if len(mime) < _THREAD_OCTETS else await asyncio.to_thread(prepare)
        return Parcel(
            client_id=client_id,
            digest=outgoing.digest,
            given_message_id=outgoing.given_message_id,
            message_id=outgoing.message_id,
            sender=outgoing.envelope_from,
            recipients=outgoing.recipients,
            message=outgoing.message,
            sent_copy=outgoing.sent_copy if save else None,
        )

    async def _send(self, context: Context, parcel: Parcel) -> Sending:
        services = context.services
        outbox = Outbox(
            services.state,
            services.submission,
            context.mailboxes,
            services.clock,
            principal=context.principal,
            device=context.device.id,
            memory=services.limits.duplicate_window,
        )
        sending, entry = await outbox.send(parcel, sentmail.finder(context))
        if entry.stage is not OutboxStage.DONE and parcel.sent_copy is not None:
            context.log.warning("copy in Sent failed, trying again", message=entry.id)
            copy = SentCopy(entry.id, context.principal.user, parcel.message_id, parcel.sent_copy)
            await services.copies.keep(copy)
            await sentmail.resume(context)
        return sending
