"""Meetings by mail on a user's requests: what arrived is brought in, what waits to be mailed goes out."""

from __future__ import annotations

from functools import partial

from gateway.eas.commands.base import Context
from gateway.eas.sentmail import finder, outbox
from gateway.errors import UpstreamError
from gateway.mail.addresses import Address
from gateway.pim.invitation import Own
from gateway.pim.itip.message import Parts
from gateway.ports import Unsubscribe
from gateway.sync.delivery import Postman
from gateway.sync.meetingmail import INBOX, Reader
from gateway.sync.notices import MEMORY
from gateway.types import NO_DEVICE, Principal

__all__ = ["author", "known_as", "look", "mail", "mail_new", "own", "settle", "watch"]

_PATIENCE = 5.0
"""Seconds that a request about a calendar waits for what arrived before it."""


def author(principal: Principal, address: str) -> Address:
    """As whom the server writes for a user, under one of his addresses."""
    return Address(principal.display_name, address)


def known_as(context: Context, parts: Parts) -> str:
    """The user's address by which an event knows him."""
    return parts.known_as(context.principal.email, own(context))


def own(context: Context) -> Own:
    """Which addresses are the user's."""
    return partial(context.services.identity.owns, context.principal.email)


def _reader(context: Context) -> Reader:
    """Whose INBOX is to be read."""
    principal = context.principal
    return Reader(principal.user, principal.email, context.mailboxes, own(context))


def look(context: Context) -> None:
    """Begin to bring in what arrived, on a request that is about something else."""
    context.services.intake.glance(_reader(context))


async def watch(context: Context) -> Unsubscribe:
    """Bring in what arrived, and what arrives until the returned function is called."""
    intake, whose = context.services.intake, _reader(context)

    def arrived(_mailbox: str) -> None:
        intake.begin(whose)

    try:
        unsubscribe = await context.mailboxes.subscribe((INBOX,), arrived)
    except UpstreamError:  # calendars are here, whether or not the mail server is
        return lambda: None
    intake.begin(whose)
    return unsubscribe


async def settle(context: Context) -> None:
    """Bring in what arrived, before a calendar is told of."""
    await context.services.intake.settle(_reader(context), _PATIENCE)


def mail(context: Context) -> None:
    """Go on to mail what was stored to be mailed, if there is any."""
    context.services.notices.resume(context.principal.user, lambda: _postman(context))


def mail_new(context: Context) -> None:
    """Begin to mail what was stored just now."""
    context.services.notices.stored(context.principal.user)
    mail(context)


def _postman(context: Context) -> Postman:
    return Postman(outbox(context, NO_DEVICE, MEMORY), context.mailboxes, finder(context))
