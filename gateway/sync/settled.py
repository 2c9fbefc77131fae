"""For whom something waits that was stored to be done on a later request, of several kinds.

To look into the store on each request would cost too much, so it is remembered: by `Settled` of each user who
owes nothing, by `Owing` of all who owe something, where one question tells that of everybody. What is stored
at one process is told to the others, for the user's next request may come to any of them. It is known for an
hour: a process may have died before it told.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable

from gateway.ports import Bus, Subject
from gateway.types import UserId

__all__ = ["Owing", "Settled"]

_KNOWN = 3600.0
"""Seconds for which it is known what a user owes."""


class _Telling:
    """Tells other processes for whom something of a kind was stored, and is told by them."""

    def __init__(
        self, bus: Bus, kind: str, heard: Callable[[UserId], None], missed: Callable[[], None]
    ) -> None:
        self._bus = bus
        self._kind = kind
        self._heard = heard
        self._missed = missed
        bus.listen(Subject.OWED, self._hear)

    def tell(self, user: UserId) -> None:
        self._bus.announce(Subject.OWED, f"{self._kind}\n{user}")

    def _hear(self, text: str) -> None:
        kind, _, user = text.partition("\n")
        if not text:
            self._missed()
        elif kind == self._kind:
            self._heard(UserId(user))


class Settled:
    """Users known to owe nothing of a kind."""

    def __init__(self, bus: Bus, kind: str) -> None:
        self._users: dict[UserId, float] = {}
        """Until when it is known of each, by the monotonic clock."""
        self._others = _Telling(bus, kind, self.discard, self._users.clear)

    def __contains__(self, user: UserId) -> bool:
        return self._users.get(user, 0.0) > time.monotonic()

    def add(self, user: UserId) -> None:
        """It was found that a user owes nothing. To be said before it is looked, or under a lease."""
        self._users[user] = time.monotonic() + _KNOWN

    def discard(self, user: UserId) -> None:
        """It is not known any more."""
        self._users.pop(user, None)

    def owes(self, user: UserId) -> None:
        """Something was stored for a user."""
        self.discard(user)
        self._others.tell(user)


class Owing:
    """Users who owe something of a kind; `look` finds all of them in the store."""

    def __init__(self, bus: Bus, kind: str, look: Callable[[], Awaitable[Iterable[UserId]]]) -> None:
        self._look = look
        self._users: set[UserId] | None = None
        """None: that is to be looked up."""
        self._looked = 0.0
        self._looking = asyncio.Lock()
        self._others = _Telling(bus, kind, self._heard, self.forget)

    async def users(self) -> set[UserId]:
        """Who owes something, a set to be changed as that does. Raises `StoreUnavailable`."""
        async with self._looking:  # once for all who ask meanwhile
            if self._users is not None and time.monotonic() - self._looked < _KNOWN:
                return self._users
            found: set[UserId] = set()
            # Who is told of while it is looked up is put in there, too.
            self._users, self._looked = found, time.monotonic()
            try:
                found.update(await self._look())
            except BaseException:
                self._users = None
                raise
            return found

    async def owes(self, user: UserId) -> None:
        """Something was stored for a user. Raises `StoreUnavailable`."""
        (await self.users()).add(user)
        self._others.tell(user)

    def forget(self) -> None:
        """It is not known any more who owes something."""
        self._users = None

    def _heard(self, user: UserId) -> None:
        if self._users is not None:
            self._users.add(user)
