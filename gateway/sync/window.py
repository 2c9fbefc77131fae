"""Which messages of a mailbox a device wants: those of a filter's time, alone or with their conversations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.ports import Mailboxes
from gateway.types import Uids


@dataclass(frozen=True, slots=True)
class Window:
    """Mail received from `since` on; None is all mail.

    With `conversations` (ConversationMode, MS-ASCON 3.1.4.9) a conversation is in it as a whole as soon as
    one message is.
    """

    since: datetime | None = None
    conversations: bool = False

    async def members(self, mailboxes: Mailboxes, mailbox: str, uidvalidity: int) -> Uids | None:
        """The messages within; None for all. Raises `NotFound` and `UpstreamError`."""
        if self.since is None or not mailbox:
            return None
        received = await mailboxes.received_since(mailbox, uidvalidity, self.since)
        if not self.conversations:
            return received
        return await mailboxes.in_conversations(mailbox, uidvalidity, received)
