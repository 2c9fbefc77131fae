"""Where copies of sent mail go, and those that still have to get there."""

from __future__ import annotations

from gateway.eas.commands.base import Context
from gateway.sync.copies import FindMailbox
from gateway.sync.folders import Folders, with_role
from gateway.types import Role


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
    """Go on storing copies that could not be stored when their message was sent, if the user has any."""
    await context.services.copies.resume(context.principal.user, context.mailboxes, finder(context))
