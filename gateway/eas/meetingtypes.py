"""MeetingMessageType of invitations that are shown (MS-ASEMAIL 2.2.2.47), by what the calendar has of them.

    0    cancellations, counter proposals
    1    an invitation (SEQUENCE 0)             2    an update (any other)
    3    an update that came after the user's answer, and left it as it was
    4    an invitation to what the meeting was before, or to one that was called off since

5 and 6, of mail that a delegate answers, are never so: delegates get mail of their own here. The type is told
with the mail; phones cannot be told of another one later.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.eas import meetings
from gateway.eas.commands.base import Context
from gateway.eas.content.email import Rendered
from gateway.eas.versions import Version
from gateway.pim.events.document import Document
from gateway.pim.invitation import Invitation, Method
from gateway.pim.itip.standing import standing
from gateway.pim.tree import BadText
from gateway.sync.background import compute
from gateway.sync.eventplaces import known_event
from wbxml import Element
from wbxml.pages import Email, Email2

__all__ = ["tell_types"]


async def tell_types(context: Context, rendered: Iterable[Rendered]) -> None:
    """Put the type that an invitation has by now into each of some messages."""
    if context.request.version < Version.V14_1:
        return
    for message in rendered:
        invitation = message.meeting
        if invitation is None or invitation.method is not Method.REQUEST:
            continue
        told = _type_in(message)
        if told is None:
            continue
        item = await known_event(context.services.items, context.principal.user, invitation.uid)
        if item is not None:
            told.value = str(await compute(_type, context, invitation, Document.stored_as(item.stored)))


def _type_in(message: Rendered) -> Element | None:
    request = next((one for one in message.elements if one.tag is Email.MeetingRequest), None)
    return request.find(Email2.MeetingMessageType) if request else None


def _type(context: Context, invitation: Invitation, document: Document) -> int:
    owner = invitation.known_as(context.principal.email, meetings.own(context))
    try:
        return int(standing(invitation, document, owner))
    except BadText:  # whatever is stored, the mail can be shown
        return int(standing(invitation, None, owner))
