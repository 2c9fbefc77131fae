"""What must be set in a reverse proxy, in the words of the one there is."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Product", "product"]


@dataclass(frozen=True, slots=True)
class Product:
    """A reverse proxy. `name` is "" where it does not say what it is."""

    name: str
    waiting: str
    """What says how long it waits for an answer."""
    size: str
    """What says how large a request may be."""


_KNOWN = (
    Product("nginx", "proxy_read_timeout", "client_max_body_size"),
    Product("Apache", "timeout= of ProxyPass or ProxyPassMatch, else ProxyTimeout", "LimitRequestBody"),
    Product("Caddy", "response_header_timeout and read_timeout of transport http", "request_body max_size"),
)
_UNKNOWN = Product(
    "",
    "nginx: proxy_read_timeout, HAProxy: timeout server, Apache: ProxyTimeout,"
    " Caddy: response_header_timeout, Traefik: responseHeaderTimeout",
    "nginx: client_max_body_size, Apache: LimitRequestBody, Caddy: request_body, Traefik: buffering",
)
"""HAProxy and Traefik do not name themselves, and any other may be told not to."""


def product(server: str) -> Product:
    """The product that calls itself so in the header Server."""
    return next((one for one in _KNOWN if server.lower().startswith(one.name.lower())), _UNKNOWN)
