"""The text of an HTML document as people read it."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from gateway.mail.html.elements import BLOCK, CELL, DROPPED, PARAGRAPH
from gateway.mail.html.flattening import shallow

LONGEST = 1024 * 1024
"""Characters of a document that are read: what people write is shorter, and each costs time."""
_EMBEDDED = re.compile(r"data:[^\s\"'<>]{1024,}")
"""A picture in the document itself, which may be longer than all that is written."""
_LINK_SCHEMES = ("http://", "https://", "mailto:", "tel:", "ftp://")
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_WHITE = re.compile(r"[ \t\r\n\f]+")
_UNEVEN = re.compile(r"[\t\r\n\f]|  ")
_INVISIBLE = "\u200b\u00ad\ufeff\u034f"


def to_text(document: str, *, links: bool = True, limit: int | None = None) -> str:
    """The text of a document as people read it, lines parted by CRLF.

    Paragraphs, lists, quotations (`> `), table rows (cells parted by tabs) and the targets of links (`links`)
    are kept; scripts, styles and hidden elements are not. Stops soon after `limit` characters, and where
    `LONGEST` ends, embedded pictures aside.
    """
    if len(document) > LONGEST:
        document = _EMBEDDED.sub("", document)
    root = LexborHTMLParser(shallow(document[:LONGEST])).root
    if root is None:
        return ""
    writer = _Writer(links, limit)
    _walk(root, writer)
    return writer.text()


class _Writer:
    """Puts lines together."""

    def __init__(self, links: bool, limit: int | None) -> None:
        self.links = links
        self.preformatted = 0
        self.quotes = 0
        self.lists: list[int | None] = []
        """The number of the next item of each open list, None for bullets."""
        self._lines: list[str] = []
        self._line: list[str] = []
        self._marked = False
        self._space = False
        self._left = limit

    @property
    def full(self) -> bool:
        return self._left is not None and self._left <= 0

    def words(self, text: str) -> None:
        if self.preformatted:
            first, *rest = text.replace("\r\n", "\n").split("\n")
            self._put(first)
            for line in rest:
                self.line_break()
                self._put(line)
            return
        collapsed = _WHITE.sub(" ", text) if _UNEVEN.search(text) else text
        stripped = collapsed.strip(" ")
        if not stripped:
            self._space = self._space or bool(collapsed)
            return
        if self._line and (self._space or collapsed[0] == " "):
            self._put(" ")
        self._put(stripped)
        self._space = collapsed[-1] == " "

    def cell(self) -> None:
        """A cell of a table row begins."""
        if self._line:
            self._put("\t")
        self._space = False

    def line_break(self) -> None:
        """End the line, even an empty one."""
        text = "".join(self._line).rstrip()
        self._lines.append(f"{'> ' * min(self.quotes, 10)}{text}".rstrip() if self.quotes else text)
        self._line.clear()
        self._marked = False
        self._space = False
        if self._left is not None:
            self._left -= 2

    def end_line(self) -> None:
        """Begin a new line unless at the beginning of one, or just behind the mark of a list item."""
        if self._line and not self._marked:
            self.line_break()
        self._space = False

    def paragraph(self) -> None:
        """Begin a new line below an empty one, unless nothing was written yet."""
        self.end_line()
        if self._lines and self._lines[-1].strip("> "):
            self.line_break()

    def item(self) -> None:
        """An item of the innermost list begins."""
        self._marked = False
        self.end_line()
        number = self.lists[-1] if self.lists else None
        mark = "-"
        if number is not None:
            mark = f"{number}."
            self.lists[-1] = number + 1
        self._put("  " * min(max(len(self.lists) - 1, 0), 10) + mark + " ")
        self._marked = True

    def text(self) -> str:
        self._marked = False
        self.end_line()
        text = "\r\n".join(self._lines).strip("\r\n").replace("\u00a0", " ")
        if not text.isascii():
            for invisible in _INVISIBLE:
                text = text.replace(invisible, "")
        return text

    def _put(self, text: str) -> None:
        if text:
            self._marked = False
            self._line.append(text)
            if self._left is not None:
                self._left -= len(text)


def _walk(root: LexborNode, writer: _Writer) -> None:
    """Visit the tree in document order without recursion."""
    open_tags: list[tuple[str, str]] = []
    node: LexborNode | None = root
    while node is not None and not writer.full:
        tag = node.tag or ""
        child: LexborNode | None = None
        link = ""
        if tag == "-text":
            writer.words(node.text_content or "")
        elif tag and tag[0] not in "-!" and tag not in DROPPED:
            attributes = node.attributes
            if not ("style" in attributes and _HIDDEN.search(attributes["style"] or "")):
                link = _enter(tag, node, writer)
                child = node.first_child
                if child is None:
                    _leave(tag, link, writer)
        if child is not None:
            open_tags.append((tag, link))
            node = child
            continue
        while node is not None and open_tags and node.next is None:
            node = node.parent
            _leave(*open_tags.pop(), writer)
        node = node.next if node is not None and open_tags else None


def _enter(tag: str, node: LexborNode, writer: _Writer) -> str:
    """Begin an element; returns the target of a link that is to be shown after its text."""
    if tag == "br":
        writer.line_break()
    elif tag in CELL:
        writer.cell()
    elif tag == "li":
        writer.item()
    elif tag in PARAGRAPH:
        _enter_paragraph(tag, node, writer)
    elif tag in BLOCK:
        writer.end_line()
    elif tag == "img":
        alt = (node.attributes.get("alt") or "").strip()
        if alt:
            writer.words(f" [{alt}] ")
    elif tag == "a" and writer.links:
        return _target(node)
    return ""


def _enter_paragraph(tag: str, node: LexborNode, writer: _Writer) -> None:
    if writer.lists and tag in {"ul", "ol", "p"}:
        writer.end_line()
    else:
        writer.paragraph()
    if tag == "ol":
        start = (node.attributes.get("start") or "1").strip()
        writer.lists.append(int(start) if start.isdecimal() and len(start) < 6 else 1)
    elif tag == "ul":
        writer.lists.append(None)
    elif tag == "blockquote":
        writer.quotes += 1
    elif tag == "pre":
        writer.preformatted += 1
    elif tag == "hr":
        writer.words("_" * 32)


def _leave(tag: str, link: str, writer: _Writer) -> None:
    if link:
        writer.words(f" <{link}>")
    elif tag in {"ul", "ol"}:
        writer.lists.pop()
        writer.end_line() if writer.lists else writer.paragraph()
    elif tag == "blockquote":
        writer.end_line()
        writer.quotes -= 1
    elif tag == "pre":
        writer.preformatted -= 1
        writer.paragraph()
    elif tag in PARAGRAPH and not writer.lists:
        writer.paragraph()
    elif tag in BLOCK:
        writer.end_line()


def _target(node: LexborNode) -> str:
    """Where a link leads, unless its text says so already."""
    target = (node.attributes.get("href") or "").strip()
    if not target.lower().startswith(_LINK_SCHEMES):
        return ""
    shown = _bare(node.text() or "")
    return "" if not shown or shown == _bare(target) else target


def _bare(target: str) -> str:
    text = target.strip().lower()
    for prefix in ("mailto:", "tel:", "https://", "http://", "www."):
        text = text.removeprefix(prefix)
    return text.rstrip("/")
