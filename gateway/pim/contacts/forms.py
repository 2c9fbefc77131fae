"""How the values of phones stand in lines of which a vCard has any number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

from gateway.pim.contacts.allotting import Slot
from gateway.pim.contacts.card import components, joined
from gateway.pim.lines import Property
from gateway.pim.names import OWN
from gateway.pim.tree import Line, escaped, make_line

__all__ = ["ChatForm", "MailForm", "PlainForm", "PostalForm"]

_NAME = f"{OWN}NAME"
"""The parameter of EMAIL with the display name that a phone gave the address."""
_NAMED = re.compile(r'("(?:[^"\\]|\\.)*+"\s*+|[^"<>]*+)<([^<>]*+)>', re.DOTALL)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_PLAIN_SCHEME = "im:"
_UNITS, _STREET = (0, 1), 2
"""Components of ADR: the post-office box and the unit, which phones have in the street, and the street."""


@dataclass(frozen=True, slots=True)
class PlainForm:
    """A value that is the text: TEL, URL."""

    name: str
    is_uri: bool = False
    parts: Sequence[str] = ("",)

    def read(self, found: Property) -> tuple[str, ...]:
        value = found.text.strip()
        return (value.removeprefix("tel:") if found.name == "TEL" else value,)

    def made(self, slot: Slot, values: tuple[str, ...], /) -> Line:
        return make_line(_typed(self.name, slot), self._written(values[0]))

    def changed(self, line: Line, values: tuple[str, ...]) -> Line:
        kind = line.read.params.get("VALUE") if line.read and line.name != "TEL" else None
        return line.with_params(self._written(values[0]), VALUE=kind)

    def key(self, _found: Property, /) -> str:
        return ""

    def _written(self, value: str) -> str:
        return _one_line(value) if self.is_uri and "\\" not in value else escaped(value)


@dataclass(frozen=True, slots=True)
class MailForm:
    """A mail address, which phones may give with a display name: `"Ann" <ann@example.com>`."""

    parts: Sequence[str] = ("",)

    def read(self, found: Property) -> tuple[str, ...]:
        address = found.text.strip().removeprefix("mailto:")
        name = found.params.get(_NAME, "")
        return (f"{name} <{address}>" if name and address else address,)

    def made(self, _slot: Slot, values: tuple[str, ...], /) -> Line:
        name, address = _taken_apart(values[0])
        line = make_line("EMAIL;TYPE=INTERNET", escaped(address))
        return line.with_params(None, **{_NAME: name}) if name else line

    def changed(self, line: Line, values: tuple[str, ...]) -> Line:
        name, address = _taken_apart(values[0])
        return line.with_params(escaped(address), **{_NAME: name or None})

    def key(self, _found: Property, /) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class ChatForm:
    """An address for messages: IMPP with a URI, or a property for one service (`X-JABBER`).

    What is no URI is one of the scheme im (RFC 3860).
    """

    parts: Sequence[str] = ("",)

    def read(self, found: Property) -> tuple[str, ...]:
        value = found.text.strip()
        if found.name == "IMPP" and value.lower().startswith(_PLAIN_SCHEME):
            value = unquote(value[len(_PLAIN_SCHEME) :]).strip()
        return (value,)

    def made(self, _slot: Slot, values: tuple[str, ...], /) -> Line:
        return make_line("IMPP", self._uri(values[0]))

    def changed(self, line: Line, values: tuple[str, ...]) -> Line:
        return line.with_params(self._uri(values[0]) if line.name == "IMPP" else escaped(values[0]))

    def key(self, found: Property, /) -> str:
        """Apple's programs write an address once in each way."""
        return _SCHEME.sub("", self.read(found)[0], count=1).lower()

    @staticmethod
    def _uri(value: str) -> str:
        if _SCHEME.match(value) and not value.lower().startswith(_PLAIN_SCHEME):
            return escaped(value)
        return f"{_PLAIN_SCHEME}{quote(value, safe='@+')}"


@dataclass(frozen=True, slots=True)
class PostalForm:
    """ADR (RFC 6350 6.3.1): street, city, state, postal code, country.

    Phones have no post-office box and no unit: they see them in the street.
    """

    parts: Sequence[str] = ("box, unit and street", "locality", "region", "postal code", "country")

    def read(self, found: Property) -> tuple[str, ...]:
        written = _seven(found.value)
        return (_street(written), *(_text(one) for one in written[_STREET + 1 : 7]))

    def made(self, slot: Slot, values: tuple[str, ...], /) -> Line:
        return make_line(_typed("ADR", slot), joined(["", "", *(escaped(one) for one in values)]))

    def changed(self, line: Line, values: tuple[str, ...]) -> Line:
        written = _seven(line.read.value if line.read else "")
        if values[0] != _street(written):
            written[: _STREET + 1] = ["", "", escaped(values[0])]
        for at, value in enumerate(values[1:], _STREET + 1):
            if value != _text(written[at]):
                written[at] = escaped(value)
        return line.with_params(joined(written))

    def key(self, _found: Property, /) -> str:
        return ""


def _typed(name: str, slot: Slot) -> str:
    return name + "".join(f";TYPE={one}" for one in slot.types)


def _one_line(value: str) -> str:
    return value.replace("\r", "").replace("\n", "")


def _taken_apart(value: str) -> tuple[str, str]:
    """The name as written, and the address; "" for the name where both could not be put together again."""
    match = _NAMED.fullmatch(value)
    name, address = (match[1].rstrip(), match[2]) if match else ("", "")
    if not name or f"{name} <{address.strip()}>" != value or not address.strip():
        return "", value
    return name, address


def _seven(value: str) -> list[str]:
    written = components(value)
    return written + [""] * (7 - len(written))


def _street(written: list[str]) -> str:
    told = (_text(written[at]) for at in (*_UNITS, _STREET))
    return "\n".join(one for one in told if one)


def _text(component: str) -> str:
    return Property("", component).text.strip()
