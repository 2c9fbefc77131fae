"""What mail programs are told: where the gateway and the mail servers are, and whose domain has moved."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gateway.eas.identity import Identity
from gateway.ports.directory import domain_of

__all__ = ["MailServer", "Servers", "is_address", "public", "reached"]

_ADDRESS = re.compile(r"[^@\s<>\"]{1,64}@[\w.-]{1,255}")
_NEAR = (".local", ".localhost", ".internal", ".lan")
_TLS_PORTS = frozenset({993, 465})


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where an IMAP or an SMTP server is reached with TLS, from the start or after STARTTLS."""

    host: str
    port: int
    security: Literal["tls", "starttls"]


@dataclass(frozen=True, slots=True)
class Servers:
    """The servers of the users.

    `url` is what phones call the gateway, None: as the request names it. `imap` and `smtp` are for programs
    that do not speak ActiveSync, None: nobody reaches them from outside. `moved` says which domain the users
    of another one are now in (in lower case).
    """

    identity: Identity
    url: str | None = None
    imap: MailServer | None = None
    smtp: MailServer | None = None
    moved: Mapping[str, str] = field(default_factory=dict)

    def moved_to(self, address: str) -> str | None:
        """The address that somebody has by now whose domain has moved."""
        domain = self.moved.get(domain_of(address))
        return f"{address.rpartition('@')[0]}@{domain}" if domain else None

    def login(self, address: str) -> str:
        """What the user with this address logs in as at the gateway."""
        return self.identity.login_of(address) or address

    def upstream_login(self, address: str) -> str:
        """What he logs in as at the mail servers."""
        return self.identity.principal(self.login(address), "").credentials.login


def reached(place: str) -> MailServer | None:
    """The mail server at a host:port; TLS is there from the start where the port is made for that."""
    host, _, port = place.rpartition(":")
    return MailServer(host, int(port), "tls" if int(port) in _TLS_PORTS else "starttls") if place else None


def public(host: str, port: int, security: str) -> MailServer | None:
    """A mail server as the gateway reaches it, if others might: not without TLS, nor on its own machine."""
    try:
        near = not ipaddress.ip_address(host).is_global
    except ValueError:
        near = "." not in host.rstrip(".") or host.lower().endswith(_NEAR)
    if near or security == "none":
        return None
    return MailServer(host, port, "tls" if security == "tls" else "starttls")


def is_address(text: str) -> bool:
    """Whether a text can be a mail address, and be said in XML."""
    return _ADDRESS.fullmatch(text) is not None and text.isprintable()
