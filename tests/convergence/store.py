"""What a phone keeps: folders, their items and keys, and what it did and has no answer to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Literal

from wbxml import Element, element
from wbxml.pages import AirSync, Email

DELETED_ITEMS = "4"
NEVER_SYNCED = frozenset({"3", "6"})
"""Types of Drafts and Outbox: what is in there is the phone's own business."""


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
    read: bool
    flagged: bool


class Verb(Enum):
    """What a user does to a message."""

    READ = "read"
    FLAG = "flag"
    DELETE = "delete"


@dataclass(slots=True, eq=False)
class Operation:
    """Something the user did. `permanent`: a deletion that does not end in the trash."""

    verb: Verb
    item: str
    token: str
    on: bool = False
    permanent: bool = False
    mark: int = 0
    """Belongs to the ledger."""

    def element(self) -> Element:
        """As a command of Sync."""
        named = element(AirSync.ServerId, self.item)
        if self.verb is Verb.DELETE:
            return element(AirSync.Delete, named)
        if self.verb is Verb.READ:
            data = element(Email.Read, int(self.on))
        elif self.on:
            data = element(Email.Flag, element(Email.Status, 2), element(Email.FlagType, "Flag"))
        else:
            data = element(Email.Flag)
        return element(AirSync.Change, named, element(AirSync.ApplicationData, data))


@dataclass(slots=True)
class Collection:
    """A folder's content. `unanswered` are operations sent, or about to be, without an answer so far."""

    key: str = "0"
    items: dict[str, Item] = field(default_factory=dict)
    unanswered: list[Operation] = field(default_factory=list)
    filter_type: int = 0
    more: bool = True
    """Whether another Sync is due: the last one said so, or there was none."""

    def do(self, operation: Operation) -> None:
        """Do to the own copy what the user did."""
        item = self.items[operation.item]
        if operation.verb is Verb.DELETE:
            del self.items[operation.item]
        elif operation.verb is Verb.READ:
            self.items[operation.item] = replace(item, read=operation.on)
        else:
            self.items[operation.item] = replace(item, flagged=operation.on)
        self.unanswered.append(operation)

    def apply(self, commands: Element) -> Iterator[str]:
        """Make the server's changes; yields the tokens of items that came though they were there."""
        for command in commands:
            name = command.child_text(AirSync.ServerId) or ""
            data = command.find(AirSync.ApplicationData)
            if command.tag is AirSync.Add and data is not None:
                made = _changed(Item(data.child_text(Email.Subject) or "", False, False), data)
                if name in self.items:
                    yield made.token
                self.items[name] = made
            elif command.tag is AirSync.Change and data is not None:
                if name in self.items:
                    self.items[name] = _changed(self.items[name], data)
            elif command.tag in (AirSync.Delete, AirSync.SoftDelete):
                self.items.pop(name, None)
            else:
                raise Refusal(f"a command {command!r}")


def _changed(item: Item, data: Element) -> Item:
    read, flag = data.child_text(Email.Read), data.find(Email.Flag)
    if read is not None:
        item = replace(item, read=read == "1")
    if flag is not None:
        item = replace(item, flagged=flag.child_text(Email.Status) == "2")
    return item


@dataclass(slots=True)
class Letter:
    """A message in the outbox. `message` has a Message-ID; `attempts` counts how often it was sent."""

    token: str
    message: bytes
    client_id: str
    attempts: int = 0


Answered = Literal["done", "later"]
"""Whether a request was served, or has to be repeated after a while."""
