"""What a user does to the messages of a folder: one class for each kind of command, and the table of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from tests.convergence.choices import Choices
from tests.convergence.ledger import GONE, PLACE, TRASH, Claim
from tests.convergence.phone import Phone
from tests.convergence.properties import CATEGORIES, FLAG, READ, Property, changed
from tests.convergence.store import DELETED_ITEMS, Collection, Operation
from wbxml import Element, element
from wbxml.pages import AirSync


class SetProperty(Operation):
    """A message is read, flagged, sorted into categories, or no longer so."""

    def __init__(self, item: str, token: str, kind: Property, value: str) -> None:
        self.item = item
        self.kind = kind
        self.value = value
        self.claims = (Claim(token, kind, value),)

    def __repr__(self) -> str:
        return f"{self.kind}={self.value!r} of {self.claims[0].token} ({self.item})"

    def do(self, held: Collection) -> None:
        item = held.items[self.item]
        held.items[self.item] = replace(item, values=changed(item.values, self.kind, self.value))

    def element(self) -> Element:
        data = element(AirSync.ApplicationData, self.kind.element(self.value))
        return element(AirSync.Change, element(AirSync.ServerId, self.item), data)


class Remove(Operation):
    """A message is deleted: for good when `permanent`, else it goes to the trash."""

    def __init__(self, item: str, token: str, *, permanent: bool) -> None:
        self.item = item
        self.claims = (Claim(token, PLACE, GONE if permanent else TRASH),)

    def __repr__(self) -> str:
        return f"deletion of {self.claims[0].token} ({self.item}), to {self.claims[0].value!r}"

    def do(self, held: Collection) -> None:
        del held.items[self.item]

    def element(self) -> Element:
        return element(AirSync.Delete, element(AirSync.ServerId, self.item))


def mark(phone: Phone, collection: str, item: str, kind: Property, value: str) -> None:
    """Let the user of a phone change a property of an item."""
    token = phone.collections[collection].items[item].token
    phone.do(collection, SetProperty(item, token, kind, value))


def delete(phone: Phone, collection: str, item: str) -> None:
    """Let the user of a phone delete an item."""
    token = phone.collections[collection].items[item].token
    for_good = not phone.habits.deletes_as_moves or phone.folders[collection].type == DELETED_ITEMS
    phone.do(collection, Remove(item, token, permanent=for_good))


def _mark(kind: Property) -> Callable[[Choices, Phone, str, str], None]:
    def act(choices: Choices, phone: Phone, collection: str, item: str) -> None:
        known = kind if phone.habits.version >= kind.since else READ
        mark(phone, collection, item, known, choices.pick(known.values))

    return act


def _delete(_: Choices, phone: Phone, collection: str, item: str) -> None:
    delete(phone, collection, item)


OPERATIONS: Sequence[tuple[int, Callable[[Choices, Phone, str, str], None]]] = (
    (2, _mark(READ)),
    (1, _mark(FLAG)),
    (1, _mark(CATEGORIES)),
    (1, _delete),
)
"""What a user does to an item of a collection before a Sync, each with how often it comes."""
