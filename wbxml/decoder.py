"""Bytes to tree.

What is accepted, beyond the form that servers send:

- WBXML 1.1 to 1.3, any public identifier, a string table. US-ASCII and ISO-8859-1 as well as UTF-8; a
  document in US-ASCII or in a charset without name is read as UTF-8.
- Text and OPAQUE in any tag, in any number of pieces. Text only: the pieces are joined to a str. Any OPAQUE
  among them: all are joined to bytes, text as UTF-8. Nothing at all, or pieces of length 0: None.
- Text beside child elements: the joined text is the value, the children stay in order.
- Broken text: a byte that is no UTF-8 and an ENTITY that is no character become U+FFFD. One bad byte must not
  cost a phone its whole request.
- Tags that no code page defines: a placeholder, see `tags.resolve`.
- Zero bytes after the root element: padding.

What is refused, because no ActiveSync client sends it and a guess would misread what follows: attributes,
LITERAL tags, processing instructions, extension tokens, other bytes after the root element.
"""

from __future__ import annotations

from functools import cache

from wbxml.errors import DecodeError
from wbxml.tags import Tag, resolve
from wbxml.tokens import CONTENT, END, ENTITY, FIRST_TAG, LAST_TAG, OPAQUE, REFUSED, STR_I, STR_T, SWITCH_PAGE
from wbxml.tree import Element

__all__ = ["MAX_DEPTH", "MAX_ELEMENTS", "MAX_SIZE", "decode"]

MAX_SIZE = 64 * 1024 * 1024
"""Default for the bytes of a document: room for a message with large attachments."""

MAX_DEPTH = 32
"""Default for elements inside each other: the deepest command of ActiveSync needs 11."""

MAX_ELEMENTS = 200_000
"""Default for the elements of a document: 512 items, the largest WindowSize, of 390 elements each."""

_ISO_8859_1 = 4
"""IANA number (MIBenum) of the one charset that is not read as UTF-8."""

_MB_UINT_BYTES = 5


def decode(
    data: bytes | bytearray | memoryview,
    *,
    max_size: int = MAX_SIZE,
    max_depth: int = MAX_DEPTH,
    max_elements: int = MAX_ELEMENTS,
) -> Element:
    """Read one document and return its root element (WBXML 1.3, 5; MS-ASWBXML 2.1.2).

    `max_size` limits the bytes of the document, and those of all text taken from its string table, so that a
    small document cannot repeat a long string without end; `max_depth` the elements inside each other, the
    root being the first; `max_elements` all elements, and separately the pieces of all values that are not
    just one inline string. Time and memory grow linearly with the size.

    Raises DecodeError, and nothing else, for bytes that are no document or exceed a limit.
    """
    size = memoryview(data).nbytes
    if size > max_size:
        raise DecodeError(max_size, f"document of {size} bytes, more than the {max_size} allowed")
    try:
        return _Document(bytes(data), max_size, max_depth, max_elements).read()
    except IndexError:
        # Only bytes of the document are read by index, and never below its start.
        raise DecodeError(size, "document ends early") from None


