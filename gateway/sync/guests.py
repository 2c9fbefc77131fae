"""What the guests of a shared folder see of it: an item that its owner calls private hides what it is about.

They see when a private event is, and no private item of another kind; they can change neither. What they see
is made of the stored text each time it is told, and never goes back into it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gateway.errors import Kind, Refused
from gateway.items import Item, ItemFolder, ItemNumber, Right
from gateway.pim.privacy import is_private, veiled
from gateway.ports import Items

__all__ = ["as_seen", "check_open", "hides", "load_seen"]


def hides(folder: ItemFolder, text: str) -> bool:
    """Whether an item with this text hides anything from who sees the folder so."""
    return folder.right is not Right.OWNER and is_private(text)


def as_seen(folder: ItemFolder, item: Item) -> Item | None:
    """An item as it is told to who sees the folder so; None: for him there is none."""
    if not hides(folder, item.stored.text):
        return item
    shown = veiled(folder.kind, item.stored.text)
    if shown is None:
        return None
    return replace(item, stored=replace(item.stored, text=shown, files=frozenset()))


def check_open(folder: ItemFolder, item: Item) -> None:
    """Refuse what would change or pass on an item that hides something, or is not there for him at all."""
    if hides(folder, item.stored.text):
        seen = as_seen(folder, item) is not None
        raise Refused(Kind.ACCESS_DENIED if seen else Kind.ITEM_NOT_FOUND, "the item is private")


async def load_seen(
    items: Items, folder: ItemFolder, numbers: Iterable[ItemNumber]
) -> Mapping[ItemNumber, Item]:
    """The items of a folder that are there for who sees it so, as he sees them."""
    loaded = await items.load_items(folder.id, numbers)
    return {number: seen for number, item in loaded.items() if (seen := as_seen(folder, item)) is not None}
