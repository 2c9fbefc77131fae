"""Where the database is: its URL, said without its password."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from gateway.errors import ConfigError

__all__ = ["Location", "parse_url"]

_ALLOWED = "allowed is postgresql://user:password@host/database"


@dataclass(frozen=True, slots=True)
class Location:
    """A database. `name` can be shown: it is the URL without the password and what follows the name."""

    url: str = field(repr=False)
    name: str = ""


def parse_url(url: str) -> Location:
    """The database that a store URL names.

    What a URL of libpq has is understood: several hosts, `sslmode` and the like behind a `?`, a folder with
    the server's socket as `?host=/var/run/postgresql`. Raises `ConfigError`, which does not tell the URL.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ConfigError(f"store.url: {_ALLOWED}") from None
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        raise ConfigError(f"store.url: {_ALLOWED}")
    user, at, place = parts.netloc.rpartition("@")
    ports = (host.rpartition("]")[2].partition(":")[2] for host in place.split(","))
    if any(port and not (port.isascii() and port.isdigit()) for port in ports):
        raise ConfigError(f"store.url: {_ALLOWED}")
    shown = f"{user.partition(':')[0]}{at}{place}"
    return Location(url, f"postgresql://{shown}{parts.path}")
