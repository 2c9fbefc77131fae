"""For whom nothing waits that was stored to be done on a later request, of several kinds.

To look into the store on each request would cost too much, so it is remembered who owes nothing. What is
stored at one process is told to the others, for the user's next request may come to any of them. It is known
for an hour: a process may have died before it told.
"""

from __future__ import annotations

import time

from gateway.ports import Bus, Subject
from gateway.types import UserId

__all__ = ["Settled"]

_KNOWN = 3600.0
"""Seconds for which it is known that a user owes nothing."""


class Settled:
    """Users known to owe nothing of a kind."""

    def __init__(self, bus: Bus, kind: str) -> None:
        self._bus = bus
        self._kind = kind
        self._users: dict[UserId, float] = {}
        """Until when it is known of each, by the monotonic clock."""
        bus.listen(Subject.OWED, self._hear)

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
        self._bus.announce(Subject.OWED, f"{self._kind}\n{user}")

    def _hear(self, text: str) -> None:
        kind, _, user = text.partition("\n")
        if not text:
            self._users.clear()
        elif kind == self._kind:
            self.discard(UserId(user))
