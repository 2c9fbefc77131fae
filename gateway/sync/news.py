"""Whether a device would be told something new: what ends a Ping or a held Sync (MS-ASCMD 3.1.5.8)."""

from __future__ import annotations

from datetime import datetime

from gateway.items import ItemFolder
from gateway.ports import Items, Mailboxes
from gateway.sync import diff
from gateway.sync.cursor import MailCursor
from gateway.sync.itemcursor import ItemCursor, caught_up
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


async def has_item_news(items: Items, folder: ItemFolder, cursor: ItemCursor, since: datetime | None) -> bool:
    """Whether a Sync of a folder of items from this cursor would say anything: also that an item changed."""
    return bool((await caught_up(items, folder, cursor, since)).untold)
