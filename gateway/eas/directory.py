"""Whom a user finds when he looks for people, and of whom he may know when they are free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.errors import NotFound
from gateway.mail.addresses import parse_addresses
from gateway.ports import Directory, People
from gateway.ports.directory import Entry, Found, domain_of
from gateway.types import Principal, UserId

__all__ = ["AddressList", "Reach"]


class Reach(StrEnum):
    """Of whom something is told to a user."""

    ALL = "all"
    DOMAIN = "domain"
    """Those whose address is in the mail domain of his own."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class AddressList:
    """The directory as each user may see it. `min_query` is how many characters a search needs."""

    directory: Directory
    people: People
    listed: Reach = Reach.DOMAIN
    free_busy: Reach = Reach.DOMAIN
    min_query: int = 2

    async def search(self, viewer: Principal, text: str, first: int, last: int) -> Found:
        """A part of those whose words begin like those of `text`, by name.

        Raises `NotFound` when there is no directory.
        """
        if self.listed is Reach.NONE:
            raise NotFound("no directory is served")
        if len(text) < self.min_query:
            return Found()
        domain = _limit(self.listed, viewer)
        return await self.directory.search(text, domain, first, last - first + 1)

    async def resolve(self, viewer: Principal, text: str, most: int) -> Found:
        """Whom a recipient as typed means: an address, a name, or else whatever begins so; at most `most`."""
        if self.listed is Reach.NONE:
            return Found()
        domain = _limit(self.listed, viewer)
        wanted = _address(text) or text
        exact = await self.directory.named(wanted, domain, most)
        if exact.total or "@" in wanted or len(wanted) < self.min_query:
            return exact
        return await self.directory.search(wanted, domain, 0, most)

    async def user_behind(self, viewer: Principal, text: str) -> Entry | None:
        """The user whose address this is, listed or not, if `viewer` may know when he is free.

        Whoever has the address learns nothing more of him here: no name.
        """
        address = _address(text)
        return Entry(address) if address and await self.users_at(viewer, address) else None

    async def users_at(self, viewer: Principal, address: str) -> Sequence[UserId]:
        """The users behind an address of whom `viewer` may know when they are free."""
        if self.free_busy is Reach.NONE:
            return ()
        if self.free_busy is Reach.DOMAIN and domain_of(address) != domain_of(viewer.email):
            return ()
        return await self.people.users_at([address])


def _limit(reach: Reach, viewer: Principal) -> str | None:
    """The domain that a search is limited to."""
    return domain_of(viewer.email) if reach is Reach.DOMAIN else None


def _address(text: str) -> str:
    """The address in a text, which may have a name before it; "" when there is none."""
    found = next(iter(parse_addresses(text)), None)
    return found.address if found and "@" in found.address else ""
