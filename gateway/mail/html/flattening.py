"""HTML without what the parser is slow at, or makes very much of.

The parser takes the square of the depth of elements inside each other, of the options of a choice and of the
attributes of a tag. Of a few hundred letters it makes gigabytes: what is bold and was never closed begins
anew in each paragraph. So a document of many tags is written anew before it is parsed: each element is closed
where it ends, few stand inside each other, and what makes letters bold has a name that means nothing.
"""

from __future__ import annotations

import re

from gateway.mail.html.elements import BLOCK, DROPPED

__all__ = ["restored", "shallow"]

_FEW_TAGS = 1500
_LONG_TAG = re.compile(r"</?[a-z][^<>]{2048,}", re.IGNORECASE)
_VALUE = re.compile(r"\"[^\"]*\"|'[^']*'")
_MOST_NAMES = 2048
"""Characters of a tag without the values of its attributes: the parser takes the square of their number."""

_DEEPEST = 250
_DEEPEST_INLINE = 150
"""Elements inside each other; those that make no line of their own, which are often left open, leave room."""

_BLANK = r"[ \t\r\n\f]"
_VALUES = r"\"[^\"]*+\"|'[^']*+'|[^ \t\r\n\f>\"'][^ \t\r\n\f>]*+"
"""Quotation marks mean something only right behind an equals sign, as HTML has it (13.2.5 Tokenization)."""
_TAG = re.compile(
    rf"<(?:(/?)([a-z][^ \t\r\n\f/>]*+)((?:[^>=]++|={_BLANK}*+(?:{_VALUES})?+)*+)>"
    r"|!--(?:-?>|.*?(?:--!?>|(\Z)))|[!?/][^>]*+>)",
    re.IGNORECASE | re.DOTALL,
)
"""A tag, a comment (the last group: that does not end) or a declaration."""
_NAME = re.compile(r"[a-z][a-z0-9-]*")
_ATTRIBUTES = re.compile(
    rf"(?:(?:{_BLANK}|/)*+[^ \t\r\n\f/>=]++(?:{_BLANK}*+={_BLANK}*+(?:{_VALUES}|\Z))?+)*+(?:{_BLANK}|/)*+"
)
"""Those of a tag where the parser is sure to find the same end of it."""

_VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    ]
)
_RAW = frozenset(["script", "style", "title", "textarea", "iframe", "noembed", "noframes", "xmp"])
"""What stands in them is no markup."""
_PASSED_OVER = frozenset(["html", "head", "option", "optgroup", "plaintext", "frameset", "frame", "marquee"])
"""What they hold counts, and they do not."""
_HIDDEN = DROPPED - _RAW - _PASSED_OVER
_DRAWN = frozenset({"svg", "math"})
_FORMATTING = frozenset(
    ["b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"]
)
_RENAMED = re.compile(rf"(</?)x-(?=(?:{'|'.join(sorted(_FORMATTING))})[\s>/])")

_CELLS = frozenset({"td", "th", "caption"})
_BOUNDS = _CELLS | {"table"}
_GROUPS = frozenset({"tbody", "thead", "tfoot"})
_OF_TABLES = _CELLS | _GROUPS | {"colgroup", "tr"}
_AROUND_CELLS = _GROUPS | {"table", "colgroup", "tr"}

_LINES = BLOCK | _CELLS | {"a"}
"""Without them text would run together, or lead nowhere."""
_NOT_DRAWN = BLOCK | _FORMATTING | {"br", "img", "span", "sub", "sup"}
"""Where one of them begins a drawing has ended, be it closed or not."""
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})

_Ends = tuple[frozenset[str], frozenset[str]]
_ENDS: dict[str, _Ends] = {
    **dict.fromkeys(BLOCK | {"details", "dialog", "dir", "menu", "search"}, (frozenset({"p"}), _BOUNDS)),
    "li": (frozenset({"li", "p"}), _BOUNDS | {"ul", "ol", "menu", "dir", "blockquote"}),
    **dict.fromkeys(("dd", "dt"), (frozenset({"dd", "dt", "p"}), _BOUNDS | {"dl", "blockquote"})),
    **dict.fromkeys(("td", "th"), (_CELLS | {"colgroup"}, frozenset({"table", "tr"}))),
    "tr": (_CELLS | {"colgroup", "tr"}, frozenset({"table"})),
    **dict.fromkeys(_GROUPS | {"caption", "colgroup"}, (_OF_TABLES, frozenset({"table"}))),
}
"""Which elements end as one begins, unless there are others in between."""


def shallow(document: str) -> str:
    """The document as the parser reads it in little time and room, whatever it is.

    What it holds and means is the same but for elements deeper than anybody nests them. See `restored`.
    """
    document = _LONG_TAG.sub(_bounded, document)
    return _Rewriting().of(document) if document.count("<") > _FEW_TAGS else document


def restored(markup: str) -> str:
    """What was parsed of such a document and written again, with the names that elements had."""
    return _RENAMED.sub(r"\1", markup)


def _bounded(tag: re.Match[str]) -> str:
    return tag[0] if len(_VALUE.sub("", tag[0])) <= _MOST_NAMES else ""


