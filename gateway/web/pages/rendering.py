"""Pages made of templates, with headers that let a browser do no more than the pages need.

Everything that comes from outside is escaped: what devices say of themselves, names of folders and users.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from functools import partial
from hashlib import sha256
from importlib import resources

from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from gateway.ports import Clock
from gateway.web.pages.shown import ago, moment, name_of, plain

__all__ = ["SECURITY", "Renderer", "static_file"]

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY: Mapping[str, str] = {
    "Content-Security-Policy": _POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": browsers then hide the origin of forms, by which those of other sites are refused.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
"""Headers of all answers."""

_ROOM = "gateway.web.pages"
_TYPES = {
    "style.css": "text/css; charset=utf-8",
    "htmx.min.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_YEAR = "private, max-age=31536000, immutable"


class Renderer:
    """Makes pages of the templates of the rooms. `zone` is that of the users, for times."""

    def __init__(self, clock: Clock, zone: tzinfo) -> None:
        rooms = ("pages", "account", "admin")
        self._environment = Environment(
            loader=PrefixLoader({room: PackageLoader(f"gateway.web.{room}") for room in rooms}),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            moment=partial(moment, zone=zone),
            ago=lambda value: ago(value, clock.now()),
            plain=plain,
            device_name=name_of,
        )
        self._environment.globals["version_of"] = _version

    def page(self, template: str, code: int, values: Mapping[str, object]) -> Response:
        """A page as an answer, with the headers of all of them."""
        text = self._environment.get_template(template).render(values)
        return HTMLResponse(text, status_code=code, headers=dict(SECURITY))


def static_file(request: Request) -> Response:
    """A file that pages name: with the digest of its content, for as long as the browser likes."""
    name = request.path_params["name"]
    if name not in _TYPES:
        return Response("Not Found", 404, headers=dict(SECURITY), media_type="text/plain")
    named = request.query_params.get("v") == _version(name)
    headers = dict(SECURITY) | ({"Cache-Control": _YEAR} if named else {"Cache-Control": "no-cache"})
    return Response(_FILES[name], headers=headers, media_type=_TYPES[name])


def _version(name: str) -> str:
    return _VERSIONS[name]


_FILES = {name: resources.files(_ROOM).joinpath("static", name).read_bytes() for name in _TYPES}
_VERSIONS = {name: sha256(content).hexdigest()[:16] for name, content in _FILES.items()}
