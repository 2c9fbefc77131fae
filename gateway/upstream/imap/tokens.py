"""The general syntax of IMAP: text to nested lists of values, in one pass (RFC 3501 4).

The text of a response has each literal replaced by one LF, which can stand for nothing else; the literals
come beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gateway.upstream.imap.responses import Node

__all__ = ["MAX_DEPTH", "Fault", "number", "parse_nodes", "required_text", "text_of", "whole"]

MAX_DEPTH = 128
"""Lists in lists; more than the MIME nesting mail servers themselves accept."""

# A quoted string, a list of nothing but plain ones, a parenthesis, a literal, the name of a section with its
# header fields, or an atom; what is none of them is swallowed whole as an empty token, so that no text is
# looked at twice. Atoms are taken generously: servers use more characters than the grammar allows.
_PLAIN = r'"[^"\\\n]*+"'
_TOKEN = re.compile(
    r' *(?:("[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+"'
    rf"|\({_PLAIN}(?: {_PLAIN})*+\)"
    r"|[()\n]"
    r'|BODY\[[0-9A-Z.]*+ \([^]()"\\\r\n\0]*+\)\][^ ()"\r\n\0]*+'
    r'|[^ ()"\r\n\0]+)|[\s\S]+)'
)
_ESCAPED = re.compile(r"\\([\s\S])")
_SYNTAX = frozenset(("(", ")", "\n", ""))
"""What a token begins with that is neither a string nor an atom."""


class Fault(ValueError):
    """A response or an item in it does not follow its grammar; never leaves this package."""


def parse_nodes(text: str, literals: Iterable[bytes]) -> tuple[list[Node], str | None]:
    """All values of the text, and what is wrong with it (None: nothing).

    After a fault the values read so far are returned with all open lists closed, so that what came before
    it can be used.
    """
    data = iter(literals)
    top: list[Node] = []
    current = top
    outer: list[list[Node]] = []
    for lexeme in _TOKEN.findall(text.rstrip(" ")):
        if lexeme == "NIL":
            current.append(None)
        elif (first := lexeme[:1]) == '"':
            value = lexeme[1:-1]
            current.append(_ESCAPED.sub(r"\1", value) if "\\" in value else value)
        elif first not in _SYNTAX:
            current.append(None if len(lexeme) == 3 and lexeme.upper() == "NIL" else lexeme)
        elif lexeme == "(":
            if len(outer) == MAX_DEPTH:
                return top, "nested too deeply"
            inner: list[Node] = []
            current.append(inner)
            outer.append(current)
            current = inner
        elif lexeme == ")":
            if not outer:
                return top, "one parenthesis too many"
            current = outer.pop()
        elif lexeme == "\n":
            current.append(next(data))
        elif not lexeme:
            return top, "unreadable text"
        elif len(outer) == MAX_DEPTH:
            return top, "nested too deeply"
        else:
            current.append(lexeme[2:-2].split('" "'))
    return top, "a parenthesis is not closed" if outer else None


def whole(text: str, literals: Iterable[bytes]) -> list[Node]:
    """All values of a text without faults. Raises Fault."""
    nodes, fault = parse_nodes(text, literals)
    if fault:
        raise Fault(fault)
    return nodes


def text_of(node: Node) -> str | None:
    """A string however it was sent, None for NIL. Raises Fault for a list."""
    if node is None or isinstance(node, str):
        return node
    if isinstance(node, bytes):
        return node.decode("utf-8", "surrogateescape")
    raise Fault("a list where a string belongs")


def required_text(node: Node) -> str:
    """A string that may happen to read NIL (an astring). Raises Fault for a list."""
    text = text_of(node)
    return "NIL" if text is None else text


def number(node: Node, maximum: int = 2**63 - 1) -> int:
    """A number, also one in quotes. Raises Fault."""
    text = text_of(node)
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 20:
        raise Fault("not a number")
    value = int(text)
    if value > maximum:
        raise Fault("a number is too large")
    return value