class _Document:
    """The bytes of a document and what its header says about them."""

    __slots__ = (
        "_data",
        "_encoding",
        "_max_depth",
        "_max_elements",
        "_pieces_left",
        "_table_end",
        "_table_start",
        "_table_text_left",
    )

    def __init__(self, data: bytes, max_size: int, max_depth: int, max_elements: int) -> None:
        self._data = data
        self._encoding = "utf-8"
        self._max_depth = max_depth
        self._max_elements = self._pieces_left = max_elements
        self._table_start = self._table_end = 0
        self._table_text_left = max_size

    def read(self) -> Element:
        """Read the header, then the root element."""
        pos = self._header()
        data = self._data
        tags = _tags_of(0)
        while data[pos] == SWITCH_PAGE:
            tags = _tags_of(data[pos + 1])
            pos += 2
        tag = tags[data[pos]]
        if tag is None:
            raise DecodeError(pos, f"{_name(data[pos])} where the root element should be")
        root = Element(tag)
        if data[pos] & CONTENT:
            pos = self._fill(root, tags, pos + 1)
        else:
            pos += 1
        if data.count(SWITCH_PAGE, pos) != len(data) - pos:
            raise DecodeError(pos, f"{len(data) - pos} bytes after the root element")
        return root

    def _fill(self, root: Element, tags: tuple[Tag | None, ...], pos: int) -> int:
        """Read the content of the root element; return where the bytes after its END start.

        Nearly all elements hold one inline string or nothing. Both are read on the spot; any other becomes
        the current element, while the ones around it, and the pieces of their values, wait in `outer`.
        """
        data, find, encoding = self._data, self._data.find, self._encoding
        outer: list[tuple[Element, list[str | bytes]]] = []
        current, pieces = root, list[str | bytes]()
        append = root.children.append
        max_depth, depth, left = self._max_depth, 1, self._max_elements - 1
        while True:
            byte = data[pos]
            tag = tags[byte]
            pos += 1
            if tag is None:
                if byte == END:
                    if pieces:
                        current.value = _joined(pieces)
                    if not outer:
                        return pos
                    current, pieces = outer.pop()
                    append = current.children.append
                    depth -= 1
                elif byte == SWITCH_PAGE:
                    tags = _tags_of(data[pos])
                    pos += 1
                else:
                    piece, pos = self._piece(byte, pos)
                    if piece:
                        pieces.append(piece)
                continue
            if depth == max_depth or not left:
                excess = f"{max_depth} elements deep" if left else f"{self._max_elements} elements"
                raise DecodeError(pos - 1, f"more than {excess}")
            left -= 1
            if byte < CONTENT:
                append(Element(tag))
                continue
            if data[pos] == STR_I:
                end = find(0, pos + 1)
                if end > 0 and data[end + 1] == END:
                    append(Element(tag, data[pos + 1 : end].decode(encoding, "replace") or None))
                    pos = end + 2
                    continue
            outer.append((current, pieces))
            current, pieces = Element(tag), []
            append(current)
            append = current.children.append
            depth += 1

    def _header(self) -> int:
        """Read version, public identifier, charset and string table; return where the body starts."""
        if not 0x01 <= self._data[0] <= 0x03:
            raise DecodeError(0, f"version byte {self._data[0]:#04x}, not WBXML 1.1 to 1.3")
        identifier, pos = self._mb_uint32(1)
        if not identifier:  # it is spelled out in the string table
            _, pos = self._mb_uint32(pos)
        charset, pos = self._mb_uint32(pos)
        if charset == _ISO_8859_1:
            self._encoding = "iso-8859-1"
        length, start = self._mb_uint32(pos)
        if length > len(self._data) - start:
            raise DecodeError(pos, f"string table of {length} bytes runs past the end")
        self._table_start, self._table_end = start, start + length
        return self._table_end

    def _piece(self, token: int, pos: int) -> tuple[str | bytes, int]:
        """Read the rest of one piece of text or bytes whose token lies before `pos`."""
        self._pieces_left -= 1
        if self._pieces_left < 0:
            raise DecodeError(pos - 1, f"more than {self._max_elements} pieces of text or bytes")
        data = self._data
        if token == STR_I:
            end = data.find(0, pos)
            if end < 0:
                raise DecodeError(pos - 1, "inline string without end")
            return data[pos:end].decode(self._encoding, "replace"), end + 1
        if token == OPAQUE:
            length, start = self._mb_uint32(pos)
            if length > len(data) - start:
                raise DecodeError(pos - 1, f"OPAQUE of {length} bytes runs past the end")
            return data[start : start + length], start + length
        if token == STR_T:
            index, end = self._mb_uint32(pos)
            return self._table_text(index, pos - 1), end
        if token == ENTITY:
            code, end = self._mb_uint32(pos)
            return _character(code), end
        raise DecodeError(pos - 1, f"{_name(token)} is not part of ActiveSync")

    def _table_text(self, index: int, offset: int) -> str:
        """Return the string that starts `index` bytes into the string table; `offset` is that of its use."""
        start = self._table_start + index
        end = self._data.find(0, start, self._table_end)
        if end < 0:
            raise DecodeError(offset, f"no string at {index} in the string table")
        self._table_text_left -= end - start
        if self._table_text_left < 0:
            raise DecodeError(offset, "too much text from the string table")
        return self._data[start:end].decode(self._encoding, "replace")

    def _mb_uint32(self, pos: int) -> tuple[int, int]:
        """Read a multi-byte integer at `pos` (WBXML 1.3, 5.1); return it and the position behind it."""
        value = 0
        for at in range(pos, pos + _MB_UINT_BYTES):
            byte = self._data[at]
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                if value > 0xFFFF_FFFF:
                    break
                return value, at + 1
        raise DecodeError(pos, "integer of more than 32 bits")


@cache
def _tags_of(page: int) -> tuple[Tag | None, ...]:
    """Return what each byte means on a code page: a tag, with or without content, or None for all else."""
    plain = [resolve(page, token) if token >= FIRST_TAG else None for token in range(LAST_TAG + 1)]
    return (*plain, *plain, *[None] * 128)


def _joined(pieces: list[str | bytes]) -> str | bytes:
    text = [piece for piece in pieces if isinstance(piece, str)]
    if len(text) == len(pieces):
        return "".join(text)
    return b"".join(piece.encode() if isinstance(piece, str) else piece for piece in pieces)


def _character(code: int) -> str:
    is_character = 0 < code < 0xD800 or 0xDFFF < code <= 0x10FFFF
    return chr(code) if is_character else "\ufffd"


def _name(token: int) -> str:
    known = {END: "END", ENTITY: "ENTITY", STR_I: "STR_I", STR_T: "STR_T", OPAQUE: "OPAQUE"}
    return known.get(token) or REFUSED.get(token) or f"tag {token:#04x} with attributes"
