"""Responses about mailboxes: LIST, LSUB, STATUS, NAMESPACE, quota, rights, METADATA."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.upstream.imap import utf7
from gateway.upstream.imap.fetch import parse_flags
from gateway.upstream.imap.responses import (
    Acl,
    List,
    Lsub,
    Metadata,
    MyRights,
    Namespace,
    NamespaceEntry,
    Node,
    Quota,
    QuotaRoot,
    StatusData,
)
from gateway.upstream.imap.tokens import Fault, number, required_text, text_of

__all__ = [
    "parse_acl",
    "parse_list",
    "parse_lsub",
    "parse_metadata",
    "parse_my_rights",
    "parse_namespace",
    "parse_quota",
    "parse_quota_root",
    "parse_status",
]


def _mailbox(node: Node, *, utf8: bool) -> tuple[str, str]:
    """(decoded name, name as sent)."""
    raw = required_text(node)
    if raw.upper() == "INBOX":
        return "INBOX", raw
    return raw if utf8 else utf7.decode(raw), raw


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
    old = extended.pop("OLDNAME", None)
    child_info = extended.pop("CHILDINFO", None)
    return List(
        attributes=parse_flags(nodes[0]),
        delimiter=text_of(nodes[1]) or None,
        name=name,
        raw_name=raw,
        child_info=frozenset(map(str.upper, map(required_text, child_info)))
        if isinstance(child_info, list)
        else frozenset(),
        old_name=_mailbox(old[0], utf8=utf8)[0] if isinstance(old, list) and old else None,
        extended=extended,
    )


def parse_lsub(nodes: list[Node], *, utf8: bool) -> Lsub:
    """As LIST, without extended items."""
    if len(nodes) != 3:
        raise Fault("LSUB has three fields")
    name, raw = _mailbox(nodes[2], utf8=utf8)
    return Lsub(parse_flags(nodes[0]), text_of(nodes[1]) or None, name, raw)


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


def parse_quota(nodes: list[Node], *, utf8: bool) -> Quota:  # noqa: ARG001 (one signature for all of them)
    """`root (resource usage limit ...)`."""
    if len(nodes) != 2 or not (nodes[1] is None or isinstance(nodes[1], list)):
        raise Fault("QUOTA has a root and a list")
    triples = nodes[1] or []
    if len(triples) % 3:
        raise Fault("resources are triples")
    return Quota(
        required_text(nodes[0]),
        {
            required_text(triples[at]).upper(): (number(triples[at + 1]), number(triples[at + 2]))
            for at in range(0, len(triples), 3)
        },
    )


def parse_quota_root(nodes: list[Node], *, utf8: bool) -> QuotaRoot:
    """`mailbox root ...`."""
    if not nodes:
        raise Fault("QUOTAROOT has a mailbox")
    return QuotaRoot(_mailbox(nodes[0], utf8=utf8)[0], tuple(map(required_text, nodes[1:])))


def parse_acl(nodes: list[Node], *, utf8: bool) -> Acl:
    """`mailbox identifier rights ...`."""
    if not nodes:
        raise Fault("ACL has a mailbox")
    rights = {who: required_text(what) for who, what in _pairs(nodes[1:])}
    return Acl(_mailbox(nodes[0], utf8=utf8)[0], rights)


def parse_my_rights(nodes: list[Node], *, utf8: bool) -> MyRights:
    """`mailbox rights`."""
    if len(nodes) != 2:
        raise Fault("MYRIGHTS has two fields")
    return MyRights(_mailbox(nodes[0], utf8=utf8)[0], required_text(nodes[1]))


def parse_metadata(nodes: list[Node], *, utf8: bool) -> Metadata:
    """`mailbox (entry value ...)`, or `mailbox entry ...` when entries have changed (RFC 5464 4.4)."""
    if len(nodes) < 2:
        raise Fault("METADATA has a mailbox and entries")
    name = _mailbox(nodes[0], utf8=utf8)[0]
    if not isinstance(nodes[1], list):
        return Metadata(name, dict.fromkeys(map(required_text, nodes[1:])))
    return Metadata(name, {entry: _octets(value) for entry, value in _pairs(nodes[1])})


def _octets(node: Node) -> bytes | None:
    if isinstance(node, bytes):
        return node
    text = text_of(node)
    return None if text is None else text.encode("utf-8", "surrogateescape")
