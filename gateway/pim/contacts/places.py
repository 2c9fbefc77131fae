"""Where a field of a contact is in a vCard, if it is a property or a part of one."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.pim.contacts.card import Card, components, joined
from gateway.pim.contacts.model import Contact, Field, Value, listed, text
from gateway.pim.contacts.picture import photo_line, photo_of
from gateway.pim.lines import Component, Property
from gateway.pim.properties import read_categories, write_categories
from gateway.pim.tree import escaped

__all__ = ["Categories", "Notes", "Part", "Parts", "Photo", "Place", "Text"]

_ESCAPE = re.compile(r"\\.|,", re.DOTALL)


class Place(Protocol):
    """Fields that are read and written together."""

    @property
    def fields(self) -> Mapping[Field, str]:
        """The fields, and in words where each is."""
        ...

    def read(self, card: Card) -> Iterator[tuple[Field, Value]]:
        """The values there are of them, none of them empty."""
        ...

    def write(self, card: Card, contact: Contact) -> None:
        """Make the vCard say what the contact does; what it says already stays as it is written."""
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """A property with one text. `also` are names under which other programs have it."""

    field: Field
    name: str
    also: Sequence[str] = ()

    @property
    def fields(self) -> Mapping[Field, str]:
        return {self.field: self.name + "".join(f", {name}" for name in self.also)}

    def read(self, card: Card) -> Iterator[tuple[Field, Value]]:
        if found := card.text(self.name, *self.also):
            yield self.field, found

    def write(self, card: Card, contact: Contact) -> None:
        value = text(contact, self.field)
        if value != card.text(self.name, *self.also):
            card.put(self.name, escaped(value), self.also)


@dataclass(frozen=True, slots=True)
class Part:
    """A field that is a component of a structured property, counted from 0."""

    field: Field
    index: int
    words: str


@dataclass(frozen=True, slots=True)
class Parts:
    """A property of components (RFC 6350 6.2.2, 6.6.4), of which several are fields."""

    name: str
    parts: Sequence[Part]

    @property
    def fields(self) -> Mapping[Field, str]:
        return {part.field: f"{self.name} ({part.words})" for part in self.parts}

    def read(self, card: Card) -> Iterator[tuple[Field, Value]]:
        written = self._components(card)
        for part in self.parts:
            if part.index < len(written) and (found := _plain(written[part.index])):
                yield part.field, found

    def write(self, card: Card, contact: Contact) -> None:
        written = self._components(card)
        written += [""] * (max(part.index for part in self.parts) + 1 - len(written))
        for part in self.parts:
            value = text(contact, part.field)
            if value != _plain(written[part.index]):
                written[part.index] = escaped(value)
        card.put(self.name, joined(written) if any(written) or self.name == "N" else "")

    def _components(self, card: Card) -> list[str]:
        found = next((one for one in card.properties(self.name) if one.value.strip()), None)
        return components(found.value) if found else []


@dataclass(frozen=True, slots=True)
class Notes:
    """NOTE, of which a vCard may have several: one text for the phone."""

    field: Field

    @property
    def fields(self) -> Mapping[Field, str]:
        return {self.field: "NOTE"}

    def read(self, card: Card) -> Iterator[tuple[Field, Value]]:
        if found := self._whole(card):
            yield self.field, found

    def write(self, card: Card, contact: Contact) -> None:
        value = text(contact, self.field)
        if value == self._whole(card):
            return
        card.remove(card.lines("NOTE")[1:])
        card.put("NOTE", escaped(value))

    @staticmethod
    def _whole(card: Card) -> str:
        return "\n\n".join(one.text for one in card.properties("NOTE") if one.text.strip())


@dataclass(frozen=True, slots=True)
class Categories:
    """CATEGORIES."""

    field: Field

    @property
    def fields(self) -> Mapping[Field, str]:
        return {self.field: "CATEGORIES"}

    def read(self, card: Card) -> Iterator[tuple[Field, Value]]:
        if found := self._all(card):
            yield self.field, found

    def write(self, card: Card, contact: Contact) -> None:
        value = listed(contact, self.field)
        if value != self._all(card):
            card.change(lambda node: write_categories(node, value))

    @staticmethod
    def _all(card: Card) -> tuple[str, ...]:
        return tuple(read_categories(Component("VCARD", list(card.properties("CATEGORIES")))))


@dataclass(frozen=True, slots=True)
class Photo:
    """PHOTO, if it is in the vCard itself; one that is elsewhere stays until there is another."""

    field: Field

    @property
    def fields(self) -> Mapping[Field, str]:
        return {self.field: "PHOTO (in the vCard itself)"}

    def read(self, card: Card) -> Iterator[tuple[Field, Value]]:
        for found in card.properties("PHOTO"):
            if octets := photo_of(found):
                yield self.field, base64.b64encode(octets).decode()
                return

    def write(self, card: Card, contact: Contact) -> None:
        value = text(contact, self.field)
        if value == dict(self.read(card)).get(self.field, ""):
            return
        card.remove(card.lines("PHOTO"))
        if value:
            card.add([photo_line(base64.b64decode(value), is_new=card.is_new)])


def _plain(component: str) -> str:
    """A component as a text; a list in it, which commas make, as its words (RFC 6350 6.2.2)."""
    spaced = _ESCAPE.sub(lambda match: " " if match[0] == "," else match[0], component)
    return Property("", spaced).text.strip()
