"""What decides who comes in: the sessions, the check of passwords, and the cookies that browsers keep."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response

from gateway.errors import AuthenticationFailed, UpstreamError
from gateway.ports.sessions import Session
from gateway.web.auth import Authentication
from gateway.web.client import HOST, Proxies
from gateway.web.http import headers_of
from gateway.web.pages.problems import Problem
from gateway.web.pages.sessions import Begun, SignedIn

__all__ = ["Door"]

_PATIENCE = 5.0
"""Seconds a page waits for the mail server to say that a password is still right."""

_SESSION, _PROOF, _VISITOR = "activesync", "activesync-proof", "activesync-visitor"
"""Cookies."""


@dataclass(frozen=True, slots=True)
class Door:
    """What all sites of a gateway have in common, and so the same sessions.

    `public_url` is that of the configuration, None: what browsers call the server is not known.
    """

    sessions: SignedIn
    authentication: Authentication
    proxies: Proxies
    public_url: str | None

    def url(self, request: Request) -> str:
        """What browsers and phones call the server, without a path. Raises `Problem` when nobody says so."""
        if self.public_url:
            return self.public_url
        host = request.headers.get("host", "")
        if not HOST.fullmatch(host):
            raise Problem(400, "The request does not say how this server is called.")
        return f"{self.proxies.scheme(request.scope, headers_of(request.scope))}://{host.lower()}"

    def address(self, request: Request) -> str:
        """The address of the browser."""
        return self.proxies.client(request.scope, headers_of(request.scope))

    async def session(self, request: Request, *, used: bool = True) -> Session | None:
        """The session of a browser; None when there is none, or its mail password is not right any more.

        Where the mail server cannot be asked, what was right counts: the pages are needed then most of all.
        `used` as in `SignedIn.find`.
        """
        secret = self.secret(request)
        session = await self.sessions.find(secret, used=used)
        if session is None:
            return None
        proof = self.sessions.proof(session, request.cookies.get(self._cookie(request, _PROOF), ""))
        try:
            if proof is None:
                raise AuthenticationFailed("the browser has lost its cookie")
            async with asyncio.timeout(_PATIENCE):
                await self.authentication.check_password(proof)
        except AuthenticationFailed as error:
            log = structlog.get_logger("gateway.pages")
            log.info("signed out: the password is not right any more", user=session.user, reason=error.detail)
            await self.sessions.end(secret)
            return None
        except (UpstreamError, TimeoutError):
            pass
        return session

    # --- cookies -------------------------------------------------------------------------------------------

    def secret(self, request: Request, *, visitor: bool = False) -> str:
        """What a browser shows, "" for nothing. `visitor`: as somebody who is about to sign in."""
        return request.cookies.get(self._cookie(request, _VISITOR if visitor else _SESSION), "")

    def receive(self, request: Request, response: Response, secret: str) -> None:
        """Have the browser of somebody who is about to sign in show this."""
        self._give(request, response, _VISITOR, secret)

    def let_in(self, request: Request, response: Response, begun: Begun) -> None:
        """Have the browser of somebody who signed in show this from now on."""
        self._give(request, response, _SESSION, begun.secret)
        self._give(request, response, _PROOF, begun.sealed)
        self._take(request, response, _VISITOR)

    def let_out(self, request: Request, response: Response) -> None:
        """Have it show nothing any more."""
        self._take(request, response, _SESSION)
        self._take(request, response, _PROOF)

    def _give(self, request: Request, response: Response, name: str, text: str) -> None:
        response.set_cookie(self._cookie(request, name), text, **self._rules(request))

    def _take(self, request: Request, response: Response, name: str) -> None:
        response.delete_cookie(self._cookie(request, name), **self._rules(request))

    def _cookie(self, request: Request, name: str) -> str:
        return f"__Host-{name}" if self._is_secure(request) else name

    def _rules(self, request: Request) -> dict[str, Any]:
        secure = self._is_secure(request)
        return {"path": "/", "secure": secure, "httponly": True, "samesite": "strict"}

    def _is_secure(self, request: Request) -> bool:
        """Whether browsers reach the server by HTTPS."""
        if self.public_url:
            return self.public_url.lower().startswith("https://")
        return self.proxies.scheme(request.scope, headers_of(request.scope)) == "https"
