"""The filters by which people and groups are looked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.pim.people import wanted_words
from gateway.upstream.ldap.escaping import all_of, any_of, ends, equals, starts
from gateway.upstream.ldap.schemas import Attributes, Schema

__all__ = ["ONLY_CLASSES", "at", "called", "having", "himself", "named", "naming", "searched"]

ONLY_CLASSES = ("objectClass",)
"""What must be asked for to tell groups from others."""

_PROXIES = "proxyAddresses"
_SMTP = "smtp:"
"""What stands before mail addresses in that attribute, beside those of other kinds."""


def searched(schema: Schema, text: str, domain: str | None) -> str | None:
    """Whoever has a name, alias or address that begins so for each word of a text; None without words.

    A name counts from each of its words on. What is between the hyphens of one is not looked for: that would
    need a look at every entry there is.
    """
    names = schema.attributes
    single = (*names.first_name, *names.last_name, *names.alias)
    words = wanted_words(text)
    if not words or "\0" in text:  # which servers would take for nothing at all
        return None
    conditions = [
        any_of([
            *(starts(name, word) for name in (*names.name, *single)),
            *(starts(name, word, before=" ") for name in names.name),
            *(starts(name, _mail(name) + word) for name in names.address),
        ])
        for word in words
    ]  # fmt: skip
    return all_of([_listed(schema, domain), *conditions])


def named(schema: Schema, text: str, domain: str | None) -> str | None:
    """Whoever has this address, whole name or alias."""
    text = text.strip()
    if not text or "\0" in text:
        return None
    names = schema.attributes
    found = [equals(name, text) for name in (*names.name, *names.alias)]
    return all_of([_listed(schema, domain), any_of([*found, *_at(names, [text])])])


def at(schema: Schema, addresses: Iterable[str]) -> str:
    """Whoever has one of these addresses."""
    return all_of([_listed(schema, None), any_of(_at(schema.attributes, addresses))])


def having(schema: Schema, aliases: Iterable[str]) -> str:
    """The people with one of these aliases."""
    names = schema.attributes.alias
    return all_of([schema.people, any_of(equals(name, alias) for alias in aliases for name in names)])


def himself(schema: Schema, addresses: Iterable[str], alias: str) -> str:
    """Who logs in with one of these addresses, or this alias ("": none)."""
    names = schema.attributes
    logins = [equals(name, address) for address in addresses for name in schema.login]
    aliases = [equals(name, alias) for name in names.alias if alias]
    return any_of([*_at(names, addresses), *logins, *aliases])


def called(names: Attributes, text: str) -> str:
    """Whatever has this name, alias or address."""
    found = [equals(name, text) for name in (*names.name, *names.alias)]
    return any_of([*found, *_at(names, [text])])


def naming(
    names: Attributes, dns: Sequence[str], aliases: Sequence[str], others: Iterable[str] = ()
) -> str | None:
    """The groups that name one of these as a member, and what fulfils other filters; None without any."""
    members = [*others]
    members += [equals(name, dn) for dn in dns for name in names.member]
    members += [equals(name, alias) for alias in aliases for name in names.member_uid]
    return any_of(members) if members else None


def _listed(schema: Schema, domain: str | None) -> str:
    """People and groups with an address, or one in a domain."""
    addresses = schema.attributes.address
    has = [f"({name}=*)" for name in addresses]
    if domain is not None:
        has = [ends(name, f"@{domain}") for name in addresses]
    return all_of([any_of([schema.people, schema.groups]), any_of(has)])


def _at(names: Attributes, addresses: Iterable[str]) -> list[str]:
    return [equals(name, _mail(name) + address) for address in addresses for name in names.address]


def _mail(attribute: str) -> str:
    return _SMTP if attribute.lower() == _PROXIES.lower() else ""
