"""A vCard of any version and make, as it is to be stored: everything readable, and a report of the rest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.items import StoredItem
from gateway.pim.contacts.card import Card
from gateway.pim.contacts.document import read_contact, stored_contact
from gateway.pim.contacts.legacy import Written, logical_lines, rewritten
from gateway.pim.contacts.model import BadContact
from gateway.pim.contacts.naming import called
from gateway.pim.contacts.picture import photo_line, photo_of, shrunk
from gateway.pim.limits import LONGEST_UID
from gateway.pim.lines import LONGEST_LINE, parse_property
from gateway.pim.tree import Line, Node, escaped, make_line

__all__ = ["Taken", "take_in"]

_MOST_LINES = 2000
"""Properties of a contact, and a hundredth of the lines they are written in."""
_LARGEST_PHOTO = 512 * 1024
"""Octets of a picture that is stored; of a larger one a smaller one is made."""
_CHANGING = frozenset({"REV", "PRODID", "UID", "VERSION"})
"""What a program may write anew each time into a contact that has no name."""
_VERSIONS = frozenset({"3.0", "4.0"})


@dataclass(frozen=True, slots=True)
class Taken:
    """A contact as it is to be stored; `problems` are what was left out, each with the number of its line."""

    stored: StoredItem
    problems: tuple[tuple[int, str], ...] = ()


def take_in(lines: Sequence[tuple[int, bytes]]) -> Taken:
    """Take over the lines of one vCard, BEGIN and END not among them. Raises `BadContact`."""
    if len(lines) > _MOST_LINES * 100:
        raise BadContact("a contact with too many lines")
    version = _version(lines)
    problems: list[tuple[int, str]] = []
    kept: list[Line] = []
    for number, line in _lines(lines, old=version == "2.1"):
        if isinstance(line, str):
            problems.append((number, line))
        elif len(kept) == _MOST_LINES:
            raise BadContact("a contact with too many properties")
        elif line.name != "VERSION":
            kept.append(line)
    if not kept:
        raise BadContact("a contact without anything in it")
    node = Node.new("VCARD", [make_line("VERSION", version if version in _VERSIONS else "3.0"), *kept])
    _complete(Card(node), kept)
    return Taken(stored_contact(node.text), tuple(problems))


def _version(lines: Sequence[tuple[int, bytes]]) -> str:
    for _, octets in lines:
        if octets[:8].upper() == b"VERSION:":
            return octets[8:].decode("ascii", "replace").strip()
    return ""


def _lines(lines: Sequence[tuple[int, bytes]], *, old: bool) -> Iterator[tuple[int, Line | str]]:
    """The lines as they are to be stored, or why one is not."""
    inner: list[str] = []
    start = depth = 0
    for number, written in logical_lines(lines, old=old):
        if written is None:
            yield number, "a line that is no property"
        elif written.key == "BEGIN":
            start, depth = (number, 1) if not depth else (start, depth + 1)
            inner.append(rewritten(written, old=old))
        elif depth:
            inner.append(rewritten(written, old=old))
            depth -= written.key == "END"
            if not depth:  # a vCard in a vCard is a text since 3.0 (RFC 2426 3.5.4)
                yield start, _made(f"AGENT:{escaped(chr(10).join(inner))}")
                inner = []
        elif written.key == "AGENT" and not written.value.strip():
            continue
        else:
            yield number, _line(written, old=old)
    if depth:
        yield start, "a contact within the contact that has no end"


def _line(written: Written, *, old: bool) -> Line | str:
    if written.key == "PHOTO":
        return _photo(written, old=old)
    return _made(rewritten(written, old=old))


def _made(whole: str) -> Line | str:
    if len(whole) > LONGEST_LINE:
        return "a value that is too long"
    line = Line.clean(whole)
    return line if line.read else "a line that cannot be read"


def _photo(written: Written, *, old: bool) -> Line | str:
    """A picture of a size that can be kept."""
    whole = rewritten(written, old=old)
    found = parse_property(whole)
    octets = photo_of(found) if found else b""
    if len(octets) <= _LARGEST_PHOTO:
        return _made(whole)
    small = shrunk(octets, _LARGEST_PHOTO)
    if not small:
        return "a picture that is too large"
    return photo_line(small, is_new=b"data:" in written.value[:16])


def _complete(card: Card, kept: Sequence[Line]) -> None:
    """Give a contact the UID and the name that a vCard must have."""
    if not 0 < len(card.text("UID")) <= LONGEST_UID:
        content = "\n".join(line.raw for line in kept if line.name not in _CHANGING)
        name = hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()
        card.put("UID", f"{name[:32]}@without-uid")
    if not card.text("FN"):
        card.put("FN", escaped(called(read_contact(card.node.text)) or "(no name)"))
    if not any(card.properties("N")):
        card.add([make_line("N", ";;;;")])
