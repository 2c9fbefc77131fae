"""Checking credentials by logging in. The connection made for it stays in the pool for what follows.

Credentials that were good before are checked over a connection of the user's own. All others have a budget
of their own, so that guesses take nothing from a user who is served: of each login one is tried at a time and
few wait, of all logins together not more than a tenth of the connections.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from gateway.errors import AuthenticationFailed, UpstreamUnavailable
from gateway.types import Credentials, UserId
from gateway.upstream.fingerprint import Fingerprint, fingerprint
from gateway.upstream.imap.pool import Pool

SWEEP = 10_000
"""Remembered checks before those that have expired are swept out; and credentials remembered as once good."""
MOST_WAITING = 4
"""Unproven credentials of one login that wait for their turn; more are turned away."""


@dataclass(slots=True)
class _Queue:
    """Who tries unproven credentials of one login: the first is at it, the others wait."""

    length: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class ImapAuthenticator:
    """Implements `ports.Authenticator`. A success is believed for `seconds`, or until the server refuses."""

    def __init__(self, pool: Pool, seconds: float) -> None:
        self._pool = pool
        self._seconds = seconds
        self._believed: dict[Fingerprint, tuple[str, float]] = {}
        """Whose login, and until when."""
        self._asking: dict[Fingerprint, asyncio.Task[None]] = {}
        self._proven: OrderedDict[Fingerprint, None] = OrderedDict()
        """Credentials that were good at some time and not refused since."""
        self._queues: dict[str, _Queue] = {}
        self._strangers = asyncio.Semaphore(max(1, pool.settings.max_connections // 10))

    async def authenticate(self, credentials: Credentials) -> None:
        """Raises `AuthenticationFailed` when refused and `UpstreamError` when nobody could be asked."""
        mark = fingerprint(credentials)
        _, until = self._believed.get(mark, ("", 0.0))
        if until > asyncio.get_running_loop().time():
            return
        task = self._asking.get(mark)
        if task is None:
            # A phone opens several connections at once: one question answers them all.
            task = self._asking[mark] = asyncio.create_task(self._ask(credentials, mark))
            task.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.shield(task)

    def forget(self, user: UserId) -> None:
        """Check all credentials of a user anew, however good they were."""
        self._believed = {mark: one for mark, one in self._believed.items() if one[0] != user}

    def refused(self, mark: Fingerprint) -> None:
        """The server refused these credentials: do not believe them any longer."""
        self._believed.pop(mark, None)
        self._proven.pop(mark, None)

    async def aclose(self) -> None:
        """End what is under way."""
        for task in self._asking.values():
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)

    async def _ask(self, credentials: Credentials, mark: Fingerprint) -> None:
        try:
            if mark in self._proven:
                # A connection that is open already would only prove that the password was good once.
                async with self._pool.lease(credentials, fresh=True):
                    self._believe(credentials, mark)
            else:
                async with self._turn(credentials.login.casefold()):
                    await self._pool.check(credentials)
                self._believe(credentials, mark)
        except AuthenticationFailed:
            self.refused(mark)
            raise
        finally:
            del self._asking[mark]

    @asynccontextmanager
    async def _turn(self, login: str) -> AsyncIterator[None]:
        """The right to try unproven credentials of a login. Raises `UpstreamUnavailable`."""
        queue = self._queues.setdefault(login, _Queue())
        if queue.length > MOST_WAITING:
            raise UpstreamUnavailable("too many other credentials of this login wait to be checked")
        queue.length += 1
        try:
            async with AsyncExitStack() as held:
                try:
                    async with asyncio.timeout(self._pool.settings.timeout):
                        await held.enter_async_context(queue.turn)
                        await held.enter_async_context(self._strangers)
                except TimeoutError:
                    raise UpstreamUnavailable("credentials could not be checked in time") from None
                yield
        finally:
            queue.length -= 1
            if not queue.length:
                del self._queues[login]

    def _believe(self, credentials: Credentials, mark: Fingerprint) -> None:
        now = asyncio.get_running_loop().time()
        if len(self._believed) >= SWEEP:
            self._believed = {mark: one for mark, one in self._believed.items() if one[1] > now}
        self._believed[mark] = credentials.login.lower(), now + self._seconds
        self._proven[mark] = None
        self._proven.move_to_end(mark)
        if len(self._proven) > SWEEP:
            self._proven.popitem(last=False)
