"""Leases are forgotten once nobody holds or wants them. What else they do: tests/ports/test_state.py."""

from __future__ import annotations

import asyncio

from gateway.store.leases import Leases


async def test_the_registry_holds_only_what_is_in_use() -> None:
    leases = Leases()
    async with leases.hold("a"), leases.hold("b"):
        waiter = asyncio.create_task(_hold(leases, "a"))
        await asyncio.sleep(0)
        assert len(leases) == 2
        waiter.cancel()
        await asyncio.wait([waiter])
        assert len(leases) == 2
    assert len(leases) == 0


async def test_a_waiter_keeps_the_entry_alive() -> None:
    leases = Leases()
    async with leases.hold("a"):
        waiter = asyncio.create_task(_hold(leases, "a"))
        await asyncio.sleep(0)
    assert len(leases) == 1
    await waiter
    assert len(leases) == 0


async def _hold(leases: Leases, key: str) -> None:
    async with leases.hold(key):
        await asyncio.sleep(0)
