"""Where the database is: its URL, said without its password."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from gateway.errors import ConfigError

__all__ = ["Location", "parse_url"]


@dataclass(frozen=True, slots=True)
class Location:
    """A database. `name` can be shown: it is the URL without the password and what follows the name.

    `urls` has a URL for each of its hosts. With `pooled` they lead to a pooler in transaction mode, and
    `direct` past it, if that is known.
    """

    urls: Sequence[str] = field(repr=False)
    name: str = ""
    pooled: bool = False
    direct: Sequence[str] = field(repr=False, default=())
    direct_name: str = ""

    @property
    def own_name(self) -> str:
        """What is shown of where connections of one's own lead."""
        return self.direct_name or self.name


def parse_url(url: str, *, pooled: bool = False, direct: str | None = None) -> Location:
    """The database that a store URL names; `direct` is another URL of it.

    What a URL of libpq has is understood: several hosts, `sslmode` and the like behind a `?`, a folder with
    the server's socket as `?host=/var/run/postgresql`. Raises `ConfigError`, which does not tell the URL.
    """
    urls, name = _hosts(url, "store.url")
    if not direct:
        return Location(urls, name, pooled)
    return Location(urls, name, pooled, *_hosts(direct, "store.direct_url"))


def _hosts(url: str, key: str) -> tuple[Sequence[str], str]:
    """The URL with each of its hosts alone, and the name that can be shown."""
    refused = ConfigError(f"{key}: allowed is postgresql://user:password@host/database")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise refused from None
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        raise refused
    user, at, places = parts.netloc.rpartition("@")
    ports = (host.rpartition("]")[2].partition(":")[2] for host in places.split(","))
    if any(port and not (port.isascii() and port.isdigit()) for port in ports):
        raise refused
    shown = f"postgresql://{user.partition(':')[0]}{at}{places}{parts.path}"
    return [parts._replace(netloc=f"{user}{at}{place}").geturl() for place in places.split(",")], shown
