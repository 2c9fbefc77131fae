"""HTML of mail to readable text and back.

Reading takes time linear in the input but for the nesting of elements and the attributes of one, where the
parser needs the square of their number; what has more of them than people ever write is cut down first.
"""

from __future__ import annotations

import html
import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

__all__ = ["declared_charset", "from_text", "join", "relabel", "shallow", "to_text"]

_META_CHARSET = re.compile(rb"<meta\s[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)
_META_REACH = 4096

_DROPPED = frozenset(
    {
        "head",
        "script",
        "style",
        "title",
        "template",
        "noscript",
        "object",
        "applet",
        "iframe",
        "svg",
        "math",
        "select",
        "button",
        "textarea",
        "audio",
        "video",
    }
)
_PARAGRAPH = frozenset(
    {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "blockquote", "pre", "figure", "hr"}
)
_BLOCK = _PARAGRAPH | frozenset(
    {
        "address",
        "article",
        "aside",
        "body",
        "caption",
        "center",
        "dd",
        "details",
        "div",
        "dt",
        "fieldset",
        "figcaption",
        "footer",
        "form",
        "header",
        "html",
        "li",
        "main",
        "nav",
        "section",
        "summary",
        "tbody",
        "tfoot",
        "thead",
        "tr",
    }
)
_CELL = frozenset({"td", "th"})
_LINK_SCHEMES = ("http://", "https://", "mailto:", "tel:", "ftp://")
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_WHITE = re.compile(r"[ \t\r\n\f]+")
_UNEVEN = re.compile(r"[\t\r\n\f]|  ")
_INVISIBLE = "\u200b\u00ad\ufeff\u034f"

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

_BODY_OPEN = re.compile(
    r".*?<body\b[^>]*>|\s*(?:<!doctype[^>]*>\s*)?<html\b[^>]*>", re.IGNORECASE | re.DOTALL
)
_BODY_CLOSE = re.compile(r"</body\s*>\s*(?:</html\s*>\s*)?\Z", re.IGNORECASE)
_BODY_CLOSE_REACH = 200

_URL = re.compile(r"\b(?:https?://|www\.)[^\s<>\"']{2,2000}", re.IGNORECASE)
_NOT_LAST_IN_URL = ".,;:!?]}*_"
_RUN_OF_SPACES = re.compile(r"(?<= ) |^ ", re.MULTILINE)


def declared_charset(data: bytes) -> str | None:
    """The charset that the document itself names, which counts only when the mail names none."""
    match = _META_CHARSET.search(data[:_META_REACH])
    return match[1].decode("ascii", "replace") if match else None


def relabel(document: bytes) -> bytes:
    """The document, which is in UTF-8 by now, with the charset it names corrected."""
    match = _META_CHARSET.search(document[:_META_REACH])
    if match is None or match[1].lower() == b"utf-8":
        return document
    return document[: match.start(1)] + b"utf-8" + document[match.end(1) :]


def join(documents: list[str]) -> str:
    """Several HTML documents (or pieces) as one: the bodies of the later ones follow that of the first."""
    if len(documents) == 1:
        return documents[0]
    pieces: list[str] = []
    for number, document in enumerate(documents):
        if number:
            match = _BODY_OPEN.match(document)
            document = document[match.end() :] if match else document  # noqa: PLW2901
            pieces.append("<br>\r\n")
        pieces.append(_without_end(document))
    pieces.append("</body></html>")
    return "".join(pieces)


def from_text(text: str) -> str:
    """Plain text as HTML that looks the same: line breaks, indents and links kept."""
    pieces: list[str] = []
    end = 0
    hint = "://" in text or "www." in text.lower()  # found ten times faster than that there is no URL
    for match in _URL.finditer(text) if hint else ():
        shown = match.group().rstrip(_NOT_LAST_IN_URL)
        if "(" not in shown:
            shown = shown.rstrip(f"){_NOT_LAST_IN_URL}")
        address = shown if "://" in shown[:8] else f"http://{shown}"
        pieces.append(_escaped(text[end : match.start()]))
        pieces.append(f'<a href="{html.escape(address)}">{html.escape(shown)}</a>')
        end = match.start() + len(shown)
    pieces.append(_escaped(text[end:]))
    return (
        '<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head>\r\n<body>'
        + "".join(pieces)
        + "</body></html>"
    )


def to_text(document: str, *, links: bool = True, limit: int | None = None) -> str:
    """The text of a document as people read it, lines parted by CRLF.

    Paragraphs, lists, quotations (`> `), table rows (cells parted by tabs) and the targets of links (`links`)
    are kept; scripts, styles and hidden elements are not. Stops soon after `limit` characters.
    """
    root = LexborHTMLParser(shallow(document)).root
    if root is None:
        return ""
    writer = _Writer(links, limit)
    _walk(root, writer)
    return writer.text()


def shallow(document: str) -> str:
    """The document without what the parser is slow at: deep nesting, tags with countless attributes."""
    document = _LONG_TAG.sub(_bounded, document)
    return _flattened(document) if document.count("<") > _FEW_TAGS and _too_deep(document) else document


def _bounded(tag: re.Match[str]) -> str:
    return tag[0] if len(_VALUE.sub("", tag[0])) <= _MOST_NAMES else ""


def _without_end(document: str) -> str:
    tail = document[-_BODY_CLOSE_REACH:]
    match = _BODY_CLOSE.search(tail)
    return document[: len(document) - len(tail) + match.start()] if match else document


def _escaped(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(8)
    if "  " in text or "\n " in text or text[:1] == " ":
        text = _RUN_OF_SPACES.sub("\u00a0", text)
    return html.escape(text, quote=False).replace("\n", "<br>\r\n")


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
        if plain in _DROPPED or plain == "br":
            return tag[0]
        return "<p>" if plain in _BLOCK else ""

    return _ANY_TAG.sub(replaced, document)


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
        elif tag and tag[0] not in "-!" and tag not in _DROPPED:
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
    elif tag in _CELL:
        writer.cell()
    elif tag == "li":
        writer.item()
    elif tag in _PARAGRAPH:
        _enter_paragraph(tag, node, writer)
    elif tag in _BLOCK:
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
    elif tag in _PARAGRAPH and not writer.lists:
        writer.paragraph()
    elif tag in _BLOCK:
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
