"""Exclusive rights by key within one process: fair, and forgotten when nobody holds or wants them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

__all__ = ["Leases"]


@dataclass(slots=True)
class _Lease:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    wanted: int = 0


class Leases:
    """A registry of asyncio locks by key. It holds an entry only for keys somebody holds or waits for."""

    def __init__(self) -> None:
        self._leases: dict[Hashable, _Lease] = {}

    def __len__(self) -> int:
        return len(self._leases)

    @asynccontextmanager
    async def hold(self, key: Hashable) -> AsyncIterator[None]:
        """Wait for the right to `key`, first come, first served, and keep it while the context lasts."""
        lease = self._leases.setdefault(key, _Lease())
        lease.wanted += 1
        try:
            async with lease.lock:
                yield
        finally:
            lease.wanted -= 1
            if not lease.wanted:
                del self._leases[key]
