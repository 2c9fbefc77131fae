"""The groups in LDAP that somebody is in: by what groups say of members, and by what he says of groups."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from gateway.errors import UpstreamError
from gateway.groups import group_name
from gateway.upstream.ldap import queries
from gateway.upstream.ldap.entries import is_group, values
from gateway.upstream.ldap.groups import Reader
from gateway.upstream.ldap.primary import ASKED, primary_groups
from gateway.upstream.ldap.schemas import Schema
from gateway.upstream.ldap.session import Found

__all__ = ["groups_of", "is_there"]

_MEMBER_OF = "memberOf"
_MOST_ENTRIES = 10
"""Entries of one person: more are not one person."""
_MOST_GROUPS = 1000
_AT_ONCE = 20
"""Names in one filter."""


def groups_of(reader: Reader, schema: Schema, condition: str) -> frozenset[str]:
    """What the groups are called that whoever fulfils a filter is in, in groups of groups too. Blocks.

    Whether a group is shown to people does not matter. Raises `UpstreamError` where there are more than can
    be looked at: a part is no answer.
    """
    ascent = _Ascent(reader, schema)
    names = schema.attributes
    asked = [*queries.ONLY_CLASSES, *names.alias, _MEMBER_OF, *ASKED]
    entries = reader.search(condition, asked, _MOST_ENTRIES + 1, whole=True)
    people = [one for one in entries if not is_group(one.plain)]
    if len(people) > _MOST_ENTRIES:
        raise UpstreamError("a login leads to more entries of the LDAP server than one person has")
    for person in people:
        ascent.begin(person)
    ascent.go_on()
    return frozenset(ascent.called)


def is_there(reader: Reader, schema: Schema, name: str) -> bool:
    """Whether there is something that is called so, by which members can be known. Blocks."""
    names = schema.attributes
    if "=" in name:
        return reader.read(name, queries.ONLY_CLASSES) is not None
    found = reader.search(queries.called(names, name), queries.ONLY_CLASSES, _MOST_GROUPS)
    return any(is_group(one.plain) for one in found)


class _Ascent:
    """The groups found so far, and the names of those whose own groups are still to be found."""

    def __init__(self, reader: Reader, schema: Schema) -> None:
        names = schema.attributes
        self.called: set[str] = set()
        self._reader = reader
        self._schema = schema
        self._asked = [*queries.ONLY_CLASSES, *names.name, *names.alias, *names.address, _MEMBER_OF]
        self._seen: set[str] = set()
        self._waiting: list[str] = []
        self._aliases: list[str] = []
        self._primary: list[str] = []
        self._told: list[str] = []

    def begin(self, person: Found) -> None:
        """Note who it is."""
        self._seen.add(group_name(person.dn))
        self._waiting.append(person.dn)
        self._aliases += _texts(person, self._schema.attributes.alias)
        self._told += _texts(person, [_MEMBER_OF])
        self._primary += primary_groups(person.plain)

    def go_on(self) -> None:
        """Look upwards until there is nothing more."""
        names = self._schema.attributes
        while self._waiting or self._aliases or self._told:
            dns, self._waiting = self._waiting[:_AT_ONCE], self._waiting[_AT_ONCE:]
            aliases, self._aliases = self._aliases[:_AT_ONCE], self._aliases[_AT_ONCE:]
            primary, self._primary = self._primary, []
            if condition := queries.naming(names, dns, aliases, primary):
                self._take(self._reader.search(condition, self._asked, _MOST_GROUPS + 1, whole=True))
            elif self._told:
                dn = self._told.pop()
                if group_name(dn) not in self._seen:
                    found = self._reader.read(dn, self._asked)
                    self._take([found] if found else [])

    def _take(self, found: Collection[Found]) -> None:
        for group in found:
            if group_name(group.dn) in self._seen:
                continue
            self._seen.add(group_name(group.dn))
            if len(self._seen) > _MOST_GROUPS:
                raise UpstreamError(f"a user is in more than {_MOST_GROUPS} groups of the LDAP server")
            names = self._schema.attributes
            self.called.add(group_name(group.dn))
            self.called |= set(map(group_name, _texts(group, (*names.name, *names.alias))))
            self.called |= {
                group_name(one.lower().removeprefix("smtp:")) for one in _texts(group, names.address)
            }
            self._waiting.append(group.dn)
            self._told += _texts(group, [_MEMBER_OF])


def _texts(found: Found, names: Sequence[str]) -> Iterable[str]:
    return [one.decode("utf-8", "replace") for one in values(found.plain, names)]
