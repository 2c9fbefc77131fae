"""The MIME structure of a message that is at hand as a whole, as an IMAP server would tell it (RFC 2046 5.1).

Parts are places in the message: nothing is copied, whatever its size. Broken messages give what can be made
out of them; nothing raises.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.mail.headers import Headers
from gateway.types import BodyPart

__all__ = ["Anatomy", "Span", "take_apart"]

_DEEPEST = 20
_MOST_PARTS = 1000
_LONGEST_HEADER = 256 * 1024
_TYPE = re.compile(r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)/([!#$%&'*+.^_`|~0-9A-Za-z-]+)")
_PARAMETER = re.compile(r';\s*([^\s=;"]+)\s*=\s*("(?:[^"\\]|\\.)*+"|[^;"]*+)')
_ESCAPE = re.compile(r"\\(.)")
_TOKEN = re.compile(r"[^\s;]+")


@dataclass(frozen=True, slots=True)
class Span:
    """Where a part is: its header from `start`, its body from `body` to `end`."""

    start: int
    body: int
    end: int


@dataclass(frozen=True, slots=True)
class Anatomy:
    """The structure of a message, and the places of its parts by section."""

    root: BodyPart
    spans: Mapping[str, Span]


def take_apart(message: bytes | memoryview, header: bytes, body: int = 0) -> Anatomy:
    """The parts of a message with CRLF line ends.

    `header` is its header block, and its body begins in `message` at `body`.
    """
    data = message if isinstance(message, bytes) else message.obj
    assert isinstance(data, bytes)  # what the caller shows a piece of
    walk = _Walk(data)
    root = walk.part(Headers(header), Span(body, body, len(data)), "", 0)
    return Anatomy(root, walk.spans)


def _content_fields(headers: Headers) -> tuple[str, str, dict[str, str]]:
    """Type, subtype and parameters of a Content-Type; text/plain where there is none to be made out."""
    text = (headers.get("content-type") or b"").decode("utf-8", "surrogateescape")
    match = _TYPE.match(text)
    if match is None:
        return "text", "plain", {}
    return match[1].lower(), match[2].lower(), _parameters(text[match.end() :])


class _Walk:
    """Goes through a message once, noting where each part is."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.spans: dict[str, Span] = {}

    def part(self, headers: Headers, span: Span, section: str, depth: int) -> BodyPart:
        kind, subtype, params = _content_fields(headers)
        children: tuple[BodyPart, ...] = ()
        boundary = params.get("boundary", "").encode("utf-8", "surrogateescape").rstrip()
        if kind == "multipart" and boundary and depth < _DEEPEST:
            children = self._children(span, boundary, section, depth)
        if not children:
            if kind == "multipart":
                kind, subtype = "text", "plain"  # with nothing in it that could be taken apart
            section = section or "1"
        self.spans[section] = span
        encoding = (headers.get("content-transfer-encoding") or b"7bit").decode("latin-1").strip().lower()
        disposition = (headers.get("content-disposition") or b"").decode("utf-8", "surrogateescape")
        named = _TOKEN.match(disposition)
        description = _text(headers, "content-description")
        if kind == "message" and not description:
            description = _text(self._header(span.body, span.end)[0], "subject")
        return BodyPart(
            section=section,
            type=kind,
            subtype=subtype,
            params=params,
            content_id=_text(headers, "content-id"),
            description=description,
            encoding=encoding,
            size=0 if children else span.end - span.body,
            disposition=named[0].lower() if named else None,
            disposition_params=_parameters(disposition[named.end() :]) if named else {},
            location=_text(headers, "content-location"),
            children=children,
        )

    def _children(self, span: Span, boundary: bytes, section: str, depth: int) -> tuple[BodyPart, ...]:
        prefix = f"{section}." if section else ""
        found: list[BodyPart] = []
        for number, (start, end) in enumerate(self._between(span, b"--" + boundary), 1):
            if len(self.spans) >= _MOST_PARTS:
                break
            headers, body = self._header(start, end)
            found.append(self.part(headers, Span(start, body, end), f"{prefix}{number}", depth + 1))
        return tuple(found)

    def _header(self, start: int, end: int) -> tuple[Headers, int]:
        """The header of a part, and where its body begins."""
        if self._data.startswith(b"\r\n", start, end):
            return Headers(b""), start + 2
        blank = self._data.find(b"\r\n\r\n", start, min(end, start + _LONGEST_HEADER))
        if blank < 0:
            return Headers(b""), start
        return Headers(self._data[start:blank]), blank + 4

    def _between(self, span: Span, mark: bytes) -> list[tuple[int, int]]:
        """What stands between the delimiter lines; without a last one, to the end."""
        data, found = self._data, list[tuple[int, int]]()
        opened: int | None = None
        at, begins = span.body, data.startswith(mark, span.body, span.end)
        while len(found) < _MOST_PARTS:
            line = at if begins else data.find(b"\r\n" + mark, at, span.end)
            if line < 0:
                break
            behind = line + len(mark) + 2 * (not begins)
            begins = False
            closing = data.startswith(b"--", behind, span.end)
            line_end = data.find(b"\r\n", behind, span.end)
            if not closing and data[behind : span.end if line_end < 0 else line_end].strip(b" \t"):
                at = behind  # a longer boundary that begins like this one
                continue
            if opened is not None:
                found.append((opened, max(line, opened)))
            if closing or line_end < 0:
                return found
            opened, at = line_end + 2, line_end
        if opened is not None and len(found) < _MOST_PARTS:
            found.append((opened, span.end))
        return found


def _parameters(text: str) -> dict[str, str]:
    """Parameters as BODYSTRUCTURE gives them: names in lower case, values without their quotes."""
    found: dict[str, str] = {}
    for match in _PARAMETER.finditer(text):
        value = match[2].strip()
        if value[:1] == '"':
            value = _ESCAPE.sub(r"\1", value[1:-1])
        found.setdefault(match[1].lower(), value)
    return found


def _text(headers: Headers, name: str) -> str | None:
    value = headers.get(name)
    return None if value is None else value.decode("utf-8", "surrogateescape")
