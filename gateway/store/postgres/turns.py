"""Turns among all processes that share a database: rows beside the leases, with an end by the server's clock.

While a process is at a job its row ends soon, and is put off: one that dies is followed by another. Once the
job is done the row ends when it is due again. A crash of the server empties the table, and each job is due.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from gateway.errors import GatewayError
from gateway.store.postgres.leases import LASTS
from gateway.store.postgres.transaction import Run
from gateway.store.transactions import Statement, Transaction, Values

__all__ = ["SharedTurns"]


_TAKE = """
    INSERT INTO lease (name, holder, expires)
    VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires = excluded.expires
    WHERE lease.expires < clock_timestamp()
"""
_PUT_OFF = """
    UPDATE lease SET expires = clock_timestamp() + make_interval(secs => $3) WHERE name = $1 AND holder = $2
"""
_GIVE_BACK = "DELETE FROM lease WHERE name = $1 AND holder = $2"


class SharedTurns:
    """`Turns` of one process; `lasts` is for how many seconds one is kept for a process that died."""

    def __init__(self, run: Run, node: str, lasts: float = LASTS) -> None:
        self._run = run
        self._node = node
        self._lasts = lasts
        self._numbers = itertools.count(1)

    @asynccontextmanager
    async def turn(self, job: str, every: timedelta) -> AsyncIterator[bool]:
        name, holder = f"job {job}", f"{self._node} job {next(self._numbers)}"
        if not await self._done(_TAKE, (name, holder, self._lasts)):
            yield False
            return
        keeping = asyncio.create_task(self._keep(name, holder))
        done = False
        try:
            yield True
            done = True
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])  # what it says must not come after the end
            if done:
                await self._done(_PUT_OFF, (name, holder, every.total_seconds()))
            else:
                with suppress(GatewayError):
                    await self._done(_GIVE_BACK, (name, holder))

    async def _keep(self, name: str, holder: str) -> None:
        while True:
            await asyncio.sleep(self._lasts / 4)
            with suppress(GatewayError):  # it ends by itself, and who works without a store fails anyway
                await self._done(_PUT_OFF, (name, holder, self._lasts))

    async def _done(self, statement: Statement, values: Values) -> bool:
        async def run(transaction: Transaction) -> bool:
            return bool(await transaction.run(statement, values))

        return await self._run(run)
