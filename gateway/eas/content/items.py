"""What a kind of item is to the protocol; those that are served are named in `kinds.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from hashlib import blake2b
from typing import Protocol

from gateway.eas.itemoptions import ItemOptions
from gateway.eas.versions import Version
from gateway.items import Item, ItemFolder, ItemKind, ItemNumber
from gateway.pim.invitation import Own
from gateway.pim.matching import Texts
from gateway.sync.itemoperations import AddItem, Answer, ChangeItem, DeleteItem
from gateway.types import Principal
from wbxml import Element, encode

__all__ = ["ItemContent", "Scene", "digest"]


@dataclass(frozen=True, slots=True)
class Scene:
    """Where and for whom something is done with items.

    `principal` need not own the folder: `owner` is the mail address of the one who does, and `own` tells of
    others whether they are his too. `now` is aware; `zone` is that of what has none. `device_type` is what
    the device calls itself ("iPhone").
    """

    version: Version
    principal: Principal
    folder: ItemFolder
    owner: str
    now: datetime
    own: Own
    zone: tzinfo = UTC
    device_type: str = ""


class ItemContent(Protocol):
    """One kind of item: from ApplicationData to the canonical form and back.

    What is parsed is refused by `BadItem` (item Status 6); the callables within the operations, which are
    called later, refuse by `Refused`. None of them does I/O.
    """

    @property
    def kind(self) -> ItemKind:
        """What it is stored as."""
        ...

    @property
    def name(self) -> str:
        """The Class: "Calendar"."""
        ...

    @property
    def filters(self) -> frozenset[int]:
        """The FilterTypes there are for it (MS-ASCMD 2.2.3.68.2); 0 is one of them."""
        ...

    @property
    def ghosts(self) -> bool:
        """Whether a device may send Supported for it; else that is Status 4."""
        ...

    def body_types(self, version: Version) -> frozenset[int]:
        """The Types a BodyPreference may ask for."""
        ...

    def since(self, filter_type: int, now: datetime) -> datetime | None:
        """The start of a filter's window, so that it moves once a day; None: no filter.

        Items that end before it are not told.
        """
        ...

    def add(self, client_id: str, digest: str, data: Element, scene: Scene) -> AddItem:
        """What an Add with this ApplicationData asks for. Raises `BadItem`."""
        ...

    def change(
        self, number: ItemNumber, instance: str, digest: str, data: Element, scene: Scene
    ) -> ChangeItem:
        """What a Change asks for; `instance` is the InstanceId as sent, "" without one. Raises `BadItem`."""
        ...

    def delete(self, number: ItemNumber, instance: str, scene: Scene) -> DeleteItem:
        """What a Delete asks for. Raises `BadItem`."""
        ...

    def render(self, item: Item, options: ItemOptions, scene: Scene) -> Sequence[Element]:
        """The ApplicationData of an item. Whatever is raised leads to a `stub` for this item alone."""
        ...

    def stub(self, item: Item, scene: Scene) -> Sequence[Element]:
        """A readable ApplicationData for an item that cannot be rendered; raises nothing."""
        ...

    def texts(self, item: Item, scene: Scene) -> Texts:
        """What the item is found by in a search. Whatever is raised, it is not found then."""
        ...

    def answered(self, answer: Answer, scene: Scene) -> Sequence[Element]:
        """The ApplicationData beside the Status 1 of an operation (MS-ASCMD 2.2.3.11); often nothing."""
        ...


def digest(data: Element) -> str:
    """What tells one ApplicationData from another."""
    return blake2b(encode(data), digest_size=16).hexdigest()
