"""Folders of contacts as directories: those of who asks, and those whose owners share them with everybody."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, Protocol, TypeVar
from weakref import WeakValueDictionary

from gateway.items import Item, ItemFolder, ItemKind, ItemNumber
from gateway.pim.contacts.card import Card
from gateway.pim.contacts.model import BadContact
from gateway.pim.contacts.people import certificates_of, entry_of, picture_of
from gateway.pim.people import PeopleList, merged
from gateway.pim.privacy import is_private
from gateway.ports import Items
from gateway.ports.directory import LARGEST_PICTURE, Entry, Found, Members, Viewer
from gateway.sync.background import compute
from gateway.types import CollectionId, UserId

__all__ = ["AddressBooks", "OwnBooks", "SharedBook"]

MEMORY = 64 * 1024 * 1024
"""Octets that folders may take in memory, about, and as many those that are one address book together."""
_MOST = 10_000
"""Contacts of a folder that are looked at, the oldest."""
_AT_ONCE = 200

_Value = TypeVar("_Value")
_Key = TypeVar("_Key")


class _Weighed(Protocol):
    """Something in memory; `cost` counts the octets it takes, about."""

    @property
    def cost(self) -> int: ...


_Thing = TypeVar("_Thing", bound=_Weighed)


class _Kept(Generic[_Key, _Thing]):
    """What was used last, as much as there is room for; what is larger than that is read again each time."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._used = 0
        self._things: OrderedDict[_Key, _Thing] = OrderedDict()

    def get(self, key: _Key) -> _Thing | None:
        return self._things.get(key)

    def put(self, key: _Key, thing: _Thing) -> None:
        before = self._things.pop(key, None)
        self._used += thing.cost - (before.cost if before else 0)
        self._things[key] = thing
        while self._used > self._memory:
            _, oldest = self._things.popitem(last=False)
            self._used -= oldest.cost


@dataclass(slots=True)
class _Book:
    """A folder as it was at a revision."""

    revision: int = 0
    entries: dict[ItemNumber, Entry] = field(default_factory=dict)
    people: PeopleList = field(default_factory=lambda: PeopleList(()))

    @property
    def cost(self) -> int:
        return self.people.cost


@dataclass(frozen=True, slots=True)
class _Shelved:
    """Everybody in several folders as they were at their revisions."""

    revisions: tuple[int, ...]
    people: PeopleList

    @property
    def cost(self) -> int:
        return self.people.cost


class AddressBooks:
    """Reads folders of contacts; of those it read lately, only what changed.

    Without `private`, contacts that their owner calls so are left out.
    """

    def __init__(self, items: Items, *, private: bool = True, memory: int = MEMORY) -> None:
        self._items = items
        self._private = private
        self._books: _Kept[CollectionId, _Book] = _Kept(memory)
        self._shelves: _Kept[tuple[CollectionId, ...], _Shelved] = _Kept(memory)
        self._turns: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    async def folders(self, owner: UserId, name: str | None = None) -> Sequence[ItemFolder]:
        """Somebody's own folders of contacts: all, or those with a name."""
        return [
            folder
            for folder in await self._items.item_folders(owner)
            if folder.owner == owner
            and folder.kind is ItemKind.CONTACTS
            and (name is None or folder.name.casefold() == name.casefold())
        ]

    async def people(self, folders: Sequence[ItemFolder]) -> PeopleList:
        """Everybody in some folders."""
        books = [await self._book(folder) for folder in folders]
        if len(books) == 1:
            return books[0].people
        key, revisions = tuple(folder.id for folder in folders), tuple(book.revision for book in books)
        async with self._turn(key):
            known = self._shelves.get(key)
            if known is None or known.revisions != revisions:
                lists = [book.people.entries for book in books]
                known = _Shelved(revisions, await compute(_merged, lists))
            self._shelves.put(key, known)
        return known.people

    async def of_cards(
        self, folders: Iterable[ItemFolder], addresses: Collection[str], read: Callable[[Card], _Value]
    ) -> dict[str, _Value]:
        """What is read from the cards of people, by those of their addresses that were asked for."""
        wanted = set(addresses)
        found: dict[str, _Value] = {}
        for folder in folders:
            book = await self._book(folder)
            numbers = [one for one, entry in book.entries.items() if not wanted.isdisjoint(entry.addresses)]
            for number, item in (await self._items.load_items(folder.id, numbers)).items():
                card, entry = _card(item), book.entries[number]
                if card is not None and (value := read(card)):
                    found |= {one: value for one in entry.addresses if one in wanted and one not in found}
        return found

    async def _book(self, folder: ItemFolder) -> _Book:
        async with self._turn(folder.id):
            known = self._books.get(folder.id) or _Book()
            if known.revision < folder.revision:
                known = await self._changed(folder, known)
            self._books.put(folder.id, known)
            return known

    def _turn(self, key: Hashable) -> asyncio.Lock:
        """Held by who reads, so that the others find what was read."""
        return self._turns.setdefault(key, asyncio.Lock())

    async def _changed(self, folder: ItemFolder, known: _Book) -> _Book:
        """The folder as it is now, by what changed since it was read."""
        changes = await self._items.item_changes(folder.id, known.revision)
        entries = dict(known.entries)
        for one in changes:
            entries.pop(one.number, None)
        numbers = sorted(one.number for one in changes if not one.gone)[: _MOST - len(entries)]
        for start in range(0, len(numbers), _AT_ONCE):
            loaded = await self._items.load_items(folder.id, numbers[start : start + _AT_ONCE])
            entries |= await compute(_entries, loaded, private=self._private)
        revision = max([folder.revision, *(one.revision for one in changes)])
        return _Book(revision, entries, await compute(_merged, [list(entries.values())]))


