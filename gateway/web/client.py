"""Where a request comes from, behind proxies."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from gateway.web.http import Scope

__all__ = ["HOST", "Proxies"]

HOST = re.compile(r"[A-Za-z0-9.-]{1,255}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
"""What a Host header may be."""


class Proxies:
    """The proxies whose X-Forwarded-For is believed, as addresses and networks."""

    def __init__(self, trusted: Iterable[str]) -> None:
        networks = [ipaddress.ip_network(each, strict=False) for each in trusted]

        @lru_cache(maxsize=1024)
        def is_trusted(address: str) -> bool:
            try:
                parsed = ipaddress.ip_address(address)
            except ValueError:
                return False
            mapped = getattr(parsed, "ipv4_mapped", None) or parsed
            return any(mapped in network for network in networks)

        self._is_trusted = is_trusted

    def is_trusted(self, address: str) -> bool:
        """Whether the address is that of one of the proxies."""
        return self._is_trusted(address)

    def hand_on(self, scope: Scope) -> bool:
        """Whether one of the proxies hands the request on: its headers are to be believed."""
        return self._is_trusted(scope["client"][0] if scope.get("client") else "")

    def client(self, scope: Scope, headers: Mapping[str, str]) -> str:
        """Return the address of the client: the last hop that is not one of the proxies."""
        peer: str = scope["client"][0] if scope.get("client") else ""
        if not self._is_trusted(peer):
            return peer
        for hop in reversed(headers.get("x-forwarded-for", "").split(",")):
            address = _address(hop.strip())
            if address is None:
                break
            peer = address
            if not self._is_trusted(peer):
                break
        return peer

    def forwarded_scheme(self, scope: Scope, headers: Mapping[str, str]) -> str:
        """Return "http" or "https", as which the client reached the first proxy; "" when nobody says."""
        if not self.hand_on(scope):
            return ""
        said = headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
        return said if said in {"http", "https"} else ""

    def scheme(self, scope: Scope, headers: Mapping[str, str]) -> str:
        """Return the scheme of the URL that the client asked for, as far as is known."""
        own: str = scope.get("scheme", "http")
        return self.forwarded_scheme(scope, headers) or own


@lru_cache(maxsize=1024)
def _address(hop: str) -> str | None:
    """Read one entry, which may have brackets or a port; None when it is no address."""
    if hop.startswith("["):
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:
        hop = hop.partition(":")[0]
    try:
        return str(ipaddress.ip_address(hop))
    except ValueError:
        return None
