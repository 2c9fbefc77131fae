r"""Marks on messages that were answered or forwarded: \Answered or $Forwarded, and what was done and when.

A mark is stored before the reply counts as sent, and forgotten once the mail server has it. Only the user's
own credentials open his mailbox, so what could not be set at once is set on a later request of his.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from gateway.errors import AuthenticationFailed, NotFound, StoreUnavailable, UpstreamError, UpstreamRefused
from gateway.ports import Bus, Mailboxes, State
from gateway.sync.annotations import VERB, LastVerb, recognisable
from gateway.sync.background import Background
from gateway.sync.settled import Settled
from gateway.types import ANSWERED, FORWARDED, NO_DEVICE, CollectionId, UserId

__all__ = ["FindFolder", "VerbMark", "VerbMarks"]

_MEMO = "marks"
_LEASE = "marks"
_MOST = 1000
_FORWARD = 3

FindFolder = Callable[[CollectionId], Awaitable[str | None]]
"""Finds the mailbox of a collection; None when there is none."""


@dataclass(frozen=True, slots=True)
class VerbMark:
    """What was done with a message: `verb` as in LastVerbExecuted, `at` in seconds since 1970."""

    collection: CollectionId
    uidvalidity: int
    uid: int
    verb: int
    at: int

    @property
    def flag(self) -> str:
        return FORWARDED if self.verb == _FORWARD else ANSWERED


class VerbMarks:
    """Keeps marks until they are set."""

    def __init__(self, state: State, background: Background, bus: Bus) -> None:
        self._state = state
        self._background = background
        self._done = Settled(bus, "marks")
        """Users known to have none to be set."""
        self._working: set[UserId] = set()

    async def keep(self, user: UserId, mark: VerbMark) -> None:
        """Store a mark, once."""
        async with self._state.lease(user, NO_DEVICE, _LEASE):
            marks = await self._load(user)
            if mark not in marks:
                await self._save(user, [*marks, mark][-_MOST:])
        self._done.owes(user)

    async def resume(self, user: UserId, mailboxes: Mailboxes, find: FindFolder) -> None:
        """Begin to set the user's marks in the background, if there are any and nobody is at it."""
        if user not in self._done and user not in self._working:
            self._working.add(user)
            self._background.start(self._resume(user, mailboxes, find))

    async def _resume(self, user: UserId, mailboxes: Mailboxes, find: FindFolder) -> None:
        try:
            await self.work(user, mailboxes, find)
        finally:
            self._working.discard(user)

    async def work(self, user: UserId, mailboxes: Mailboxes, find: FindFolder) -> None:
        """Set what is to be set; what the mail server cannot take now, or the store, stays for later."""
        with suppress(StoreUnavailable):
            async with self._state.lease(user, NO_DEVICE, _LEASE):
                marks = await self._load(user)
                left = list(marks)
                with suppress(UpstreamError, AuthenticationFailed):
                    for mark in marks:
                        await self._set(user, mark, mailboxes, await find(mark.collection))
                        left.remove(mark)
                if left != marks:
                    await self._save(user, left)
                if not left:
                    self._done.add(user)

    async def _set(self, user: UserId, mark: VerbMark, mailboxes: Mailboxes, mailbox: str | None) -> None:
        if mailbox is None:
            return
        done = LastVerb(mark.verb, datetime.fromtimestamp(mark.at, UTC)).pack()
        try:
            news = await recognisable(mailboxes, mailbox, mark.uidvalidity, {mark.uid: {VERB: done}}, {})
            # First, so that whoever is told of the flag is told of the time too.
            await self._state.save_annotations(user, mark.collection, mark.uidvalidity, news)
            await mailboxes.set_flags(mailbox, mark.uidvalidity, [mark.uid], add=[mark.flag])
        except (NotFound, UpstreamRefused):
            return  # there is nothing to be marked any more, or no right to

    async def _load(self, user: UserId) -> list[VerbMark]:
        memo = await self._state.load_memo(user, NO_DEVICE, _MEMO)
        return [VerbMark(**each) for each in json.loads(memo)] if memo else []

    async def _save(self, user: UserId, marks: list[VerbMark]) -> None:
        value = json.dumps([asdict(mark) for mark in marks]).encode() if marks else None
        await self._state.save_memo(user, NO_DEVICE, _MEMO, value)
