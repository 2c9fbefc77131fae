"""Moves that one device began and that were cut off, before another device moves the same message.

A server without MOVE copies first and removes then. A device that repeats its own request finds its copy
(`leftovers.py`); another device knows nothing of it, and would make a second one elsewhere. So what is about
to leave a mailbox is noted for all of the user's devices, and brought to an end before the next move there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.errors import NotFound, UpstreamRefused
from gateway.ports import Mailboxes, State
from gateway.sync.leftovers import End, arrived, end_of, likenesses
from gateway.types import NO_DEVICE, Uids, UserId


@dataclass(frozen=True, slots=True)
class UnfinishedMoves:
    """Those out of one mailbox. Whoever uses it holds the lease on moves out of it."""

    state: State
    mailboxes: Mailboxes
    user: UserId
    mailbox: str

    async def begin(self, uidvalidity: int, uids: Iterable[int], target: str) -> None:
        """Note what is about to be moved. Raises `NotFound` when there is no such target."""
        try:
            end = await end_of(self.mailboxes, target)
        except UpstreamRefused:  # one may be allowed to put messages where one may not look
            return
        note = [uidvalidity, list(uids), target, end.uidvalidity, end.next_uid]
        await self._note(json.dumps(note).encode())

    async def done(self) -> None:
        """Forget what was noted."""
        await self._note(None)

    async def finish(self) -> None:
        """Remove what the last move copied and could not remove any more. Raises `UpstreamError`."""
        noted = await self.state.load_memo(self.user, NO_DEVICE, self._name)
        if noted is None:
            return
        uidvalidity, uids, target, *end = json.loads(noted)
        try:
            view = await self.mailboxes.view(self.mailbox)
            # Not those in the view, which leaves out what was marked as deleted and not expunged any more.
            left = Uids(uids) if view.uidvalidity == uidvalidity else Uids()
            alike = await likenesses(self.mailboxes, self.mailbox, uidvalidity, left) if left else {}
            copied = await arrived(self.mailboxes, target, End(*end), alike) if alike else {}
            if copied:
                await self.mailboxes.expunge(self.mailbox, uidvalidity, copied)
        except NotFound:  # one of the two mailboxes is gone, and with it the question
            pass
        await self.done()

    @property
    def _name(self) -> str:
        return f"move {self.mailbox}"

    async def _note(self, value: bytes | None) -> None:
        await self.state.save_memo(self.user, NO_DEVICE, self._name, value)
