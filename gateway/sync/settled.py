"""For whom nothing waits that was stored to be done on a later request, of several kinds.

To look into the store on each request would cost too much, so it is remembered who owes nothing. What is
stored at one process is told to the others, for the user's next request may come to any of them.
"""

from __future__ import annotations

from gateway.ports import Bus, Subject
from gateway.types import UserId

__all__ = ["Settled"]


class Settled:
    """Users known to owe nothing of a kind."""

    def __init__(self, bus: Bus, kind: str) -> None:
        self._bus = bus
        self._kind = kind
        self._users: set[UserId] = set()
        bus.listen(Subject.OWED, self._hear)

    def __contains__(self, user: UserId) -> bool:
        return user in self._users

    def add(self, user: UserId) -> None:
        """It was found that a user owes nothing. To be said before it is looked, or under a lease."""
        self._users.add(user)

    def discard(self, user: UserId) -> None:
        """It is not known any more."""
        self._users.discard(user)

    def owes(self, user: UserId) -> None:
        """Something was stored for a user."""
        self._users.discard(user)
        self._bus.announce(Subject.OWED, f"{self._kind}\n{user}")

    def _hear(self, text: str) -> None:
        kind, _, user = text.partition("\n")
        if not text:
            self._users.clear()
        elif kind == self._kind:
            self._users.discard(UserId(user))
