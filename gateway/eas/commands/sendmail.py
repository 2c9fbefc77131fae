"""SendMail (MS-ASCMD 2.2.1.17): submits a message and keeps a copy of it in Sent Items."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from gateway.eas import fields, sending
from gateway.eas.commands.base import BodyRule, Context, Reply
from gateway.eas.versions import Version
from wbxml import Element
from wbxml.pages import ComposeMail


class SendMail:
    """Sends the message of the request: the body itself up to 12.1, the Mime element since."""

    name = "SendMail"
    code = 1
    root = ComposeMail.SendMail
    status = ComposeMail.Status
    first = Version.V2_5
    last = None
    needs_policy_key = True
    body = BodyRule.MIME

    async def handle(self, context: Context, root: Element | None, body: bytes) -> Reply:
        """Raises `Refused`, and `SubmissionError` when the SMTP server did not take the message.

        Once begun, sending goes on when the client goes away: it would only send again.
        """
        wish = sending.wish(context, root, body)
        root, body = None, b""
        if wish.mime is None:
            raise fields.malformed("Mime is missing in SendMail")
        message = await sending.outgoing(context, wish.client_id, wish.mime)
        wish = replace(wish, mime=None)  # which may be large
        work = sending.send(context, wish, message, sending.as_it_is(message))
        await asyncio.shield(context.services.background.start(work))
        return None
