"""Addresses as an SMTP server takes them (RFC 5321 4.1.2), from the address lists of a message."""

from __future__ import annotations

import re
from collections.abc import Iterable

import idna

from gateway.errors import Kind, Refused
from gateway.mail.addresses import parse_addresses
from gateway.mail.headers import raw_text

__all__ = ["ascii_domain", "deliverable", "recipients"]

_LONGEST_ADDRESS = 320
_ATOMS = re.compile(r"[^\s\x00-\x20\x7f()<>\[\]:;@\\,\"]+")
_QUOTED = re.compile(r'"(?:[^\x00-\x1f\x7f"\\<>]|\\[^\x00-\x1f\x7f<>])*"')
_DOMAIN = re.compile(
    r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*"
)
_LITERAL = re.compile(r"\[[A-Za-z0-9.:]+\]")


def ascii_domain(domain: str) -> str | None:
    """The domain with international labels as A-labels (RFC 5891); None when it cannot be one.

    IDNA 2008: the older rules would lead some names to another domain, such as those with a sharp s.
    """
    domain = domain.removesuffix(".")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return None
    if len(domain) > 255 or not (_DOMAIN.fullmatch(domain) or _LITERAL.fullmatch(domain)):
        return None
    return domain


def deliverable(address: str) -> str | None:
    """The address as it goes on the wire, or None when no server can deliver to it.

    The local part stays as it is and may be international (RFC 6531); the domain is ASCII.
    """
    if len(address) > _LONGEST_ADDRESS:
        return None
    local, at, domain = address.rpartition("@")
    wire_domain = ascii_domain(domain)
    if not at or wire_domain is None or not (_ATOMS.fullmatch(local) or _QUOTED.fullmatch(local)):
        return None
    return f"{local}@{wire_domain}"


def recipients(values: Iterable[bytes]) -> tuple[str, ...]:
    """The addresses in the raw values of address fields, each once, in order; groups count as their members.

    Raises `Refused` with `Kind.RECIPIENT_UNRESOLVED` when one cannot be delivered to, for to leave out
    somebody silently is worse than to send to nobody.
    """
    found: dict[tuple[str, str], str] = {}
    for value in values:
        for number, parsed in enumerate(parse_addresses(raw_text(value)), 1):
            address = deliverable(parsed.address)
            if address is None:
                raise Refused(
                    Kind.RECIPIENT_UNRESOLVED, f"recipient {number} of a field is no usable address"
                )
            local, _, domain = address.rpartition("@")
            found.setdefault((local, domain.lower()), address)
    return tuple(found.values())
