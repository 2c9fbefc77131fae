"""Which groups of the directories users are in, as far as they said so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.types import UserId

__all__ = ["Membership", "Memberships"]


@dataclass(frozen=True, slots=True)
class Membership:
    """What the directories said of a user at a time: whether he is in the groups they were asked for."""

    user: UserId
    groups: Mapping[str, bool]
    asked: datetime


class Memberships(Protocol):
    """What was said last of each user; it outlives the process, and all that share a store share it."""

    async def save_membership(self, membership: Membership) -> None:
        """Store it in the place of what was said of the user before."""
        ...

    async def load_membership(self, user: UserId) -> Membership | None: ...

    async def list_memberships(self, since: datetime | None = None) -> Sequence[Membership]:
        """What was said at that time or later (None: ever), by user."""
        ...

    async def prune_memberships(self, before: datetime) -> None:
        """Forget what was said before that time."""
        ...
