"""Changing the record of the device a request comes from."""

from __future__ import annotations

from gateway.eas.commands.base import DEVICE_LEASE, Context


async def update(context: Context, **changes: object) -> None:
    """Set some fields of the device, in the store and in the context.

    Another request of the device may have changed other fields since this one began: they are kept. A
    device that has no record (one that only tries the account) gets none.
    """
    state, device = context.services.state, context.device
    async with state.lease(device.user, device.id, DEVICE_LEASE):
        stored = await state.load_device(device.user, device.id)
        context.device = (stored or device).replace(**changes)
        if stored is not None:
            await state.save_device(context.device)
