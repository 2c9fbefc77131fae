"""The keys of an OpenID provider (RFC 7517), by discovery or from a URL, kept until they are old.

A token may name a key that was made since: then the keys are fetched again, but not more often than every
half minute, whatever tokens come. While the provider cannot be reached, the keys that are known are used on.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key

from gateway.errors import AuthenticationFailed, UpstreamError, UpstreamUnavailable
from gateway.ports import Fetcher
from gateway.ports.logins import SignIn
from gateway.upstream.oidc.settings import OidcSettings

__all__ = ["ProviderKeys"]

_FRESH_SECONDS = 3600.0
"""How long keys are used without asking for newer ones."""
_PAUSE_SECONDS = 30.0
"""Fewest seconds from one fetch to the next."""
_LARGEST = 256 * 1024
_MOST_KEYS = 100
_DISCOVERY = "/.well-known/openid-configuration"
_PUBLIC = (RSAKey, ECKey, OKPKey)

log = logging.getLogger(__name__)


class ProviderKeys:
    """The keys by their ids. `fetcher` makes what asks a host; `now` tells the seconds that pass."""

    def __init__(
        self, settings: OidcSettings, fetcher: Callable[[str], Fetcher], now: Callable[[], float]
    ) -> None:
        self._settings = settings
        self._fetcher = fetcher
        self._now = now
        self._keys: dict[str | None, Key] = {}
        self._fetched = self._tried = float("-inf")
        self._turn = asyncio.Lock()
        self.sign_in = SignIn(settings.issuer)
        """What discovery told of the pages for users and clients."""

    async def key(self, name: str | None, algorithm: str) -> Key:
        """The key of that id; None: the only one there is for the algorithm.

        Raises `AuthenticationFailed` when there is none, and `UpstreamError` when no keys could be had yet.
        """
        key = self._find(name, algorithm)
        old = self._now() - self._fetched > _FRESH_SECONDS
        if key is None or (old and not self._turn.locked()):
            await self._renew()
            key = self._find(name, algorithm)
        if key is None:
            raise AuthenticationFailed("token: signed with a key that the provider does not name")
        return key

    async def fetch(self) -> int:
        """Get the keys now; returns how many there are. Raises `UpstreamError`."""
        async with self._turn:
            return await self._fetch()

    async def _fetch(self) -> int:
        self._tried = self._now()
        url = self._settings.keys or await self._discover()
        found = (await self._document(url)).get("keys")
        if not isinstance(found, list):
            raise UpstreamUnavailable(f"{url} holds no keys")
        keys = {key.kid: key for entry in found[:_MOST_KEYS] if (key := _usable(entry)) is not None}
        if not keys:
            raise UpstreamUnavailable(f"{url} holds no keys that signatures can be checked with")
        self._keys, self._fetched = keys, self._now()
        return len(keys)

    async def _renew(self) -> None:
        """Get newer keys, if that was not tried a moment ago. Raises `UpstreamUnavailable` without any."""
        async with self._turn:
            if self._now() - self._tried >= _PAUSE_SECONDS:
                try:
                    await self._fetch()
                except UpstreamError as error:
                    log.warning("keys of %s: %s", self._settings.issuer, error.detail)
        if not self._keys:
            raise UpstreamUnavailable(f"the keys of {self._settings.issuer} cannot be had now")

    def _find(self, name: str | None, algorithm: str) -> Key | None:
        if name is not None:
            return self._keys.get(name)
        fitting = [key for key in self._keys.values() if key.key_type == _key_type(algorithm)]
        return fitting[0] if len(fitting) == 1 else None

    async def _discover(self) -> str:
        """The URL of the keys (OpenID Connect Discovery 1.0, section 4)."""
        issuer = self._settings.issuer
        told = await self._document(issuer.rstrip("/") + _DISCOVERY)
        if told.get("issuer") != issuer:
            raise UpstreamUnavailable(f"{issuer} calls itself otherwise in its discovery: see oauth.issuer")
        url, scheme = told.get("jwks_uri"), urlsplit(issuer).scheme
        if not isinstance(url, str) or urlsplit(url).scheme not in {"https", scheme}:
            raise UpstreamUnavailable(f"{issuer} does not tell in its discovery where its keys are")
        pages = (told.get(f"{name}_endpoint") for name in ("authorization", "token"))
        self.sign_in = SignIn(issuer, *(page if isinstance(page, str) else "" for page in pages))
        return url

    async def _document(self, url: str) -> Mapping[str, Any]:
        data = await self._fetcher(urlsplit(url).hostname or "").fetch(url, _LARGEST)
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise UpstreamUnavailable(f"{url} is no JSON object")
        return document


def _usable(entry: object) -> Key | None:
    """A key that signatures may be checked with; secrets and keys for other uses are none."""
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    try:
        key = import_key(entry)
    except (JoseError, ValueError, TypeError, KeyError):
        return None  # of a kind that is not known here
    return key if isinstance(key, _PUBLIC) else None


def _key_type(algorithm: str) -> str:
    if algorithm.startswith("ES"):
        return "EC"
    return "OKP" if algorithm == "Ed25519" else "RSA"