class _Shelf(ABC):
    """Implements `Directory` and `Details` on some folders; contacts have no groups."""

    def __init__(self, books: AddressBooks) -> None:
        self._books = books

    @abstractmethod
    async def _folders(self, viewer: Viewer) -> Sequence[ItemFolder]:
        """Which they are."""

    def _domain(self, viewer: Viewer) -> str | None:
        return viewer.domain

    async def search(self, viewer: Viewer, text: str, first: int, count: int) -> Found:
        people = await self._books.people(await self._folders(viewer))
        return people.search(text, self._domain(viewer), first, count)

    async def named(self, viewer: Viewer, text: str, count: int) -> Found:
        people = await self._books.people(await self._folders(viewer))
        return people.named(text, self._domain(viewer), count)

    async def entries(self, viewer: Viewer, addresses: Collection[str]) -> Sequence[Entry]:
        people = await self._books.people(await self._folders(viewer))
        return people.at(addresses, self._domain(viewer))

    async def pictures(self, viewer: Viewer, addresses: Collection[str]) -> Mapping[str, bytes]:
        folders = await self._folders(viewer)
        found = await self._books.of_cards(folders, addresses, picture_of)
        return {address: photo[: LARGEST_PICTURE + 1] for address, photo in found.items()}

    async def certificates(self, viewer: Viewer, addresses: Collection[str]) -> Mapping[str, Sequence[bytes]]:
        return await self._books.of_cards(await self._folders(viewer), addresses, certificates_of)

    async def members(self, viewer: Viewer, address: str, most: int) -> Members | None:  # noqa: ARG002
        return None


class OwnBooks(_Shelf):
    """The contacts of who asks; he knows them, wherever their mail is."""

    async def _folders(self, viewer: Viewer) -> Sequence[ItemFolder]:
        return await self._books.folders(viewer.user)

    def _domain(self, viewer: Viewer) -> str | None:  # noqa: ARG002
        return None

    async def search(self, viewer: Viewer, text: str, first: int, count: int) -> Found:
        return _as_contacts(await super().search(viewer, text, first, count))

    async def named(self, viewer: Viewer, text: str, count: int) -> Found:
        return _as_contacts(await super().named(viewer, text, count))

    async def entries(self, viewer: Viewer, addresses: Collection[str]) -> Sequence[Entry]:
        return [replace(entry, contact=True) for entry in await super().entries(viewer, addresses)]


class SharedBook(_Shelf):
    """A folder of contacts that everybody looks people up in; nobody is in it while it is not there."""

    def __init__(self, books: AddressBooks, owner: UserId, name: str) -> None:
        super().__init__(books)
        self._owner, self._name = owner, name

    async def _folders(self, viewer: Viewer) -> Sequence[ItemFolder]:  # noqa: ARG002
        return await self._books.folders(self._owner, self._name)


def _as_contacts(found: Found) -> Found:
    return Found(tuple(replace(entry, contact=True) for entry in found.entries), found.total)


def _merged(lists: Iterable[Iterable[Entry]]) -> PeopleList:
    return PeopleList(merged(lists))


def _entries(loaded: Mapping[ItemNumber, Item], *, private: bool) -> dict[ItemNumber, Entry]:
    shown = ((number, one) for number, one in loaded.items() if private or not is_private(one.stored.text))
    found = ((number, _card(item)) for number, item in shown)
    people = ((number, entry_of(card)) for number, card in found if card is not None)
    return {number: entry for number, entry in people if entry is not None}


def _card(item: Item) -> Card | None:
    try:
        return Card.parse(item.stored.text)
    except BadContact:
        return None
