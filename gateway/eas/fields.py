"""Reading typed values out of request elements. What does not fit raises `Refused(INVALID_XML)`."""

from __future__ import annotations

from gateway.errors import Kind, Refused
from wbxml import Element, Tag
from wbxml.pages import AirSyncBase, FolderHierarchy, ValidateCert

_MAX_ID = 64
_MAX_NAME = 256
_MAX_NUMBER = 4294967295
_OCTETS = frozenset({AirSyncBase.Data, ValidateCert.Certificate})
"""What holds octets from some devices, and text from others."""


def malformed(detail: str) -> Refused:
    """The error of a request that decodes but is not a valid document of its command."""
    return Refused(Kind.INVALID_XML, detail)


def document(root: Element | None) -> Element:
    """The document of a request that must have one. Raises `Refused(INVALID_CONTENT)`."""
    if root is None:
        raise Refused(Kind.INVALID_CONTENT, "a request without a body")
    return root


def check_values(root: Element) -> None:
    """Refuse what no reply could repeat: NUL in text, a value beside children.

    Bytes are for elements that are opaque, the MIME of a body, and certificates.
    """
    pending = [root]
    while pending:
        node = pending.pop()
        pending += node.children
        if not node.value:
            continue
        if node.children:
            raise malformed(f"{node.tag!r} has text beside elements")
        if not node.tag.opaque and node.tag not in _OCTETS and "\0" in node.text():
            raise malformed(f"{node.tag!r} holds a NUL")


def only(parent: Element, tag: Tag) -> Element | None:
    """The child with this tag, of which there may be one at most."""
    found = None
    for child in parent.children:
        if child.tag is tag:
            if found is not None:
                raise malformed(f"{tag!r} more than once in {parent.tag!r}")
            found = child
    return found


def required(parent: Element, tag: Tag) -> Element:
    """The child with this tag, which must be there once."""
    child = only(parent, tag)
    if child is None:
        raise malformed(f"{tag!r} is missing in {parent.tag!r}")
    return child


def identifier(parent: Element, tag: Tag) -> str:
    """A required id: 1 to 64 characters (MS-ASDTYPE)."""
    text = required(parent, tag).text().strip()
    if not 0 < len(text) <= _MAX_ID:
        raise malformed(f"{tag!r} is empty or too long")
    return text


def display_name(parent: Element) -> str:
    """The required DisplayName of a folder: 1 to 256 characters (MS-ASCMD 2.2.3.47)."""
    text = required(parent, FolderHierarchy.DisplayName).text()
    if not 0 < len(text) <= _MAX_NAME:
        raise malformed("a DisplayName is empty or too long")
    return text


def number(parent: Element, tag: Tag, default: int | None = None) -> int | None:
    """An optional unsigned 32-bit integer."""
    child = only(parent, tag)
    if child is None:
        return default
    text = child.text().strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 10 or int(text) > _MAX_NUMBER:
        raise malformed(f"{tag!r} is not a number")
    return int(text)


def boolean(parent: Element, tag: Tag, *, default: bool) -> bool:
    """An optional boolean; an empty element means true (MS-ASDTYPE 2.1)."""
    child = only(parent, tag)
    if child is None:
        return default
    text = child.text().strip()
    if text not in ("", "0", "1"):
        raise malformed(f"{tag!r} is neither 0 nor 1")
    return text != "0"
