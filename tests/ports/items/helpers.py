"""A store under test, and what its tests put into it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from gateway.items import Edit, FileNumber, Item, ItemNumber, StoredItem
from gateway.ports import Commit, Items
from gateway.types import CollectionId, UserId
from tests.ports.known import ANNA, HOUR, NOON

LIST = CollectionId("")
"""What watches are told when folders come, change or go."""


@dataclass
class Time:
    """A clock that the test sets."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


class Content:
    """A file as `ports.Pieces`, of so many pieces of one size each. It counts those that were taken."""

    def __init__(self, pieces: int, size: int) -> None:
        self.taken = 0
        self._pieces = pieces
        self._size = size

    def __len__(self) -> int:
        return self._pieces * self._size

    def __iter__(self) -> Iterator[bytes]:
        for number in range(self._pieces):
            self.taken += 1
            yield self.piece(number)

    def piece(self, number: int) -> bytes:
        """The octets of one piece, other ones in each."""
        return (number.to_bytes(4, "big") * (self._size // 4 + 1))[: self._size]

    def __bytes__(self) -> bytes:
        return b"".join(map(self.piece, range(self._pieces)))


def event(
    uid: str,
    starts: datetime | None = NOON,
    ends: datetime | None = NOON + HOUR,
    *,
    text: str = "",
    files: frozenset[FileNumber] = frozenset(),
) -> StoredItem:
    """What is stored of an item, by default of one hour from noon."""
    return StoredItem(uid, text or f"BEGIN:VCALENDAR\r\nUID:{uid}\r\n", starts, ends, files)


async def add(
    items: Items, folder: CollectionId, *stored: StoredItem, user: UserId = ANNA
) -> list[ItemNumber]:
    """Store new items in one commit; their numbers."""
    numbers = list(await items.new_item_numbers(len(stored)))
    edits = [Edit(number, 0, each) for number, each in zip(numbers, stored, strict=True)]
    await items.commit_items(Commit(user, folder, edits))
    return numbers


async def edit(
    items: Items, folder: CollectionId, number: ItemNumber, stored: StoredItem | None, user: UserId = ANNA
) -> None:
    """Store another version of an item, or (None) delete it, whatever its revision is."""
    based_on = (await the(items, folder, number)).revision
    await items.commit_items(Commit(user, folder, [Edit(number, based_on, stored)]))


async def the(items: Items, folder: CollectionId, number: ItemNumber) -> Item:
    """One item that is there."""
    return (await items.load_items(folder, [number]))[number]


async def revision(items: Items, folder: CollectionId, user: UserId = ANNA) -> int:
    """The folder's revision."""
    found = await items.item_folder(user, folder)
    assert found is not None
    return found.revision
