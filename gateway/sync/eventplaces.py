"""Where the event that a message or an answer is about is stored, or is to be."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.items import Edit, Item, ItemKind, ItemNumber, StoredItem
from gateway.ports import Items
from gateway.sync.itemfolders import default_folder
from gateway.types import CollectionId, UserId

__all__ = ["EventPlace", "known_event", "place_of"]


@dataclass(frozen=True, slots=True)
class EventPlace:
    """A place for one event: that of an item, or (`revision` 0) of a new one."""

    folder: CollectionId
    number: ItemNumber
    revision: int

    def edit(self, stored: StoredItem | None, *, answers: bool = False) -> Edit:
        """What stores the event there, or (None) deletes it; `answers`: nothing is new in it but those."""
        return Edit(self.number, self.revision, stored, answers)


async def known_event(items: Items, user: UserId, uid: str) -> Item | None:
    """The event of this UID in the user's own calendars: that in the default one, if there are several."""
    return next(iter(await items.find_items(user, ItemKind.CALENDAR, uid)), None)


async def place_of(items: Items, user: UserId, item: Item | None) -> EventPlace:
    """That of an event which is there; or, of a new one, a place in the user's default calendar."""
    if item is not None:
        return EventPlace(item.folder, item.number, item.revision)
    folder = await default_folder(items, user, ItemKind.CALENDAR)
    (number,) = await items.new_item_numbers(1)
    return EventPlace(folder.id, number, 0)
