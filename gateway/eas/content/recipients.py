"""The recipient information cache as devices see it: who is written to, and how often (MS-ASCNTC 2.2.2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from gateway.eas.content.values import BadItem
from gateway.eas.versions import Version
from gateway.items import Item, ItemKind, ItemNumber
from gateway.mail.headers import clean
from gateway.pim.contacts.recipient import read_recipient
from gateway.pim.matching import Texts
from gateway.sync.itemoperations import AddItem, Answer, ChangeItem, DeleteItem
from wbxml import Element, element
from wbxml.pages import Contacts

if TYPE_CHECKING:
    from gateway.eas.content.items import Scene
    from gateway.eas.itemoptions import ItemOptions

__all__ = ["RecipientContent"]

_READ_ONLY = "the recipient information cache is the server's"


class RecipientContent:
    """People in the cache, of the Contacts class; devices write nothing into it."""

    kind = ItemKind.RECIPIENTS
    name = "Contacts"
    filters = frozenset(range(9))
    ghosts = True

    def body_types(self, _version: Version) -> frozenset[int]:
        """There is no text."""
        return frozenset()

    def since(self, _filter_type: int, _now: datetime) -> datetime | None:
        """A FilterType means nothing."""
        return None

    def add(self, _client_id: str, _digest: str, _data: Element, _scene: Scene) -> AddItem:
        """Raises `BadItem`."""
        raise BadItem(_READ_ONLY)

    def change(
        self, _number: ItemNumber, _instance: str, _digest: str, _data: Element, _scene: Scene
    ) -> ChangeItem:
        """Raises `BadItem`."""
        raise BadItem(_READ_ONLY)

    def delete(self, _number: ItemNumber, _instance: str, _scene: Scene) -> DeleteItem:
        """Raises `BadItem`."""
        raise BadItem(_READ_ONLY)

    def render(self, item: Item, _options: ItemOptions, _scene: Scene) -> Sequence[Element]:
        """Address, name, and the weight."""
        found = read_recipient(item.stored.text)
        return [
            element(Contacts.Email1Address, clean(found.address)),
            element(Contacts.FileAs, clean(found.name) or clean(found.address)),
            element(Contacts.Alias, clean(found.address).partition("@")[0]),
            element(Contacts.WeightedRank, found.rank),
        ]

    def stub(self, item: Item, _scene: Scene) -> Sequence[Element]:
        """The address alone."""
        return [element(Contacts.Email1Address, clean(item.stored.uid)), element(Contacts.WeightedRank, 0)]

    def texts(self, _item: Item, _scene: Scene) -> Texts:
        """Nothing: a search is for what people have, not for whom they wrote to."""
        return {}

    def answered(self, _answer: Answer, _scene: Scene) -> Sequence[Element]:
        """Nothing: there are no operations."""
        return ()
