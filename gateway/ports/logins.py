"""Checking who a phone is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.types import Credentials, UserId


class Authenticator(Protocol):
    """Checks a phone's credentials."""

    async def authenticate(self, credentials: Credentials) -> None:
        """Raises `AuthenticationFailed` when refused and `UpstreamUnavailable` when nobody could be asked."""
        ...

    def forget(self, user: UserId) -> None:
        """Check all credentials of a user anew, however good they were."""
        ...


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a token proves: who its user is, and until when."""

    user: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class SignIn:
    """Where a client gets a token: the pages of the provider, "" for what it does not tell."""

    issuer: str
    authorization: str = ""
    token: str = ""
    scope: str = ""
    """What to ask there for."""


class Tokens(Protocol):
    """Checks bearer tokens."""

    async def claimed(self, token: str) -> Claimed:
        """Who the user of a token is.

        Raises `TokenExpired` for one that was good, `AuthenticationFailed` for any other that is not, and
        `UpstreamError` when the keys to check it with cannot be had.
        """
        ...

    async def prepare(self) -> None:
        """Ask the provider for its keys and pages. Raises `UpstreamError`."""
        ...

    def sign_in(self) -> SignIn:
        """Where to get one, as far as is known by now."""
        ...
