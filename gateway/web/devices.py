"""The record of the device a request comes from: found, made, and kept fresh without a write each time."""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway.eas.admission import Admission
from gateway.eas.commands.base import ALL_DEVICES, DEVICE_LEASE
from gateway.eas.request import EasRequest
from gateway.ports import Clock, State
from gateway.types import Device, UserId

__all__ = ["Devices"]

FRESH = timedelta(minutes=5)
"""How far `last_seen` may lag behind."""

_MAX_TEXT = 256

_PROBE_ID = "validate"
"""The device id under which Android tries an account while it is set up; it is no device."""


class Devices:
    """Finds the device behind a request."""

    def __init__(self, state: State, clock: Clock, admission: Admission) -> None:
        self._state = state
        self._clock = clock
        self._admission = admission

    async def of(self, user: UserId, request: EasRequest) -> Device:
        """Return the device's record, made at its first request and written when it says something new.

        Raises `Refused` when it is new, and the user has as many as he may.
        """
        now = self._clock.now()
        stored = await self._state.load_device(user, request.device_id)
        if request.device_id.lower() == _PROBE_ID:
            return stored or _new(user, request, now)
        if stored is not None and _is_current(stored, request, now):
            return stored
        if stored is not None:
            return await self._written(user, request, now)
        async with self._state.lease(user, ALL_DEVICES, DEVICE_LEASE):
            return await self._written(user, request, now)

    async def _written(self, user: UserId, request: EasRequest, now: datetime) -> Device:
        async with self._state.lease(user, request.device_id, DEVICE_LEASE):
            # Provision may have given it a key since.
            stored = await self._state.load_device(user, request.device_id)
            if stored is None:
                device = _new(user, request, now)
                self._admission.check_number(await self._state.list_devices(user), device)
            else:
                device = _renewed(stored, request, now)
            await self._state.save_device(device)
        return device


def _new(user: UserId, request: EasRequest, now: datetime) -> Device:
    device = Device(user=user, id=request.device_id, type="", first_seen=now)
    return _renewed(device, request, now)


def _is_current(device: Device, request: EasRequest, now: datetime) -> bool:
    if device.last_seen is None or now - device.last_seen >= FRESH:
        return False
    return (device.type, device.version, device.agent) == _names(device, request)


def _renewed(device: Device, request: EasRequest, now: datetime) -> Device:
    kind, version, agent = _names(device, request)
    return device.replace(type=kind, version=version, agent=agent, last_seen=now)


def _names(device: Device, request: EasRequest) -> tuple[str, str, str]:
    """What a request says of its device: type, version, agent."""
    agent = request.user_agent[:_MAX_TEXT] or device.agent
    return request.device_type[:_MAX_TEXT], str(request.version), agent
