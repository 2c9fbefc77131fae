"""Text messages in a Sync (class SMS): what a phone uploads beside its mail, and how it is answered.

Nothing is told of them: the phone has its own already, and others see them as mail.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from gateway.eas import status
from gateway.eas.commands.base import Context
from gateway.eas.commands.sync.request import ClientCommand, Verb
from gateway.eas.content.sms import parse_read, parse_text
from gateway.eas.content.values import BadItem
from gateway.eas.versions import Version
from gateway.errors import ENDS_REQUEST, GatewayError
from gateway.mail.sms import TextMessage
from gateway.sync.hierarchy import OUTBOX
from gateway.sync.texts import Texts
from gateway.types import CollectionId, Folder, Role
from wbxml import Element, element
from wbxml.pages import AirSync

__all__ = ["CLASS", "Box", "TextOperation", "box", "carry_out", "operation"]

CLASS = "SMS"
_SUCCESS = 1
_TAGS = {Verb.ADD: AirSync.Add, Verb.CHANGE: AirSync.Change, Verb.DELETE: AirSync.Delete}


class Box(Enum):
    """Where a phone uploads text messages: those it got, and those it sent."""

    INBOX = Role.INBOX.value
    OUTBOX = OUTBOX


@dataclass(frozen=True, slots=True)
class TextOperation:
    """One operation. `message` is that of an Add, `read` what is said of it."""

    verb: Verb
    item: str
    digest: str
    message: TextMessage | None = None
    read: bool | None = None


def box(context: Context, folder: Folder) -> Box | None:
    """What of text messages a folder takes from this device; None: nothing."""
    if not context.services.limits.sms_mailbox or context.request.version < Version.V14_0:
        return None
    return next((one for one in Box if one.value == folder.role), None)


def operation(collection: CollectionId, command: ClientCommand, place: Box | None) -> TextOperation | None:
    """The operation on a text message that a command is; None for other commands. Raises `BadItem`."""
    if place is None:
        return None
    data = command.data or element(AirSync.ApplicationData)
    if command.verb is Verb.ADD:
        if command.kind != CLASS:
            return None
        message = parse_text(data, outgoing=place is Box.OUTBOX)
        return TextOperation(command.verb, command.item, message.digest, message, parse_read(data))
    name = re.fullmatch(rf"{re.escape(collection)}:sms-([0-9a-f]{{32}})", command.item)
    if name is None:
        return None
    if command.verb is Verb.FETCH:
        raise BadItem("text messages are not given back")
    return TextOperation(command.verb, command.item, name[1], read=parse_read(data))


async def carry_out(
    context: Context, collection: CollectionId, operations: Mapping[int, TextOperation]
) -> Mapping[int, Element]:
    """Do them; returns what is answered, by position. Silence means success, but for an Add.

    Raises `ENDS_REQUEST`: the request is then to be repeated.
    """
    services, principal = context.services, context.principal
    texts = Texts(
        services.state,
        context.mailboxes,
        user=principal.user,
        owner=principal.email,
        name=services.limits.sms_mailbox,
    )
    answers: dict[int, Element] = {}
    for position, one in operations.items():
        try:
            await _do(texts, one)
        except ENDS_REQUEST:
            raise
        except GatewayError as error:
            value = status.value("Sync", status.Level.ITEM, error.kind, context.request.version)
            answers[position] = _answer(one, element(AirSync.Status, value))
        else:
            if one.message is not None:
                named = element(AirSync.ServerId, f"{collection}:sms-{one.digest}")
                answers[position] = _answer(one, named, element(AirSync.Status, _SUCCESS))
    return answers


async def _do(texts: Texts, one: TextOperation) -> None:
    if one.message is not None:
        await texts.add(one.message, read=bool(one.read))
    elif one.verb is Verb.DELETE:
        await texts.remove(one.digest)
    elif one.read is not None:
        await texts.mark(one.digest, read=one.read)


def _answer(one: TextOperation, *more: Element) -> Element:
    named = AirSync.ClientId if one.verb is Verb.ADD else AirSync.ServerId
    kind = [element(AirSync.Class, CLASS)] if one.verb is Verb.ADD else []
    return element(_TAGS[one.verb], *kind, element(named, one.item), *more)
