"""How a contact is called (FN) and filed, and what names there are of one that has no N."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.pim.contacts.allotting import HIDDEN, MARK
from gateway.pim.contacts.card import Card, components
from gateway.pim.contacts.model import Contact, Field, Value, text
from gateway.pim.contacts.places import Parts
from gateway.pim.lines import Property
from gateway.pim.tree import Line, escaped, make_line

__all__ = ["FiledAs", "Names", "called", "is_filed", "name_again", "no_name"]

_FILED = "X-EVOLUTION-FILE-AS"
_OUTLOOK_FILED = "X-MS-FILE-AS"
_NAMELESS = "(no name)"
_OF_NAME = (Field.TITLE, Field.FIRST_NAME, Field.MIDDLE_NAME, Field.LAST_NAME, Field.SUFFIX)
_INSTEAD = (
    Field.FILE_AS,
    Field.NICK_NAME,
    Field.COMPANY_NAME,
    Field.EMAIL1,
    Field.MOBILE_PHONE,
    Field.HOME_PHONE,
    Field.BUSINESS_PHONE,
)


@dataclass(frozen=True, slots=True)
class Names(Parts):
    """N; of a contact that has FN alone, what phones ask for is taken from that, unless one took it away."""

    def read(self, card: Card) -> Iterator[tuple[Field, Value]]:
        found = dict(Parts.read(self, card)) or _guessed(card)
        yield from found.items()

    def write(self, card: Card, contact: Contact) -> None:
        if not any(card.properties("N")):
            card.add([make_line("N", ";;;;")])
        if guessed := {} if dict(Parts.read(self, card)) else _guessed(card):
            Parts.write(self, card, guessed)
        Parts.write(self, card, contact)
        if dict(Parts.read(self, card)):
            line = card.lines("N")[0]
            card.exchange(line, line.with_params(None, **{MARK: None}))


def no_name() -> list[Line]:
    """FN and N of a contact without a name."""
    return [make_line("FN", _NAMELESS), make_line("N", ";;;;", {MARK: HIDDEN})]


@dataclass(frozen=True, slots=True)
class FiledAs:
    """What a phone files the contact under: a property of Evolution's; without it FN."""

    field: Field

    @property
    def fields(self) -> Mapping[Field, str]:
        return {self.field: f"{_FILED}, FN"}

    def read(self, card: Card) -> Iterator[tuple[Field, Value]]:
        found = _filed(card)
        if found and found != _NAMELESS:
            yield self.field, found

    def write(self, card: Card, contact: Contact) -> None:
        value = text(contact, self.field)
        if value != _filed(card):
            card.put(_FILED, escaped("" if value == card.text("FN") else value), (_OUTLOOK_FILED,))


def called(contact: Contact) -> str:
    """How somebody is called: by the parts of the name, else by whatever there is; "" for nobody at all."""
    name = " ".join(found for one in _OF_NAME if (found := text(contact, one)))
    return name or next((found for one in _INSTEAD if (found := text(contact, one))), "")


def name_again(card: Card, before: Contact, after: Contact) -> None:
    """Give a contact another FN when its name changed, and any when it has none, as a vCard must have one."""
    named = card.text("FN")
    instead = {text(before, one) for one in _INSTEAD[1:] if before.get(one) != after.get(one)}
    renamed = any(before.get(one) != after.get(one) for one in _OF_NAME) or named in instead
    if renamed or named in {"", _NAMELESS}:
        card.put("FN", escaped(called(after) or _NAMELESS))
        FiledAs(Field.FILE_AS).write(card, after)
    if not any(after.get(one) for one in _OF_NAME) and _guessed(card):
        _without_name(card)


def is_filed(card: Card) -> bool:
    """Whether the contact is filed under something else than how it is called."""
    return bool(card.text(_FILED, _OUTLOOK_FILED))


def _without_name(card: Card) -> None:
    """Have N say that the contact has no name, whatever it is called."""
    known = next(iter(card.lines("N")), None)
    if known is None:
        card.add([make_line("N", ";;;;", {MARK: HIDDEN})])
    else:
        card.exchange(known, known.with_params(None, **{MARK: HIDDEN}))


def _guessed(card: Card) -> Mapping[Field, Value]:
    """The last word of FN is the family name, unless it is that of a company."""
    full = card.text("FN")
    kind = card.text("KIND", "X-ADDRESSBOOKSERVER-KIND").lower()
    cleared = any(one.params.get(MARK) == HIDDEN for one in card.properties("N"))
    if cleared or full in {"", _NAMELESS, _company(card)} or kind not in {"", "individual"}:
        return {}
    first, _, last = full.rpartition(" ")
    guessed = {Field.FIRST_NAME: first.strip(), Field.LAST_NAME: last}
    return {name: value for name, value in guessed.items() if value}


def _filed(card: Card) -> str:
    return card.text(_FILED, _OUTLOOK_FILED) or card.text("FN")


def _company(card: Card) -> str:
    found = next(card.properties("ORG"), None)
    return Property("", components(found.value)[0]).text.strip() if found else ""
