"""The views of mailboxes, kept in memory and shared by all devices of a user, bounded by what they cost."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.types import MailboxView
from gateway.upstream.imap.conversations import Conversations
from gateway.upstream.imap.fingerprint import Fingerprint
from gateway.upstream.imap.snapshot import Snapshot

MEMORY = 256 * 1024 * 1024
"""Octets all snapshots together may take, about."""

Refresh = Callable[[Snapshot | None], Awaitable[Snapshot]]
"""Brings a snapshot up to date; given None, takes the first."""


class SnapshotCache:
    """Snapshots by user and mailbox; the one longest unused is forgotten first."""

    def __init__(self, memory: int = MEMORY) -> None:
        self._memory = memory
        self._used = 0
        self._snapshots: OrderedDict[tuple[Fingerprint, str], Snapshot] = OrderedDict()

    def get(self, owner: Fingerprint, mailbox: str) -> Snapshot | None:
        """The last snapshot, if it is still there."""
        snapshot = self._snapshots.get((owner, mailbox))
        if snapshot is not None:
            self._snapshots.move_to_end((owner, mailbox))
        return snapshot

    def put(self, owner: Fingerprint, mailbox: str, snapshot: Snapshot) -> None:
        """Remember a snapshot in place of the one before."""
        self.drop(owner, mailbox)
        self._snapshots[owner, mailbox] = snapshot
        self._used += snapshot.cost
        while self._used > self._memory:
            _, oldest = self._snapshots.popitem(last=False)
            self._used -= oldest.cost

    def drop(self, owner: Fingerprint, mailbox: str) -> None:
        """Forget a snapshot."""
        gone = self._snapshots.pop((owner, mailbox), None)
        if gone is not None:
            self._used -= gone.cost

    def __len__(self) -> int:
        return len(self._snapshots)


@dataclass(slots=True)
class _Rounds:
    """The refreshes of one mailbox: the one under way, and the one to come, to be joined until it starts."""

    current: asyncio.Task[MailboxView]
    coming: asyncio.Task[MailboxView] | None = None


class Views:
    """The views of one user. A call gets the state of the mailbox at some time after the call, never before.

    Calls that come while a refresh is under way share the next one.
    """

    def __init__(self, cache: SnapshotCache, owner: Fingerprint) -> None:
        self._cache = cache
        self._owner = owner
        self._rounds: dict[str, _Rounds] = {}
        self.conversations = Conversations()
        self.searching = asyncio.Lock()
        """Held by the one search of the user that is under way."""

    @property
    def busy(self) -> bool:
        """Whether a refresh is under way."""
        return bool(self._rounds)

    async def view(self, mailbox: str, refresh: Refresh) -> MailboxView:
        """The mailbox now. Raises what `refresh` raises."""
        rounds = self._rounds.get(mailbox)
        if rounds is None:
            task = self._start(mailbox, refresh, after=None)
            self._rounds[mailbox] = _Rounds(task)
        elif rounds.coming is None:
            task = rounds.coming = self._start(mailbox, refresh, after=rounds.current)
        else:
            task = rounds.coming
        # A caller who leaves does not take the others' view away.
        return await asyncio.shield(task)

    def changed(self, *mailboxes: str) -> None:
        """We changed them ourselves, of which a server without modseqs need not tell."""
        for mailbox in mailboxes:
            known = self._cache.get(self._owner, mailbox)
            if known is not None and known.modseq is None:
                self._cache.drop(self._owner, mailbox)

    async def aclose(self) -> None:
        """End what is under way."""
        tasks = [task for rounds in self._rounds.values() for task in (rounds.coming, rounds.current) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(
        self, mailbox: str, refresh: Refresh, after: asyncio.Task[MailboxView] | None
    ) -> asyncio.Task[MailboxView]:
        task = asyncio.create_task(self._round(mailbox, refresh, after))
        task.add_done_callback(lambda task: task.cancelled() or task.exception())
        return task

    async def _round(
        self, mailbox: str, refresh: Refresh, after: asyncio.Task[MailboxView] | None
    ) -> MailboxView:
        if after is not None:
            await asyncio.wait([after])
            rounds = self._rounds[mailbox]
            assert rounds.coming is not None
            rounds.current, rounds.coming = rounds.coming, None
        try:
            known = self._cache.get(self._owner, mailbox)
            snapshot = await refresh(known)
            if snapshot is not known:
                self._cache.put(self._owner, mailbox, snapshot)
            return snapshot.view
        finally:
            if self._rounds[mailbox].coming is None:
                del self._rounds[mailbox]
