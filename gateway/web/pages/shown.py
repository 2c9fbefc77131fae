"""Values in the words of the pages."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from gateway.mail.headers import clean
from gateway.types import Device

__all__ = ["ago", "moment", "name_of", "plain"]

_STEPS = (
    (timedelta(days=365), "year"),
    (timedelta(days=30), "month"),
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
)
_LONGEST = 200
_TURNING = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
"""Characters that turn the direction of all text behind them, that of the page too (UAX 9)."""


def moment(value: datetime | None, zone: tzinfo) -> str:
    """A time by the users' clocks; "never" for none."""
    return "never" if value is None else f"{value.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def ago(value: datetime | None, now: datetime) -> str:
    """How long ago a time was, in one unit."""
    if value is None:
        return "never"
    passed = now - value
    for step, unit in _STEPS:
        if passed >= step:
            count = passed // step
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def plain(text: object) -> str:
    """What a device says, in one line that is not too long."""
    shown = clean(str(text)).translate(_TURNING)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"


def name_of(device: Device) -> str:
    """What people call a device: by the name its user gave it, else its model, its type, its id."""
    told = device.information
    names = (told.get("FriendlyName", ""), told.get("Model", ""), device.type, device.id)
    return next(filter(None, map(plain, names)), "device")
