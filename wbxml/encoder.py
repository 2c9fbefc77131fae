"""Tree to bytes, in the one form that every phone reads (MS-ASWBXML 2.1.2).

The header is always 03 01 6A 00. Each text is one inline string; bytes, and text in an opaque tag, are one
OPAQUE. An element without value and children is its bare tag byte. The code page is switched only where it
changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wbxml.errors import EncodeError
from wbxml.tokens import END, HEADER, OPAQUE, SWITCH_PAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wbxml.tags import Tag
    from wbxml.tree import Element

__all__ = ["encode"]

_SWITCH_PAGE = [bytes((SWITCH_PAGE, page)) for page in range(0x100)]
_TEXT_END = bytes((0, END))


def encode(root: Element) -> bytes:
    """Write one document.

    Raises EncodeError for what cannot be carried: a NUL or lone surrogate in text, a value beside children.
    """
    out = bytearray(HEADER)
    page = 0
    outer: list[Iterator[Element]] = []
    siblings = iter((root,))
    while True:
        for node in siblings:
            tag, value = node.tag, node.value
            if tag.page != page:
                page = tag.page
                out += _SWITCH_PAGE[page]
            if node.children:
                if value:
                    raise EncodeError(f"{tag!r} has a value beside children")
                out += tag.start
                outer.append(siblings)
                siblings = iter(node.children)
                break
            if not value:
                out += tag.empty
            elif tag.opaque or not isinstance(value, str):
                out += tag.start
                out += _opaque(tag, value)
            else:
                out += tag.start_text
                out += _text(tag, value)
                out += _TEXT_END
        else:
            if not outer:
                return bytes(out)
            siblings = outer.pop()
            out.append(END)


def _text(tag: Tag, value: str) -> bytes:
    if "\0" in value:
        raise EncodeError(f"{tag!r}: NUL at character {value.index(chr(0))} of the text")
    return _utf8(tag, value)


def _opaque(tag: Tag, value: str | bytes) -> bytes:
    data = _utf8(tag, value) if isinstance(value, str) else value
    return b"%c%b%b%c" % (OPAQUE, _mb_uint32(len(data)), data, END)


def _utf8(tag: Tag, value: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise EncodeError(f"{tag!r}: lone surrogate at character {error.start} of the text") from None


def _mb_uint32(value: int) -> bytes:
    """Write a multi-byte integer (WBXML 1.3, 5.1)."""
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))
