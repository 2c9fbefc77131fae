"""What SendMail, SmartReply and SmartForward have in common: from the request to the outbox."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial

from gateway.eas import fields, sentmail
from gateway.eas.commands.base import Context
from gateway.errors import GatewayError, Kind, Refused, StoreUnavailable
from gateway.mail import compose
from gateway.mail.addresses import addresses
from gateway.mail.compose import Outgoing
from gateway.mail.headers import Headers
from gateway.mail.pieces import Joined
from gateway.sync.outbox import Compose, Letter, Parcel, Sending
from gateway.sync.recipients import Recipients
from gateway.sync.taken import Consequence
from gateway.types import OutboxStage, SentCopy
from wbxml import Element
from wbxml.pages import ComposeMail, RightsManagement

__all__ = ["THREAD_OCTETS", "Wish", "as_it_is", "outgoing", "send", "wish"]

_MAX_CLIENT_ID = 40
THREAD_OCTETS = 256 * 1024
"""From this size on a message is read and rewritten outside the event loop."""
_MOST_KNOWN = 200
"""Recipients of a message among whom those are looked for whom its author knows."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A message that a device wants to have sent; `mime` is None when it leaves the writing to the server."""

    client_id: str
    mime: bytes | None = field(repr=False)
    save: bool


def wish(context: Context, root: Element | None, body: bytes) -> Wish:
    """Read what the commands have in common. Raises `Refused`."""
    if root is None:
        return Wish("", body, context.request.save_in_sent)
    if root.find(ComposeMail.AccountId) is not None:
        raise Refused(Kind.INVALID_ACCOUNT, "there is one account only")
    if root.find(RightsManagement.TemplateID) is not None:
        # To send without the protection that the user chose would be worse than not to send.
        raise Refused(Kind.RIGHTS_MANAGEMENT_OFF, "there is no rights management")
    client_id = fields.required(root, ComposeMail.ClientId).text()
    if not 0 < len(client_id) <= _MAX_CLIENT_ID:
        raise fields.malformed("a ClientId has 1 to 40 characters")
    mime = fields.only(root, ComposeMail.Mime)
    return Wish(
        client_id,
        None if mime is None else mime.data(),
        fields.boolean(root, ComposeMail.SaveInSentItems, default=False),
    )


async def outgoing(context: Context, client_id: str, mime: bytes, about: str = "") -> Outgoing:
    """The message with its envelope; `about` is what else identifies the request. Raises `Refused`."""
    principal, identity = context.principal, context.services.identity
    prepare = partial(
        compose.prepare,
        mime,
        sender=principal.email,
        sender_name=principal.display_name,
        may_send_as=lambda address: identity.may_send_as(principal, address),
        now=context.services.clock.now(),
        unique=client_id,
        about=about,
    )
    return prepare() if len(mime) < THREAD_OCTETS else await asyncio.to_thread(prepare)


async def send(
    context: Context,
    wanted: Wish,
    message: Outgoing,
    write: Compose,
    consequence: Consequence | None = None,
) -> None:
    """Send a message once, as `write` writes it.

    Raises `Refused`, also at once when the user has too many on their way, `SubmissionError` and what `write`
    raises.
    """
    with context.services.sending.enter(context.principal.user):
        await _send(context, wanted, message, write, consequence)


async def _send(
    context: Context, wanted: Wish, message: Outgoing, write: Compose, consequence: Consequence | None
) -> None:
    services = context.services
    outbox = sentmail.outbox(context, context.device.id, services.limits.duplicate_window)
    parcel = Parcel(
        client_id=wanted.client_id,
        digest=message.digest,
        given_message_id=message.given_message_id,
        message_id=message.message_id,
        sender=message.envelope_from,
        recipients=message.recipients,
        save=wanted.save,
    )
    sending, entry, letter = await outbox.send(
        parcel, write, sentmail.finder(context), consequence, alone=as_it_is(message)
    )
    if entry.stage is not OutboxStage.DONE and parcel.save and letter is not None:
        context.log.warning("copy in Sent failed, trying again", message=entry.id)
        copy = bytes(Joined((letter.sent_copy,)))
        try:
            await services.copies.keep(SentCopy(entry.id, context.principal.user, parcel.message_id, copy))
        except StoreUnavailable:
            services.taken.remember(entry)
            raise
        await sentmail.resume(context)
    if sending is Sending.SENT and services.recipients is not None:
        services.background.start(_note_recipients(context, services.recipients, message))
    if sending is Sending.REPEATED:
        raise Refused(Kind.PREVIOUSLY_SENT, "this ClientId was used before")


async def _note_recipients(context: Context, recipients: Recipients, message: Outgoing) -> None:
    """Have phones know to whom the user writes; that it fails is no matter to anybody."""
    if len(message.recipients) > _MOST_KNOWN:
        return
    headers = Headers(b"".join(one.raw for one in message.fields))
    named = [one for name in ("to", "cc", "bcc") for one in addresses(headers, name)]
    wanted = {one.lower() for one in message.recipients}
    principal = context.principal
    people = [
        one
        for one in named
        if one.address.lower() in wanted and not context.services.identity.owns(principal.email, one.address)
    ]
    try:
        await recipients.wrote_to(principal.user, people)
    except GatewayError as error:
        context.log.warning("recipients not noted", reason=error.detail)


def as_it_is(message: Outgoing) -> Compose:
    """Writes a message that needs nothing more."""

    async def write() -> Letter:
        return Letter(message.message, message.sent_copy)

    return write
