"""What searches found, kept for a while, so that a device turns the pages of one unchanging list.

MS-ASCMD 2.2.3.144: new mail does not come into the list, deleted mail goes out of it. It lives in memory:
after a restart, or when nobody turned a page for long, the search is simply made again.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from gateway.items import ItemKind, ItemNumber
from gateway.query import Found
from gateway.sync.hierarchy import ROOT, FolderRow, mailbox_of
from gateway.types import VIRTUAL_ROLES, CollectionId, DeviceId, Folder, Role, UserId

__all__ = ["Entry", "Listed", "ListedItem", "Listing", "Scope", "Searches", "below", "in_order"]

LIFETIME = timedelta(minutes=15)
"""How long a list is kept since a page of it was looked at."""
MOST_OF_DEVICE = 4
MOST_ENTRIES = 200_000
"""Entries of all lists together; one takes about 100 octets."""

_LAST = (Role.JUNK, Role.TRASH)


@dataclass(frozen=True, slots=True)
class Scope:
    """Where to search, and what: `mail`, and items of some `kinds`.

    In all folders when `collections` is empty or names the root; `deep`: and below.
    """

    collections: tuple[CollectionId, ...] = ()
    deep: bool = False
    mail: bool = True
    kinds: tuple[ItemKind, ...] = ()

    @property
    def everywhere(self) -> bool:
        """Whether all folders are meant."""
        return not self.collections or ROOT in self.collections

    @property
    def named(self) -> list[CollectionId]:
        """The folders it names, but for the root."""
        return [one for one in self.collections if one != ROOT]


@dataclass(frozen=True, slots=True)
class Listed:
    """One hit of a search, by the id of its folder, which stays when the folder is renamed."""

    collection: CollectionId
    uidvalidity: int
    uid: int


@dataclass(frozen=True, slots=True)
class ListedItem:
    """One item that was found."""

    collection: CollectionId
    kind: ItemKind
    number: ItemNumber


Entry: TypeAlias = Listed | ListedItem


@dataclass(slots=True)
class Listing:
    """What a search found: mail, then items, either newest first.

    `total` is about how many there are; the list may hold fewer. `complete` is False when time ran out before
    everything was looked at.
    """

    entries: list[Entry] = field(default_factory=list)
    total: int = 0
    complete: bool = True

    @classmethod
    def of(cls, found: Found, folders: Mapping[str, CollectionId]) -> Listing:
        """From the hits of a search; `folders` are the ids of its mailboxes."""
        entries: list[Entry] = [Listed(folders[hit.mailbox], hit.uidvalidity, hit.uid) for hit in found.hits]
        return cls(entries, found.total, found.complete)

    def followed_by(self, other: Listing) -> Listing:
        """The list with another behind it."""
        complete = self.complete and other.complete
        return Listing([*self.entries, *other.entries], self.total + other.total, complete)

    def drop(self, gone: Collection[Entry]) -> None:
        """Take out what is no longer there; none of it was in a page before those still to come."""
        before = len(self.entries)
        self.entries = [one for one in self.entries if one not in gone]
        self.total -= before - len(self.entries)


_Key = tuple[UserId, DeviceId, bytes]


@dataclass(slots=True)
class _Kept:
    """A list, when it was used last, and the number of entries it counts for."""

    listing: Listing
    used: datetime
    size: int


class Searches:
    """The lists of all devices, the one longest unused first; bounded in number, size and age."""

    def __init__(self) -> None:
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()
        self._entries = 0
        self._running: dict[tuple[UserId, DeviceId], tuple[bytes, asyncio.Task[Listing]]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def recall(self, user: UserId, device: DeviceId, query: bytes, now: datetime) -> Listing | None:
        """The list kept for a query, if there is one."""
        self._expire(now)
        kept = self._kept.get((user, device, query))
        if kept is None:
            return None
        kept.used = now
        self._kept.move_to_end((user, device, query))
        return kept.listing

    def keep(self, user: UserId, device: DeviceId, query: bytes, listing: Listing, now: datetime) -> None:
        """Keep a list in place of the one before; older lists make room."""
        self._forget((user, device, query))
        self._kept[user, device, query] = _Kept(listing, now, len(listing.entries))
        self._entries += len(listing.entries)
        own = [key for key in self._kept if key[:2] == (user, device)]
        for key in own[:-MOST_OF_DEVICE]:
            self._forget(key)
        while self._entries > MOST_ENTRIES and len(self._kept) > 1:
            self._forget(next(iter(self._kept)))

    async def join(
        self, user: UserId, device: DeviceId, query: bytes, search: Callable[[], Coroutine[Any, Any, Listing]]
    ) -> Listing:
        """The list of the search that the device has under way for this query, or else of a new one.

        A device has one at a time: a new query ends the search before, whose callers get an unfinished, empty
        list. A search goes on when nobody waits any more, for a device that asks again. Raises what `search`
        raises.
        """
        owner = user, device
        running, task = self._running.get(owner, (None, None))
        if task is None or running != query:
            if task is not None:
                task.cancel()
            task = asyncio.create_task(search())
            self._running[owner] = query, task
            task.add_done_callback(lambda done: self._ended(owner, done))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is None or current.cancelling():
                raise
            return Listing(complete=False)

    def end(self, user: UserId, device: DeviceId) -> None:
        """End the search that the device has under way."""
        running = self._running.get((user, device))
        if running is not None:
            running[1].cancel()

    def _ended(self, owner: tuple[UserId, DeviceId], task: asyncio.Task[Listing]) -> None:
        if not task.cancelled():
            task.exception()  # looked at, in case nobody waits for it any more
        if self._running.get(owner, (b"", None))[1] is task:
            del self._running[owner]

    def _expire(self, now: datetime) -> None:
        while self._kept:
            key, oldest = next(iter(self._kept.items()))
            if now - oldest.used < LIFETIME:
                return
            self._forget(key)

    def _forget(self, key: _Key) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._entries -= kept.size


def below(rows: Sequence[FolderRow], parents: Iterable[CollectionId]) -> frozenset[CollectionId]:
    """The ids of folders and of everything below them; `rows` name parents before their children."""
    found = set(parents)
    for row in rows:
        if row.parent in found:
            found.add(row.id)
    return frozenset(found)


def in_order(folders: Iterable[Folder]) -> dict[str, CollectionId]:
    """The mailboxes of folders in the order they are searched, with the ids of their folders.

    The INBOX comes first, and what is thrown away last, in case time runs out. A mailbox that shows what is
    in others too is searched alone or not at all.
    """
    named = [(mailbox, folder) for folder in folders if (mailbox := mailbox_of(folder)) is not None]
    if len(named) > 1:
        named = [one for one in named if one[1].role not in VIRTUAL_ROLES]
    named.sort(key=lambda one: (one[1].role in _LAST, one[1].role != Role.INBOX))
    return {mailbox: folder.id for mailbox, folder in named}
