"""A group of pages below one path: who may see them, signing in and out, forms that are believed, failures.

A page is a function of a `Visit` that returns an answer. It is called for users who are signed in, and a form
that was posted only when it came from one of our own pages.
"""

from __future__ import annotations

import secrets
import time
import traceback
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode, urlsplit

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.errors import GatewayError, NotFound, Refused
from gateway.ports.sessions import Session
from gateway.types import Principal
from gateway.web.http import ClientGone
from gateway.web.pages.door import Door
from gateway.web.pages.forms import Form, check_origin, check_token, read_form
from gateway.web.pages.problems import Problem
from gateway.web.pages.rendering import SECURITY, Renderer, static_file
from gateway.web.pages.sessions import form_token
from gateway.web.pages.signing import Signing

__all__ = ["Page", "Site", "Tab", "Visit"]

_STORE = "The server cannot do this at the moment, and nothing was changed. Try again in a few minutes."
_LOST = "There is no such page. It may be about something that was removed."
_SAID: Mapping[str, str] = {"signed-out": "You are signed out."}
"""What all sites say after something was done."""


@dataclass(frozen=True, slots=True)
class Tab:
    """An entry of the menu: a path below that of the site, and the one its further pages begin with."""

    path: str
    name: str
    further: str = ""

    def has(self, path: str) -> bool:
        """Whether a page belongs to it."""
        return path == self.path or (bool(self.further) and path.startswith(self.further))


@dataclass(slots=True)
class Visit:
    """One request of a user who is signed in. `token` is for the forms of the answer."""

    site: Site
    request: Request
    session: Session
    token: str
    form: Form = field(default_factory=dict)

    def query(self, name: str) -> str:
        """A parameter of the URL, "" when there is none."""
        return self.request.query_params.get(name, "").replace("\0", "")

    @property
    def url(self) -> str:
        """What browsers and phones call the server, without a path. Raises `Problem` when nobody says so."""
        return self.site.door.url(self.request)

    def page(self, template: str, **values: object) -> Response:
        """Show a page."""
        return self.site.page(self.request, template, 200, session=self.session, token=self.token, **values)

    def go(self, path: str, said: str = "", /, **query: str) -> Response:
        """Go on to a page of the site, after something was done; `said` names the sentence shown there."""
        query |= {"said": said} if said else {}
        return self.site.redirect(f"{path}?{urlencode(query)}" if query else path)


View = Callable[[Visit], Awaitable[Response]]
_Answer = Callable[[Request], Awaitable[Response]]
_READ = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Page:
    """A page below the path of its site, and what is done when its form is posted.

    `refreshes`: another page asks for it again and again, which keeps nobody signed in.
    """

    path: str
    show: View | None = None
    post: View | None = None
    refreshes: bool = False


