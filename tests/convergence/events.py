"""What users do with events: make, change and delete them, and what a phone keeps of a calendar.

An event goes by a token nobody else has; its subject is the token and what was written last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from tests.convergence.store import Collection, Item, Operation, Refusal
from wbxml import Element, element
from wbxml.pages import AirSync
from wbxml.pages import Calendar as Page

__all__ = ["Agenda", "Calendar", "ChangeEvent", "DeleteEvent", "MakeEvent"]

_MARK = "+"


class Calendar(Collection):
    """A calendar's content."""

    filters: ClassVar[Sequence[int]] = (0, 4, 6)

    def apply(self, commands: Element) -> Iterator[str]:
        for command in commands:
            name = command.child_text(AirSync.ServerId) or ""
            data = command.find(AirSync.ApplicationData)
            if command.tag is AirSync.Add and data is not None:
                if name in self.items:
                    yield self.items[name].token
                self.items[name] = event(data.child_text(Page.Subject) or "")
            elif command.tag is AirSync.Change and data is not None:
                if name in self.items:
                    self.items[name] = event(data.child_text(Page.Subject) or "")
            elif command.tag in (AirSync.Delete, AirSync.SoftDelete):
                self.items.pop(name, None)
            else:
                raise Refusal(f"a command {command!r}")


def event(subject: str) -> Item:
    """An event as a phone keeps it."""
    return Item(subject.partition(_MARK)[0], (subject,))


@dataclass(slots=True)
class Agenda:
    """What is to be true of one user's events in the end."""

    made: set[str] = field(default_factory=set)
    """Tokens whose Add was acknowledged."""
    begun: set[str] = field(default_factory=set)
    """Tokens that some Add names."""
    doomed: set[str] = field(default_factory=set)
    """Tokens somebody wanted to be deleted."""
    gone: set[str] = field(default_factory=set)
    """Tokens whose deletion was acknowledged."""
    moved: set[str] = field(default_factory=set)
    """Tokens somebody moved: whoever deletes such an event where it was deletes nothing."""
    written: dict[str, set[str]] = field(default_factory=dict)
    """Every subject that somebody gave an event."""


class _OfEvent(Operation):
    def __init__(self, item: str, subject: str, agenda: Agenda) -> None:
        self.item = item
        self.subject = subject
        self.token = subject.partition(_MARK)[0]
        self._agenda = agenda

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.subject} ({self.item})"

    def _data(self) -> list[Element]:
        return [
            element(Page.StartTime, "20300101T100000Z"),
            element(Page.EndTime, "20300101T110000Z"),
            element(Page.Subject, self.subject),
        ]


class MakeEvent(_OfEvent):
    """A user makes an event. Phones up to 14.1 give it a UID."""

    def __init__(self, subject: str, agenda: Agenda, version: str) -> None:
        super().__init__(f"client-{subject}", subject, agenda)
        self._with_uid = version < "16"

    def do(self, held: Collection) -> None:
        self._agenda.begun.add(self.token)
        self._agenda.written.setdefault(self.token, set()).add(self.subject)

    def element(self) -> Element:
        uid = [element(Page.UID, f"uid-{self.token}")] if self._with_uid else []
        data = element(AirSync.ApplicationData, *self._data(), *uid)
        return element(AirSync.Add, element(AirSync.ClientId, self.item), data)

    def answered(self, held: Collection, response: Element | None) -> bool:
        name = response.child_text(AirSync.ServerId) if response else None
        if not name or not super().answered(held, response):
            raise Refusal(f"{self} was refused")
        held.items.setdefault(name, event(self.subject))
        self._agenda.made.add(self.token)
        return True


class ChangeEvent(_OfEvent):
    """A user writes something else."""

    def do(self, held: Collection) -> None:
        held.items[self.item] = event(self.subject)
        self._agenda.written.setdefault(self.token, set()).add(self.subject)

    def element(self) -> Element:
        data = element(AirSync.ApplicationData, *self._data())
        return element(AirSync.Change, element(AirSync.ServerId, self.item), data)


class DeleteEvent(_OfEvent):
    """A user deletes an event."""

    def do(self, held: Collection) -> None:
        del held.items[self.item]
        self._agenda.doomed.add(self.token)

    def element(self) -> Element:
        return element(AirSync.Delete, element(AirSync.ServerId, self.item))

    def answered(self, held: Collection, response: Element | None) -> bool:
        self._agenda.gone.add(self.token)  # by this, or by somebody who was faster
        return super().answered(held, response)
