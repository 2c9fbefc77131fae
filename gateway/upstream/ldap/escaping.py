"""Texts of people put into filters and names so that they stay texts (RFC 4515 3, RFC 4514 2.4)."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["all_of", "any_of", "dn_value", "ends", "equals", "filter_value", "starts"]

_IN_FILTERS = frozenset(b"*()\\ \0")
"""The space too: ldap3 takes those at the ends of a value away."""
_IN_NAMES = frozenset(',+"\\<>;=')


def equals(attribute: str, value: str | bytes) -> str:
    """The filter for those whose attribute has this value."""
    return f"({attribute}={filter_value(value)})"


def starts(attribute: str, text: str, *, before: str = "") -> str:
    """The filter for values that begin so; with `before` for those that have it in them, after that text."""
    return f"({attribute}={f'*{filter_value(before)}' if before else ''}{filter_value(text)}*)"


def ends(attribute: str, text: str) -> str:
    """The filter for values that end so."""
    return f"({attribute}=*{filter_value(text)})"


def all_of(filters: Iterable[str]) -> str:
    """The filter for what all of these say."""
    return f"(&{''.join(filters)})"


def any_of(filters: Iterable[str]) -> str:
    """The filter for what one of these says."""
    return f"(|{''.join(filters)})"


def dn_value(text: str) -> str:
    """A value to stand in a DN."""
    escaped = "".join(
        f"\\{ord(letter):02x}" if letter in _IN_NAMES or letter < " " else letter for letter in text
    )
    if escaped[:1] in {"#", " "}:
        escaped = f"\\{ord(escaped[0]):02x}{escaped[1:]}"
    return f"{escaped[:-1]}\\20" if escaped.endswith(" ") else escaped


def filter_value(value: str | bytes) -> str:
    """A value to stand in a filter."""
    octets = value if isinstance(value, bytes) else value.encode("utf-8", "replace")
    return "".join(
        f"\\{octet:02x}" if octet in _IN_FILTERS or not 32 <= octet < 127 else chr(octet) for octet in octets
    )
