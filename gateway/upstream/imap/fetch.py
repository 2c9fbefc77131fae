"""FETCH responses: the items told about one message (RFC 3501 7.4.2, RFC 3516, RFC 7162, RFC 8474)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from gateway.upstream.imap.dates import parse_date_time
from gateway.upstream.imap.flags import flag_set
from gateway.upstream.imap.responses import Fetch, Node
from gateway.upstream.imap.sets import MAX_NUMBER
from gateway.upstream.imap.structure import parse_structure
from gateway.upstream.imap.tokens import Fault, number, parse_nodes, required_text, text_of

__all__ = ["FLAGS_LINE", "flags_response", "match_flags", "parse_fetch", "parse_flags"]

# The response that comes by the ten thousand. Whatever it does not match, the general parser reads.
FLAGS_LINE = re.compile(
    rb"\* ([1-9][0-9]{0,8}) FETCH \((?:UID ([1-9][0-9]{0,8}) )?FLAGS \(([!#-'*-z|~ ]*)\)"
    rb"(?: UID ([1-9][0-9]{0,8}))?(?: MODSEQ \(([0-9]{1,18})\))?\)\r?\n"
)
match_flags = FLAGS_LINE.match


def flags_response(match: re.Match[bytes]) -> Fetch:
    """The response that `match_flags` found, as `parse_fetch` would have read it."""
    seq, uid, flags, uid_behind, modseq = match.groups()
    uid = uid_behind or uid
    return Fetch(
        int(seq),
        int(uid) if uid else None,
        flag_set(flags.decode("ascii")),
        int(modseq) if modseq else None,
    )


def parse_fetch(seq: int, text: str, literals: Iterable[bytes]) -> tuple[Fetch, str | None]:
    """The message data in `text` (what follows `* n FETCH`), and what is wrong with it (None: nothing).

    An item that cannot be understood is left out and named in `faults`; the others stand. Raises Fault if
    nothing can be read.
    """
    nodes, fault = parse_nodes(text, literals)
    if not nodes or not isinstance(nodes[0], list):
        raise Fault(fault or "FETCH without a list")
    reader = _Items()
    if len(nodes) > 1:
        fault = fault or "text behind the list"
    broken = reader.read(nodes[0], cut=fault is not None)
    return reader.result(seq), fault or broken


class _Items:
    """Collects the items of one message."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self.sections: dict[str, bytes | None] = {}
        self.extras: dict[str, Node] = {}
        self.faults: list[str] = []

    def read(self, items: list[Node], *, cut: bool) -> str | None:
        """Take all items; the list at the end of items cut short is not trusted. Returns the first fault."""
        at, end = 0, len(items)
        first_fault: str | None = None
        while at < end:
            begun = items[at]
            at += 1
            if not isinstance(begun, str):
                return first_fault or "no item name where one belongs"
            name = begun.upper()
            if "[" in begun and "]" not in begun:
                name, at = _section_name(begun, items, at)
                if not name:
                    return first_fault or "no item name where one belongs"
            at += 1
            if at > end or (cut and at == end and isinstance(items[at - 1], list)):
                self.faults.append(name)
                return first_fault or "an item without value"
            try:
                self._take(name, items[at - 1])
            except ValueError as error:
                self.faults.append(name)
                first_fault = first_fault or f"{name[:40]}: {error}"
        return first_fault

    def _take(self, name: str, value: Node) -> None:
        if (known := _FIELDS.get(name)) is not None:
            field, convert = known
            self.fields[field] = convert(value)
        elif name.startswith(("BODY[", "BINARY[", "RFC822")):
            self.sections[name] = _octets(value)
        elif name in ("EMAILID", "THREADID") and isinstance(value, list) and len(value) == 1:
            self.extras[name] = text_of(value[0])
        else:
            self.extras[name] = value

    def result(self, seq: int) -> Fetch:
        return Fetch(
            seq, **self.fields, sections=self.sections, extras=self.extras, faults=tuple(self.faults)
        )


def _section_name(begun: str, items: list[Node], at: int) -> tuple[str, int]:
    """The name, in upper case, of a section that goes on at `at`, and the index behind it; "" without an end.

    It may hold a list of field names.
    """
    pieces = [begun]
    while at < len(items):
        piece = items[at]
        at += 1
        if isinstance(piece, list):
            pieces.append(f" ({' '.join(map(required_text, piece))})")
            continue
        text = required_text(piece)
        if "]" in text:
            pieces.append(text if text.startswith("]") else f" {text}")
            return "".join(pieces).upper(), at
        pieces.append(f" {text}")
    return "", at


def parse_flags(node: Node) -> frozenset[str]:
    """A list of flags. Raises Fault."""
    if not isinstance(node, list):
        raise Fault("flags are a list")
    return flag_set(" ".join(map(required_text, node)))


def _octets(node: Node) -> bytes | None:
    if isinstance(node, bytes):
        return node
    text = text_of(node)
    return None if text is None else text.encode("utf-8", "surrogateescape")


def _uid(node: Node) -> int:
    uid = number(node, MAX_NUMBER)
    if not uid:
        raise Fault("a UID is not 0")
    return uid


def _modseq(node: Node) -> int:
    if not isinstance(node, list) or len(node) != 1:
        raise Fault("a list of one number")
    return number(node[0])


def _internal_date(node: Node) -> object:
    return parse_date_time(required_text(node))


_FIELDS: dict[str, tuple[str, Callable[[Node], object]]] = {
    "UID": ("uid", _uid),
    "FLAGS": ("flags", parse_flags),
    "MODSEQ": ("modseq", _modseq),
    "INTERNALDATE": ("internal_date", _internal_date),
    "RFC822.SIZE": ("size", number),
    "BODYSTRUCTURE": ("structure", parse_structure),
    "BODY": ("structure", parse_structure),
}
