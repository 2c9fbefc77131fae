"""Items that a release could not show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from gateway.types import (
    CollectionId,
    UserId,
)


class PoisonList(Protocol):
    """Items that a release could not show."""

    async def note_poison(
        self, user: UserId, collection: CollectionId, item: str, release: str, reason: str
    ) -> bool:
        """Remember an item that could not be rendered by this release; True the first time."""
        ...

    async def poison_of_others(self, user: UserId, collection: CollectionId, release: str) -> Sequence[str]:
        """The items of a collection other releases could not render, and this one has not failed at."""
        ...

    async def forget_poison(self, user: UserId, collection: CollectionId, items: Iterable[str]) -> None:
        """Forget items that can be rendered by now, or are gone, whichever release failed at them."""
        ...

    async def list_poison(
        self, user: UserId | None = None, most: int | None = None
    ) -> Sequence[tuple[UserId, CollectionId, str, str, str]]:
        """User, collection, item, release and reason, for each release that failed at an item.

        By item, and of so many items at most, as `count_poison` counts them.
        """
        ...

    async def count_poison(self) -> int:
        """How many items of all users are listed, each once whichever releases failed at it."""
        ...
