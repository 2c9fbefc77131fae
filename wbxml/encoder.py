"""Tree to bytes, in the one form that every phone reads (MS-ASWBXML 2.1.2).

The header is always 03 01 6A 00. Each text is one inline string; bytes, and text in an opaque tag, are one
OPAQUE. An element without value and children is its bare tag byte. The code page is switched only where it
changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wbxml.errors import EncodeError
from wbxml.tokens import END, HEADER, OPAQUE, SWITCH_PAGE
from wbxml.tree import Utf8

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wbxml.tags import Tag
    from wbxml.tree import Element

__all__ = ["encode", "encode_pieces"]

_SWITCH_PAGE = [bytes((SWITCH_PAGE, page)) for page in range(0x100)]
_END = bytes((END,))
_TEXT_END = bytes((0, END))
_LARGE = 65536
"""Octets from which on a value is a piece of its own."""


def encode(root: Element) -> bytes:
    """Write one document.

    Raises EncodeError for what cannot be carried: a NUL or lone surrogate in text, a value beside children.
    """
    return b"".join(encode_pieces(root))


def encode_pieces(root: Element) -> list[bytes]:
    """Write one document as octets one after the other.

    Large bytes and Utf8 are among them as they are, not as copies. Raises as `encode`.
    """
    pieces: list[bytes] = []
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
                continue
            if isinstance(value, str) and value.isprintable() and not tag.opaque:
                out += tag.start_text  # nearly every value; no surrogate and no NUL is printable
                out += value.encode()
                out += _TEXT_END
                continue
            start, data, end = _written(tag, value)
            out += start
            if len(data) < _LARGE:
                out += data
                out += end
            else:
                pieces += (bytes(out), data)
                out = bytearray(end)
        else:
            if not outer:
                pieces.append(bytes(out))
                return pieces
            siblings = outer.pop()
            out.append(END)


def _written(tag: Tag, value: str | Utf8 | bytes) -> tuple[bytes, bytes, bytes]:
    """What comes before the octets of a value, these, and what follows them."""
    data = _octets(tag, value)
    if tag.opaque or isinstance(value, bytes):
        return b"%b%c%b" % (tag.start, OPAQUE, _mb_uint32(len(data))), data, _END
    if b"\0" in data:
        at = len(data[: data.index(b"\0")].decode("utf-8", "replace"))
        raise EncodeError(f"{tag!r}: NUL at character {at} of the text")
    return tag.start_text, data, _TEXT_END


def _octets(tag: Tag, value: str | Utf8 | bytes) -> bytes:
    if isinstance(value, str):
        try:
            return value.encode()
        except UnicodeEncodeError as error:
            raise EncodeError(f"{tag!r}: lone surrogate at character {error.start} of the text") from None
    return value.octets if isinstance(value, Utf8) else value


def _mb_uint32(value: int) -> bytes:
    """Write a multi-byte integer (WBXML 1.3, 5.1)."""
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))
