"""An LDAP server as a `Directory`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TypeVar

from gateway.errors import UpstreamError
from gateway.pim.people import is_called, matches, merged, visible
from gateway.ports.directory import Entry, Found, Members, Viewer
from gateway.types import Password
from gateway.upstream.ldap import belonging, groups, queries
from gateway.upstream.ldap.entries import Raw, attribute_names, certificates, first_photo, to_entry
from gateway.upstream.ldap.escaping import dn_value, filter_value
from gateway.upstream.ldap.pool import Pool
from gateway.upstream.ldap.session import Identity, Session
from gateway.upstream.ldap.settings import LdapSettings

__all__ = ["LdapDirectory", "identity"]

_AT_ONCE = 10
"""People whose photos or certificates are asked for at a time: these may be large."""

_PLACEHOLDER = re.compile(r"\{(user|local|domain)\}")
_Value = TypeVar("_Value")


class LdapDirectory:
    """Implements `Directory`, `Details` and `Belonging`. Everything is asked anew, nothing is kept."""

    def __init__(self, settings: LdapSettings) -> None:
        """Raises `ConfigError` for certificates that cannot be used."""
        self._settings = settings
        self._schema = settings.schema
        self._names = settings.schema.attributes
        self._pool = Pool(settings)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()

    async def search(self, viewer: Viewer, text: str, first: int, count: int) -> Found:
        condition = queries.searched(self._schema, text, viewer.domain)
        everybody = await self._find(viewer, condition, lambda shown: matches(shown, text))
        return Found(tuple(everybody[first : first + count]), len(everybody))

    async def named(self, viewer: Viewer, text: str, count: int) -> Found:
        condition = queries.named(self._schema, text, viewer.domain)
        everybody = await self._find(viewer, condition, lambda shown: is_called(shown, text))
        return Found(tuple(everybody[:count]), len(everybody))

    async def entries(self, viewer: Viewer, addresses: Collection[str]) -> Sequence[Entry]:
        wanted = set(addresses)
        found: list[Entry] = []
        for some in _in_batches(sorted(wanted)):
            condition = queries.at(self._schema, some)
            found += await self._find(viewer, condition, lambda shown: not wanted.isdisjoint(shown.addresses))
        return found

    async def pictures(self, viewer: Viewer, addresses: Collection[str]) -> Mapping[str, bytes]:
        def photo(raw: Raw) -> bytes | None:
            return first_photo(raw, self._names)

        return await self._details(viewer, addresses, self._names.photo, photo)

    async def certificates(self, viewer: Viewer, addresses: Collection[str]) -> Mapping[str, Sequence[bytes]]:
        def stored(raw: Raw) -> list[bytes] | None:
            return certificates(raw, self._names) or None

        return await self._details(viewer, addresses, self._names.certificate, stored)

    async def members(self, viewer: Viewer, address: str, most: int) -> Members | None:
        def expand(session: Session) -> Members | None:
            return groups.members(session, self._schema, address, most)

        return await self._pool.run(identity(self._settings, viewer), expand)

    async def groups_of(self, viewer: Viewer, addresses: Collection[str], alias: str) -> frozenset[str]:
        condition = queries.himself(self._schema, sorted(addresses), alias)
        if self._settings.user:
            values = {name: filter_value(value) for name, value in _parts(viewer.credentials.login).items()}
            condition = _PLACEHOLDER.sub(lambda match: values[match[1]], self._settings.user)

        def ascend(session: Session) -> frozenset[str]:
            return belonging.groups_of(session, self._schema, condition)

        return await self._pool.run(identity(self._settings, viewer), ascend)

    async def _find(
        self, viewer: Viewer, condition: str | None, still: Callable[[Entry], bool]
    ) -> list[Entry]:
        """Whoever fulfils a filter, as far as the viewer may see him, each address once, by name."""
        if condition is None:
            return []
        names = attribute_names(self._names)
        most = self._settings.size_limit

        def ask(session: Session) -> list[Entry]:
            found = (to_entry(one.plain, self._names) for one in session.search(condition, names, most))
            return merged([visible((entry for entry in found if entry), viewer.domain, still)])

        return await self._pool.run(identity(self._settings, viewer), ask)

    async def _details(
        self,
        viewer: Viewer,
        addresses: Collection[str],
        attributes: Sequence[str],
        read: Callable[[Raw], _Value | None],
    ) -> dict[str, _Value]:
        """What is read from attributes of people, by those of their addresses that were asked for."""
        if not addresses:
            return {}
        wanted = set(addresses)
        names = [*self._names.address, *attributes]

        def ask(session: Session) -> dict[str, _Value]:
            return {
                address: value
                for some in _in_batches(sorted(wanted))
                for one in session.search(queries.at(self._schema, some), names, self._settings.size_limit)
                if (value := read(one.plain)) is not None and (entry := to_entry(one.plain, self._names))
                for address in entry.addresses
                if address in wanted
            }

        return await self._pool.run(identity(self._settings, viewer), ask)


def identity(settings: LdapSettings, viewer: Viewer) -> Identity:
    """Whom to log in as. Raises `UpstreamError` where that would be nobody."""
    if settings.bind == "anonymous":
        return Identity()
    if settings.bind == "service":
        return Identity(settings.bind_dn, settings.password)
    values = _parts(viewer.credentials.login)
    if "=" in settings.bind_dn:
        values = {name: dn_value(value) for name, value in values.items()}
    match viewer.credentials:
        case Password(password=password) if password:  # an empty one succeeds as no login (RFC 4513 5.1.2)
            dn = _PLACEHOLDER.sub(lambda match: values[match[1]], settings.bind_dn)
            return Identity(dn, password)
    raise UpstreamError("a user without a password cannot look into the directory")


def _parts(login: str) -> dict[str, str]:
    local, _, domain = login.partition("@")
    return {"user": login, "local": local, "domain": domain}


def _in_batches(addresses: list[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(addresses), _AT_ONCE):
        yield addresses[start : start + _AT_ONCE]
