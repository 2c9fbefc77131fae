"""Client operations on items: what Add, Change, Delete and Fetch ask for in a folder of items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.eas.commands.sync.request import ClientCommand, Verb
from gateway.eas.content.ids import parse_item_server_id
from gateway.eas.content.items import ItemContent, Scene, digest
from gateway.eas.content.values import BadItem
from gateway.errors import Kind, NotFound, Refused
from gateway.items import Item, ItemNumber
from gateway.pim.limits import LONGEST_TEXT
from gateway.sync.itemexchange import ItemReply
from gateway.sync.itemoperations import AddItem, Answer, ChangeItem, Given, ItemOperation, Made
from wbxml import Element, element
from wbxml.pages import AirSync

__all__ = ["ItemPlan", "plan"]


@dataclass(slots=True)
class ItemPlan:
    """The operations of a collection of items, by the position of the command in the request.

    `refused` are answered with an error at once, `fetches` name the items to return. `repeated` are Adds that
    stand in the request before, with the position of the first.
    """

    operations: dict[int, ItemOperation] = field(default_factory=dict)
    refused: dict[int, Kind] = field(default_factory=dict)
    fetches: dict[int, ItemNumber] = field(default_factory=dict)
    repeated: dict[int, int] = field(default_factory=dict)

    @property
    def answered(self) -> bool:
        """Whether there are answers beside those of the engine."""
        return bool(self.refused or self.fetches)

    def answers(self, outcome: ItemReply) -> Mapping[int, Answer]:
        """What became of each operation."""
        known = dict(zip(self.operations, outcome.answers, strict=True))
        return {**known, **{position: known[first] for position, first in self.repeated.items()}}


def plan(commands: Sequence[ClientCommand], content: ItemContent, scene: Scene) -> ItemPlan:
    """Sort the commands of one collection.

    Each stands alone: a bad one gets its Status, the others are done.
    """
    made = ItemPlan()
    added: dict[str, int] = {}
    for position, command in enumerate(commands):
        try:
            if command.kind not in ("", content.name):
                raise Refused(Kind.INVALID_XML, f"an item of class {command.kind!r}")
            if command.verb is Verb.ADD:
                add = _add(command, content, scene)
                first = added.setdefault(command.item, position)
                if first == position:
                    made.operations[position] = add
                elif _digest_of(made.operations[first]) == add.digest:
                    made.repeated[position] = first
                else:
                    raise Refused(Kind.INVALID_XML, "two items with one ClientId")
            else:
                _named(made, position, command, content, scene)
        except Refused as error:
            made.refused[position] = error.kind
    return made


def _named(made: ItemPlan, position: int, command: ClientCommand, content: ItemContent, scene: Scene) -> None:
    """Sort a command on an item there is. Raises `Refused`."""
    name = parse_item_server_id(command.item)
    if name.collection != scene.folder.id:
        raise NotFound("an item of another collection")
    if command.verb is Verb.FETCH:
        made.fetches[position] = name.number
    elif command.verb is Verb.DELETE:
        try:
            made.operations[position] = content.delete(name.number, command.instance, scene)
        except BadItem as error:
            raise Refused(Kind.INVALID_XML, str(error)) from error
    else:
        made.operations[position] = _change(name.number, command, content, scene)


def _add(command: ClientCommand, content: ItemContent, scene: Scene) -> AddItem:
    data = command.data or element(AirSync.ApplicationData)
    told = digest(data)
    try:
        _check_length(data)
        return content.add(command.item, told, data, scene)
    except (BadItem, Refused) as error:
        never = _Never(error)
        return AddItem(command.item, told, never.make, never.revise)


def _change(number: ItemNumber, command: ClientCommand, content: ItemContent, scene: Scene) -> ChangeItem:
    data = command.data or element(AirSync.ApplicationData)
    told = digest(data)
    try:
        _check_length(data)
        return content.change(number, command.instance, told, data, scene)
    except (BadItem, Refused) as error:
        return ChangeItem(number, told, _Never(error).revise, command.instance)


def _check_length(data: Element) -> None:
    """Refuse at once what would be read for a minute, only to be too long. Raises `BadItem`."""
    if sum(len(one.value) for one in data.iter() if isinstance(one.value, str)) > LONGEST_TEXT:
        raise BadItem("texts that are too long")


def _digest_of(operation: ItemOperation) -> str:
    return operation.digest if isinstance(operation, AddItem) else ""


@dataclass(frozen=True, slots=True)
class _Never:
    """What cannot be understood: it goes to the engine, which puts right what the device believes."""

    error: BadItem | Refused

    def make(self, given: Given) -> Made:  # noqa: ARG002
        raise self._refusal()

    def revise(self, item: Item, given: Given) -> Made:  # noqa: ARG002
        raise self._refusal()

    def _refusal(self) -> Refused:
        if isinstance(self.error, Refused):
            return self.error
        return Refused(Kind.INVALID_XML, str(self.error))
