"""HTML without the nesting and the attributes that the parser is slow at."""

from __future__ import annotations

import re

from gateway.mail.html.elements import BLOCK, DROPPED

_FEW_TAGS = 1500
_DEEPEST = 500
_NESTING_TAG = re.compile(
    r"<(/?)(?!(?:br|img|hr|meta|link|input|col|area|base|wbr|p|li|td|tr|th|option|dt|dd)\b)[a-z]",
    re.IGNORECASE,
)
_ANY_TAG = re.compile(r"<(/?[a-z][a-z0-9]*)[^<>]*>", re.IGNORECASE)
_LONG_TAG = re.compile(r"<[^<>]{2048,}")
_VALUE = re.compile(r"\"[^\"]*\"|'[^']*'")
_MOST_NAMES = 2048
"""Characters of a tag without the values of its attributes: the parser takes the square of their number."""


def shallow(document: str) -> str:
    """The document without what the parser is slow at: deep nesting, tags with countless attributes."""
    document = _LONG_TAG.sub(_bounded, document)
    return _flattened(document) if document.count("<") > _FEW_TAGS and _too_deep(document) else document


def _bounded(tag: re.Match[str]) -> str:
    return tag[0] if len(_VALUE.sub("", tag[0])) <= _MOST_NAMES else ""


def _too_deep(document: str) -> bool:
    depth = 0
    for tag in _NESTING_TAG.finditer(document):
        depth += -1 if tag[1] else 1
        if depth > _DEEPEST:
            return True
        depth = max(depth, 0)
    return False


def _flattened(document: str) -> str:
    """The document without the elements that nest, each block a line of its own."""

    def replaced(tag: re.Match[str]) -> str:
        name = tag[1].lower()
        plain = name.lstrip("/")
        if plain in DROPPED or plain == "br":
            return tag[0]
        return "<p>" if plain in BLOCK else ""

    return _ANY_TAG.sub(replaced, document)
