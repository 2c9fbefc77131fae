"""Whom a user finds when he looks for people, and of whom he may know when they are free."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.eas.mergeddirectories import MergedDirectories
from gateway.errors import Kind, NotFound, Refused
from gateway.mail.addresses import parse_addresses
from gateway.pim.people import within
from gateway.ports import Directory, People
from gateway.ports.directory import Entry, Found, Members, Viewer, domain_of
from gateway.types import Principal, UserId

__all__ = ["AddressList", "Reach"]

_LONGEST = 256
"""Characters of a text that is looked for, as of a recipient (MS-ASCMD 2.2.3.183): a directory takes its time
for each."""


class Reach(StrEnum):
    """Of whom something is told to a user."""

    ALL = "all"
    DOMAIN = "domain"
    """Those whose address is in the mail domain of his own."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class AddressList:
    """The directories as each user may see them. `min_query` is how many characters a search needs.

    `own` are the address books of who asks: they are not searched, since his phone has them, but say who a
    recipient is.
    """

    directories: Sequence[Directory]
    people: People
    listed: Reach = Reach.DOMAIN
    free_busy: Reach = Reach.DOMAIN
    min_query: int = 2
    own: Sequence[Directory] = ()

    async def search(self, viewer: Principal, text: str, first: int, last: int) -> Found:
        """A part of those whose words begin like those of `text`, by name.

        Raises `NotFound` when there is no directory, `Refused` for a text longer than anybody types,
        `UpstreamError` when a directory cannot be asked now.
        """
        if self.listed is Reach.NONE:
            raise NotFound("no directory is served")
        if len(text) > _LONGEST:
            raise Refused(Kind.INVALID_CONTENT, "what is searched for is too long")
        if len(text) < self.min_query:
            return Found()
        return await MergedDirectories(self.directories).search(
            self._as(viewer), text, first, last - first + 1
        )

    async def resolve(self, viewer: Principal, text: str, most: int) -> Found:
        """Whom a recipient as typed means: an address, a name, or else whatever begins so; at most `most`.

        Raises `UpstreamError` when a directory cannot be asked now.
        """
        wanted = _address(text) or text
        exact = await self._known.named(self._as(viewer), wanted, most)
        if exact.total or "@" in wanted or len(wanted) < self.min_query:
            return exact
        return await self._known.search(self._as(viewer), wanted, 0, most)

    async def pictures(self, viewer: Principal, entries: Iterable[Entry]) -> Mapping[str, bytes]:
        """The photos of people found, by address in lower case. Raises `UpstreamError`."""
        return await self._known.pictures(self._as(viewer), _addresses(entries))

    async def certificates(
        self, viewer: Principal, entries: Iterable[Entry]
    ) -> Mapping[str, Sequence[bytes]]:
        """The certificates of people found, as they are stored, by address in lower case.

        Of those whom the viewer may not see there are none. Raises `UpstreamError`.
        """
        seen = self._as(viewer)
        visible = [entry for entry in entries if entry.contact or within(entry, seen.domain)]
        return await self._known.certificates(seen, _addresses(visible))

    async def members(self, viewer: Principal, group: Entry, most: int) -> Members | None:
        """Whom a group consists of, whether the viewer may see them or not. Raises `UpstreamError`."""
        return await self._known.members(self._as(viewer), group.address.lower(), most)

    async def user_behind(self, viewer: Principal, text: str) -> Entry | None:
        """The user whose address this is, listed or not, if `viewer` may know when he is free.

        Whoever has the address learns nothing more of him here: no name.
        """
        address = _address(text)
        return Entry(address) if address and await self.users_at(viewer, address) else None

    async def users_at(self, viewer: Principal, *addresses: str) -> Sequence[UserId]:
        """The users behind the addresses of somebody of whom `viewer` may know when they are free."""
        own = domain_of(viewer.email)
        if self.free_busy is Reach.DOMAIN:
            addresses = tuple(one for one in addresses if domain_of(one) == own)
        if self.free_busy is Reach.NONE or not addresses:
            return ()
        return await self.people.users_at(addresses)

    @property
    def _known(self) -> MergedDirectories:
        """Where a recipient is looked up."""
        listed = () if self.listed is Reach.NONE else self.directories
        return MergedDirectories((*listed, *self.own))

    def _as(self, viewer: Principal) -> Viewer:
        domain = domain_of(viewer.email) if self.listed is Reach.DOMAIN else None
        return Viewer(viewer.user, viewer.credentials, domain)


def _addresses(entries: Iterable[Entry]) -> list[str]:
    return list(dict.fromkeys(entry.address.lower() for entry in entries))


def _address(text: str) -> str:
    """The address in a text, which may have a name before it; "" when there is none."""
    found = next(iter(parse_addresses(text)), None)
    return found.address if found and "@" in found.address else ""
