"""App passwords as they are stored: nobody can log in with what is stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from gateway.ports.audit import Act
from gateway.types import AppPassword, DeviceId, UserId

__all__ = ["MOST_APP_PASSWORDS", "AppPasswords"]

MOST_APP_PASSWORDS = 50
"""App passwords of one user; each login compares with all of them."""


class AppPasswords(Protocol):
    """The app passwords of all users. What takes an `act` notes it, in the same transaction."""

    async def add_app_password(self, password: AppPassword, act: Act | None = None) -> AppPassword:
        """Store a new one; returns it with its number.

        Raises `Refused` when the user has the most he may, or one of this name.
        """
        ...

    async def app_passwords(self, user: UserId | None = None) -> Sequence[AppPassword]:
        """Those of a user, or of all users, oldest first."""
        ...

    async def use_app_password(self, number: int, device: DeviceId, now: datetime) -> bool:
        """Note that a device logs in with one; False when it is revoked, or bound to another device.

        The first device that uses one that is to be bound is the one it is bound to.
        """
        ...

    async def revoke_app_password(self, user: UserId, number: int, act: Act | None = None) -> bool:
        """Have one end; False when the user has none of that number.

        As a decision of the devices that may have used it, it is told by `decided_devices`.
        """
        ...
