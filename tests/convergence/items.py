"""What users do with events, contacts, tasks and notes, and what a phone keeps of a folder of them.

An item goes by a token nobody else has; its title is the token and what was written last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.convergence.kinds import CALENDAR, Kind
from tests.convergence.store import Collection, Item, Operation, Refusal
from wbxml import Element, element
from wbxml.pages import AirSync

__all__ = ["Agenda", "ChangeItem", "DeleteItem", "ItemFolder", "MakeItem", "titled"]

_MARK = "+"


@dataclass(slots=True)
class ItemFolder(Collection):
    """The content of a folder of items."""

    kind: Kind = CALENDAR

    @property
    def filters(self) -> Sequence[int]:
        return self.kind.filters

    def apply(self, commands: Element) -> Iterator[str]:
        for command in commands:
            name = command.child_text(AirSync.ServerId) or ""
            data = command.find(AirSync.ApplicationData)
            title = "" if data is None else data.child_text(self.kind.title) or ""
            if command.tag is AirSync.Add and title:
                if name in self.items:
                    yield self.items[name].token
                self.items[name] = titled(title)
            elif command.tag is AirSync.Change and title:
                if name in self.items:
                    self.items[name] = titled(title)
            elif command.tag in (AirSync.Delete, AirSync.SoftDelete):
                self.items.pop(name, None)
            else:
                raise Refusal(f"a command {command!r}")


def titled(title: str) -> Item:
    """An item as a phone keeps it."""
    return Item(title.partition(_MARK)[0], (title,))


@dataclass(slots=True)
class Agenda:
    """What is to be true of one user's items in the end."""

    made: set[str] = field(default_factory=set)
    """Tokens whose Add was acknowledged."""
    begun: set[str] = field(default_factory=set)
    """Tokens that some Add names."""
    doomed: set[str] = field(default_factory=set)
    """Tokens somebody wanted to be deleted."""
    gone: set[str] = field(default_factory=set)
    """Tokens whose deletion was acknowledged."""
    moved: set[str] = field(default_factory=set)
    """Tokens somebody moved: whoever deletes such an item where it was deletes nothing."""
    written: dict[str, set[str]] = field(default_factory=dict)
    """Every title that somebody gave an item."""


class _OfItem(Operation):
    def __init__(self, item: str, title: str, agenda: Agenda, kind: Kind = CALENDAR) -> None:
        self.item = item
        self.title = title
        self.token = title.partition(_MARK)[0]
        self.kind = kind
        self._agenda = agenda

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.title} ({self.item}) of {self.kind.name}"

    def _written(self) -> None:
        self._agenda.written.setdefault(self.token, set()).add(self.title)

    def _data(self, *more: Element) -> Element:
        data = self.kind.more(self.token)
        return element(AirSync.ApplicationData, *data, element(self.kind.title, self.title), *more)


class MakeItem(_OfItem):
    """A user makes an item. To an event phones up to 14.1 give a UID.

    Until that is answered he may write on: the phone repeats it under the same ClientId, as it is by now.
    """

    def __init__(self, title: str, agenda: Agenda, version: str, kind: Kind = CALENDAR) -> None:
        super().__init__(f"client-{title.partition(_MARK)[0]}", title, agenda, kind)
        self._version = version

    def do(self, held: Collection) -> None:
        self._agenda.begun.add(self.token)
        self._written()

    def written_on(self, title: str) -> MakeItem:
        """The same item with another title."""
        return MakeItem(title, self._agenda, self._version, self.kind)

    def taken_back(self) -> None:
        """The user deletes what has no name yet: the phone says nothing of it any more."""
        self._agenda.doomed.add(self.token)

    def element(self) -> Element:
        new = self.kind.new(self.token) if self._version < "16" else []
        return element(AirSync.Add, element(AirSync.ClientId, self.item), self._data(*new))

    def answered(self, held: Collection, response: Element | None) -> bool:
        name = response.child_text(AirSync.ServerId) if response else None
        if not name or not super().answered(held, response):
            raise Refusal(f"{self} was refused")
        held.items.setdefault(name, titled(self.title))
        self._agenda.made.add(self.token)
        return True


class ChangeItem(_OfItem):
    """A user writes something else."""

    def do(self, held: Collection) -> None:
        held.items[self.item] = titled(self.title)
        self._written()

    def element(self) -> Element:
        return element(AirSync.Change, element(AirSync.ServerId, self.item), self._data())


class DeleteItem(_OfItem):
    """A user deletes an item."""

    def do(self, held: Collection) -> None:
        del held.items[self.item]
        self._agenda.doomed.add(self.token)

    def element(self) -> Element:
        return element(AirSync.Delete, element(AirSync.ServerId, self.item))

    def answered(self, held: Collection, response: Element | None) -> bool:
        self._agenda.gone.add(self.token)  # by this, or by somebody who was faster
        return super().answered(held, response)
