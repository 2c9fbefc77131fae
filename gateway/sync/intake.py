"""Scheduling messages that arrived in the INBOX, brought into the calendar once, whichever device asks first.

How far the INBOX was read is remembered for the user. What is read again, after a crash or in a mailbox made
anew, changes nothing: a message is applied only if it is newer than what is known of its event, and what is
known outlives the event for a while, so that a deleted one does not come back with an old message. One whose
event keeps changing under it waits for a while, and no other message for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog

from gateway.errors import GatewayError, StateConflict
from gateway.ports import State
from gateway.sync.background import Background
from gateway.sync.intakememory import Memory
from gateway.sync.meetingmail import INBOX, MeetingMail, Reader, calendars
from gateway.types import NO_DEVICE, MailboxView, UserId

__all__ = ["Intake"]

_MEMO = "intake"
_LEASE = "intake"
_FIRST_LOOK = timedelta(days=14)
_FIRST_MESSAGES = 500
"""How old mail may be that is read when nothing was read before, and how many messages at most."""
_MOST = 500
"""Messages looked at on one request at most."""
_BATCH = 50
_SELDOM = 30.0
"""Seconds between looks on requests that are not about a calendar."""


class Intake:
    """Reads the INBOX of users on their requests; `meetings` takes what is found."""

    def __init__(self, state: State, background: Background, meetings: MeetingMail) -> None:
        self._state = state
        self._background = background
        self._meetings = meetings
        self._versions: dict[UserId, str] = {}
        """The view of each INBOX that holds nothing unread."""
        self._working: dict[UserId, asyncio.Task[None]] = {}
        self._again: set[UserId] = set()
        """Users whose INBOX is to be read once more by who is at it."""
        self._looked: dict[UserId, float] = {}
        """When somebody began to look, by the clock of the event loop."""
        self._log = structlog.get_logger("gateway.intake")

    def begin(self, reader: Reader) -> asyncio.Task[None]:
        """Read what arrived before now, in the background; one who is at it already does it once more."""
        self._looked[reader.user] = asyncio.get_running_loop().time()
        task = self._working.get(reader.user)
        if task is None:
            task = self._working[reader.user] = self._background.start(self._work(reader))
        else:
            self._again.add(reader.user)
        return task

    def glance(self, reader: Reader) -> None:
        """The same for a request that is about something else: now and then, for those who use a calendar."""
        looked = self._looked.get(reader.user)
        if looked is not None and asyncio.get_running_loop().time() - looked >= _SELDOM:
            self.begin(reader)

    async def settle(self, reader: Reader, seconds: float) -> None:
        """Wait until what arrived before now is read, but not for longer than that."""
        try:
            async with asyncio.timeout(seconds):
                await asyncio.shield(self.begin(reader))
        except TimeoutError:
            return

    async def _work(self, reader: Reader) -> None:
        user = reader.user
        try:
            while True:
                self._again.discard(user)
                await self.read(reader)
                if user not in self._again:
                    return
        except GatewayError as error:
            self._log.warning("scheduling messages wait", user=user, reason=error.detail)
        finally:
            del self._working[user]

    async def read(self, reader: Reader) -> None:
        """Read what arrived. Raises what the mail server and the store raise."""
        view = await reader.mailboxes.view(INBOX)
        if self._versions.get(reader.user) == view.version:
            return
        async with self._state.lease(reader.user, NO_DEVICE, _LEASE):
            memory = await self._memory(reader, view)
            unread = [uid for uid in view.uids if uid > memory.read]
            due = memory.due(self._meetings.clock.now())
            for batch in (
                due,
                *(unread[at : at + _BATCH] for at in range(0, min(len(unread), _MOST), _BATCH)),
            ):
                if batch:
                    await self._read_batch(reader, view, memory, batch)
            if len(unread) <= _MOST and not memory.later:
                self._versions[reader.user] = view.version

    async def _read_batch(
        self, reader: Reader, view: MailboxView, memory: Memory, batch: Sequence[int]
    ) -> None:
        since, now = datetime.fromtimestamp(memory.since, UTC), self._meetings.clock.now()
        found = await calendars(
            reader.mailboxes, view.uidvalidity, [uid for uid in batch if uid in view.uids]
        )
        waiting: set[int] = set()
        for message, calendar in found:
            try:
                if message.internal_date >= since:
                    await self._meetings.take(reader, message, calendar, memory)
            except StateConflict as error:
                waiting.add(message.uid)
                again = memory.postpone(message.uid, now)
                what = "scheduling message waits" if again else "scheduling message given up"
                self._log.warning(what, user=reader.user, uid=message.uid, reason=error.detail)
        for uid in batch:
            if uid not in waiting:
                memory.later.pop(uid, None)
        memory.read = max(memory.read, batch[-1])
        await self._save(reader.user, memory)

    async def _memory(self, reader: Reader, view: MailboxView) -> Memory:
        """What is remembered; of an INBOX that was never read only the latest mail is to be.

        How old it is shows when it is fetched: to search for dates makes some servers open every message.
        """
        stored = await self._state.load_memo(reader.user, NO_DEVICE, _MEMO)
        memory = Memory.unpack(stored) if stored else Memory(-1, 0)
        if memory.uidvalidity != view.uidvalidity:
            memory.uidvalidity = view.uidvalidity
            newest = view.uids[-_FIRST_MESSAGES:]
            memory.read = newest[0] - 1 if newest else 0
            memory.since = (self._meetings.clock.now() - _FIRST_LOOK).timestamp()
            memory.later.clear()
            await self._save(reader.user, memory)
        return memory

    async def _save(self, user: UserId, memory: Memory) -> None:
        await self._state.save_memo(user, NO_DEVICE, _MEMO, memory.pack())
