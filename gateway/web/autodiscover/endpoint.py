"""The pages by which mail programs find their servers, as a plain ASGI application.

The XML ones ask for a login, as phones expect. The others say what is the same for everybody, with the
address that was asked for put in: whoever asks learns nothing of whether it exists.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlsplit

import structlog

from gateway.ports import Clock
from gateway.ports.directory import domain_of
from gateway.types import NO_DEVICE, Principal
from gateway.web.auth import Authentication
from gateway.web.autodiscover import autoconfig, pox
from gateway.web.autodiscover.profile import profile
from gateway.web.autodiscover.servers import Servers, is_address
from gateway.web.brakes import Brakes
from gateway.web.client import HOST, Proxies
from gateway.web.http import (
    BodyStalled,
    BodyTooLarge,
    ClientGone,
    Receive,
    Response,
    Scope,
    Send,
    headers_of,
    read_body,
    send_response,
)
from gateway.web.login import log_in

__all__ = ["Autodiscover", "is_autodiscover_path"]

_XML = "/autodiscover/autodiscover.xml"
_JSON = "/autodiscover/autodiscover.json"
_PROFILE = "/autodiscover/activesync.mobileconfig"
_CONFIGS = ("/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml")
_ENDPOINT = "/Microsoft-Server-ActiveSync"
_MOST_BYTES = 64 * 1024
_PROTOCOLS: Mapping[str, tuple[str, str]] = {
    "activesync": ("ActiveSync", _ENDPOINT),
    "autodiscoverv1": ("AutodiscoverV1", _XML),
}
"""What is told by JSON, by name in lower case: as it is written, and the path it is at."""


def is_autodiscover_path(path: str) -> bool:
    """Whether a path is one of these pages; programs write them in any case."""
    path = path.lower()
    return path in (_XML, _JSON, _PROFILE, *_CONFIGS) or path.startswith(f"{_JSON}/")


class Autodiscover:
    """Serves the pages."""

    def __init__(
        self,
        servers: Servers,
        authentication: Authentication,
        proxies: Proxies,
        brakes: Brakes,
        clock: Clock,
    ) -> None:
        self._servers = servers
        self._authentication = authentication
        self._proxies = proxies
        self._brakes = brakes
        self._clock = clock
        self._log = structlog.get_logger("gateway.autodiscover")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and log it in one line."""
        started = time.perf_counter()
        headers = headers_of(scope)
        visit = _Visit(scope, headers, self._proxies, self._servers.url)
        try:
            response = await self._answer(visit, receive)
            response.headers.setdefault("Cache-Control", "private")
            await send_response(send, response)
            code = response.code
        except ClientGone:
            visit.reason, code = "client gone", 0
        milliseconds = round((time.perf_counter() - started) * 1000)
        said = {"user": visit.user, "reason": visit.reason}
        self._log.info(
            "request",
            path=visit.path[:100],
            http=code,
            ms=milliseconds,
            address=visit.address,
            **{name: text for name, text in said.items() if text},
        )

    async def _answer(self, visit: _Visit, receive: Receive) -> Response:
        if visit.path == _XML:
            return await self._xml(visit, receive)
        if visit.method not in {"GET", "HEAD"}:
            return Response(405, {"Allow": "GET,HEAD"})
        if visit.path in _CONFIGS:
            return self._config(visit)
        return self._profile(visit) if visit.path == _PROFILE else self._json(visit)

    # --- XML -----------------------------------------------------------------------------------------------

    async def _xml(self, visit: _Visit, receive: Receive) -> Response:
        if visit.method not in {"GET", "HEAD", "POST"}:
            return Response(405, {"Allow": "GET,HEAD,POST"})
        if visit.method != "POST" and (elsewhere := visit.elsewhere()):
            # Phones ask autodiscover.example.com without TLS, only to be sent on.
            return Response(302, {"Location": elsewhere + _XML})
        shared = self._proxies.is_trusted(visit.address)
        found = await log_in(
            self._authentication, visit.headers, visit.address, shared=shared, trusted=visit.trusted
        )
        if not isinstance(found, Principal):
            visit.reason = found.reason
            if visit.method == "POST":
                found.response.headers["Connection"] = "close"  # the body was not read
            return found.response
        visit.user = found.user
        seconds, storm = self._brakes.wait(found.user, NO_DEVICE, "", "Autodiscover")
        if seconds:
            if storm:
                self._log.warning("user is slowed", reason=storm, user=found.user)
            visit.reason = "slowed"
            return Response(503, {"Retry-After": str(seconds), "Connection": "close"})
        try:
            body = await read_body(receive, visit.headers, _MOST_BYTES)
            wanted = pox.parse(body)
            document = self._document(found, wanted, visit)
        except BodyTooLarge:
            return Response(413, {"Connection": "close"})
        except BodyStalled:
            return Response(408, {"Connection": "close"})
        except pox.BadRequest as error:
            visit.reason = error.reason
            document = pox.failure(error, self._clock.now())
        return Response(200, {"Content-Type": "text/xml; charset=utf-8"}, document)

    def _document(self, principal: Principal, wanted: pox.Wanted, visit: _Visit) -> bytes:
        """The answer to a request. Raises `pox.BadRequest`."""
        if address := self._servers.moved_to(wanted.address):
            return pox.moved(wanted.schema, principal, address)
        if wanted.schema is pox.Schema.PHONE:
            if not visit.url:
                raise pox.BadRequest(600, "the request names no host")
            return pox.phone(principal, visit.url + _ENDPOINT)
        servers = self._servers
        return pox.program(principal, principal.credentials.login, servers.imap, servers.smtp)

    # --- the others ----------------------------------------------------------------------------------------

    def _json(self, visit: _Visit) -> Response:
        """Autodiscover version 2."""
        name = visit.query.get("protocol", "")
        address = visit.address_named("email")
        if rest := visit.raw_path[len(_JSON) :].strip("/"):
            version, _, address = rest.partition("/")
            if version.lower() != "v1.0":
                return _failed("InvalidVersion", "The version served is v1.0.")
        if not name or not address:
            return _failed("MandatoryParameterMissing", "An address and the parameter Protocol are needed.")
        if not is_address(address):
            return _failed("InvalidEmailAddress", "This is no mail address.")
        if name.lower() not in _PROTOCOLS:
            known = ", ".join(written for written, _ in _PROTOCOLS.values())
            return _failed("InvalidProtocol", f"Protocols served are {known}.")
        if moved := self._servers.moved_to(address):
            domain = domain_of(moved).encode("idna").decode()
            place = f"https://autodiscover.{domain}{_JSON}/v1.0/{quote(moved)}?Protocol={quote(name)}"
            return Response(302, {"Location": place})
        if not visit.url:
            return _failed("InvalidRequest", "The request names no host.")
        written, path = _PROTOCOLS[name.lower()]
        return _json(200, {"Protocol": written, "Url": visit.url + path})

    def _config(self, visit: _Visit) -> Response:
        address = visit.address_named("emailaddress")
        if address and not is_address(address):
            return _said(400, "emailaddress is to be an address")
        address = self._servers.moved_to(address) or address
        here = "" if visit.host.startswith("[") else visit.host.partition(":")[0]
        domain = domain_of(address) or here.removeprefix("autoconfig.")
        way = self._authentication.ways.tokens
        # With a master user the gateway takes tokens, and the mail servers behind it do not.
        sign_in = way.tokens.sign_in() if way is not None and way.master is None else None
        document = autoconfig.config(self._servers, address, domain, sign_in) if domain else None
        if document is None:
            return _said(404, "no mail servers are told here")
        return Response(200, {"Content-Type": "text/xml; charset=utf-8"}, document)

    def _profile(self, visit: _Visit) -> Response:
        address = visit.address_named("email")
        if not is_address(address):
            return _said(400, "email is to be an address: activesync.mobileconfig?email=user@example.com")
        if not visit.url:
            return _said(400, "the request names no host")
        headers = {
            "Content-Type": "application/x-apple-aspen-config",
            "Content-Disposition": 'attachment; filename="activesync.mobileconfig"',
        }
        way = self._authentication.ways.tokens
        sign_in = None if way is None else way.tokens.sign_in()
        return Response(200, headers, profile(visit.url, address, self._servers.login(address), sign_in))


