"""The port `Fetcher`: small documents by HTTP/1.1, from where it does no harm to ask.

Addresses come from certificates, so whoever has one certified could have the gateway ask servers that only it
reaches. A name is therefore looked up once, and connected to is one of the addresses that were looked at.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urljoin, urlsplit

import h11

from gateway.errors import UpstreamRefused, UpstreamUnavailable
from gateway.upstream.tls import client_context

__all__ = ["WebFetcher"]

_AT_ONCE = 20
_REDIRECTS = 2
_PORTS = {"http": 80, "https": 443}
_CHUNK = 65536
_EMBEDDING = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))
"""Networks of IPv6 addresses that stand for IPv4 addresses, which may be of any network."""


@dataclass(frozen=True, slots=True)
class _Target:
    """Where to ask, and for what."""

    scheme: str
    host: str
    port: int
    path: str


class WebFetcher:
    """Fetches by a connection for each document. `private` are names of hosts that may be anywhere.

    `timeout` is in seconds, for all that one document takes; `ca_file` has authorities to trust instead of
    the system's.
    """

    def __init__(
        self, *, private: Collection[str] = (), timeout: float = 10, ca_file: Path | None = None
    ) -> None:
        self._private = frozenset(host.lower() for host in private)
        self._timeout = timeout
        self._ca_file = ca_file
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def fetch(self, url: str, limit: int, *, posted: bytes | None = None, kind: str = "") -> bytes:
        """See `ports.Fetcher`."""
        try:
            async with asyncio.timeout(self._timeout), self._slots:
                for _ in range(1 + _REDIRECTS):
                    found = await self._ask(url, limit, posted, kind)
                    if isinstance(found, bytes):
                        return found
                    url = urljoin(url, found)
        except TimeoutError as error:
            raise UpstreamUnavailable(f"{url[:200]!a} does not answer in time") from error
        except OSError as error:
            raise UpstreamUnavailable(f"{url[:200]!a} cannot be reached: {error}") from error
        raise UpstreamRefused(f"{url[:200]!a} leads on and on")

    async def _ask(self, url: str, limit: int, posted: bytes | None, kind: str) -> bytes | str:
        """The document, or the address it is at instead. Raises OSError and `UpstreamError`."""
        target = self._target(url)
        request = _request(target, posted, kind)
        secured = target.scheme == "https"
        tls = await asyncio.to_thread(client_context, self._ca_file, True) if secured else None
        reader, writer = await _connect(target, await self._addresses(target), tls)
        try:
            return await _exchange(target, reader, writer, request, limit)
        finally:
            writer.transport.abort()

    def _target(self, url: str) -> _Target:
        try:
            parts: SplitResult = urlsplit(url)
            host, port = (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme, 0)
            written = host.encode("idna").decode("ascii") if not host.isascii() else host
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            path.encode("ascii")
        except ValueError:
            raise UpstreamRefused(f"{url[:200]!a} is no URL") from None
        usual = port in _PORTS.values() or written in self._private
        if parts.scheme not in _PORTS or not written or parts.username is not None or not usual:
            raise UpstreamRefused(f"{url[:200]!a} is no place to ask at")
        return _Target(parts.scheme, written, port, path)

    async def _addresses(self, target: _Target) -> list[str]:
        """The addresses of the host that may be connected to."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        addresses = [str(one[4][0]) for one in found]
        allowed = [one for one in addresses if target.host in self._private or _public(one)]
        if not allowed:
            raise UpstreamRefused(f"{target.host[:200]!a} is in no public network", "NOPERM")
        return allowed


def _public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    embedding = any(found in network for network in _EMBEDDING if network.version == found.version)
    return found.is_global and not found.is_multicast and not embedding


async def _connect(
    target: _Target, addresses: list[str], tls: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the first address that can be reached. Raises OSError."""
    name = target.host if tls else None
    for address in addresses[:-1]:
        with suppress(OSError):
            return await asyncio.open_connection(address, target.port, ssl=tls, server_hostname=name)
    return await asyncio.open_connection(addresses[-1], target.port, ssl=tls, server_hostname=name)


def _request(target: _Target, posted: bytes | None, kind: str) -> tuple[h11.Request, bytes]:
    host = f"[{target.host}]" if ":" in target.host else target.host
    named = host if target.port == _PORTS[target.scheme] else f"{host}:{target.port}"
    headers = [("Host", named), ("Connection", "close"), ("Accept", "*/*")]
    if posted is not None:
        headers += [("Content-Type", kind), ("Content-Length", str(len(posted)))]
    method = "GET" if posted is None else "POST"
    try:
        return h11.Request(method=method, target=target.path, headers=headers), posted or b""
    except h11.LocalProtocolError:
        raise UpstreamRefused("a URL holds what no request may") from None


async def _exchange(
    target: _Target,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    request: tuple[h11.Request, bytes],
    limit: int,
) -> bytes | str:
    """Send a request and read the answer. Raises OSError and `UpstreamError`."""
    head, body = request
    client = h11.Connection(h11.CLIENT)
    out = [
        client.send(head),
        client.send(h11.Data(data=body)) if body else b"",
        client.send(h11.EndOfMessage()),
    ]
    writer.write(b"".join(part or b"" for part in out))
    await writer.drain()
    found = bytearray()
    try:
        while True:
            event = client.next_event()
            if event is h11.NEED_DATA:
                client.receive_data(await reader.read(_CHUNK))
            elif isinstance(event, h11.Response):
                if (elsewhere := _redirect(event)) and head.method == b"GET":
                    return elsewhere
                if event.status_code != 200:
                    raise UpstreamRefused(f"{target.host} answers {event.status_code}")
            elif isinstance(event, h11.Data):
                found += event.data
                if len(found) > limit:
                    raise UpstreamRefused(f"{target.host} answers more than {limit} octets")
            elif isinstance(event, h11.EndOfMessage):
                return bytes(found)
            elif not isinstance(event, h11.InformationalResponse):
                raise UpstreamUnavailable(f"{target.host} closed the connection")
    except h11.RemoteProtocolError as error:
        raise UpstreamRefused(f"{target.host} breaks HTTP: {error}") from None


def _redirect(response: h11.Response) -> str | None:
    if response.status_code not in {301, 302, 303, 307, 308}:
        return None
    return next((value.decode("latin-1") for name, value in response.headers if name == b"location"), None)
