"""SmartForward (MS-ASCMD 2.2.1.19): sends a message on, with attachments that the phone need not have."""

from __future__ import annotations

from gateway.eas import meetingforward, smart
from gateway.eas.commands.base import BodyRule, Context, Reply
from gateway.eas.versions import Version
from wbxml import Element
from wbxml.pages import ComposeMail


class SmartForward:
    """Sends a message on to others."""

    name = "SmartForward"
    code = 2
    root = ComposeMail.SmartForward
    status = ComposeMail.Status
    first = Version.V2_5
    last = None
    needs_policy_key = True
    body = BodyRule.MIME

    async def handle(self, context: Context, root: Element | None, body: bytes) -> Reply:
        """See `smart.answer`; an event is sent on by the server itself, see `meetingforward.forward`."""
        if root is not None and meetingforward.is_meant(context, root):
            work = meetingforward.forward(context, root)
        else:
            work = smart.answer(context, root, body, forward=True)
        root, body = None, b""
        await work
        return None
