"""The way of a request: the gateway itself, and whatever stands between it and the phones."""

from __future__ import annotations

import http.client
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from gateway.cli.check.bounded import beside
from gateway.cli.check.products import Product, product
from gateway.ports.examining import Finding, bad, doubtful, good

__all__ = ["Site", "gateway", "product_at", "proxy"]

_SECONDS = 15.0
_MOST = 1 << 20
_BEGINNING, _ANNOUNCED = 1 << 10, 4 << 20
"""Octets of a request that are sent, and that it says it has."""
_AT_ONCE = 5.0
"""Seconds in which the answer to the beginning of a request comes, where it is handed on as it comes."""
_PATH = "/Microsoft-Server-ActiveSync"
_ODD = "/mICROSOFT-sERVER-aCTIVEsYNC"
_OURS = "MS-Server-ActiveSync"
_HANDED_ON = "hand /Microsoft-Server-ActiveSync on, in any case of letters (see the guide, The reverse proxy)"


@dataclass(frozen=True, slots=True)
class Site:
    """Where something listens for HTTP."""

    host: str
    port: int
    tls: bool

    @classmethod
    def of(cls, url: str) -> Site:
        """That of a URL."""
        parts = urlsplit(url)
        tls = parts.scheme.lower() == "https"
        return cls(parts.hostname or "", parts.port or (443 if tls else 80), tls)


@dataclass(frozen=True, slots=True)
class _Answer:
    code: int
    headers: Mapping[str, str]
    body: bytes


async def gateway(listen: Site) -> AsyncIterator[Finding]:
    """Whether a gateway serves where the configuration says."""
    answer = await _ask(listen, "GET", "/readyz")
    where = f"{listen.host}:{listen.port}"
    if isinstance(answer, str):
        yield bad(f"no gateway answers at {where}: {answer}", "start it: activesync-gateway serve")
    elif answer.code == http.HTTPStatus.OK:
        yield good(f"a gateway serves at {where}")
    elif answer.code == http.HTTPStatus.SERVICE_UNAVAILABLE:
        yield bad(f"the gateway at {where} cannot serve now", "see what is said of its store and its servers")
    else:
        yield bad(f"something else answers at {where} ({answer.code})", "set server.listen to a free port")


async def proxy(site: Site, url: str, email: str) -> AsyncIterator[Finding]:
    """What becomes of requests on their way through the public URL, as far as it shows without a login."""
    answer = await _ask(site, "OPTIONS", _PATH)
    finding = _reached(answer)
    yield finding or good("requests reach the gateway, and it asks for a password")
    if finding is not None:
        return
    if _reached(await _ask(site, "OPTIONS", _ODD)) is None:
        yield good("they do in any case of letters")
    else:
        yield bad("they do not when the path is in other letters, which some phones send", _HANDED_ON)
    yield await _discovered(site, url, email)
    if (finding := await _collected(site)) is not None:
        yield finding
    page = await _ask(site, "GET", "/metrics")
    if isinstance(page, _Answer) and b"eas_requests" in page.body:
        yield doubtful("everybody can read /metrics", "have the proxy hand on the paths of phones alone")
    else:
        yield good("/metrics is not for everybody")


def _reached(answer: _Answer | str) -> Finding | None:
    """What is wrong with the answer to a request without a password; None: nothing."""
    if isinstance(answer, str):
        return bad(f"nobody answers: {answer}", "look at the reverse proxy, and at firewalls before it")
    code, headers = answer.code, answer.headers
    if code in {502, 503, 504}:
        return bad(f"the proxy does not reach the gateway ({code})", "have it lead to server.listen")
    if "location" in headers:
        return bad(f"the proxy sends phones elsewhere: {headers['location'][:200]!a}", _HANDED_ON)
    if code != http.HTTPStatus.UNAUTHORIZED or _OURS.lower() not in headers:
        lacking = "" if _OURS.lower() in headers else f", without {_OURS}"
        return bad(f"it is not the gateway that answers, or not all it says ({code}{lacking})", _HANDED_ON)
    if not headers.get("www-authenticate", "").lower().startswith("basic"):
        return bad("WWW-Authenticate: Basic is missing in the 401", "have the proxy keep the header")
    return None


async def product_at(site: Site) -> Product:
    """What stands there, as far as it says so."""
    answer = await _ask(site, "OPTIONS", _PATH)
    return product("" if isinstance(answer, str) else answer.headers.get("server", ""))


async def _collected(site: Site) -> Finding | None:
    """Whether nginx hands requests on as they come; None where it is another one.

    The gateway refuses whoever does not log in before it has read a body. Of the others, most answer nothing
    while the client still sends, and none keeps bodies on a disk.
    """
    if (await product_at(site)).name != "nginx":
        return None
    try:
        await beside(lambda: _begin(site), _SECONDS)
    except (OSError, http.client.HTTPException):  # TimeoutError is one
        return doubtful(
            "nginx takes the whole of a request in before it hands it on: large mail lies on its disk",
            "set proxy_request_buffering off, and proxy_buffering off for the answers",
        )
    return good("requests are handed on as they come")


async def _discovered(site: Site, url: str, email: str) -> Finding:
    path = f"/autodiscover/autodiscover.json?Email={quote(email)}&Protocol=ActiveSync"
    answer = await _ask(site, "GET", path)
    told = ""
    if isinstance(answer, _Answer) and answer.code == http.HTTPStatus.OK:
        try:
            told = str(json.loads(answer.body).get("Url", ""))
        except (ValueError, AttributeError):
            told = ""
    if told.lower().startswith(url.lower()):
        return good("Autodiscover tells the way")
    return doubtful(
        "Autodiscover does not tell the way: users must type the server",
        "hand /autodiscover/, /.well-known/autoconfig/ and /mail/config-v1.1.xml on",
    )


async def _ask(site: Site, method: str, path: str) -> _Answer | str:
    """What is answered; or why nothing is, in words."""
    try:
        return await beside(lambda: _exchange(site, method, path), _SECONDS)
    except TimeoutError:
        return f"not within {_SECONDS:g} s"
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__


def _exchange(site: Site, method: str, path: str) -> _Answer:
    connection = _connection(site, _SECONDS)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return _Answer(response.status, headers, response.read(_MOST))
    finally:
        connection.close()


def _begin(site: Site) -> None:
    """Send the beginning of a request and wait for the answer. Raises OSError when there is none at once."""
    connection = _connection(site, _AT_ONCE)
    try:
        connection.putrequest("POST", _PATH)
        connection.putheader("Content-Length", str(_ANNOUNCED))
        connection.endheaders(b"\0" * _BEGINNING)
        connection.getresponse()
    finally:
        connection.close()


def _connection(site: Site, seconds: float) -> http.client.HTTPConnection:
    made = http.client.HTTPSConnection if site.tls else http.client.HTTPConnection
    return made(site.host, site.port, timeout=seconds)
