"""Exclusive rights by name among all processes that share a database, which outlive no dead process for long.

A lease is a row with an end by the server's clock, put off as long as its process lives. Within a process
those who want the same right wait in a queue, so that only one of them asks the database. A process that is
cut off from the database for longer than a lease lasts may still believe in it when another one has it: what
they store is guarded by compare and set, and by keys that are unique.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import structlog

from gateway.errors import GatewayError, StoreUnavailable
from gateway.store.leases import Leases
from gateway.store.postgres.transaction import Run
from gateway.store.transactions import Transaction

__all__ = ["SharedLeases"]


LASTS = 10.0
"""Seconds a lease lasts that nobody puts off: as long the phone waits whose request died with its process."""
RENEW_SECONDS = 3.0
WAIT_SECONDS = 90.0
"""How long a lease is waited for that another process has."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.25

_TAKE = """
    INSERT INTO lease (name, holder, expires)
    VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires = excluded.expires
    WHERE lease.expires < clock_timestamp() OR starts_with(lease.holder, $4)
"""
_RELEASE = "DELETE FROM lease WHERE holder = ANY ($1::text[])"
_RENEW = """
    UPDATE lease SET expires = clock_timestamp() + make_interval(secs => $2) WHERE holder = ANY ($1::text[])
"""
_FORGET = "DELETE FROM lease WHERE expires < clock_timestamp() - interval '1 hour'"


class SharedLeases:
    """The leases of one process."""

    def __init__(self, run: Run, node: str) -> None:
        self._run = run
        self._node = node
        self._local = Leases()
        self._numbers = itertools.count(1)
        self._held: set[str] = set()
        self._left: dict[str, str] = {}
        """Holders by name of leases that nobody needs here, and that are to be given back."""
        self._leaving: dict[str, asyncio.Task[None]] = {}
        """What is giving leases back just now, by their names."""
        self._owed: set[str] = set()
        """Holders of leases that could not be given back, the database being away."""
        self._giving: set[asyncio.Task[None]] = set()
        self._log = structlog.get_logger("gateway.store")

    async def aclose(self) -> None:
        """Give back what is held."""
        while self._giving:
            await asyncio.wait(self._giving)

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        """Wait for the right to `name`, and keep it while the context lasts.

        It is given back after that, together with others and waited for by nobody. Who takes it again in the
        same step still has it, whoever waits for it here takes it anew. Raises `GatewayError` when another
        process keeps it for too long, or the database is away.
        """
        async with self._local.hold(name):
            if (leaving := self._leaving.get(name)) is not None:
                await asyncio.wait([leaving])
            known = self._left.pop(name, None)
            holder = known or f"{self._node} {next(self._numbers)}"
            try:
                if known is None:
                    await self._take(name, holder)
                yield
            finally:
                self._leave(name, holder)

    async def _take(self, name: str, holder: str) -> None:
        # What this process has by this name nobody here needs: it could not be given back.
        values = (name, holder, LASTS, f"{self._node} ")

        async def take(transaction: Transaction) -> bool:
            return bool(await transaction.run(_TAKE, values))

        self._held.add(holder)
        pause = _FIRST_PAUSE
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while not await self._run(take):
                    await asyncio.sleep(pause)
                    pause = min(pause * 1.5, _LONGEST_PAUSE)
        except TimeoutError:
            why = f"another process works on the same for {WAIT_SECONDS:.0f} s"
            raise StoreUnavailable(why, why) from None

    def _leave(self, name: str, holder: str) -> None:
        """Have it given back soon."""
        if not self._left:
            task = asyncio.create_task(self._give_back())
            self._giving.add(task)
            task.add_done_callback(self._given_back)
        self._left[name] = holder

    async def _give_back(self) -> None:
        """Give back all that nobody needs by now."""
        left, self._left = self._left, {}
        if not left:
            return
        task = asyncio.current_task()
        assert task is not None
        self._leaving.update(dict.fromkeys(left, task))
        holders = [*left.values()]

        self._held.difference_update(holders)
        try:
            await self._release(holders)
        except GatewayError:
            self._owed.update(holders)

    async def _release(self, holders: Iterable[str]) -> None:
        async def release(transaction: Transaction) -> None:
            await transaction.run(_RELEASE, ([*holders],))

        await self._run(release)

    def _given_back(self, task: asyncio.Task[None]) -> None:
        self._giving.discard(task)
        for name in [name for name, giving in self._leaving.items() if giving is task]:
            del self._leaving[name]

    async def keep(self) -> None:
        """Put off their ends for as long as this runs, which has no end."""

        async def renew(transaction: Transaction) -> None:
            if self._held:
                await transaction.run(_RENEW, (sorted(self._held), LASTS))
            await transaction.run(_FORGET)

        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                await self._run(renew)
                if owed := [*self._owed]:
                    await self._release(owed)
                    self._owed.difference_update(owed)
            except GatewayError as error:
                self._log.warning("leases cannot be kept", reason=error.detail)
