"""What a phone keeps: folders, their items and keys, and what it did and has no answer to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from tests.convergence.ledger import Claim
from tests.convergence.network import Fate
from tests.convergence.properties import EMPTY, Property, Values, updated, value_of
from wbxml import Element
from wbxml.pages import AirSync, Email

if TYPE_CHECKING:
    from tests.convergence.phone import Phone

DELETED_ITEMS = "4"
DRAFTS_FOLDER = "3"
NEVER_SYNCED = frozenset({"6", "19"})
"""The types of the Outbox, where everything is the phone's own business, and of whom its user wrote to."""

Answered = Literal["done", "later"]
"""Whether a request was served, or has to be repeated after a while."""


class Refusal(Exception):
    """The gateway answered what no phone can go on with."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of the hierarchy."""

    id: str
    parent: str
    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Item:
    """A message; `token` is its subject, which tells it from all others."""

    token: str
    values: Values = EMPTY

    def __getitem__(self, kind: Property) -> str:
        return value_of(self.values, kind)


class Operation(ABC):
    """Something the user did to the content of a folder: one command of a Sync, repeated until answered."""

    item: str
    """The ServerId, or the ClientId of an Add: by it the answer names the operation."""
    claims: Sequence[Claim] = ()
    """What the user wants to be true, for the ledger."""

    @abstractmethod
    def do(self, held: Collection) -> None:
        """Do to the phone's own copy what the user did."""

    @abstractmethod
    def element(self) -> Element:
        """As a command of Sync."""

    def answered(self, held: Collection, response: Element | None) -> bool:
        """Take the answer, None when there was none because all went well; returns whether it says so."""
        return response is None or response.child_text(AirSync.Status) == "1"


class Errand(ABC):
    """Something a phone does by a request of its own (it sends, moves, makes a folder) until answered."""

    token: str
    """The message it is about to make, "" for none: nobody else touches that one meanwhile."""
    left: Sequence[str] = ()
    """The items it moves: the phone does nothing else with them meanwhile."""

    @abstractmethod
    def attempt(self, phone: Phone, fate: Fate, position: float) -> Answered:
        """Ask once. "done" when it need not be asked again; raises `NoReply` and `Refusal`."""


@dataclass(slots=True)
class Collection:
    """A folder's content. `unanswered` are operations sent, or about to be, without an answer so far."""

    key: str = "0"
    items: dict[str, Item] = field(default_factory=dict)
    unanswered: list[Operation] = field(default_factory=list)
    filter_type: int = 0
    more: bool = True
    """Whether another Sync is due: the last one said so, or there was none."""

    @property
    def filters(self) -> Sequence[int]:
        """FilterTypes its user may choose."""
        return (0, 3, 5)

    def anew(self) -> Collection:
        """The folder of a phone that has thrown its copy away."""
        return replace(self, key="0", items={}, unanswered=[], more=True)

    def apply(self, commands: Element) -> Iterator[str]:
        """Make the server's changes; yields the tokens of items that came though they were there."""
        for command in commands:
            name = command.child_text(AirSync.ServerId) or ""
            data = command.find(AirSync.ApplicationData)
            if command.tag is AirSync.Add and data is not None:
                token = data.child_text(Email.Subject) or ""
                if name in self.items:
                    yield token
                self.items[name] = Item(token, updated(EMPTY, data))
            elif command.tag is AirSync.Change and data is not None:
                if name in self.items:
                    item = self.items[name]
                    self.items[name] = replace(item, values=updated(item.values, data))
            elif command.tag in (AirSync.Delete, AirSync.SoftDelete):
                self.items.pop(name, None)
            else:
                raise Refusal(f"a command {command!r}")
