"""Properties of which a vCard has any number and a phone so many: numbers, mail addresses, postal addresses.

Each line goes to the first free slot of those its kind may have (`allotting.py`). What a phone says must be
read the same way once it is written, or the phone would take away with its next change what it was not told.
So where a line would go to another slot, or one that no phone saw would go to any, a parameter says where it
belongs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.pim.contacts.allotting import HIDDEN, MARK, Candidates, Entry, Slot, allotted
from gateway.pim.contacts.card import Card, preference
from gateway.pim.contacts.model import Contact, Field, Value, text
from gateway.pim.lines import Property
from gateway.pim.tree import Line

__all__ = ["Form", "Slot", "Slots"]

_NUMBERS = ("", "the first", "the second", "the third")


class Form(Protocol):
    """How the values of a slot stand in a line; `parts` are the words for each of several."""

    @property
    def parts(self) -> Sequence[str]: ...

    def read(self, found: Property) -> tuple[str, ...]:
        """The values, one for each field of a slot; all empty where there is nothing to be shown."""
        ...

    def made(self, slot: Slot, values: tuple[str, ...], /) -> Line:
        """A new line."""
        ...

    def changed(self, line: Line, values: tuple[str, ...]) -> Line:
        """A line with other values; what it holds beside them stays."""
        ...

    def key(self, found: Property, /) -> str:
        """What lines of different names have in common that say the same; "" when there are none such."""
        ...


@dataclass(frozen=True, slots=True)
class Slots:
    """Properties of one sort: `candidates` tells where a line may go, the best first."""

    names: Sequence[str]
    slots: Sequence[Slot]
    form: Form
    candidates: Candidates

    @property
    def fields(self) -> Mapping[Field, str]:
        told: dict[Field, str] = {}
        seen: Counter[tuple[str, ...]] = Counter()
        for slot in self.slots:
            seen[slot.types] += 1
            number = [_NUMBERS[seen[slot.types]]] if not slot.types or seen[slot.types] > 1 else []
            kind = [*(f"TYPE={one}" for one in slot.types), *number]
            for field, part in zip(slot.fields, self.form.parts, strict=True):
                words = ", ".join([*kind, *([part] if part else [])])
                told[field] = f"{'/'.join(self.names)} ({words})"
        return told

    def read(self, card: Card) -> Iterator[tuple[Field, Value]]:
        for slot, entry in allotted(self._entries(card)).items():
            yield from ((one, value) for one, value in zip(slot.fields, entry.values, strict=True) if value)

    def write(self, card: Card, contact: Contact) -> None:
        entries = self._entries(card)
        before = allotted(entries)
        shown = set(before.values())
        places: list[tuple[Line, Slot | None]] = [(one.line, None) for one in entries if one not in shown]
        for slot in self.slots:
            wanted = tuple(text(contact, one) for one in slot.fields)
            line = self._written(card, before.get(slot), slot, wanted)
            if line is not None:
                places.append((line, slot))
        self._mark(card, places)

    def _written(self, card: Card, entry: Entry | None, slot: Slot, wanted: tuple[str, ...]) -> Line | None:
        """The line of a slot after it was given these values."""
        if entry is None:
            if not any(wanted):
                return None
            line = self.form.made(slot, wanted)
            card.add([line])
            return line
        if wanted == entry.values:
            return entry.line
        changed = self.form.changed(entry.line, wanted) if any(wanted) else None
        card.exchange(entry.line, changed)
        card.remove(entry.twins)
        return changed

    def _mark(self, card: Card, places: Sequence[tuple[Line, Slot | None]]) -> None:
        """Have lines say where they belong, unless all would go there anyway."""
        homes = {id(line): slot for line, slot in places}
        entries = self._entries(card, homes)
        found = {id(entry.line): slot for slot, entry in allotted(self._entries(card)).items()}
        if all(found.get(id(entry.line)) == homes.get(id(entry.line)) for entry in entries):
            return
        for entry in entries:
            home = homes.get(id(entry.line))
            name = home.name if home else HIDDEN
            if entry.mark != name:
                card.exchange(entry.line, entry.line.with_params(None, **{MARK: name}))

    def _entries(self, card: Card, apart: Container[int] = ()) -> list[Entry]:
        """The lines that can be shown, the preferred ones first; those whose ids are `apart` are no twins."""
        labels = card.labels()
        entries: list[Entry] = []
        keys: dict[str, Entry] = {}
        for line in card.lines(*self.names):
            if line.read is None or not any(values := self.form.read(line.read)):
                continue
            key, mark = self.form.key(line.read), line.read.params.get(MARK, "")
            if key in keys and keys[key].line.name != line.name and not mark and id(line) not in apart:
                keys[key].twins.append(line)
                continue
            candidates = self.candidates(line.read, labels)
            entry = Entry(line, values, candidates, mark, preference(line.read))
            entries += [entry] if candidates else []
            if key:
                keys[key] = entry
        return sorted(entries, key=lambda entry: entry.preference)
