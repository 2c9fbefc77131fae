"""People around a contact, and its anniversary: properties that Apple's programs tell apart by a label."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.pim.contacts.card import Card, types_of
from gateway.pim.contacts.dates import date_line, read_date
from gateway.pim.contacts.model import LISTS, Contact, Field, Value, listed, text
from gateway.pim.lines import Property
from gateway.pim.tree import Line, escaped

__all__ = ["Birthday", "LabelledDay", "Relation"]

_RELATED, _APPLE_RELATED, _APPLE_DAY = "RELATED", "X-ABRELATEDNAMES", "X-ABDATE"


@dataclass(frozen=True, slots=True)
class Relation:
    """A person, or several (a field that is a list), named with a label; `also` as in `Text`.

    `words` are those of a label or of TYPE (RFC 6350 6.6.6) that mean this kind of person.
    """

    field: Field
    label: str
    words: frozenset[str]
    also: Sequence[str] = ()

    @property
    def fields(self) -> Mapping[Field, str]:
        others = "".join(f", {name}" for name in self.also)
        types = "/".join(word.lower() for word in sorted(self.words))
        return {self.field: f"X-ABRELATEDNAMES with label {self.label}, RELATED;TYPE={types}{others}"}

    def read(self, card: Card) -> Iterator[tuple[Field, Value]]:
        names = tuple(dict.fromkeys(name for _, name in self._lines(card)))
        if names:
            yield self.field, names if self.field in LISTS else names[0]

    def write(self, card: Card, contact: Contact) -> None:
        wanted = listed(contact, self.field) if self.field in LISTS else (text(contact, self.field),)
        wanted = tuple(name for name in wanted if name)
        lines = list(self._lines(card))
        known = dict.fromkeys(name for _, name in lines)
        if tuple(known if self.field in LISTS else list(known)[:1]) == wanted:
            return
        if len(wanted) == 1 and lines and self.field not in LISTS:
            line, before = lines[0]
            card.exchange(line, line.with_params(escaped(wanted[0]), VALUE=_value_type(line)))
            card.remove(other for other, name in lines[1:] if name == before)
            return
        for line, _ in lines:  # in the order that is wanted, which lines may not have
            card.remove([line])
        for name in wanted:
            card.add_labelled("X-ABRELATEDNAMES", escaped(name), self.label)

    def _lines(self, card: Card) -> Iterator[tuple[Line, str]]:
        labels = card.labels()
        for line in card.lines(_RELATED, _APPLE_RELATED, *self.also):
            found = line.read
            if found is None or not (name := found.text.strip()) or _is_reference(found):
                continue
            if found.name in self.also or types_of(found, labels) & self.words:
                yield line, name


@dataclass(frozen=True, slots=True)
class Birthday:
    """BDAY."""

    field: Field

    @property
    def fields(self) -> Mapping[Field, str]:
        return {self.field: "BDAY"}

    def read(self, card: Card) -> Iterator[tuple[Field, Value]]:
        yield from _days(self.field, card.properties("BDAY"))

    def write(self, card: Card, contact: Contact) -> None:
        _write_day(card, text(contact, self.field), card.lines("BDAY"), "BDAY")


@dataclass(frozen=True, slots=True)
class LabelledDay:
    """A day in a property of its own since 4.0, before that in one with a label."""

    field: Field
    name: str
    label: str
    also: Sequence[str] = ()

    @property
    def fields(self) -> Mapping[Field, str]:
        others = "".join(f", {name}" for name in self.also)
        return {self.field: f"{self.name}, X-ABDATE with label {self.label}{others}"}

    def read(self, card: Card) -> Iterator[tuple[Field, Value]]:
        yield from _days(self.field, (line.read for line in self._lines(card) if line.read))

    def write(self, card: Card, contact: Contact) -> None:
        name = self.name if card.is_new else _APPLE_DAY
        _write_day(card, text(contact, self.field), list(self._lines(card)), name, self.label)

    def _lines(self, card: Card) -> Iterator[Line]:
        labels = card.labels()
        for line in card.lines(self.name, _APPLE_DAY, *self.also):
            if line.read and (line.name != _APPLE_DAY or self.label.upper() in types_of(line.read, labels)):
                yield line


def _days(field: Field, found: Iterator[Property]) -> Iterator[tuple[Field, Value]]:
    day = next((day for one in found if (day := read_date(one))), "")
    if day:
        yield field, day


def _write_day(card: Card, wanted: str, lines: Sequence[Line], name: str, label: str = "") -> None:
    """What is no day stays until there is one: it says something that no phone can show."""
    days = [line for line in lines if line.read and read_date(line.read)]
    if days and days[0].read and read_date(days[0].read) == wanted:
        return
    if not wanted:
        card.remove(days)
        return
    known = next(iter(days or lines), None)
    if known is None and label and not card.is_new:
        known = card.add_labelled(name, wanted, label)
    line = date_line(name, wanted, known, is_new=card.is_new)
    if known is None:
        card.add([line])
    else:
        card.exchange(known, line)
        card.remove(other for other in lines if other is not known)


def _is_reference(found: Property) -> bool:
    """Whether it names another vCard and no person: RELATED is a URI unless it says otherwise."""
    value = found.value.strip().lower()
    return found.name == _RELATED and value.startswith(("urn:", "http:", "https:", "mailto:", "data:"))


def _value_type(line: Line) -> str | None:
    return "text" if line.name == _RELATED else None