class _Rewriting:
    """Writes one document anew; time and room are linear in its length."""

    def __init__(self) -> None:
        self._made: list[str] = []
        self._open: list[str] = []
        self._at: dict[str, list[int]] = {}
        """Where in `_open` elements of a name are."""
        self._blocks: list[int] = []
        self._over: set[int] = set()
        """Where those are that end as soon as the blocks in them do."""
        self._hidden: int | None = None
        """Where in `_open` that element is of which nothing is shown."""

    def of(self, document: str) -> str:
        """The document written anew."""
        end, last = 0, document.rfind(">") + 1
        while (tag := _TAG.search(document, end, last)) is not None:
            self._text(document[end : tag.start()])
            end = tag.end() if tag[4] is None else len(document)
            name = (tag[2] or "").lower()
            if tag[1]:
                self._ends(name)
            elif name in _RAW:
                close = re.compile(rf"</{name}(?=[\s/>])[^>]*>", re.IGNORECASE).search(document, end)
                if close is None:
                    end = len(document)
                    break
                if name == "style" and self._hidden is None:
                    self._made.append(f"<style>{document[end : close.start()]}</style>")
                end = close.end()
            elif _NAME.fullmatch(name):
                self._begins(name, tag[3])
        self._text(document[end:].partition("<!--")[0])
        self._close(0)
        return "".join(self._made)

    def _text(self, text: str) -> None:
        if text and self._hidden is None:
            self._made.append(text.replace("<", "&lt;"))

    def _begins(self, name: str, attributes: str) -> None:
        if name in _PASSED_OVER or (name in _DRAWN and attributes.endswith("/")):
            return
        if name == "body":
            if not self._open:
                self._write(name, attributes)
            return
        if (name in _OF_TABLES and not self._at.get("table")) or (name == "form" and self._between_cells()):
            return
        if self._hidden is not None and self._shows(name) and name == "select":
            return
        self._make_way(name)
        if name in _HIDDEN:
            self._push(name)
            if self._hidden is None:
                self._hidden = len(self._open) - 1
        elif name in _VOID:
            self._write(name, attributes)
        elif len(self._open) < (_DEEPEST if name in _LINES else _DEEPEST_INLINE):
            self._push(name)
            self._write(name, attributes)
        elif name in BLOCK:
            self._write("br", "")

    def _shows(self, name: str) -> bool:
        """End what is hidden if it is because an element begins that is never in it."""
        hidden = self._open[self._hidden or 0]
        if hidden in _DRAWN:
            ends = name in _NOT_DRAWN and not self._at.get("foreignobject")
        else:
            ends = hidden == "select" and name in {"input", "select"}
        if ends:
            self._close(self._hidden or 0)
        return ends

    def _between_cells(self) -> bool:
        return bool(self._at.get("table")) and self._last(_AROUND_CELLS) > self._last(_CELLS)

    def _make_way(self, name: str) -> None:
        """End what ends because an element begins."""
        if name == "table" and self._hidden is None and self._between_cells():
            self._close(self._at[name][-1])
        if (rule := _ENDS.get(name)) is not None:
            ended, stops = rule
            places = [at[-1] for one in ended if (at := self._at.get(one))]
            if places:
                stop = max(self._last(stops), -1 if self._hidden is None else self._hidden)
                self._close(min((place for place in places if place > stop), default=len(self._open)))
            if name in _OF_TABLES and self._hidden is None:
                self._close(self._last(_AROUND_CELLS) + 1)
        elif name == "a" and (at := self._at.get(name)) and at[-1] > max(self._blocks[-1:], default=-1):
            self._close(at[-1])

    def _ends(self, name: str) -> None:
        if name in _HEADINGS:
            name = max(_HEADINGS, key=lambda one: self._at.get(one, [])[-1:])
        elif name == "br" or (name == "p" and self._last({"p"}) <= self._last(_BOUNDS)):
            self._begins(name, "")
        places = self._at.get(name)
        if not places:
            return
        place = places[-1]
        if name in _OF_TABLES or name == "table":
            stop = self._last({"table"})
        else:
            stop = max(self._last(_BOUNDS), -1 if self._hidden is None else self._hidden)
            apart = name == "form" or (name not in BLOCK and name not in _HIDDEN)
            if apart and place < max(self._blocks[-1:], default=-1):
                self._over.add(place)
                return
        if place >= stop:
            self._close(place)

    def _last(self, names: frozenset[str] | set[str]) -> int:
        return max((at[-1] for name in names if (at := self._at.get(name))), default=-1)

    def _push(self, name: str) -> None:
        place = len(self._open)
        self._open.append(name)
        self._at.setdefault(name, []).append(place)
        if name in BLOCK:
            self._blocks.append(place)

    def _close(self, place: int) -> None:
        """End the element at a place, and all that is in it."""
        while len(self._open) > place or (len(self._open) - 1) in self._over:
            self._over.discard(len(self._open) - 1)
            name = self._open.pop()
            self._at[name].pop()
            if self._blocks and self._blocks[-1] == len(self._open):
                self._blocks.pop()
            if self._hidden is None:
                self._made.append(f"</{_written(name)}>")
            elif self._hidden == len(self._open):
                self._hidden = None

    def _write(self, name: str, attributes: str) -> None:
        if self._hidden is None:
            kept = attributes if attributes and _ATTRIBUTES.fullmatch(attributes) else ""
            self._made.append(f"<{_written(name)}{kept}>")


def _written(name: str) -> str:
    if name == "form":
        return "div"  # which is a line of its own and nothing else
    return f"x-{name}" if name in _FORMATTING else name
