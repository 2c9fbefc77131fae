"""One framed response to its value: tells the kinds apart and reads the small ones (RFC 3501 7).

`parse_response` never raises for what a server sends: what it cannot read is `Unparsed`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from gateway.types import Uids
from gateway.upstream.imap import mailboxes
from gateway.upstream.imap.codes import CONDITIONS, capability_names, parse_status_text
from gateway.upstream.imap.fetch import parse_fetch, parse_flags
from gateway.upstream.imap.responses import (
    Capability,
    Condition,
    Continuation,
    Enabled,
    ESearch,
    Exists,
    Expunge,
    Flags,
    Id,
    Node,
    Recent,
    Response,
    Search,
    Status,
    Tagged,
    Unparsed,
    Vanished,
)
from gateway.upstream.imap.sets import MAX_NUMBER, parse_set
from gateway.upstream.imap.tokens import Fault, number, required_text, text_of, whole

__all__ = ["parse_response"]

_RAW_LENGTH = 1000
_NUMBERED = re.compile(r"([0-9]{1,10}) +([A-Za-z]+)(?: +|\Z)")
_KEYWORD = re.compile(r"([A-Za-z][A-Za-z0-9.-]*)(?: +|\Z)")
_TAGGED = re.compile(r"([^ +*(){%\"\\\x00-\x1f]+) +([A-Za-z]+)(?: +|\Z)")
_SEARCH = re.compile(r"([0-9 ]*)(?:\(MODSEQ ([0-9]{1,19})\) *)?", re.IGNORECASE)
_TAGGED_CONDITIONS = frozenset((Condition.OK, Condition.NO, Condition.BAD))


def parse_response(text: str, literals: Sequence[bytes], *, utf8: bool) -> list[Response]:
    """The response in `text` (one LF in the place of each literal); two if part of it is unreadable."""
    try:
        if text.startswith("* "):
            return _untagged(text, literals, utf8=utf8)
        if text.startswith("+"):
            return [Continuation(text[1:].removeprefix(" "))]
        return [_tagged(text)]
    except ValueError as error:
        return [_unparsed(str(error), text)]


def _unparsed(reason: str, text: str) -> Unparsed:
    return Unparsed(reason, text[:_RAW_LENGTH].encode("utf-8", "surrogateescape"))


def _tagged(text: str) -> Tagged:
    match = _TAGGED.match(text)
    condition = CONDITIONS.get(match[2].upper()) if match else None
    if match is None or condition not in _TAGGED_CONDITIONS or condition is None:
        raise Fault("neither tagged nor untagged")
    code, human = parse_status_text(text[match.end() :])
    return Tagged(match[1], condition, code, human)


def _untagged(text: str, literals: Sequence[bytes], *, utf8: bool) -> list[Response]:
    match = _NUMBERED.match(text, 2)
    if match is not None:
        return _numbered(int(match[1]), match[2].upper(), text, match.end(), literals)
    match = _KEYWORD.match(text, 2)
    if match is None:
        raise Fault("no name of a response")
    name, rest = match[1].upper(), text[match.end() :]
    if (condition := CONDITIONS.get(name)) is not None:
        return [Status(condition, *parse_status_text(rest))]
    if (parse_text := _BY_TEXT.get(name)) is not None:
        return [parse_text(rest)]
    if (parse_nodes := _BY_NODES.get(name)) is not None:
        return [parse_nodes(whole(rest, literals))]
    if (parse_mailbox := _ABOUT_MAILBOXES.get(name)) is not None:
        return [parse_mailbox(whole(rest, literals), utf8=utf8)]
    raise Fault("unknown response")


def _numbered(value: int, name: str, text: str, at: int, literals: Sequence[bytes]) -> list[Response]:
    if value > MAX_NUMBER:
        raise Fault("a number is too large")
    if name == "EXISTS":
        return [Exists(value)]
    if name == "RECENT":
        return [Recent(value)]
    if not value:
        raise Fault("0 is not a message")
    if name == "EXPUNGE":
        return [Expunge(value)]
    if name != "FETCH":
        raise Fault("unknown response")
    fetch, fault = parse_fetch(value, text[at:], literals)
    return [_unparsed(fault, text), fetch] if fault else [fetch]


def _search(text: str) -> Search:
    match = _SEARCH.fullmatch(text)
    if match is None:
        raise Fault("SEARCH has numbers only")
    try:
        numbers = Uids(map(int, match[1].split()))
    except OverflowError as error:
        raise Fault("a number is too large") from error
    return Search(numbers, int(match[2]) if match[2] else None)


def _vanished(text: str) -> Vanished:
    earlier, separator, uids = text.partition(" ")
    if separator and earlier.upper() == "(EARLIER)":
        return Vanished(parse_set(uids.strip(" ")), earlier=True)
    return Vanished(parse_set(text.rstrip(" ")))


def _esearch(nodes: list[Node], *, utf8: bool) -> ESearch:
    fields: dict[str, str | int | bool | Uids | tuple[str, Uids] | None] = {}
    at = 0
    if nodes and isinstance(nodes[0], list):
        fields |= _correlator(nodes[0], utf8=utf8)
        at = 1
    if at < len(nodes) and required_text(nodes[at]).upper() == "UID":
        fields["uid"] = True
        at += 1
    if (len(nodes) - at) % 2:
        raise Fault("search results are pairs")
    for index in range(at, len(nodes), 2):
        name = required_text(nodes[index]).lower()
        if name in ("min", "max", "count", "modseq"):
            fields[name] = number(nodes[index + 1])
        elif name == "all":
            fields[name] = parse_set(required_text(nodes[index + 1]))
        elif name == "partial":
            fields[name] = _partial(nodes[index + 1])
    return ESearch(**fields)  # type: ignore[arg-type]


def _correlator(nodes: list[Node], *, utf8: bool) -> dict[str, str | int]:
    """What an ESEARCH belongs to: a command, and a mailbox of several (RFC 7377 2.1)."""
    found: dict[str, str | int] = {}
    if len(nodes) % 2:
        raise Fault("a correlator has pairs")
    for at in range(0, len(nodes), 2):
        name = required_text(nodes[at]).lower()
        if name == "tag":
            found[name] = required_text(nodes[at + 1])
        elif name == "mailbox":
            found[name] = mailboxes.mailbox_name(nodes[at + 1], utf8=utf8)
        elif name == "uidvalidity":
            found[name] = number(nodes[at + 1])
        else:
            raise Fault("only TAG, MAILBOX and UIDVALIDITY correlate a search")
    return found


def _partial(node: Node) -> tuple[str, Uids]:
    if not isinstance(node, list) or len(node) != 2:
        raise Fault("PARTIAL has a range and a set")
    found = text_of(node[1])
    return required_text(node[0]), parse_set(found) if found else Uids()


def _id(nodes: list[Node]) -> Id:
    node = nodes[0] if len(nodes) == 1 else []
    if node is None:
        return Id({})
    if not isinstance(node, list) or len(node) % 2 or not nodes:
        raise Fault("ID has NIL or pairs")
    return Id({required_text(node[at]).lower(): text_of(node[at + 1]) for at in range(0, len(node), 2)})


def _flags(nodes: list[Node]) -> Flags:
    if len(nodes) != 1:
        raise Fault("FLAGS has one list")
    return Flags(parse_flags(nodes[0]))


_BY_TEXT: dict[str, Callable[[str], Response]] = {
    "CAPABILITY": lambda text: Capability(capability_names(text)),
    "ENABLED": lambda text: Enabled(capability_names(text)),
    "SEARCH": _search,
    "VANISHED": _vanished,
}

_BY_NODES: dict[str, Callable[[list[Node]], Response]] = {
    "FLAGS": _flags,
    "ID": _id,
}

_ABOUT_MAILBOXES: dict[str, Callable[..., Response]] = {
    "ESEARCH": _esearch,
    "LIST": mailboxes.parse_list,
    "NAMESPACE": mailboxes.parse_namespace,
    "STATUS": mailboxes.parse_status,
    "LSUB": mailboxes.parse_list,
    "XLIST": mailboxes.parse_list,
}
