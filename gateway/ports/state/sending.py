"""Messages that devices asked to send, and copies that Sent has not got yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from gateway.types import (
    OutboxEntry,
    OutboxStage,
    SentCopy,
    UserId,
)


class SendJournal(Protocol):
    """Messages that devices asked to send, and copies that Sent has not got yet."""

    async def begin_send(self, entry: OutboxEntry, since: datetime) -> tuple[OutboxEntry, bool]:
        """Journal a message about to be sent (`entry.id` is ignored).

        Returns (the entry as stored, True) when it is new. An entry of the same user made after `since` and
        not FAILED that has the same device and non-empty ClientId, or the same non-empty Message-ID and the
        same digest, is returned with False instead, and nothing is written.
        """
        ...

    async def mark_send(self, entry_id: int, stage: OutboxStage) -> None: ...

    async def keep_copy(self, copy: SentCopy) -> None:
        """Keep a copy that could not be stored in Sent, until its entry is marked DONE."""
        ...

    async def kept_copies(self, user: UserId) -> Sequence[SentCopy]: ...

    async def users_with_copies(self) -> Sequence[UserId]: ...

    async def prune_sends(self, before: datetime) -> None:
        """Forget entries made before that time, but for those whose copy is still kept."""
        ...
