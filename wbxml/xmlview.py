"""Tree to XML and back, for logs, golden files and schema checks; needs lxml.

Each tag becomes an XML element in the namespace of its code page, as the XML schemas of ActiveSync have it.
The value becomes its text: the bytes of an opaque tag as base64, the text of any other tag as it is. A value
of another kind is marked by an attribute `encoding`, so that every tree `encode` accepts survives the way
there and back:

- `text`: text in an opaque tag
- `base64`: bytes in a tag that is not opaque
- `base64-text`: text with characters that XML lacks, as base64 of its UTF-8
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, cast

from lxml import etree

from wbxml.errors import EncodeError
from wbxml.pages import by_name
from wbxml.tree import Element, Utf8

if TYPE_CHECKING:
    from collections.abc import Callable

    from wbxml.tags import Tag

__all__ = ["from_xml", "pretty", "to_xml"]

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_xml(root: Element) -> etree._Element:
    """Return the tree as XML.

    The namespace of the root element is the default one; other code pages in use have their names in small
    letters as prefixes.
    """
    return _to_xml(root, None)


def pretty(root: Element, redact: Callable[[Tag, str | bytes], str | bytes] | None = None) -> str:
    """Return the tree as indented XML for a log; `redact`, given tag and value, says what to show instead."""
    made = _to_xml(root, redact)
    etree.indent(made)
    return etree.tostring(made, encoding="unicode")


def from_xml(root: etree._Element) -> Element:
    """Return the XML as a tree.

    White space around child elements is layout; comments and processing instructions are passed over. Raises
    EncodeError for a name that is no tag, for base64 that cannot be read, and for text after a child element.
    """
    result = Element(_tag_of(root))
    pending = [(root, result)]
    while pending:
        source, node = pending.pop()
        text = source.text or ""
        for child in source:
            if isinstance(child.tag, str):
                pending.append((child, node.add(_tag_of(child))))
            tail = child.tail or ""
            if not node.children:  # split by a comment only
                text += tail
            elif tail.strip():
                raise EncodeError(f"{node.tag!r}: text after a child element")
        if text.strip() or not node.children:
            node.value = _value_of(node.tag, text, source.get("encoding"))
    return result


def _to_xml(root: Element, redact: Callable[[Tag, str | bytes], str | bytes] | None) -> etree._Element:
    used = {node.tag.namespace for node in root.iter()} - {root.tag.namespace}
    nsmap = {None: root.tag.namespace} | {namespace.lower(): namespace for namespace in sorted(used)}
    # The stubs of lxml forget that None is the default namespace.
    top = etree.Element(_qualified(root.tag), nsmap=cast("dict[str, str]", nsmap))
    pending = [(root, top)]
    while pending:
        node, made = pending.pop()
        if node.value:
            value = str(node.value) if isinstance(node.value, Utf8) else node.value
            shown = redact(node.tag, value) if redact else value
            made.text, encoding = _text_of(node.tag, shown)
            if encoding:
                made.set("encoding", encoding)
        pending.extend((child, etree.SubElement(made, _qualified(child.tag))) for child in node.children)
    return top


def _qualified(tag: Tag) -> str:
    return f"{{{tag.namespace}}}{tag.name}"


def _tag_of(source: etree._Element) -> Tag:
    name = etree.QName(source)
    try:
        return by_name(name.namespace or "", name.localname)
    except KeyError:
        raise EncodeError(f"no tag is called {source.tag}") from None


def _text_of(tag: Tag, value: str | bytes) -> tuple[str, str | None]:
    """Return a value as the text of an XML element, and the attribute that marks it, if any."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode(), None if tag.opaque else "base64"
    if _NOT_XML.search(value):
        return base64.b64encode(value.encode("utf-8", "surrogatepass")).decode(), "base64-text"
    return value, "text" if tag.opaque else None


def _value_of(tag: Tag, text: str, encoding: str | None) -> str | bytes | None:
    """Return what `_text_of` was given."""
    if not text:
        return None
    if encoding == "text" or (encoding is None and not tag.opaque):
        return text
    if encoding not in {None, "base64", "base64-text"}:
        raise EncodeError(f"{tag!r}: encoding {encoding!r} is not known")
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
        return data.decode("utf-8", "surrogatepass") if encoding == "base64-text" else data
    except ValueError:  # that of base64 and that of UTF-8
        raise EncodeError(f"{tag!r}: the value is not {encoding or 'base64'}") from None
