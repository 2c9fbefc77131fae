"""What single devices ask and are answered, written down for a while because somebody wants to see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.types import DeviceId, UserId

__all__ = ["Traced", "Traces"]


@dataclass(frozen=True, slots=True)
class Traced:
    """What a device asked or was answered, without what people wrote; later ones have greater numbers."""

    number: int
    at: datetime
    user: UserId
    device: DeviceId
    line: str


class Traces(Protocol):
    """Which devices are traced, and what came of it. A device "" is all of a user's."""

    async def set_trace(self, user: UserId, device: DeviceId, until: datetime | None) -> None:
        """Trace a device until that time; None: not any more."""
        ...

    async def running_traces(self, now: datetime) -> Sequence[tuple[UserId, DeviceId]]:
        """The devices that are traced at that time."""
        ...

    async def write_trace(self, entries: Sequence[Traced], keep: int) -> None:
        """Add entries (their numbers are ignored), and keep so many of each of their devices, the newest."""
        ...

    async def read_trace(self, user: UserId, device: DeviceId, after: int, limit: int) -> Sequence[Traced]:
        """So many entries at most after that number, oldest first."""
        ...

    async def prune_traces(self, now: datetime, before: datetime) -> None:
        """Forget the traces that ended, and entries made before that time."""
        ...
