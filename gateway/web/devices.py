"""The record of the device a request comes from: found, made, and kept fresh without a write each time."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from gateway.eas.admission import Admission
from gateway.eas.commands.base import ALL_DEVICES, DEVICE_LEASE
from gateway.eas.devices import ATTEMPTS
from gateway.eas.request import EasRequest
from gateway.errors import StateConflict
from gateway.ports import Clock, State
from gateway.types import Device, DeviceId, UserId

__all__ = ["Devices"]

FRESH = timedelta(minutes=5)
"""How far `last_seen` may lag behind."""

_MAX_TEXT = 256
_CAPACITY = 10_000

_PROBE_ID = "validate"
"""The device id under which Android tries an account while it is set up; it is no device."""


class Devices:
    """Finds the device behind a request."""

    def __init__(self, state: State, clock: Clock, admission: Admission) -> None:
        self._state = state
        self._clock = clock
        self._admission = admission
        self._doubles = _Doubles()

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
            for _ in range(ATTEMPTS):
                # Provision may have given it a key since.
                stored = await self._state.load_device(user, request.device_id)
                if stored is None:
                    device = _new(user, request, now)
                    self._admission.check_number(await self._state.list_devices(user), device)
                else:
                    device = _renewed(stored, request, now)
                    self._doubles.look(stored, device)
                with suppress(StateConflict):  # decided of meanwhile
                    return await self._state.save_device(device)
        raise StateConflict("the device keeps being decided of")


class _Doubles:
    """Finds ids that two phones have: each of them says in turn what it is."""

    def __init__(self) -> None:
        self._former: OrderedDict[tuple[UserId, DeviceId], tuple[str, str] | None] = OrderedDict()
        """What devices were before they changed; None once it was logged."""

    def look(self, before: Device, after: Device) -> None:
        """Log, once, a device that becomes again what it was before it changed."""
        was, is_now = (before.type, before.agent), (after.type, after.agent)
        key = (after.user, after.id)
        former = self._former.get(key, was)
        if was == is_now or former is None:
            return
        if former == is_now:
            structlog.get_logger("gateway.eas").warning(
                "device is two in turn: two phones with one id, or two programs on one",
                user=after.user,
                device=after.id,
                one=" ".join(was),
                other=" ".join(is_now),
            )
        self._former[key] = None if former == is_now else was
        if len(self._former) > _CAPACITY:
            self._former.popitem(last=False)


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
