"""What is new in an answer: its text without the message it quotes at its end.

Mail programs mark the quote in a few ways each of which is known here. What is not certainly a quote down to
the end stays, and all of it where nothing would remain. Every pattern is bounded, so that the time is linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from gateway.mail.html import to_text

__all__ = ["new_in_html", "new_in_text"]

_MOST_CANDIDATES = 20
_ENOUGH = 100
"""Characters that show that there is something to be seen."""
_INSIDE = r"[^<>]{0,1000}"
_GMAIL = re.compile(rf"<(div){_INSIDE}\bclass\s*=\s*[\"']?[^\"'<>]{{0,200}}\bgmail_quote\b", re.IGNORECASE)
_OUTLOOK = re.compile(
    rf"<(div){_INSIDE}\bid\s*=\s*[\"']?(?:divRplyFwdMsg|mail-editor-reference-message-container)\b",
    re.IGNORECASE,
)
_WORD = re.compile(rf"<(div){_INSIDE}\bborder-top\s*:\s*solid", re.IGNORECASE)
_CITE = re.compile(rf"<(blockquote){_INSIDE}\btype\s*=\s*[\"']?cite\b", re.IGNORECASE)
_LABEL = re.compile(r"<(?:b|strong)\b[^<>]{0,200}>\s*(?:<[^<>]{0,200}>\s*){0,5}[^<>:]{1,30}:", re.IGNORECASE)
_LABELS_WITHIN = 3000
_LABELS = 3
"""So many of From, Sent, To and Subject, in whatever language, make a header."""
_RULE_BEFORE = re.compile(
    r"(?:<div[^<>]{0,200}\bid=[\"']?appendonsend[^<>]{0,200}>\s*</div>\s*)?<hr\b[^<>]{0,300}>\s*\Z",
    re.IGNORECASE,
)
_ATTRIBUTION_REACH = 1500
_ATTRIBUTION = re.compile(
    r"<(?:div|p)\b[^<>]{0,300}>(?:[^<>]|<(?!div\b|p\b|blockquote\b|/div|/p\b)[^<>]{0,300}>){5,600}?:"
    r"(?:\s|&nbsp;|</?(?:div|p|span|br)\b[^<>]{0,200}>)*\Z",
    re.IGNORECASE,
)
_BODY_END = re.compile(r"</body\b", re.IGNORECASE)
_DIVS, _BLOCKQUOTES = (re.compile(rf"<(/?){name}\b", re.IGNORECASE) for name in ("div", "blockquote"))
_MOST_BEHIND = 20_000
"""Characters behind a quote that are looked at: with more there is more than the end of the document."""

_HEADER_LINE = re.compile(r"\s{0,3}\*?[^\s:*][^:*]{0,25}:\*? ?\S.*")
_SEPARATOR = re.compile(r"\s{0,3}(?:-{2,}\s?\S.{0,60}\S\s?-{2,}|_{10,})\s*")
_HEADER_LINES = 6
_LONGEST_ATTRIBUTION = 300


def new_in_html(document: str) -> str | None:
    """An answer in HTML without its quote; None where there is none to leave out."""
    body_end = _BODY_END.search(document)
    end = body_end.start() if body_end else len(document)
    for start, after in _quotes(document, end):
        if end - after <= _MOST_BEHIND and not _shows_something(document[after:end]):
            kept = document[:start]
            return kept + document[after:] if _shows_something(kept) else None
    return None


def new_in_text(text: str) -> str | None:
    """An answer in plain text without its quote; None where there is none to leave out."""
    lines = text.splitlines(keepends=True)
    start = _separated(lines)
    if start is None:
        start = _marked(lines)
    kept = "".join(lines[:start]).rstrip() if start else ""
    return f"{kept}\r\n" if kept else None


# --- HTML --------------------------------------------------------------------------------------------------


def _quotes(document: str, end: int) -> Iterator[tuple[int, int]]:
    """Where quotes may begin and end, those first that show all of themselves."""
    for found in islice(_GMAIL.finditer(document), _MOST_CANDIDATES):
        yield found.start(), _end_of(document, found, end)
    for pattern in (_OUTLOOK, _WORD):
        # The header alone is in the element; the quote goes on behind it.
        for found in islice(pattern.finditer(document), _MOST_CANDIDATES):
            labels = _LABEL.findall(document, found.start(), found.start() + _LABELS_WITHIN)
            if len(labels) >= _LABELS:
                yield _with_rule(document, found.start()), end
    for found in islice(_CITE.finditer(document), _MOST_CANDIDATES):
        yield _with_attribution(document, found.start()), _end_of(document, found, end)


def _end_of(document: str, opened: re.Match[str], end: int) -> int:
    """Where the element ends whose start tag was found; `end` if it is never closed."""
    depth = 0
    tags = _DIVS if opened[1].lower() == "div" else _BLOCKQUOTES
    for tag in tags.finditer(document, opened.start(), end):
        depth += -1 if tag[1] else 1
        if not depth:
            closed = document.find(">", tag.end(), end)
            return end if closed < 0 else closed + 1
    return end


def _with_rule(document: str, start: int) -> int:
    near = max(start - _ATTRIBUTION_REACH, 0)
    rule = _RULE_BEFORE.search(document[near:start])
    return near + rule.start() if rule else start


def _with_attribution(document: str, start: int) -> int:
    """Where "On that day, somebody wrote:" begins, if that is what stands before the quote."""
    near = max(start - _ATTRIBUTION_REACH, 0)
    before = document[near:start]
    for opened in reversed([*re.finditer(r"<(?:div|p)\b", before, re.IGNORECASE)][-5:]):
        if _ATTRIBUTION.match(before, opened.start()):
            return near + opened.start()
    return start


def _shows_something(piece: str) -> bool:
    return "<img" in piece.lower() or bool(to_text(piece, links=False, limit=_ENOUGH).strip())


# --- plain text --------------------------------------------------------------------------------------------


def _separated(lines: list[str]) -> int | None:
    """The line that says "Original Message", with a header below."""
    for at, line in enumerate(lines):
        if _SEPARATOR.fullmatch(line):
            below = [one for one in lines[at + 1 : at + 1 + _HEADER_LINES] if one.strip()]
            if sum(bool(_HEADER_LINE.match(one)) for one in below) >= _LABELS:
                return at
    return None


def _marked(lines: list[str]) -> int | None:
    """The line of the attribution, when nothing but lines with a ">" follow it."""
    at = len(lines)
    while at and (not lines[at - 1].strip() or lines[at - 1].startswith(">")):
        at -= 1
    if at in {0, len(lines)} or not any(line.startswith(">") for line in lines[at:]):
        return None
    last = lines[at - 1].strip()
    if not last.endswith(":") or len(last) > _LONGEST_ATTRIBUTION:
        return None
    wrapped = at > 1 and lines[at - 2].strip() and not any(map(str.isdigit, last))
    if wrapped and any(map(str.isdigit, lines[at - 2])):
        return at - 2
    return at - 1
