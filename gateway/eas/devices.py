"""Changing the record of the device a request comes from."""

from __future__ import annotations

from contextlib import suppress

from gateway.eas.commands.base import DEVICE_LEASE, Context
from gateway.errors import StateConflict

__all__ = ["ATTEMPTS", "update"]

ATTEMPTS = 5
"""How often a device is stored anew that people decide of at that very moment."""


async def update(context: Context, **changes: object) -> None:
    """Set some fields of the device, in the store and in the context.

    Another request of the device may have changed other fields since this one began: they are kept. A
    device that has no record (one that only tries the account, or that was removed) gets none.
    """
    state, device = context.services.state, context.device
    async with state.lease(device.user, device.id, DEVICE_LEASE):
        for _ in range(ATTEMPTS):
            stored = await state.load_device(device.user, device.id)
            if stored is None:
                context.device = device.replace(**changes)
                return
            with suppress(StateConflict):  # decided of meanwhile
                context.device = await state.save_device(stored.replace(**changes))
                return
    raise StateConflict("the device keeps being decided of")
