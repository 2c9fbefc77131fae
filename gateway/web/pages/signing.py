"""Signing in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.errors import AuthenticationFailed, UpstreamError
from gateway.types import Password, Principal
from gateway.web.auth import Throttled
from gateway.web.pages.forms import check_origin, check_token, read_form
from gateway.web.pages.problems import Problem
from gateway.web.pages.rendering import SECURITY
from gateway.web.pages.sessions import form_token, new_secret

if TYPE_CHECKING:
    from gateway.web.pages.site import Site

__all__ = ["Signing"]

_WRONG = "This did not work. Check the user name and the password: they are those of your mail account."
_OVER = "You were signed out meanwhile, and nothing was done. Sign in, and do it again."
_LATER = "The mail server cannot be asked at the moment. Try again in a few minutes."


class Signing:
    """The pages by which users come into a site and leave it."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._door = site.door

    async def sign_in(self, request: Request) -> Response:
        """The page to sign in, and what its form does."""
        if request.method != "POST":
            over = Problem(200, _OVER) if "over" in request.query_params else None
            return self._page(request, self._next(request.query_params.get("next", "")), over)
        check_origin(request, self._door.public_url)
        form = await read_form(request)
        wanted, user = self._next(form.get("next", "")), form.get("user", "").strip()
        visitor = self._door.secret(request, visitor=True)
        try:
            check_token(request, form, form_token(visitor) if visitor else "")
            password = form.get("password", "")
            principal = await self._authenticated(request, user, password)
        except Throttled as error:
            text = f"There were too many attempts. Wait {error.seconds} seconds, then try again."
            response = self._page(request, wanted, Problem(429, text), user)
            response.headers["Retry-After"] = str(error.seconds)
            return response
        except Problem as problem:
            return self._page(request, wanted, problem, user)
        await self._end(request)
        proof = Password(principal.credentials.login, password)
        begun = await self._door.sessions.begin(principal, proof)
        request.state.user = principal.user
        structlog.get_logger("gateway.pages").info(
            "signed in", user=principal.user, address=self._door.address(request)
        )
        response = RedirectResponse(wanted, 303, headers=dict(SECURITY))
        self._door.let_in(request, response, begun)
        return response

    async def sign_out(self, request: Request) -> Response:
        """What the button does: end the session, or all of the user's."""
        check_origin(request, self._door.public_url)
        form = await read_form(request)
        if secret := self._door.secret(request):
            check_token(request, form, form_token(secret))
            session = await self._door.sessions.find(secret)
            if form.get("everywhere") and session is not None:
                await self._door.sessions.end_all(session.user)
        await self._end(request)
        response = self._site.redirect("/sign-in?said=signed-out")
        self._door.let_out(request, response)
        return response

    async def _authenticated(self, request: Request, user: str, password: str) -> Principal:
        """Who signs in. Whether the user, the password or his right to be here is missing is not told.

        Raises `Problem` and `Throttled`.
        """
        if not user or not user.isprintable() or any(one in password for one in "\r\n"):
            raise Problem(403, _WRONG)
        address = self._door.address(request)
        shared = self._door.proxies.is_trusted(address)
        try:
            principal = await self._door.authentication.sign_in(user, password, address, shared=shared)
        except AuthenticationFailed as error:
            request.state.reason = error.detail
            raise Problem(403, _WRONG) from None
        except UpstreamError as error:
            request.state.reason = f"cannot check credentials: {error.detail}"
            raise Problem(503, _LATER) from None
        if not self._site.admits(principal):
            request.state.reason = f"not for {principal.user[:100]!a}"
            raise Problem(403, _WRONG)
        return principal

    def _page(
        self, request: Request, wanted: str, problem: Problem | None = None, user: str = ""
    ) -> Response:
        visitor = self._door.secret(request, visitor=True) or new_secret()
        values = {"token": form_token(visitor), "next": wanted, "problem": problem, "user": user[:200]}
        code = problem.code if problem else 200
        response = self._site.page(request, "pages/sign_in.html", code, **values)
        self._door.receive(request, response, visitor)
        return response

    async def _end(self, request: Request) -> None:
        if secret := self._door.secret(request):
            await self._door.sessions.end(secret)

    def _next(self, wanted: str) -> str:
        """Where to go after signing in: a page of this site, and nowhere else."""
        prefix = self._site.prefix
        inside = wanted == prefix or wanted.startswith((f"{prefix}/", f"{prefix}?"))
        return wanted if inside and wanted.isprintable() and "\\" not in wanted else prefix
