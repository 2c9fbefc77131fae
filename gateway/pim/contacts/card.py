"""A vCard taken apart (RFC 2426, RFC 6350): its lines, their kinds and their labels."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter

from gateway.pim.contacts.model import BadContact
from gateway.pim.lines import Property
from gateway.pim.tree import BadText, Line, Node, escaped, make_line, parse_component

__all__ = ["Card", "components", "joined", "preference", "types_of"]

_SEPARATOR = re.compile(r"\\.|;", re.DOTALL)
_LABEL = "X-ABLABEL"
_APPLE = re.compile(r"_\$!<(.*)>!\$_")
_WORD = re.compile(r"[A-Z0-9-]+")
_MADE_UP = ("X-EVOLUTION-", "X-")
_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "MOBILE": ("CELL",),
    "IPHONE": ("CELL",),
    "HOMEFAX": ("HOME", "FAX"),
    "WORKFAX": ("WORK", "FAX"),
    "OTHERFAX": ("FAX",),
    "BUSINESS": ("WORK",),
    "SCHOOL": (),
}
_LEAST_PREFERRED = 101


class Card:
    """A vCard that can be changed, of version 3.0 or 4.0."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._index: dict[str, list[tuple[int, Line]]] | None = None
        """The lines by name, each with its place."""
        self._labels: Mapping[str, str] | None = None

    @classmethod
    def parse(cls, text: str) -> Card:
        """Take the first vCard of a text apart. Raises `BadContact`."""
        try:
            return cls(parse_component(text, "VCARD"))
        except BadText as error:
            raise BadContact(error.detail) from None

    @property
    def is_new(self) -> bool:
        """Whether it is of version 4.0, which says some things differently."""
        version = next(self.properties("VERSION"), None)
        return version is not None and version.value.strip().startswith("4")

    def lines(self, *names: str) -> Sequence[Line]:
        """The lines with properties of these names, in order."""
        if self._index is None:
            self._index = {}
            for at, line in enumerate(self.all_lines()):
                self._index.setdefault(line.name, []).append((at, line))
        found = [one for name in names for one in self._index.get(name, ())]
        return [line for _, line in (sorted(found, key=itemgetter(0)) if len(names) > 1 else found)]

    def properties(self, *names: str) -> Iterator[Property]:
        """The properties of these names, in order."""
        return (line.read for line in self.lines(*names) if line.read)

    def text(self, *names: str) -> str:
        """The first text of a property with one of these names that is not empty; "" when there is none."""
        return next((found for one in self.properties(*names) if (found := one.text.strip())), "")

    # --- labels ------------------------------------------------------------------------------------------

    def labels(self) -> Mapping[str, str]:
        """What Apple's programs call the lines of a group, by the group."""
        if self._labels is None:
            self._labels = {one.group: _plain(one.text) for one in self.properties(_LABEL) if one.group}
        return self._labels

    def add_labelled(self, name: str, value: str, label: str) -> Line:
        """Add a line of a new group with a label, and return it; `value` is as it is to be written."""
        taken = {line.read.group for line in self.all_lines() if line.read}
        group = next(f"item{at}" for at in range(1, len(taken) + 2) if f"ITEM{at}" not in taken)
        apple = f"_$!<{label}>!$_"
        line = make_line(f"{group}.{name}", value)
        self.add([line, make_line(f"{group}.X-ABLabel", escaped(apple))])
        return line

    # --- lines -------------------------------------------------------------------------------------------

    def all_lines(self) -> Iterator[Line]:
        """All lines, in order."""
        return (one for one in self.node.parts if isinstance(one, Line))

    def add(self, lines: Sequence[Line]) -> None:
        """Put lines behind the last one of the same name, else at the end."""
        self._forget()
        parts = self.node.parts
        same = [at for at, one in enumerate(parts) if isinstance(one, Line) and one.name == lines[0].name]
        at = same[-1] + 1 if same else len(parts)
        while at < len(parts) and isinstance(label := parts[at], Line) and label.name == _LABEL:
            at += 1
        parts[at:at] = lines

    def exchange(self, old: Line, new: Line | None) -> None:
        """Put a line in place of one, or nothing; a label that nothing is called by any more goes with it."""
        self._forget()
        at = next(at for at, one in enumerate(self.node.parts) if one is old)
        self.node.parts[at : at + 1] = [] if new is None else [new]
        if new is None and old.read and old.read.group:
            self._unlabel(old.read.group)

    def remove(self, lines: Iterable[Line]) -> None:
        """Remove lines, each as `exchange`."""
        for line in list(lines):
            self.exchange(line, None)

    def put(self, name: str, value: str, also: Sequence[str] = ()) -> None:
        """Give a property a value as it is to be written, in the line that has it by now; "" for none."""
        known = [line for line in self.lines(name, *also) if line.read and line.read.value.strip()]
        if not value:
            self.remove(self.lines(name, *also))
        elif known:
            self.exchange(known[0], known[0].with_params(value))
        else:
            self.remove(self.lines(name))
            self.add([make_line(name, value)])

    def change(self, change: Callable[[Node], None]) -> None:
        """Have lines changed by something that knows no cards."""
        self._forget()
        change(self.node)

    def _forget(self) -> None:
        self._index = self._labels = None

    def _unlabel(self, group: str) -> None:
        left = [line for line in self.all_lines() if line.read and line.read.group == group]
        if all(line.name == _LABEL for line in left):
            self.node.parts = [one for one in self.node.parts if one not in left]


def types_of(found: Property, labels: Mapping[str, str]) -> frozenset[str]:
    """What kind a number or address is of: the words of TYPE and of its label, in upper case."""
    words = _WORD.findall(found.params.get("TYPE", "").upper())
    if found.group in labels:
        words += _WORD.findall(labels[found.group].upper())
    return frozenset(word for one in words for word in _usual(one))


def preference(found: Property) -> int:
    """How much a number or address is preferred: the lowest most (RFC 6350 5.3)."""
    told = found.params.get("PREF", "").strip()
    if told.isascii() and told.isdigit() and len(told) < 4:
        return int(told)
    return 1 if "PREF" in _WORD.findall(found.params.get("TYPE", "").upper()) else _LEAST_PREFERRED


def components(value: str) -> list[str]:
    """The parts between semicolons of a value (RFC 6350 6.2.2), each as it is written."""
    found: list[str] = []
    start = 0
    for match in _SEPARATOR.finditer(value):
        if match[0] == ";":
            found.append(value[start : match.start()])
            start = match.end()
    return [*found, value[start:]]


def joined(parts: Sequence[str]) -> str:
    """The value with these parts, each as it is to be written."""
    return ";".join(parts)


def _usual(word: str) -> tuple[str, ...]:
    for prefix in _MADE_UP:
        word = word.removeprefix(prefix)
    return _SYNONYMS.get(word, (word,))


def _plain(label: str) -> str:
    match = _APPLE.fullmatch(label.strip())
    return match[1] if match else label.strip()
