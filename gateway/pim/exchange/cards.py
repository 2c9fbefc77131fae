"""The contacts of a file of vCards (.vcf), one after the other, each as it is to be stored.

A file may hold any number of them, of any version and make: it is read once, and no more is kept of it than
one vCard. Of two with one UID the caller sees both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO

from gateway.errors import Kind, Refused
from gateway.items import FileNumber, StoredItem
from gateway.pim.contacts.intake import take_in
from gateway.pim.contacts.model import BadContact
from gateway.pim.exchange.filelines import FileLine, file_lines
from gateway.pim.exchange.scan import Problem
from gateway.pim.lines import parse_property
from gateway.pim.tree import parse_component
from gateway.pim.values import moment_of

__all__ = ["CardEntry", "card_entries", "card_version", "count_cards"]

_LARGEST = 16 << 20
"""Octets of a vCard, most of them of a photo."""
_BEGIN, _END = b"BEGIN:VCARD", b"END:VCARD"
_OLDEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CardEntry:
    """A contact of a file. `line` is its first one, `size` counts its octets there."""

    line: int
    size: int
    contact: StoredItem

    @property
    def uid(self) -> str:
        return self.contact.uid

    @property
    def version(self) -> tuple[int, datetime]:
        """When it was changed last (REV), in the form of `sorts.Version`."""
        return card_version(self.contact.text)

    @property
    def files(self) -> tuple[()]:
        """None: a photo is part of the text."""
        return ()

    def stored(self, numbers: Sequence[FileNumber] = ()) -> StoredItem:  # noqa: ARG002 - as of other entries
        """What is to be stored of it."""
        return self.contact


def count_cards(file: BinaryIO) -> int:
    """How many vCards a file has, from its beginning, those within others counted too."""
    return sum(_word(line) == _BEGIN for line in file_lines(file))


def card_version(text: str) -> tuple[int, datetime]:
    """When a stored contact was changed last: of two the greater is the newer. Raises `BadText`."""
    changed = moment_of(parse_component(text, "VCARD").component.get("REV"))
    return 0, changed.clock.replace(tzinfo=UTC) if changed else _OLDEST


def card_entries(file: BinaryIO) -> Iterator[CardEntry | Problem]:
    """The contacts of a file from its beginning, and what of it could not be taken over.

    Raises `Refused` when there is no vCard in it.
    """
    found = False
    open_card: _Card | None = None
    for line in file_lines(file):
        word = _word(line)
        if open_card is None:
            if word == _BEGIN:
                open_card, found = _Card(line.number), True
            continue
        if word == _BEGIN and not open_card.nests:
            yield from open_card.cut_off()
            open_card = _Card(line.number)
        elif word == _END and not open_card.depth:
            yield from open_card.entries()
            open_card = None
        else:
            open_card.take(line, word)
    if open_card is not None:
        yield from open_card.cut_off()
    if not found:
        raise Refused(Kind.INVALID_CONTENT, "there is no vCard in the file")


@dataclass(slots=True)
class _Card:
    """A vCard that is being read; `depth` counts those open within it (AGENT of version 2.1)."""

    line: int
    size: int = 0
    depth: int = 0
    lines: list[tuple[int, bytes]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def nests(self) -> bool:
        """Whether another vCard may begin here: behind AGENT, or within one that did."""
        if self.depth:
            return True
        last = next((octets for _, octets in reversed(self.lines) if octets.strip()), b"")
        return last.upper().startswith(b"AGENT") and last.rstrip().endswith(b":")

    def take(self, line: FileLine, word: bytes) -> None:
        """Note a line; of one too long to be read, that it is."""
        self.size += len(line.octets)
        self.depth += (word == _BEGIN) - (word == _END)
        if self.size > _LARGEST:
            self.lines.clear()
        elif line.first:
            self.lines.append((line.number, line.octets))
        elif self.lines and self.lines[-1][0] == line.number:
            number, octets = self.lines.pop()
            self.lines.append((number, octets + line.octets))

    def entries(self) -> Iterator[CardEntry | Problem]:
        """The contact, and what of it is left out."""
        if self.size > _LARGEST:
            yield Problem(self.line, "a contact that is too large", whole=True)
            return
        try:
            taken = take_in(self.lines)
        except BadContact as error:
            yield Problem(self.line, error.detail, whole=True)
            return
        yield from (Problem(number, reason) for number, reason in taken.problems)
        yield CardEntry(self.line, self.size, taken.stored)

    def cut_off(self) -> Iterator[CardEntry | Problem]:
        """What there is of a vCard that has no end."""
        yield Problem(self.line, "a contact without an end")
        yield from self.entries()


def _word(line: FileLine) -> bytes:
    """BEGIN or END of a vCard, if the line is one."""
    if not line.first or len(line.octets) > 64 or line.octets[:1] in {b" ", b"\t"}:
        return b""
    found = parse_property(line.octets.decode("ascii", "replace"))
    if found is None or found.name not in {"BEGIN", "END"} or found.value.strip().upper() != "VCARD":
        return b""
    return _BEGIN if found.name == "BEGIN" else _END
