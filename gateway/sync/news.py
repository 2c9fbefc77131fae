"""Whether a device would be told something new: what ends a Ping or a held Sync (MS-ASCMD 3.1.5.8)."""

from __future__ import annotations

from gateway.ports import Mailboxes
from gateway.sync import diff
from gateway.sync.cursor import MailCursor
from gateway.sync.window import Window
from gateway.types import MailboxView


def baseline(view: MailboxView) -> MailCursor:
    """The cursor of a device that knows all of a view.

    Where a Ping starts for a folder that was never synced.
    """
    return MailCursor(
        uidvalidity=view.uidvalidity,
        version=view.version,
        uids=view.uids,
        flags=view.flags,
        editions=view.editions,
    )


async def has_news(
    mailboxes: Mailboxes, mailbox: str, cursor: MailCursor, window: Window, *, any_change: bool
) -> bool:
    """Whether a Sync of the mailbox from this cursor would add a message (or, if `any_change`, say anything).

    It is the computation Sync itself does, so that a phone is never called for a Sync that then brings
    nothing.
    """
    view = await mailboxes.view(mailbox)
    if cursor.version == view.version and cursor.window == window:
        return False
    within = await window.members(mailboxes, mailbox, view.uidvalidity)
    delta = diff.compare(cursor.rebased(view.uidvalidity), view, within)
    return bool(delta.added) or (any_change and len(delta) > 0)