class Site:
    """The pages below `prefix`.

    `admits` says who may see them, `reached_from` from which addresses they are there at all. `said` are the
    sentences that pages show after something was done, by name.
    """

    def __init__(
        self,
        prefix: str,
        title: str,
        door: Door,
        renderer: Renderer,
        *,
        tabs: Sequence[Tab],
        said: Mapping[str, str],
        admits: Callable[[Principal | Session], bool] = lambda _: True,
        reached_from: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self.prefix = prefix
        self._title = title
        self.door = door
        self._renderer = renderer
        self._tabs = tuple(tabs)
        self._said = {**_SAID, **said}
        self.admits = admits
        self._reached_from = reached_from
        self._log = structlog.get_logger("gateway.pages")

    def routes(self, pages: Sequence[Page]) -> list[Route]:
        """All routes: the pages, signing in and out, static files, and an answer for what is not there."""
        signing = Signing(self)
        return [
            *(self._route(page.path, self._endpoint(page), _methods(page)) for page in pages),
            self._route("/sign-in", signing.sign_in, {*_READ, "POST"}),
            self._route("/sign-out", signing.sign_out, {"POST"}),
            self._route("/static/{name}", _static, _READ),
            self._route("/{rest:path}", self._nothing, {*_READ, "POST"}),
        ]

    def _route(self, path: str, answer: _Answer, methods: Collection[str]) -> Route:
        """The route of a path. All methods lead to it, that the guard answers those it does not have."""
        return Route(self.prefix + path, _Endpoint(self._guarded(answer, methods)))

    def page(self, request: Request, template: str, code: int = 200, **values: object) -> Response:
        """Show a page."""
        path = _path(request).removeprefix(self.prefix)
        known = {"session": None, "token": "", "here": path, "site": self._title, "prefix": self.prefix}
        said = self._said.get(request.query_params.get("said", ""), "")
        return self._renderer.page(template, code, known | {"tabs": self._tabs, "said": said} | values)

    def redirect(self, path: str) -> Response:
        """Go on to a page of the site."""
        return RedirectResponse(self.prefix + path, 303, headers=dict(SECURITY))

    # --- requests ------------------------------------------------------------------------------------------

    def _endpoint(self, page: Page) -> _Answer:
        async def answer(request: Request) -> Response:
            session = await self.door.session(request, used=not page.refreshes)
            if session is None or not self.admits(session):
                return self._to_sign_in(request)
            request.state.user = session.user
            visit = Visit(self, request, session, form_token(self.door.secret(request)))
            if request.method != "POST":
                assert page.show is not None
                request.state.visit = visit
                return await page.show(visit)
            assert page.post is not None
            check_origin(request, self.door.public_url)
            visit.form = await read_form(request)
            check_token(request, visit.form, visit.token)
            request.state.visit = visit
            return await page.post(visit)

        return answer

    def _guarded(self, answer: _Answer, methods: Collection[str]) -> _Answer:
        """Answer whatever happens, and log it in one line."""

        async def guarded(request: Request) -> Response:
            started = time.perf_counter()
            reason = ""
            try:
                if not self._reached_from(self.door.address(request)):
                    # As if there were no such pages.
                    response, reason = Response("Not Found", 404, media_type="text/plain"), "from elsewhere"
                elif request.method not in methods:
                    response = self._failed(request, 405, _LOST)
                    response.headers["Allow"] = ", ".join(sorted(methods))
                else:
                    response = await answer(request)
            except ClientGone:
                response, reason = Response(status_code=408), "client gone"
            except Problem as problem:
                response, reason = self._failed(request, problem.code, problem.text), problem.text
            except NotFound as error:
                response, reason = self._failed(request, 404, _LOST), error.detail
            except Refused as error:
                text = f"This cannot be done: {error.detail}."
                response, reason = self._failed(request, 409, text), error.detail
            except GatewayError as error:
                response, reason = self._failed(request, 503, _STORE), error.detail
            except Exception:  # noqa: BLE001  # the boundary: whatever went wrong, the browser gets an answer
                reason = secrets.token_hex(4)
                self._log.error("unexpected error", error_id=reason, exception=traceback.format_exc())
                text = f"Something went wrong here. Tell your administrator this number: {reason}."
                response = self._failed(request, 500, text)
            self._note(request, response.status_code, reason, started)
            return response

        return guarded

    def _failed(self, request: Request, code: int, text: str) -> Response:
        visit: Visit | None = getattr(request.state, "visit", None)
        known = {"session": visit.session, "token": visit.token} if visit else {}
        back = self._came_from(request)
        response = self.page(request, "pages/problem.html", code, text=text, said="", back=back, **known)
        if code == 503:
            response.headers["Retry-After"] = "60"
        return response

    def _came_from(self, request: Request) -> str:
        """The path of the page of this site that led to a request; "" where it was none."""
        try:
            parts = urlsplit(request.headers.get("referer", ""))
        except ValueError:
            return ""
        if not parts.path.startswith(f"{self.prefix}/"):
            return ""
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def _note(self, request: Request, code: int, reason: str, started: float) -> None:
        said = {
            "user": getattr(request.state, "user", ""),
            "reason": getattr(request.state, "reason", reason),
            "method": request.method,
        }
        self._log.info(
            "request",
            path=_path(request)[:100],
            http=code,
            ms=round((time.perf_counter() - started) * 1000),
            address=self.door.address(request),
            **{name: text for name, text in said.items() if text},
        )

    async def _nothing(self, request: Request) -> Response:
        if request.method != "POST" and _path(request) == f"{self.prefix}/":
            return self.redirect("")
        raise Problem(404, _LOST)

    def _to_sign_in(self, request: Request) -> Response:
        """Have somebody sign in, and come back then if he only looked at a page."""
        if request.headers.get("hx-request") == "true":
            return Response(headers={"HX-Refresh": "true", **SECURITY})
        if request.headers.get("sec-fetch-site") == "cross-site" and request.method != "POST":
            # A link elsewhere leads here, and the browser left the cookie of the session out.
            return self.page(request, "pages/again.html", target=_target(request))
        path = _target(request)
        if request.method == "POST":
            check_origin(request, self.door.public_url)
            return self.redirect("/sign-in?over=1")
        if path == self.prefix:
            return self.redirect("/sign-in")
        return self.redirect(f"/sign-in?next={quote(path, safe='/')}")


async def _static(request: Request) -> Response:
    return static_file(request)


class _Endpoint:
    """What a route leads to, with whichever method: of a function Starlette answers some by itself."""

    def __init__(self, answer: _Answer) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(Request(scope, receive, send))
        await response(scope, receive, send)


def _methods(page: Page) -> Collection[str]:
    return (_READ if page.show else frozenset()) | ({"POST"} if page.post else frozenset())


def _path(request: Request) -> str:
    # Not request.url, which cannot be made of every Host header.
    path: str = request.scope["path"]
    return path


def _target(request: Request) -> str:
    """The path of a request with its query."""
    query = request.scope["query_string"].decode("latin-1")
    return f"{quote(_path(request))}?{query}" if query else quote(_path(request))
