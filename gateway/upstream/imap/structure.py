"""BODYSTRUCTURE: nested lists to values (RFC 3501 7.4.2), with the liberties real servers take.

Accepted beside the grammar: extension data and line counts left out, NIL for any string or number, atoms for
strings, numbers in quotes, negative sizes, multiparts without parts, message/rfc822 described like any
other part, the disposition as the one string of its header field.
"""

from __future__ import annotations

import re

from gateway.types import BodyPart
from gateway.upstream.imap.responses import Node
from gateway.upstream.imap.tokens import Fault, text_of

__all__ = ["parse_structure"]

_MAX_SIZE = 2**63 - 1
_BASIC_FIELDS = 7
"""Type, subtype, parameters, id, description, encoding, size."""
_EMBEDDED = frozenset(("rfc822", "global"))
_PARAMETER = re.compile(r"""(?<![^\s;="])([^\s;="]++)\s*+=\s*+("(?:[^"\\]|\\.)*+"|[^;"]*+)""")
_ESCAPED = re.compile(r"\\(.)")


def parse_structure(node: Node) -> BodyPart:
    """A BODYSTRUCTURE or BODY as a tree of parts, sections numbered by RFC 3501 6.4.5. Raises Fault."""
    return _root(node, "")


def _root(node: Node, section: str) -> BodyPart:
    """The root part of the message `section` ("" for the outermost).

    A multipart has the number of the message, a single part is the first part of it.
    """
    if not isinstance(node, list) or not node:
        raise Fault("no body structure")
    if isinstance(node[0], list) or _is_empty_multipart(node):
        return _multipart(node, section)
    return _single(node, f"{section}.1" if section else "1")


def _part(node: list[Node], section: str) -> BodyPart:
    if isinstance(node[0], list) or _is_empty_multipart(node):
        return _multipart(node, section)
    return _single(node, section)


def _is_empty_multipart(node: list[Node]) -> bool:
    """Tells ("mixed" ("boundary" "x") ...), its subtype first, from a part: two strings first."""
    return (
        isinstance(node[0], str) and len(node) < _BASIC_FIELDS and not (len(node) > 1 and _is_text(node[1]))
    )


def _multipart(node: list[Node], section: str) -> BodyPart:
    prefix = f"{section}." if section else ""
    children: list[BodyPart] = []
    count = 0
    for child in node:
        if not isinstance(child, list):
            break
        count += 1
        if child:
            children.append(_part(child, f"{prefix}{count}"))
    rest = node[count:]
    subtype = text_of(rest[0]) if rest else None
    kind, disposition_params = _disposition(rest[2]) if len(rest) > 2 else (None, {})
    return BodyPart(
        section=section,
        type="multipart",
        subtype=subtype.lower() if subtype else "mixed",
        params=_params(rest[1]) if len(rest) > 1 else {},
        disposition=kind,
        disposition_params=disposition_params,
        location=_loose_text(rest[4]) if len(rest) > 4 else None,
        children=tuple(children),
    )


def _single(node: list[Node], section: str) -> BodyPart:
    if len(node) < 2:
        raise Fault("a part without subtype")
    fields = node if len(node) >= _BASIC_FIELDS else node + [None] * (_BASIC_FIELDS - len(node))
    kind = (text_of(fields[0]) or "text").lower()
    subtype = (text_of(fields[1]) or ("plain" if kind == "text" else "octet-stream")).lower()
    rest = node[_BASIC_FIELDS:]
    children: tuple[BodyPart, ...] = ()
    description = text_of(fields[4])
    if kind == "message" and subtype in _EMBEDDED and len(rest) > 1 and _is_body(rest[1]):
        description = description or _subject(rest[0])
        children = (_root(rest[1], section),)
        rest = rest[2:]
    if rest and (_is_number(rest[0]) or (rest[0] is None and len(rest) > 4)):
        rest = rest[1:]  # the line count; what follows is MD5, disposition, language, location
    disposition, disposition_params = _disposition(rest[1]) if len(rest) > 1 else (None, {})
    return BodyPart(
        section,
        kind,
        subtype,
        _params(fields[2]),
        text_of(fields[3]),
        description,
        (text_of(fields[5]) or "7bit").lower(),
        _size(fields[6]),
        disposition,
        disposition_params,
        _loose_text(rest[3]) if len(rest) > 3 else None,
        children,
    )


def _subject(envelope: Node) -> str | None:
    """The subject of an embedded message; None where the envelope is not what it should be."""
    return _loose_text(envelope[1]) if isinstance(envelope, list) and len(envelope) > 1 else None


def _is_text(node: Node) -> bool:
    return isinstance(node, (str, bytes))


def _is_number(node: Node) -> bool:
    return isinstance(node, str) and node.isascii() and node.isdigit()


def _is_body(node: Node) -> bool:
    """Tells a body from a disposition, which has two fields."""
    return isinstance(node, list) and bool(node) and (isinstance(node[0], list) or len(node) >= _BASIC_FIELDS)


def _params(node: Node) -> dict[str, str]:
    if not isinstance(node, list):
        return {}
    texts = iter([text_of(each) or "" for each in node])
    return {name.lower(): value for name, value in zip(texts, texts, strict=False)}


def _disposition(node: Node) -> tuple[str | None, dict[str, str]]:
    if node is None:
        return None, {}
    if isinstance(node, list):
        kind = text_of(node[0]) if node else None
        return kind.lower() if kind else None, _params(node[1]) if len(node) > 1 else {}
    kind, _, params = (text_of(node) or "").partition(";")
    found = {name.lower(): _unquoted(value.strip()) for name, value in _PARAMETER.findall(params)}
    return kind.strip().lower() or None, found


def _unquoted(value: str) -> str:
    return _ESCAPED.sub(r"\1", value[1:-1]) if value.startswith('"') else value


def _loose_text(node: Node) -> str | None:
    """The location; some servers put a list there."""
    return None if isinstance(node, list) else text_of(node)


def _size(node: Node) -> int:
    """Octets; what is no number, or a negative one, counts as 0."""
    text = text_of(node)
    if text is None or not text.isascii() or not text.isdigit():
        return 0
    return min(int(text), _MAX_SIZE) if len(text) <= 20 else _MAX_SIZE
