"""The element tree: what a document says, without how it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wbxml.tags import Tag

__all__ = ["Element", "Utf8", "element"]


class Utf8:
    """Text by its octets in UTF-8, so that a large one is neither decoded nor copied to be written.

    Where an element has one as its value, it is equal to the text.
    """

    __slots__ = ("octets",)

    def __init__(self, octets: bytes) -> None:
        self.octets = octets

    def __len__(self) -> int:
        return len(self.octets)

    def __str__(self) -> str:
        return self.octets.decode("utf-8", "replace")


class Element:
    """One element: its tag, and either a value or children.

    `value` is text (str or Utf8), bytes, or None when the element is empty or holds children only. No method
    recurses, so a deep tree cannot exhaust the stack. An element is true even without children:
    `if root.find(tag)` asks whether there is one.
    """

    __slots__ = ("children", "tag", "value")

    def __init__(
        self, tag: Tag, value: str | Utf8 | bytes | None = None, children: list[Element] | None = None
    ) -> None:
        self.tag = tag
        self.value = value
        self.children: list[Element] = [] if children is None else children

    def add(self, tag: Tag, value: str | Utf8 | bytes | None = None) -> Element:
        """Append a new child and return it."""
        child = Element(tag, value)
        self.children.append(child)
        return child

    def append(self, child: Element) -> Element:
        """Append a child and return it."""
        self.children.append(child)
        return child

    def extend(self, children: Iterable[Element]) -> None:
        """Append children in order."""
        self.children.extend(children)

    def find(self, tag: Tag) -> Element | None:
        """Return the first child with this tag."""
        for child in self.children:
            if child.tag is tag:
                return child
        return None

    def findall(self, tag: Tag) -> list[Element]:
        """Return the children with this tag, in order."""
        return [child for child in self.children if child.tag is tag]

    def text(self) -> str:
        """Return the value as text: "" when there is none; bytes are read as UTF-8, bad ones as U+FFFD."""
        value = self.value
        if isinstance(value, str):
            return value
        if isinstance(value, Utf8):
            return str(value)
        return "" if value is None else value.decode("utf-8", "replace")

    def data(self) -> bytes:
        """Return the value as bytes: b"" when there is none; text is written as UTF-8.

        Raises UnicodeEncodeError for a lone surrogate, which decoded text never holds.
        """
        value = self.value
        if isinstance(value, str):
            return value.encode()
        if isinstance(value, Utf8):
            return value.octets
        return b"" if value is None else value

    def child_text(self, tag: Tag, default: str | None = None) -> str | None:
        """Return the text of the first child with this tag: "" when empty, `default` when there is none."""
        child = self.find(tag)
        return default if child is None else child.text()

    def iter(self) -> Iterator[Element]:
        """Yield this element and everything below it, in document order."""
        pending = [self]
        while pending:
            node = pending.pop()
            yield node
            pending.extend(reversed(node.children))

    def __iter__(self) -> Iterator[Element]:
        return iter(self.children)

    def __len__(self) -> int:
        return len(self.children)

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        """Compare tags, values and children; "", b"" and None are equal, as they are on the wire."""
        if not isinstance(other, Element):
            return NotImplemented
        pending = [(self, other)]
        while pending:
            one, two = pending.pop()
            if one is two:
                continue
            same = one.tag is two.tag and _plain(one.value) == _plain(two.value)
            if not same or len(one.children) != len(two.children):
                return False
            pending.extend(zip(one.children, two.children, strict=True))
        return True

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        """Show the tag, the value, and the tags of the children, cut to a readable length."""
        parts = [repr(self.tag)]
        if self.value is not None:
            parts.append(_shortened(_plain(self.value) or ""))
        if self.children:
            names = [repr(child.tag) for child in self.children[:_SHOWN_CHILDREN]]
            if len(self.children) > _SHOWN_CHILDREN:
                names.append(f"... {len(self.children)} in all")
            parts.append(f"[{', '.join(names)}]")
        return f"<{' '.join(parts)}>"


_SHOWN_CHILDREN = 12
_SHOWN_VALUE = 60


def _plain(value: str | Utf8 | bytes | None) -> str | bytes | None:
    """The value as text or bytes, None when it is empty."""
    return (str(value) if isinstance(value, Utf8) else value) or None


def _shortened(value: str | bytes) -> str:
    if len(value) <= _SHOWN_VALUE:
        return repr(value)
    unit = "characters" if isinstance(value, str) else "bytes"
    return f"{value[:_SHOWN_VALUE]!r}... {len(value)} {unit}"


_CHILDREN_ALONE = {Element}


def element(tag: Tag, *content: Element | str | Utf8 | bytes | int | None) -> Element:
    """Build an element from its children, or from one value; None is left out.

    A number becomes its decimal text, a bool "1" or "0". Raises TypeError for two values, or a value beside
    children.

    >>> element(FolderHierarchy.FolderSync, element(FolderHierarchy.SyncKey, 0))
    <FolderHierarchy:FolderSync [FolderHierarchy:SyncKey]>
    """
    if len(content) == 1 and not isinstance(only := content[0], Element):
        return Element(tag, str(int(only)) if isinstance(only, int) else only)
    if {*map(type, content)} == _CHILDREN_ALONE:
        return Element(tag, None, [*cast("tuple[Element, ...]", content)])
    children: list[Element] = []
    values: list[str | Utf8 | bytes] = []
    for item in content:
        if isinstance(item, Element):
            children.append(item)
        elif isinstance(item, int):
            values.append(str(int(item)))
        elif item is not None:
            values.append(item)
    if len(values) > 1 or (values and children):
        raise TypeError(f"{tag!r} takes children or one value")
    return Element(tag, values[0] if values else None, children)
