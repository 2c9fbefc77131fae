"""What an administrator should know of the ManageSieve server: reachable, secured, extensions, a login."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

from gateway.errors import AuthenticationFailed, UpstreamError, UpstreamUnavailable
from gateway.ports.examining import Finding, bad, doubtful, good
from gateway.types import Credentials
from gateway.upstream.remedies import remedy
from gateway.upstream.sieve.filters import SieveFilters
from gateway.upstream.sieve.session import Session
from gateway.upstream.sieve.settings import SieveSettings

__all__ = ["examine"]

_PATIENCE = 10.0
_NEEDED = {"vacation": "there are no replies", "envelope": "there are no replies"}
_USEFUL = {
    "include": "users with a script of their own have no replies",
    "date": "replies cannot be set for a time",
    "relational": "replies cannot be set for a time",
}


async def examine(settings: SieveSettings, credentials: Credentials | None) -> AsyncIterator[Finding]:
    """Look at the server as the gateway does, and change nothing."""
    settings = replace(settings, timeout=min(settings.timeout, _PATIENCE))
    try:
        extensions = await _extensions(settings, None)
    except UpstreamError as error:
        yield bad(str(error), remedy("sieve", settings.host, str(error)))
        return
    yield good(f"{settings.host}:{settings.port} answers, security {settings.security}")
    if credentials is not None:
        try:
            extensions = await _extensions(settings, credentials)
        except AuthenticationFailed as error:
            yield bad(str(error), "look at the password, and at what imap.login makes of the user")
            return
        except UpstreamError as error:
            yield bad(str(error), remedy("sieve", settings.host, str(error)))
            return
        yield good(f"login of {credentials.login}")
    for name, cost in _NEEDED.items():
        if name not in extensions:
            yield bad(f"without {name} {cost}", f"turn the Sieve extension {name} on in the mail server")
    for name, cost in _USEFUL.items():
        if name not in extensions:
            yield doubtful(f"without {name} {cost}", f"turn the Sieve extension {name} on in the mail server")
    if extensions >= {*_NEEDED, *_USEFUL}:
        yield good("has all extensions that out-of-office replies need")


async def _extensions(settings: SieveSettings, credentials: Credentials | None) -> frozenset[str]:
    """What scripts may use; with credentials, scripts can be listed too."""
    session: Session | None = None
    try:
        async with asyncio.timeout(settings.timeout):
            session = await SieveFilters(settings).connect(credentials)
            if credentials is not None:
                await session.scripts()
            return session.extensions
    except TimeoutError:
        raise UpstreamUnavailable(f"{settings.host}:{settings.port} does not answer in time") from None
    finally:
        if session is not None:
            session.close()
