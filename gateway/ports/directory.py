"""Who can be looked up, and which of them are users of this gateway."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.types import UserId

__all__ = ["Directory", "Entry", "Found", "People", "domain_of"]


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody in a directory. `name` is "" where none is known."""

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A part of what a search finds, and how many it finds in all."""

    entries: tuple[Entry, ...] = ()
    total: int = 0


class Directory(Protocol):
    """A list of people by names and addresses. Each address is in it once.

    `domain` limits it to the addresses of a mail domain (in lower case); None: to nothing.
    """

    async def search(self, text: str, domain: str | None, first: int, count: int) -> Found:
        """Those who have, for each word of `text`, one in name or address that begins so.

        Case does not matter; parts of an address between its dots, hyphens and the like are words too. By
        name, in the order of which `first` counts from 0. A text without words finds nobody.
        """
        ...

    async def named(self, text: str, domain: str | None, count: int) -> Found:
        """Those whose address or whole name this is, in any case of letters; at most `count`, by name."""
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
