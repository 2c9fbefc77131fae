"""Which line of a vCard is in which slot of a phone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from gateway.pim.contacts.card import types_of
from gateway.pim.contacts.model import Field
from gateway.pim.lines import Property
from gateway.pim.names import OWN
from gateway.pim.tree import Line

__all__ = ["HIDDEN", "MARK", "Candidates", "Entry", "Slot", "allotted", "by_type", "in_order"]

MARK = f"{OWN}FIELD"
"""The parameter that names the first field of the slot a line is in,"""
HIDDEN = "none"
"""or says that it is in none."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Fields that are one line; `types` are those of a new one."""

    fields: tuple[Field, ...]
    types: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.fields[0].value


Candidates: TypeAlias = Callable[[Property, Mapping[str, str]], Sequence[Slot]]
"""The slots a property may be in, the best first; beside it are the labels of all groups."""


@dataclass(slots=True, eq=False)
class Entry:
    """A line that may be in a slot; `twins` are others that say the same."""

    line: Line
    values: tuple[str, ...]
    candidates: Sequence[Slot]
    mark: str
    preference: int
    twins: list[Line] = field(default_factory=list)


def allotted(entries: Sequence[Entry]) -> Mapping[Slot, Entry]:
    """Which of these is where: what a line says of itself first, then the best slot of each, then others.

    A line that says it is where its kind does not belong was changed by somebody since: that does not count.
    """
    taken: dict[Slot, Entry] = {}
    waiting: list[Entry] = []
    for entry in entries:
        named = next((slot for slot in entry.candidates if slot.name == entry.mark), None)
        if named is not None and named not in taken:
            taken[named] = entry
        elif entry.mark != HIDDEN:
            waiting.append(entry)
    for rank in range(max((len(entry.candidates) for entry in waiting), default=0)):
        left: list[Entry] = []
        for entry in waiting:
            slot = entry.candidates[rank] if rank < len(entry.candidates) else None
            if slot is not None and slot not in taken:
                taken[slot] = entry
            else:
                left.append(entry)
        waiting = left
    return taken


def in_order(slots: Sequence[Slot], but: frozenset[str] = frozenset()) -> Candidates:
    """Any slot, the first that is free; none for properties of certain types."""

    def candidates(found: Property, labels: Mapping[str, str]) -> Sequence[Slot]:
        return () if but and types_of(found, labels) & but else slots

    return candidates


def by_type(rules: Sequence[tuple[frozenset[str], Sequence[Slot]]]) -> Candidates:
    """The slots of the first rule whose types a property has all."""

    def candidates(found: Property, labels: Mapping[str, str]) -> Sequence[Slot]:
        types = types_of(found, labels)
        return next((slots for needed, slots in rules if needed <= types), ())

    return candidates
