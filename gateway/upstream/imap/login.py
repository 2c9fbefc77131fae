"""Checking credentials by logging in. The connection made for it stays in the pool for what follows."""

from __future__ import annotations

import asyncio

from gateway.types import Credentials
from gateway.upstream.imap.fingerprint import Fingerprint, fingerprint
from gateway.upstream.imap.pool import Pool

SWEEP = 10_000
"""Remembered checks before those that have expired are swept out."""


class ImapAuthenticator:
    """Implements `ports.Authenticator`. A success is believed for `seconds`, or until the server refuses."""

    def __init__(self, pool: Pool, seconds: float) -> None:
        self._pool = pool
        self._seconds = seconds
        self._believed: dict[Fingerprint, float] = {}
        self._asking: dict[Fingerprint, asyncio.Task[None]] = {}

    async def authenticate(self, credentials: Credentials) -> None:
        """Raises `AuthenticationFailed` when refused and `UpstreamError` when nobody could be asked."""
        mark = fingerprint(credentials)
        if self._believed.get(mark, 0.0) > asyncio.get_running_loop().time():
            return
        task = self._asking.get(mark)
        if task is None:
            # A phone opens several connections at once: one question answers them all.
            task = self._asking[mark] = asyncio.create_task(self._ask(credentials, mark))
            task.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.shield(task)

    def forget(self, mark: Fingerprint) -> None:
        """The server refused these credentials: do not believe them any longer."""
        self._believed.pop(mark, None)

    async def aclose(self) -> None:
        """End what is under way."""
        for task in self._asking.values():
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)

    async def _ask(self, credentials: Credentials, mark: Fingerprint) -> None:
        try:
            # A connection that is open already would only prove that the password was good once.
            async with self._pool.lease(credentials, fresh=True):
                self._believe(mark)
        finally:
            del self._asking[mark]

    def _believe(self, mark: Fingerprint) -> None:
        now = asyncio.get_running_loop().time()
        if len(self._believed) >= SWEEP:
            self._believed = {mark: until for mark, until in self._believed.items() if until > now}
        self._believed[mark] = now + self._seconds
