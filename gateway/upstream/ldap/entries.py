"""Attributes of an LDAP entry as an `Entry`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from gateway.ports.directory import LARGEST_PICTURE, Entry
from gateway.upstream.ldap.schemas import Attributes

__all__ = ["Raw", "attribute_names", "certificates", "first_photo", "is_group", "to_entry", "values"]

Raw = Mapping[str, Sequence[bytes]]
"""The values of an entry by the names of its attributes, in lower case and without options (";binary")."""

_TEXTS = (
    "name",
    "alias",
    "first_name",
    "last_name",
    "title",
    "office",
    "company",
    "phone",
    "home_phone",
    "mobile_phone",
)
_LONGEST = 1000
_CONTROL = re.compile(r"[\x00-\x20\x7f\x85\u2028\u2029]+")
_ADDRESS = re.compile(r"(?:smtp:)?([^\s@<>,;\":]+@[^\s@<>,;\":]+)", re.IGNORECASE)
_GROUPS = {"groupofnames", "groupofuniquenames", "groupofmembers", "posixgroup", "group", "ipausergroup"}


def attribute_names(names: Attributes) -> list[str]:
    """What must be asked for so that `to_entry` can do its work."""
    texts = (name for text in _TEXTS for name in getattr(names, text))
    return list(dict.fromkeys(("objectClass", *names.address, *texts)))


def to_entry(raw: Raw, names: Attributes) -> Entry | None:
    """Somebody, or a group; None without a mail address."""
    addresses = _addresses(raw, names)
    if not addresses:
        return None
    known = Entry(addresses[0], others=tuple(addresses[1:]), group=is_group(raw))
    return replace(known, **{text: _text(raw, getattr(names, text)) for text in _TEXTS})  # type: ignore[arg-type]


def is_group(raw: Raw) -> bool:
    """Whether an entry is a group, by its classes."""
    classes = (name.decode("ascii", "replace").lower() for name in raw.get("objectclass", ()))
    return not _GROUPS.isdisjoint(classes)


def first_photo(raw: Raw, names: Attributes) -> bytes | None:
    """A photo, of a large one the beginning."""
    found = next((photo for name in names.photo for photo in raw.get(name.lower(), ()) if photo), None)
    return found[: LARGEST_PICTURE + 1] if found else None


def certificates(raw: Raw, names: Attributes) -> list[bytes]:
    """All there are, as they are stored."""
    return list(dict.fromkeys(values(raw, names.certificate)))


def values(raw: Raw, names: Iterable[str]) -> list[bytes]:
    """All values of some attributes."""
    return [value for name in names for value in raw.get(name.lower(), ())]


def _addresses(raw: Raw, names: Attributes) -> list[str]:
    """All addresses, the main one first."""
    found: dict[str, str] = {}
    for value in values(raw, names.address):
        match = _ADDRESS.fullmatch(value.decode("utf-8", "replace").strip())
        if match and "\ufffd" not in match[1]:
            found.setdefault(match[1].lower(), match[1])
    return list(found.values())


def _text(raw: Raw, names: Sequence[str]) -> str:
    texts = (_CONTROL.sub(" ", value.decode("utf-8", "replace")).strip() for value in values(raw, names))
    return next((text[:_LONGEST] for text in texts if text), "")
