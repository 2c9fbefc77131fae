"""What a message has besides its place and its text: one class for each, and the table of them.

A value is a string, "" where the message has nothing of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import ClassVar

from wbxml import Element, element
from wbxml.pages import Email, Tasks


class Property(ABC):
    """How a property is told to and by a phone, and which IMAP flags it is."""

    name: ClassVar[str]
    values: ClassVar[Sequence[str]]
    """What a user may make of it; the first is that of a message that was never touched."""
    since: ClassVar[str] = "12.0"
    """The first protocol version that has it."""

    @abstractmethod
    def element(self, value: str) -> Element:
        """As a child of ApplicationData in a Change of the phone."""

    @abstractmethod
    def told(self, data: Element) -> str | None:
        """What an ApplicationData of the gateway says of it; None: nothing."""

    @abstractmethod
    def flags(self, value: str) -> frozenset[str]:
        """The IMAP flags of a value."""

    def upstream(self, value: str) -> str:
        """The value as far as IMAP knows it."""
        return value

    def kept(self, flags: Collection[str]) -> str:
        """The value of a message with these IMAP flags, as far as they tell."""
        ours = frozenset().union(*map(self.flags, self.values)) & frozenset(flags)
        return self.upstream(next(value for value in self.values if self.flags(value) == ours))

    def __repr__(self) -> str:
        return self.name


class Read(Property):
    """Whether somebody has read it."""

    name = "read"
    values = ("", "1")

    def element(self, value: str) -> Element:
        return element(Email.Read, value or "0")

    def told(self, data: Element) -> str | None:
        text = data.child_text(Email.Read)
        return None if text is None else text.removeprefix("0")

    def flags(self, value: str) -> frozenset[str]:
        return frozenset({"\\Seen"} if value else ())


class Flag(Property):
    """Whether it is flagged (2) or done (1), and of what it reminds, which IMAP has no place for."""

    name = "flag"
    values = ("", "2", "2:today", "2:later", "1:today")

    def element(self, value: str) -> Element:
        status, _, subject = value.partition(":")
        if not status:
            return element(Email.Flag)
        flag = element(Email.Flag, element(Email.Status, status), element(Email.FlagType, "Flag"))
        if subject:
            flag.append(element(Tasks.Subject, subject))
        if status == "1":
            flag.append(element(Email.CompleteTime, _NOON))
            flag.append(element(Tasks.DateCompleted, _NOON))
        return flag

    def told(self, data: Element) -> str | None:
        flag = data.find(Email.Flag)
        if flag is None:
            return None
        status, subject = flag.child_text(Email.Status) or "", flag.child_text(Tasks.Subject)
        # One that was given none has the subject of its message.
        given = {value.partition(":")[2] for value in self.values} - {""}
        return f"{status}:{subject}" if subject in given else status

    def flags(self, value: str) -> frozenset[str]:
        return frozenset({"\\Flagged"} if value.startswith("2") else ())

    def upstream(self, value: str) -> str:
        return "2" if value.startswith("2") else ""


class Categories(Property):
    """Which categories it is in; a value names them with commas between."""

    name = "categories"
    values = ("", "blue", "Büro", "Büro,blue")
    since = "14.0"

    def element(self, value: str) -> Element:
        return element(Email.Categories, *(element(Email.Category, one) for one in value.split(",") if one))

    def told(self, data: Element) -> str | None:
        found = data.find(Email.Categories)
        return None if found is None else ",".join(sorted(one.text() for one in found))

    def flags(self, value: str) -> frozenset[str]:
        return frozenset(_KEYWORDS[one] for one in value.split(",") if one)


_NOON = "2026-03-04T12:00:00.000Z"
_KEYWORDS = {"blue": "blue", "Büro": "cat-^bro-1ra"}
"""The keyword that stands for each category: some names are none as they are."""
READ, FLAG, CATEGORIES = Read(), Flag(), Categories()
PROPERTIES: Sequence[Property] = (READ, FLAG, CATEGORIES)

Values = tuple[str, ...]
"""The values of a message, in the order of `PROPERTIES`."""
EMPTY: Values = tuple(kind.values[0] for kind in PROPERTIES)


def upstream(values: Values) -> Values:
    """The values as far as IMAP knows them."""
    return tuple(kind.upstream(value) for kind, value in zip(PROPERTIES, values, strict=True))


def value_of(values: Values, kind: Property) -> str:
    """One of the values."""
    return values[PROPERTIES.index(kind)]


def visible(values: Values, version: str) -> Values:
    """The values as far as a protocol version has them."""
    pairs = zip(PROPERTIES, values, strict=True)
    return tuple(value if version >= kind.since else kind.values[0] for kind, value in pairs)


def changed(values: Values, kind: Property, value: str) -> Values:
    """The values with one of them changed."""
    return tuple(value if one is kind else old for one, old in zip(PROPERTIES, values, strict=True))


def updated(values: Values, data: Element) -> Values:
    """The values after an ApplicationData of the gateway."""
    for kind in PROPERTIES:
        told = kind.told(data)
        if told is not None:
            values = changed(values, kind, told)
    return values
