"""Sending for a request, and what follows: the copy goes to Sent, and the original is marked."""

from __future__ import annotations

from datetime import timedelta

from gateway.eas.commands.base import Context
from gateway.sync.copies import FindMailbox
from gateway.sync.folders import Folders, with_role
from gateway.sync.hierarchy import mailbox_of
from gateway.sync.outbox import Outbox
from gateway.sync.verbs import FindFolder
from gateway.types import CollectionId, DeviceId, Role


def outbox(context: Context, device: DeviceId, memory: timedelta) -> Outbox:
    """What sends the user's mail; a message is known again, should it be asked for twice, for `memory`."""
    services = context.services
    return Outbox(
        services.state,
        services.submission,
        context.mailboxes,
        services.clock,
        services.taken,
        principal=context.principal,
        device=device,
        memory=memory,
    )


def finder(context: Context) -> FindMailbox:
    """Finds the user's mailbox for copies of sent mail, created when there is none yet."""
    state, mailboxes, user = context.services.state, context.mailboxes, context.principal.user

    async def find() -> str | None:
        folders = Folders(state, mailboxes, user)
        sent = with_role(await folders.all(), Role.SENT)
        if sent is None:
            await folders.create_missing()
            sent = with_role((await folders.refresh())[0], Role.SENT)
        return sent

    return find


async def resume(context: Context) -> None:
    """Go on with what could not be done when a message was sent: storing its copy, marking the original."""
    services, user = context.services, context.principal.user
    await services.copies.resume(user, context.mailboxes, finder(context))
    await services.verbs.resume(user, context.mailboxes, find_mailbox(context))


async def mark(context: Context) -> None:
    """Mark the originals of what was sent as answered or forwarded."""
    await context.services.verbs.work(context.principal.user, context.mailboxes, find_mailbox(context))


def find_mailbox(context: Context) -> FindFolder:
    """Finds the mailbox of a collection."""
    folders = Folders(context.services.state, context.mailboxes, context.principal.user)

    async def find(collection: CollectionId) -> str | None:
        folder = await folders.find(collection)
        return mailbox_of(folder) if folder else None

    return find
