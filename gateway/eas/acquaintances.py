"""Whom a user knows: the mail addresses in his own contacts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.items import Item, ItemKind, Right
from gateway.pim.contacts.card import Card
from gateway.pim.contacts.model import BadContact
from gateway.pim.contacts.people import addresses_of
from gateway.ports import Items
from gateway.sync.background import compute
from gateway.types import UserId

__all__ = ["known_addresses"]

_AT_ONCE = 200


async def known_addresses(items: Items, user: UserId, most: int) -> tuple[str, ...]:
    """The addresses in his own contacts folders, in lower case: of the oldest contacts, at most so many."""
    found: dict[str, None] = {}
    for folder in await items.item_folders(user):
        if folder.kind is not ItemKind.CONTACTS or folder.right is not Right.OWNER:
            continue
        changes = await items.item_changes(folder.id, 0)
        numbers = sorted(one.number for one in changes if not one.gone)
        for start in range(0, len(numbers), _AT_ONCE):
            loaded = await items.load_items(folder.id, numbers[start : start + _AT_ONCE])
            several = [loaded[number] for number in sorted(loaded)]
            found |= dict.fromkeys(await compute(_addresses, several))
            if len(found) >= most:
                return tuple(found)[:most]
    return tuple(found)


def _addresses(several: Sequence[Item]) -> list[str]:
    return [address for item in several for address in _of_contact(item.stored.text)]


def _of_contact(text: str) -> Iterator[str]:
    try:
        card = Card.parse(text)
    except BadContact:
        return
    yield from (address.lower() for address in addresses_of(card))
