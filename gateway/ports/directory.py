"""Who can be looked up, and which of them are users of this gateway."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from gateway.types import Credentials, UserId

__all__ = [
    "LARGEST_PICTURE",
    "Belonging",
    "Details",
    "Directory",
    "Entry",
    "Found",
    "Members",
    "People",
    "Viewer",
    "domain_of",
]

LARGEST_PICTURE = 102_400
"""Octets of a photo that a device can be shown (MS-ASCMD 2.2.3.105)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody in a directory, or a group of people. What is not known is ""."""

    address: str
    name: str = ""
    alias: str = ""
    first_name: str = ""
    last_name: str = ""
    title: str = ""
    office: str = ""
    company: str = ""
    phone: str = ""
    home_phone: str = ""
    mobile_phone: str = ""
    others: tuple[str, ...] = ()
    """Further addresses of the same person."""
    group: bool = False
    contact: bool = False
    """Whether this is from the address book of who asks, and not from what all share."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """All his addresses, in lower case."""
        return tuple(dict.fromkeys(one.lower() for one in (self.address, *self.others)))


@dataclass(frozen=True, slots=True)
class Found:
    """A part of what a search finds, and how many it finds in all."""

    entries: tuple[Entry, ...] = ()
    total: int = 0


@dataclass(frozen=True, slots=True)
class Members:
    """Whom a group consists of, those of the groups in it too, and no group; each once.

    `complete` is False where there are more.
    """

    entries: tuple[Entry, ...] = ()
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks. `domain` limits what he finds to a mail domain (in lower case); None: to nothing."""

    user: UserId
    credentials: Credentials
    domain: str | None = None


class Directory(Protocol):
    """A list of people by names and addresses. Each address is in it once.

    Somebody with several addresses is shown to who is limited to a domain with those in it alone.
    Nobody is found by an address that is not shown.
    Each method raises `UpstreamError` when the directory cannot be asked now.
    """

    async def search(self, viewer: Viewer, text: str, first: int, count: int) -> Found:
        """Those who have, for each word of `text`, one in a name, alias or address that begins so.

        Case does not matter. By name, in the order of which `first` counts from 0. A text without words
        finds nobody.
        """
        ...

    async def named(self, viewer: Viewer, text: str, count: int) -> Found:
        """Those with this address, whole name or alias, in any case of letters; at most `count`, by name."""
        ...


@runtime_checkable
class Details(Protocol):
    """What some directories know besides. Addresses are in lower case; unknown ones are left out."""

    async def entries(self, viewer: Viewer, addresses: Collection[str]) -> Sequence[Entry]:
        """Whoever has one of these addresses."""
        ...

    async def pictures(self, viewer: Viewer, addresses: Collection[str]) -> Mapping[str, bytes]:
        """Photos (JPEG as a rule) by address; of a larger one only `LARGEST_PICTURE` + 1 octets."""
        ...

    async def certificates(self, viewer: Viewer, addresses: Collection[str]) -> Mapping[str, Sequence[bytes]]:
        """Certificates by address as they are there: X.509 or PKCS #7, in DER or PEM, valid or not."""
        ...

    async def members(self, viewer: Viewer, address: str, most: int) -> Members | None:
        """Up to `most` members of the group with this address, in whatever domain; None: there is none."""
        ...


@runtime_checkable
class Belonging(Protocol):
    """What some directories know of groups, for what is decided of their members."""

    async def groups_of(self, viewer: Viewer, addresses: Collection[str], alias: str) -> frozenset[str]:
        """What the groups are called that the viewer is in, in groups of groups too, shown to people or not.

        He is whoever has one of these addresses (in lower case), or this alias, "" for none. Names, aliases,
        addresses and DNs are as `group_name` makes them. Whom the directory does not know is in none. Raises
        `UpstreamError` when not all of that can be said now.
        """
        ...


class People(Protocol):
    """The users of this gateway, and the addresses they have."""

    async def note_person(self, user: UserId, entry: Entry, rules: str, now: datetime) -> None:
        """Note that a user came who has this address, made by these `rules`; he may have several.

        Addresses that other rules made for him are forgotten.
        """
        ...

    async def users_at(self, addresses: Collection[str]) -> Sequence[UserId]:
        """The users who have one of these addresses, in any case of letters."""
        ...

    async def prune_people(self, before: datetime, rules: str) -> None:
        """Forget those who did not come since that time, and addresses made by other rules."""
        ...


def domain_of(address: str) -> str:
    """What is behind the last @ of an address, in lower case; "" where there is none."""
    return address.rpartition("@")[2].lower() if "@" in address else ""
