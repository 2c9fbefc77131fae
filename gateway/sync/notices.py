"""Scheduling messages that were stored with a change, mailed once the change is there.

Only the user's own credentials submit his mail, so what could not be mailed at once is mailed on a later
request of his, also after a restart. Of one event everybody is told in the order of the changes; what is
about another one need not wait for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import structlog

from gateway.errors import GatewayError, StoreUnavailable
from gateway.ports import Bus, Clock, Items, Spool, State
from gateway.sync.background import Background
from gateway.sync.delivery import Delivery, Postman
from gateway.sync.settled import Settled
from gateway.types import NO_DEVICE, UserId

__all__ = ["MEMORY", "NoticeMail"]

_LEASE = "notices"
_DELAYS = (0, 5, 25, 125)
"""Seconds before each of the attempts that follow a request."""
MEMORY = timedelta(days=36500)
"""How long the journal is to recognise a notice: as long as it has not been dropped."""
_ENOUGH = 3
"""Messages that have to wait, after which the others are not tried: it is not for what they are."""


class NoticeMail:
    """Knows for whom notices wait, and works them off.

    `spool` makes room for mail with files. `patience` is how long the SMTP server may refuse a notice for the
    moment before it is given up.
    """

    def __init__(
        self,
        state: State,
        items: Items,
        clock: Clock,
        background: Background,
        *,
        spool: Callable[[], Spool],
        patience: timedelta,
        bus: Bus,
    ) -> None:
        self._state = state
        self._items = items
        self._clock = clock
        self._background = background
        self._spool = spool
        self._patience = patience
        self._done = Settled(bus, "notices")
        """Users known to have none."""
        self._working: dict[UserId, asyncio.Task[None]] = {}
        self._log = structlog.get_logger("gateway.notices")

    def stored(self, user: UserId) -> None:
        """There is something to be mailed for this user: to be called after each commit with notices."""
        self._done.owes(user)

    def resume(self, user: UserId, postman: Callable[[], Postman]) -> None:
        """Begin to mail the user's notices in the background, if there are any and nobody is at it."""
        if user not in self._done and user not in self._working:
            self._working[user] = self._background.start(self._work(user, postman()), resumable=True)

    async def _work(self, user: UserId, postman: Postman) -> None:
        try:
            for delay in _DELAYS:
                await asyncio.sleep(delay)
                while await self.mail(user, postman):
                    if user in self._done:  # nothing was stored meanwhile
                        return
        except GatewayError as error:
            self._log.warning("mailing scheduling messages failed", user=user, reason=error.detail)
        finally:
            del self._working[user]

    async def mail(self, user: UserId, postman: Postman) -> bool:
        """Mail what waits; False when some of it has to wait longer. Raises what the store raises."""
        self._done.add(user)  # first: what is stored from here on takes it back
        done = False
        try:
            done = not await self._mail(user, postman)
        finally:
            if not done:
                self._done.discard(user)
        return done

    async def _mail(self, user: UserId, postman: Postman) -> set[str]:
        """Mail what does not have to wait; returns the keys of some that do."""
        if await self._items.next_notice(user, ()) is None:
            return set()
        async with self._state.lease(user, NO_DEVICE, _LEASE):
            return await self._mail_alone(user, postman)

    async def _mail_alone(self, user: UserId, postman: Postman) -> set[str]:
        """The same while no other process does it, which would put a second copy into Sent."""
        waiting: set[str] = set()
        while len(waiting) < _ENOUGH:
            pending = await self._items.next_notice(user, waiting)
            if pending is None:
                break
            delivery = Delivery(user, pending, postman, self._items, self._clock, self._spool, self._patience)
            try:
                waiting |= await delivery.advance()
            except StoreUnavailable:
                raise  # it concerns every message
            except GatewayError as error:
                key = pending.notice.key
                self._log.warning("scheduling message waits", user=user, reason=error.detail)
                await self._items.note_attempt(user, key)
                waiting.add(key)
        return waiting