class _Visit:
    """One request: what was asked where, and what the log is to say of it."""

    def __init__(
        self, scope: Scope, headers: Mapping[str, str], proxies: Proxies, public_url: str | None
    ) -> None:
        self.method: str = scope["method"]
        self.raw_path: str = scope["path"]
        self.path = self.raw_path.lower()
        self.headers = headers
        self.query = _query(scope["query_string"])
        self.address = proxies.client(scope, headers)
        self.trusted = proxies.hand_on(scope)
        self.user = self.reason = ""
        host = headers.get("host", "")
        self.host = host.lower() if HOST.fullmatch(host) else ""
        scheme = proxies.scheme(scope, headers)
        self._plain = proxies.forwarded_scheme(scope, headers) == "http"
        self._public = public_url
        self.url = public_url or (f"{scheme}://{self.host}" if self.host else "")
        """What phones call the gateway, without a path; "" when nobody says so."""

    def address_named(self, name: str) -> str:
        """The address a parameter names; a blank in it was a plus, which not everybody encodes."""
        return self.query.get(name, "").replace(" ", "+")

    def elsewhere(self) -> str:
        """The gateway's URL, if this is surely not where it was asked; "" otherwise."""
        if not self._public:
            return ""
        place = urlsplit(self._public.lower())
        here = place.netloc == self.host and not (self._plain and place.scheme == "https")
        return "" if here else self._public


def _query(raw: bytes) -> Mapping[str, str]:
    """The parameters, by name in lower case; of those given twice the first."""
    found: dict[str, str] = {}
    for name, text in parse_qsl(raw.decode("latin-1"), encoding="utf-8", errors="replace"):
        found.setdefault(name.lower(), text.strip())
    return found


def _json(code: int, told: Mapping[str, str]) -> Response:
    return Response(code, {"Content-Type": "application/json; charset=utf-8"}, json.dumps(told).encode())


def _failed(code: str, message: str) -> Response:
    return _json(400, {"ErrorCode": code, "ErrorMessage": message})


def _said(code: int, text: str) -> Response:
    return Response(code, {"Content-Type": "text/plain; charset=utf-8"}, f"{text}\n".encode())
