"""Bearer tokens (JWT, RFC 7519) checked with the keys of their issuer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError

from gateway.errors import AuthenticationFailed, TokenExpired
from gateway.ports import Clock, Fetcher
from gateway.ports.logins import Claimed, SignIn
from gateway.upstream.fetching import WebFetcher
from gateway.upstream.oidc.keys import ProviderKeys
from gateway.upstream.oidc.settings import OidcSettings

__all__ = ["LONGEST_TOKEN", "OidcTokens"]

LONGEST_TOKEN = 16 * 1024
_LONGEST_USER = 320
_FARTHEST = 1 << 37
"""Seconds; times in milliseconds are beyond."""


class OidcTokens:
    """Implements `ports.logins.Tokens`."""

    def __init__(self, settings: OidcSettings, clock: Clock) -> None:
        def asking(host: str) -> Fetcher:
            return WebFetcher(private=(host,), timeout=settings.timeout, ca_file=settings.ca_file)

        self._settings = settings
        self._clock = clock
        self.keys = ProviderKeys(settings, asking, asyncio.get_running_loop().time)

    async def prepare(self) -> None:
        """See `ports.logins.Tokens`."""
        await self.keys.fetch()

    def sign_in(self) -> SignIn:
        """See `ports.logins.Tokens`."""
        return replace(self.keys.sign_in, scope=" ".join(sorted(self._settings.scope)) or "openid")

    async def claimed(self, token: str) -> Claimed:
        """See `ports.logins.Tokens`."""
        name, algorithm = self._head(token)
        key = await self.keys.key(name, algorithm)
        try:
            claims = jwt.decode(token, key, algorithms=[algorithm]).claims
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise AuthenticationFailed(f"token: {_why(error)}") from None
        return self._judged(claims)

    def _head(self, token: str) -> tuple[str | None, str]:
        """The key and the algorithm that a token names. Nothing of it is believed yet."""
        if not 0 < len(token) <= LONGEST_TOKEN or not token.isascii():
            raise AuthenticationFailed("token: it is none, or too long")
        try:
            head = jws.extract_compact(token.encode("ascii")).headers()
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise AuthenticationFailed(f"token: {_why(error)}") from None
        name, algorithm = head.get("kid"), head.get("alg")
        if not isinstance(algorithm, str) or algorithm not in self._settings.algorithms:
            raise AuthenticationFailed("token: its algorithm is not allowed (oauth.algorithms)")
        if name is not None and not isinstance(name, str):
            raise AuthenticationFailed("token: the name of its key is no text")
        return name, algorithm

    def _judged(self, claims: Mapping[str, Any]) -> Claimed:
        """What the claims of a signed token say. Raises `AuthenticationFailed` and `TokenExpired`."""
        settings, now = self._settings, self._clock.now()
        if claims.get("iss") != settings.issuer:
            raise AuthenticationFailed("token: of another issuer")
        if settings.audience.isdisjoint(_texts(claims.get("aud"))):
            raise AuthenticationFailed("token: made out for another audience")
        granted = _texts(claims.get("scope", claims.get("scp")))
        if not settings.scope <= {word for text in granted for word in text.split()}:
            raise AuthenticationFailed("token: not all of oauth.scope is granted")
        user = claims.get(settings.user_claim)
        user = user.strip() if isinstance(user, str) else ""
        if not 0 < len(user) <= _LONGEST_USER or not user.isprintable():
            raise AuthenticationFailed(f"token: no claim {settings.user_claim} that names a user")
        if settings.user_claim == "email" and not _is_true(claims.get("email_verified", True)):
            raise AuthenticationFailed("token: the provider has not verified the address")
        begins = claims.get("nbf")
        if begins is not None and _moment(begins) - settings.leeway > now:
            raise AuthenticationFailed("token: not good yet (nbf)")
        expires = _moment(claims.get("exp"))
        if expires + settings.leeway <= now:
            raise TokenExpired("token: expired")
        return Claimed(user, expires + settings.leeway)


def _texts(value: object) -> set[str]:
    """The texts of a claim that is one, or a list of them."""
    return {one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)}


def _is_true(value: object) -> bool:
    """Whether a claim is true; some providers write it as a text."""
    return value is True or value == "true"


def _moment(value: object) -> datetime:
    """A NumericDate (RFC 7519 2). Raises `AuthenticationFailed` for one that no clock shows."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise AuthenticationFailed("token: without an end (exp), or with a time that is none")
    try:
        if not 0 <= value < _FARTHEST:
            raise ValueError
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        raise AuthenticationFailed("token: with a time that is none") from None


def _why(error: Exception) -> str:
    """The kind of the fault; texts of the library may quote what was sent."""
    return type(error).__name__
