"""What decides who comes in: the sessions, the check of passwords, and the cookies that browsers keep."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gateway.web.auth import Authentication
from gateway.web.client import Proxies
from gateway.web.http import headers_of
from gateway.web.pages.problems import Problem
from gateway.web.pages.sessions import SignedIn

__all__ = ["Door"]

_HOST = re.compile(r"[A-Za-z0-9.-]{1,255}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")


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
        if not _HOST.fullmatch(host):
            raise Problem(400, "The request does not say how this server is called.")
        return f"{self.proxies.scheme(request.scope, headers_of(request.scope))}://{host.lower()}"

    def address(self, request: Request) -> str:
        """The address of the browser."""
        return self.proxies.client(request.scope, headers_of(request.scope))

    # --- cookies -------------------------------------------------------------------------------------------

    def secret(self, request: Request, *, visitor: bool = False) -> str:
        """What a browser shows, "" for nothing. `visitor`: as somebody who is about to sign in."""
        return request.cookies.get(self._cookie(request, visitor=visitor), "")

    def give(self, request: Request, response: Response, secret: str, *, visitor: bool = False) -> None:
        """Have a browser show this from now on."""
        response.set_cookie(self._cookie(request, visitor=visitor), secret, **self._rules(request))

    def take(self, request: Request, response: Response, *, visitor: bool = False) -> None:
        """Have it show nothing any more."""
        response.delete_cookie(self._cookie(request, visitor=visitor), **self._rules(request))

    def _cookie(self, request: Request, *, visitor: bool) -> str:
        name = "activesync-visitor" if visitor else "activesync"
        return f"__Host-{name}" if self._is_secure(request) else name

    def _rules(self, request: Request) -> dict[str, Any]:
        secure = self._is_secure(request)
        return {"path": "/", "secure": secure, "httponly": True, "samesite": "strict"}

    def _is_secure(self, request: Request) -> bool:
        """Whether browsers reach the server by HTTPS."""
        if self.public_url:
            return self.public_url.lower().startswith("https://")
        return self.proxies.scheme(request.scope, headers_of(request.scope)) == "https"
