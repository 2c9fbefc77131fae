"""Copies of sent mail that could not be put into Sent at once: kept, and tried again until they are there.

Only the user's own credentials open his mailbox, and they are not stored. So each attempt rides on a
request of his: the one that sent the message, or any later one, also after a restart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from gateway.errors import AuthenticationFailed, NotFound, StoreUnavailable, UpstreamError
from gateway.ports import Bus, Mailboxes, Pieces, State
from gateway.sync.background import Background
from gateway.sync.settled import Owing
from gateway.types import NO_DEVICE, SEEN, OutboxStage, SentCopy, UserId

COPIES_LEASE = "copies"
_DELAYS = (1, 5, 25, 125)
"""Seconds before each of the attempts that follow a request."""

FindMailbox = Callable[[], Awaitable[str | None]]
"""Finds the mailbox for copies; None when there is none. May raise `UpstreamError`."""


class SentCopies:
    """Keeps copies, and works them off."""

    def __init__(self, state: State, background: Background, bus: Bus) -> None:
        self._state = state
        self._background = background
        self._owing = Owing(bus, "copies", state.users_with_copies)
        """For whom some are kept."""
        self._working: set[UserId] = set()

    async def keep(self, copy: SentCopy) -> None:
        """Store a copy for later. Once this returns, the message will be in Sent some day."""
        await self._state.keep_copy(copy)
        await self._owing.owes(copy.user)

    async def resume(self, user: UserId, mailboxes: Mailboxes, sent: FindMailbox) -> None:
        """Begin to store the user's copies in the background, if there are any and nobody is at it."""
        if user in await self._owing.users() and user not in self._working:
            self._working.add(user)
            self._background.start(self._work(user, mailboxes, sent), resumable=True)

    async def _work(self, user: UserId, mailboxes: Mailboxes, sent: FindMailbox) -> None:
        try:
            for delay in _DELAYS:
                await asyncio.sleep(delay)
                (await self._owing.users()).discard(user)  # first: what is kept from here on takes it back
                if await self._store_all(user, mailboxes, sent):
                    return
                (await self._owing.users()).add(user)
        except StoreUnavailable:
            self._owing.forget()  # it is looked up anew, once that can be
        finally:
            self._working.discard(user)

    async def _store_all(self, user: UserId, mailboxes: Mailboxes, sent: FindMailbox) -> bool:
        """Store what is kept for a user; False when some of it has to wait."""
        try:
            async with self._state.lease(user, NO_DEVICE, COPIES_LEASE):
                for copy in await self._state.kept_copies(user):
                    mailbox = await sent()
                    if mailbox is None:
                        return False
                    await store_copy(mailboxes, mailbox, copy.message_id, copy.message)
                    await self._state.mark_send(copy.entry, OutboxStage.DONE)
        except (UpstreamError, NotFound, AuthenticationFailed, StoreUnavailable):
            return False
        return True


async def store_copy(mailboxes: Mailboxes, mailbox: str, message_id: str, message: bytes | Pieces) -> None:
    """Put a copy into a mailbox where an earlier attempt may have put it already.

    Raises `UpstreamError`, `NotFound` and `AuthenticationFailed`.
    """
    if not await mailboxes.find_message_id(mailbox, message_id):
        await mailboxes.append(mailbox, message, flags=(SEEN,))
