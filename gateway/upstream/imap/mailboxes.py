"""Responses about mailboxes: LIST, STATUS, NAMESPACE."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.upstream.imap import utf7
from gateway.upstream.imap.fetch import parse_flags
from gateway.upstream.imap.responses import (
    List,
    Namespace,
    NamespaceEntry,
    Node,
    StatusData,
)
from gateway.upstream.imap.tokens import Fault, number, required_text, text_of

__all__ = [
    "mailbox_name",
    "parse_list",
    "parse_namespace",
    "parse_status",
]


def _mailbox(node: Node, *, utf8: bool) -> tuple[str, str]:
    """(decoded name, name as sent)."""
    raw = required_text(node)
    if raw.upper() == "INBOX":
        return "INBOX", raw
    return raw if utf8 else utf7.decode(raw), raw


def mailbox_name(node: Node, *, utf8: bool) -> str:
    """The decoded name of a mailbox. Raises Fault."""
    return _mailbox(node, utf8=utf8)[0]


def _pairs(node: Node) -> Iterator[tuple[str, Node]]:
    """The (name, value) pairs of a flat list. Raises Fault."""
    if node is None:
        return
    if not isinstance(node, list) or len(node) % 2:
        raise Fault("a list of pairs")
    for at in range(0, len(node), 2):
        yield required_text(node[at]), node[at + 1]


def parse_list(nodes: list[Node], *, utf8: bool) -> List:
    """`(attributes) delimiter name [(extended items)]`."""
    if len(nodes) not in (3, 4):
        raise Fault("LIST has three fields, or four")
    name, raw = _mailbox(nodes[2], utf8=utf8)
    extended = {item.upper(): value for item, value in _pairs(nodes[3])} if len(nodes) == 4 else {}
    old = extended.get("OLDNAME")
    return List(
        attributes=parse_flags(nodes[0]),
        delimiter=text_of(nodes[1]) or None,
        name=name,
        raw_name=raw,
        old_name=_mailbox(old[0], utf8=utf8)[0] if isinstance(old, list) and old else None,
    )


def parse_status(nodes: list[Node], *, utf8: bool) -> StatusData:
    """`name (item value ...)`."""
    if len(nodes) != 2:
        raise Fault("STATUS has two fields")
    name, raw = _mailbox(nodes[0], utf8=utf8)
    values: dict[str, int] = {}
    mailbox_id: str | None = None
    for item, value in _pairs(nodes[1]):
        if item.upper() == "MAILBOXID":
            mailbox_id = text_of(value[0]) if isinstance(value, list) and value else text_of(value)
        elif value is not None:  # APPENDLIMIT NIL: no limit of its own
            values[item.upper()] = number(value)
    return StatusData(name, raw, values, mailbox_id)


def parse_namespace(nodes: list[Node], *, utf8: bool) -> Namespace:
    """Three times NIL or `((prefix delimiter ...) ...)`."""
    if len(nodes) != 3:
        raise Fault("NAMESPACE has three fields")
    personal, other, shared = (_namespaces(node, utf8=utf8) for node in nodes)
    return Namespace(personal, other, shared)


def _namespaces(node: Node, *, utf8: bool) -> tuple[NamespaceEntry, ...]:
    entries = []
    for each in node or ():
        if not isinstance(each, list) or len(each) < 2:
            raise Fault("a namespace has a prefix and a delimiter")
        # Not a mailbox name: "INBOX" as a prefix is left as it is.
        prefix = required_text(each[0])
        entries.append(NamespaceEntry(prefix if utf8 else utf7.decode(prefix), text_of(each[1]) or None))
    return tuple(entries)
