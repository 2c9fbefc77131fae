"""Holding a request until there is new mail.

What Ping and a Sync with Wait have in common (MS-ASCMD 3.1.5.8).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.eas.commands.base import Context
from gateway.eas.options import CollectionOptions
from gateway.errors import UpstreamUnavailable
from gateway.sync.cursor import MailCursor
from gateway.sync.hierarchy import mailbox_of
from gateway.sync.news import baseline, has_news
from gateway.sync.waiter import Waiter
from gateway.types import CollectionId, Folder

_EARLY = 1.0
"""Seconds before the time is over the answer leaves: phones drop the connection soon after."""
_RETRY_DELAYS = (1, 2, 4, 8, 16)
"""Seconds between attempts when the upstream goes away while a request is held."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A folder being waited for, and what the device knows of it."""

    collection: CollectionId
    mailbox: str
    cursor: MailCursor
    since: datetime | None


async def watched(context: Context, folders: Sequence[Folder]) -> Sequence[Watched]:
    """What to compare each folder with: what its device was sent last.

    For a folder never synced it is what is there now. Raises `NotFound` when a mailbox is gone, and
    `UpstreamError`.
    """
    states = await context.services.state.load_syncs(context.principal.user, context.device.id)
    now = context.services.clock.now()
    found: list[Watched] = []
    for folder in folders:
        mailbox = mailbox_of(folder)
        if mailbox is None:
            continue  # nothing ever arrives there
        stored = states.get(folder.id)
        if stored is None:
            cursor, since = baseline(await context.mailboxes.view(mailbox)), None
        else:
            cursor = MailCursor.unpack(stored.cursor)
            since = CollectionOptions.unpack(stored.options).since(now)
        found.append(Watched(folder.id, mailbox, cursor, since))
    return found


async def wait_for_news(
    context: Context, folders: Sequence[Watched], seconds: float
) -> Sequence[CollectionId]:
    """The folders with news, as soon as there are any; none when time is up or the server shuts down.

    Raises `NotFound` when a mailbox goes, and `UpstreamUnavailable` when the upstream stays away.
    """
    by_mailbox = {folder.mailbox: folder for folder in folders}
    loop = asyncio.get_running_loop()
    deadline = loop.time() + max(seconds - _EARLY, seconds / 2)
    async with Waiter(context.mailboxes, by_mailbox, (context.stopping, context.superseded)) as waiter:
        dirty = frozenset(by_mailbox)
        failures = 0
        while True:
            changed: Sequence[CollectionId] = ()
            try:
                changed = await _changed(context, by_mailbox, dirty)
                failures = 0
            except UpstreamUnavailable:
                if failures == len(_RETRY_DELAYS):
                    raise
                failures += 1
            left = deadline - loop.time()
            if changed or waiter.interrupted or left <= 0:
                return changed
            if failures:  # what was dirty still has to be looked at
                await waiter.news(min(left, _RETRY_DELAYS[failures - 1]))
                dirty = frozenset(by_mailbox)
            else:
                dirty = await waiter.news(left)


async def _changed(
    context: Context, folders: Mapping[str, Watched], dirty: frozenset[str]
) -> Sequence[CollectionId]:
    any_change = context.services.limits.notify_all
    return [
        folder.collection
        for mailbox, folder in folders.items()
        if mailbox in dirty
        and await has_news(context.mailboxes, mailbox, folder.cursor, folder.since, any_change=any_change)
    ]
