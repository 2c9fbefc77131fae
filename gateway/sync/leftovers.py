"""Moves that were cut off: without MOVE there is a copy first, then an expunge, and a moment between the two.

Before a move the end of the target is noted. Whatever has arrived there since and has the header and the size
of a message to be moved is its copy. So the copy a cut-off attempt made is found again, whether or not the
message has a Message-ID, and is not made a second time.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.ports import Mailboxes

Likeness = str
"""What a message and its copy have in common, in hex: a digest of header and size."""


@dataclass(frozen=True, slots=True)
class End:
    """Where a mailbox ended at some time: messages that came later have `next_uid` or a higher UID."""

    uidvalidity: int
    next_uid: int

    def pack(self) -> bytes:
        """As bytes for the store."""
        return f"{self.uidvalidity}.{self.next_uid}".encode()

    @classmethod
    def unpack(cls, data: bytes) -> End | None:
        """The end `pack` made these bytes of; None for b""."""
        if not data:
            return None
        uidvalidity, _, next_uid = data.partition(b".")
        return cls(int(uidvalidity), int(next_uid))


async def end_of(mailboxes: Mailboxes, mailbox: str) -> End:
    """Where the mailbox ends now. Raises `NotFound` and `UpstreamError`."""
    return End(*await mailboxes.next_uid(mailbox))


async def likenesses(
    mailboxes: Mailboxes, mailbox: str, uidvalidity: int, uids: Iterable[int]
) -> dict[int, Likeness]:
    """By UID; messages that are gone are left out. Raises `NotFound` and `UpstreamError`."""
    found = await mailboxes.fetch(mailbox, uidvalidity, uids, None)
    return {
        uid: hashlib.sha256(b"%d %s" % (message.size, message.header)).hexdigest()
        for uid, message in sorted(found.items())
    }


async def arrived(
    mailboxes: Mailboxes, target: str, end: End, wanted: Mapping[int, Likeness]
) -> dict[int, int]:
    """Which messages, named by UID in the mailbox they came from, arrived in the target after `end`.

    Returns their UIDs there. Each message there stands for one. Raises `NotFound` when there is no such
    mailbox, and `UpstreamError`.
    """
    now = await end_of(mailboxes, target)
    if now.uidvalidity != end.uidvalidity or now.next_uid <= end.next_uid:
        return {}
    new = await likenesses(mailboxes, target, end.uidvalidity, range(end.next_uid, now.next_uid))
    copies: defaultdict[Likeness, list[int]] = defaultdict(list)
    for uid in sorted(new, reverse=True):
        copies[new[uid]].append(uid)
    return {uid: copies[likeness].pop() for uid, likeness in sorted(wanted.items()) if copies[likeness]}
