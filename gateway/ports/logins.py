"""Checking who a phone is."""

from __future__ import annotations

from typing import Protocol

from gateway.types import (
    Credentials,
)


class Authenticator(Protocol):
    """Checks a phone's credentials."""

    async def authenticate(self, credentials: Credentials) -> None:
        """Raises `AuthenticationFailed` when refused and `UpstreamUnavailable` when nobody could be asked."""
        ...
