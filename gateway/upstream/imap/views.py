"""The views of mailboxes, kept in memory and shared by all devices of a user, bounded by what they cost."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace

from gateway.types import MailboxView, Uids
from gateway.upstream.fingerprint import Fingerprint
from gateway.upstream.imap.conversations import Conversations
from gateway.upstream.imap.snapshot import Snapshot

MEMORY = 256 * 1024 * 1024
"""Octets all snapshots together may take, about."""

NO_UIDS = Uids()

Refresh = Callable[[Snapshot | None, Uids], Awaitable[Snapshot]]
"""Brings a snapshot up to date (given None, takes the first), the flags of some messages in any case."""


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

    def doubt(self, owner: Fingerprint, mailbox: str) -> None:
        """Count a snapshot as taken long ago."""
        snapshot = self._snapshots.get((owner, mailbox))
        if snapshot is not None and snapshot.modseq is None:
            self._snapshots[owner, mailbox] = replace(snapshot, taken=float("-inf"))

    def drop(self, owner: Fingerprint, mailbox: str) -> None:
        """Forget a snapshot."""
        gone = self._snapshots.pop((owner, mailbox), None)
        if gone is not None:
            self._used -= gone.cost

    def __len__(self) -> int:
        return len(self._snapshots)


@dataclass(slots=True)
class _Rounds:
    """The refreshes of one mailbox: the one under way, and the one to come, to be joined until it starts.

    `outdated`: the mailbox changed since the one under way began, which may not have seen it. `exact`:
    messages of which those who joined the one to come want the flags of now.
    """

    current: asyncio.Task[MailboxView]
    coming: asyncio.Task[MailboxView] | None = None
    outdated: bool = False
    exact: Uids = NO_UIDS


class Views:
    """The views of one user. A call gets the state of the mailbox at some time after the call.

    Only flags on a server without modseqs may be those of a moment before it. Calls that come while a refresh
    is under way share the next one.
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

    async def view(self, mailbox: str, refresh: Refresh, exact: Uids = NO_UIDS) -> MailboxView:
        """The mailbox now, also the flags of messages in `exact`. Raises what `refresh` raises."""
        rounds = self._rounds.get(mailbox)
        if rounds is None:
            task = self._start(mailbox, refresh, exact)
            self._rounds[mailbox] = _Rounds(task)
        elif rounds.coming is None:
            task = rounds.coming = self._start(mailbox, refresh, exact, after=rounds.current)
        else:
            task = rounds.coming
            rounds.exact |= exact
        # A caller who leaves does not take the others' view away.
        return await asyncio.shield(task)

    def changed(self, *mailboxes: str) -> None:
        """We changed them ourselves, of which a server without modseqs need not tell."""
        self._outdate(mailboxes)
        for mailbox in mailboxes:
            known = self._cache.get(self._owner, mailbox)
            if known is not None and known.modseq is None:
                self._cache.drop(self._owner, mailbox)

    def told(self, mailboxes: Iterable[str]) -> None:
        """The server says of them, on another connection, that they may have changed."""
        self._outdate(mailboxes)
        for mailbox in mailboxes:
            self._cache.doubt(self._owner, mailbox)

    def _outdate(self, mailboxes: Iterable[str]) -> None:
        for mailbox in mailboxes:
            if mailbox in self._rounds:
                self._rounds[mailbox].outdated = True

    async def aclose(self) -> None:
        """End what is under way."""
        tasks = [task for rounds in self._rounds.values() for task in (rounds.coming, rounds.current) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(
        self,
        mailbox: str,
        refresh: Refresh,
        exact: Uids,
        after: asyncio.Task[MailboxView] | None = None,
    ) -> asyncio.Task[MailboxView]:
        task = asyncio.create_task(self._round(mailbox, refresh, exact, after))
        task.add_done_callback(lambda task: task.cancelled() or task.exception())
        return task

    async def _round(
        self, mailbox: str, refresh: Refresh, exact: Uids, after: asyncio.Task[MailboxView] | None
    ) -> MailboxView:
        if after is not None:
            await asyncio.wait([after])
        rounds = self._rounds[mailbox]
        if after is not None:
            assert rounds.coming is not None
            rounds.current, rounds.coming = rounds.coming, None
            exact |= rounds.exact
            rounds.exact = NO_UIDS
        rounds.outdated = False
        try:
            known = self._cache.get(self._owner, mailbox)
            snapshot = await refresh(known, exact)
            # Without modseqs nobody would find out what is missing in one that was overtaken.
            if snapshot is not known and (snapshot.modseq is not None or not rounds.outdated):
                self._cache.put(self._owner, mailbox, snapshot)
            return snapshot.view
        finally:
            if rounds.coming is None:
                del self._rounds[mailbox]
