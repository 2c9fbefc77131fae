"""What an administrator should know of the OpenID provider."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from gateway.errors import UpstreamError
from gateway.ports import Clock
from gateway.ports.examining import Finding, bad, doubtful, good
from gateway.upstream.oidc.settings import OidcSettings
from gateway.upstream.oidc.tokens import OidcTokens

__all__ = ["examine"]

_REMEDY = "look at oauth.issuer, oauth.keys and oauth.ca_file, and at firewalls in between"


async def examine(settings: OidcSettings, clock: Clock) -> AsyncIterator[Finding]:
    """Get the keys as the gateway does."""
    tokens = OidcTokens(settings, clock)
    try:
        async with asyncio.timeout(3 * settings.timeout):
            count = await tokens.keys.fetch()
    except (UpstreamError, TimeoutError) as error:
        yield bad(str(error) or f"{settings.issuer} does not answer in time", _REMEDY)
        return
    yield good(f"{settings.issuer} has {count} keys; tokens are for {', '.join(sorted(settings.audience))}")
    if settings.issuer.startswith("http:"):
        yield doubtful("the provider is reached in clear text", "set oauth.issuer to its https:// URL")
