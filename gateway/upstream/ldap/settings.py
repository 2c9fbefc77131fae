"""What the LDAP side needs to know; `app` fills it from the configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from gateway.upstream.ldap.schemas import SCHEMAS, Schema

__all__ = ["LdapSettings", "Url"]


@dataclass(frozen=True, slots=True)
class Url:
    """A server: `tls` from the start (ldaps) or not."""

    host: str
    port: int
    tls: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Of ldap://host:port or ldaps://host:port; the ports are 389 and 636 when left out."""
        parts = urlsplit(text)
        tls = parts.scheme == "ldaps"
        return cls(parts.hostname or "", parts.port or (636 if tls else 389), tls)

    def __str__(self) -> str:
        return f"{'ldaps' if self.tls else 'ldap'}://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class LdapSettings:
    """Where people are looked up and how. Times in seconds."""

    urls: tuple[Url, ...]
    """Servers with the same content, asked in this order when one fails."""
    base: str
    """The DN below which people and groups are."""
    starttls: bool = True
    """Whether a connection that is not TLS from the start must become so before anything is said."""
    ca_file: Path | None = None
    """Certificates to trust instead of the system's."""
    verify: bool = True
    """False accepts any certificate: for tests only."""
    bind: Literal["service", "user", "anonymous"] = "service"
    bind_dn: str = ""
    """The DN to log in with; with "user" a template of {user}, {local} and {domain}."""
    password: str = field(default="", repr=False)
    """Of the service account."""
    schema: Schema = SCHEMAS["openldap"]
    user: str = ""
    """The filter for a user's own entry, a template as `bind_dn`; "": by his addresses and alias."""
    timeout: float = 5.0
    """For each server, from the connection to the last entry."""
    size_limit: int = 500
    """Entries that one search takes in."""
    max_connections: int = 4
    """Threads, and connections at a time; further questions wait."""
    idle_seconds: float = 60.0
    """How long a connection that nobody uses is kept."""
