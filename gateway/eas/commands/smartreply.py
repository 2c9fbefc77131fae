"""SmartReply (MS-ASCMD 2.2.1.20): sends a reply with the original below, which the phone need not have."""

from __future__ import annotations

from gateway.eas import smart
from gateway.eas.commands.base import BodyRule, Context, Reply
from gateway.eas.versions import Version
from wbxml import Element
from wbxml.pages import ComposeMail


class SmartReply:
    """Replies to a message."""

    name = "SmartReply"
    code = 3
    root = ComposeMail.SmartReply
    status = ComposeMail.Status
    first = Version.V2_5
    last = None
    needs_policy_key = True
    body = BodyRule.MIME

    async def handle(self, context: Context, root: Element | None, body: bytes) -> Reply:
        """See `smart.answer`."""
        work = smart.answer(context, root, body, forward=False)
        root, body = None, b""
        await work
        return None
