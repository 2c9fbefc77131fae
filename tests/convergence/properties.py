"""What a message has besides its place and its text: one class for each, and the table of them.

A value is a string, "" where the message has nothing of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import ClassVar

from wbxml import Element, element
from wbxml.pages import Email


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

    def kept(self, flags: Collection[str]) -> str:
        """The value of a message with these IMAP flags."""
        ours = frozenset().union(*map(self.flags, self.values)) & frozenset(flags)
        return next(value for value in self.values if self.flags(value) == ours)

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
    """Whether it is flagged."""

    name = "flag"
    values = ("", "2")

    def element(self, value: str) -> Element:
        if not value:
            return element(Email.Flag)
        return element(Email.Flag, element(Email.Status, value), element(Email.FlagType, "Flag"))

    def told(self, data: Element) -> str | None:
        flag = data.find(Email.Flag)
        return None if flag is None else (flag.child_text(Email.Status) or "").removeprefix("0")

    def flags(self, value: str) -> frozenset[str]:
        return frozenset({"\\Flagged"} if value else ())


class Categories(Property):
    """Which categories it is in; a value names them with commas between."""

    name = "categories"
    values = ("", "blue", "blue,red")
    since = "14.0"

    def element(self, value: str) -> Element:
        return element(Email.Categories, *(element(Email.Category, one) for one in value.split(",") if one))

    def told(self, data: Element) -> str | None:
        found = data.find(Email.Categories)
        return None if found is None else ",".join(sorted(one.text() for one in found))

    def flags(self, value: str) -> frozenset[str]:
        return frozenset(one for one in value.split(",") if one)


READ, FLAG, CATEGORIES = Read(), Flag(), Categories()
PROPERTIES: Sequence[Property] = (READ, FLAG, CATEGORIES)

Values = tuple[str, ...]
"""The values of a message, in the order of `PROPERTIES`."""
EMPTY: Values = tuple(kind.values[0] for kind in PROPERTIES)


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
