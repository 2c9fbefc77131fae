"""Whom a group in LDAP consists of, with groups in groups, and members that are told in ranges."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol

from gateway.ports.directory import Entry, Members
from gateway.upstream.ldap import queries
from gateway.upstream.ldap.entries import attribute_names, is_group, to_entry, values
from gateway.upstream.ldap.schemas import Schema
from gateway.upstream.ldap.session import Found

__all__ = ["Reader", "members"]

_MOST_LOOKED_AT = 1000
"""Entries, to find the members of one group."""
_AT_ONCE = 50
_RANGE = re.compile(r"(?P<name>[^;]+);range=(?P<first>\d+)-(?P<last>\d+|\*)", re.IGNORECASE)


class Reader(Protocol):
    """What is needed of a `Session`."""

    def search(
        self, condition: str, attributes: Sequence[str], most: int, *, whole: bool = False
    ) -> list[Found]: ...

    def read(self, dn: str, attributes: Sequence[str]) -> Found | None: ...


def members(reader: Reader, schema: Schema, address: str, most: int) -> Members | None:
    """Up to `most` members of the group with an address; None: there is none. Blocks.

    Members without a mail address are left out.
    """
    search = _Expansion(reader, schema, most)
    groups = [
        group
        for group in reader.search(queries.at(schema, [address]), search.attributes, _AT_ONCE)
        if is_group(group.plain)
    ]
    if not groups:
        return None
    for group in groups:
        search.open(group)
    search.go_on()
    return Members(tuple(search.people.values())[:most], search.complete)


class _Expansion:
    """The people found so far, and the names that are still to be looked at."""

    def __init__(self, reader: Reader, schema: Schema, most: int) -> None:
        names = schema.attributes
        self.attributes = [*attribute_names(names), *names.member, *names.member_uid]
        self.people: dict[str, Entry] = {}
        self._reader = reader
        self._schema = schema
        self._most = most
        self._seen: set[str] = set()
        self._waiting: list[str] = []
        self._aliases: list[str] = []
        self._left = _MOST_LOOKED_AT

    @property
    def complete(self) -> bool:
        """Whether that was everybody."""
        return len(self.people) <= self._most and not self._waiting and not self._aliases

    def open(self, group: Found) -> None:
        """Note whom a group names."""
        self._seen.add(_same(group.dn))
        for name in self._schema.attributes.member:
            self._note(self._values(group, name))
        self._aliases += (_text(one) for one in values(group.plain, self._schema.attributes.member_uid))

    def go_on(self) -> None:
        """Look at what was noted, until there is nothing more or it is more than wanted."""
        while (self._waiting or self._aliases) and len(self.people) <= self._most and self._left > 0:
            if self._waiting:
                self._left -= 1
                found = self._reader.read(self._waiting.pop(), self.attributes)
                self._take([found] if found else [])
            else:
                some, self._aliases = self._aliases[:_AT_ONCE], self._aliases[_AT_ONCE:]
                self._left -= len(some)
                condition = queries.having(self._schema, some)
                self._take(self._reader.search(condition, self.attributes, _MOST_LOOKED_AT))

    def _take(self, found: Iterable[Found]) -> None:
        for one in found:
            raw = one.plain
            if is_group(raw):
                self.open(one)
            elif entry := to_entry(raw, self._schema.attributes):
                self.people.setdefault(entry.address.lower(), entry)

    def _note(self, dns: Iterable[bytes]) -> None:
        for dn in map(_text, dns):
            if _same(dn) not in self._seen:
                self._seen.add(_same(dn))
                self._waiting.append(dn)

    def _values(self, group: Found, name: str) -> list[bytes]:
        """All values of an attribute. Active Directory tells 1,500 at a time (MS-ADTS 3.1.1.3.1.3.3)."""
        found: list[bytes] = []
        told: Found | None = group
        while told is not None and len(found) <= _MOST_LOOKED_AT:
            found += (value for key, some in told.raw.items() if _is(key, name) for value in some)
            after = _next_range(told, name)
            if after is None:
                break
            told = self._reader.read(group.dn, [f"{name};range={after}-*"])
        return found


def _is(key: str, name: str) -> bool:
    return key.partition(";")[0].lower() == name.lower()


def _next_range(told: Found, name: str) -> int | None:
    """At which value to go on; None where these were the last."""
    for key, some in told.raw.items():
        match = _RANGE.fullmatch(key)
        if match and _is(key, name) and match["last"] != "*" and some:
            return int(match["last"]) + 1
    return None


def _same(dn: str) -> str:
    """A DN without differences that mean nothing and occur: case, and blanks behind commas."""
    return re.sub(r"\s*([,=+])\s*", r"\1", dn).lower()


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")
