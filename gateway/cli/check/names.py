"""The names phones look up: that of the gateway, and those of the users' domain (see the guide)."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator

from gateway.cli.check.bounded import beside
from gateway.ports.examining import Finding, bad, doubtful, good

__all__ = ["discovery_names", "leads", "names"]

_SECONDS = 15.0


def discovery_names(domain: str) -> tuple[str, str]:
    """Where phones and mail programs look for the servers of a domain."""
    return f"autodiscover.{domain}", f"autoconfig.{domain}"


async def names(host: str, domain: str | None) -> AsyncIterator[Finding]:
    """Look up the host of `public_url`, and the names of a domain that should lead there."""
    here = await _addresses(host)
    if _is_address(host):
        yield doubtful(
            f"{host} is an address", "set server.public_url to a name, for which there is a certificate"
        )
    elif not here:
        yield bad(f"{host} has no address", f"set in the DNS: {host}. A (and AAAA) the address of the proxy")
        return
    else:
        yield good(f"{host} is {_listed(here)}")
    if domain is None:
        yield good("names of the users' domain were not looked up: give --user")
        return
    phones, programs = discovery_names(domain)
    service = f"or _autodiscover._tcp.{domain}. SRV 0 0 443 {host}."
    found = asyncio.gather(
        leads(phones, host, here, f"set in the DNS: {phones}. CNAME {host}., {service}"),
        leads(programs, host, here, f"set in the DNS: {programs}. CNAME {host}."),
    )
    for finding in await found:
        yield finding


async def leads(name: str, host: str, here: frozenset[str], remedy: str) -> Finding:
    """Whether a name leads to the host whose addresses are `here`; `remedy` says how it would."""
    found = await _addresses(name)
    if not found:
        return doubtful(f"{name} has no address: users must type the server", remedy)
    if here.isdisjoint(found):
        return doubtful(f"{name} is {_listed(found)}, and not {host}", remedy)
    return good(f"{name} leads to {host}")


async def _addresses(name: str) -> frozenset[str]:
    """The addresses of a name; none where there is no such name, or nobody answers."""
    try:
        found = await beside(lambda: socket.getaddrinfo(name, None, type=socket.SOCK_STREAM), _SECONDS)
    except (OSError, UnicodeError):
        return frozenset()
    return frozenset(str(where[0]) for *_, where in found)


def _listed(addresses: frozenset[str]) -> str:
    return ", ".join(sorted(addresses))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
