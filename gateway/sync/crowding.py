"""How much of one kind of work a user has under way: what would only wait behind that is refused at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.errors import Kind, Refused
from gateway.types import UserId

__all__ = ["Crowding"]


class Crowding:
    """Counts by user; `most` are let in at a time."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._under_way: Counter[UserId] = Counter()

    @contextmanager
    def enter(self, user: UserId) -> Iterator[None]:
        """One more while the block lasts. Raises `Refused(SERVER_ERROR_RETRY)` when there are enough."""
        if self._under_way[user] >= self._most:
            raise Refused(Kind.SERVER_ERROR_RETRY, f"{self._most} of these are under way")
        self._under_way[user] += 1
        try:
            yield
        finally:
            self._under_way[user] -= 1
            if not self._under_way[user]:
                del self._under_way[user]
