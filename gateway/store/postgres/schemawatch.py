"""Whether the schema is one that this release can do with, while others may change it.

A node of an older release goes on beside newer ones as long as it can (`schema`). One that cannot any more,
as after an upgrade that left releases out, must not write what the newer ones take for something else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import structlog

from gateway.errors import GatewayError, StoreUnavailable
from gateway.store.postgres.schema import DONE, check_done, migrations
from gateway.store.postgres.transaction import Run
from gateway.store.transactions import Row, Transaction

__all__ = ["SchemaWatch"]


LOOK_SECONDS = 5.0


class SchemaWatch:
    """Looks now and then, and knows what it found."""

    def __init__(self, run: Run, name: str) -> None:
        self._run = run
        self._name = name
        self._unusable: StoreUnavailable | None = None
        self._log = structlog.get_logger("gateway.store")

    def check(self) -> None:
        """Raises `StoreUnavailable` when the schema was none for this release when it was looked at last."""
        if self._unusable is not None:
            raise StoreUnavailable(self._unusable.detail, self._unusable.why)

    async def look(self) -> None:
        """Look now. Raises `StoreUnavailable`, also when the database is away."""

        async def done(transaction: Transaction) -> Iterable[Row]:
            return await transaction.rows(DONE)

        found = await self._run(done)
        try:
            check_done(found, self._name, migrations())
        except StoreUnavailable as error:
            self._unusable = error
            raise
        self._unusable = None

    async def keep(self) -> None:
        """Look again and again, which has no end."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            known = self._unusable
            try:
                await self.look()
            except GatewayError as error:
                if self._unusable is not None and known is None:
                    self._log.error("the store cannot be used any more", reason=error.detail)
            else:
                if known is not None:
                    self._log.warning("the store can be used again")
