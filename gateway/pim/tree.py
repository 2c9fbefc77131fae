"""A calendar or a card as it is written, line by line, so that what is not changed stays as it was."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

from gateway.errors import Kind, Refused
from gateway.pim.limits import DEEPEST, LONGEST_TEXT, MOST_LINES
from gateway.pim.lines import LONGEST_LINE, Component, Property, parameters, parse_property

__all__ = [
    "BadText",
    "Line",
    "Node",
    "check_size",
    "escaped",
    "make_line",
    "parse_calendar",
    "parse_component",
]

_FOLDED_AT = 75
"""Octets (RFC 5545 3.1)."""
_BREAK = re.compile(r"\r\n|\r|\n")
_UNFOLD = re.compile(r"\r\n[ \t]")
_NAME = re.compile(r"[A-Za-z0-9.-]+")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_ESCAPED = re.compile(r"[\\;,\n]")
_CARETED = {'"': "^'", "\n": "^n", "^": "^^"}
_TO_CARET = re.compile(r'["\n^]')


class BadText(Refused):
    """It is not the text of such an item, or would become one that cannot be."""

    def __init__(self, detail: str) -> None:
        super().__init__(Kind.INVALID_CONTENT, detail)


@dataclass(frozen=True, slots=True)
class Line:
    """A line as written: `raw` is folded by CRLF, without the one at its end. `read` is None for rubbish."""

    raw: str
    read: Property | None

    @classmethod
    def of(cls, raw: str) -> Self:
        """Read a line."""
        whole = _UNFOLD.sub("", raw)
        return cls(raw, parse_property(whole) if len(whole) <= LONGEST_LINE else None)

    @classmethod
    def clean(cls, whole: str) -> Self:
        """A line that came unfolded from anywhere: folded, and without the characters it cannot have."""
        plain = _CONTROLS.sub("", whole).lstrip(" \t")
        return cls(_folded(plain), parse_property(plain) if len(plain) <= LONGEST_LINE else None)

    @property
    def name(self) -> str:
        return self.read.name if self.read else ""

    def with_params(self, value: str | None = None, /, **changes: str | None) -> Line:
        """The line with these parameters (with _ for -) as given, None for none; and with a value."""
        whole = _UNFOLD.sub("", self.raw)
        name = _NAME.match(whole)
        at = end = name.end() if name else 0
        wanted = {key.replace("_", "-"): text for key, text in changes.items()}
        kept: list[str] = []
        for found in parameters(whole, at):
            end = found.end()
            if found[1].upper() in wanted:
                text = wanted.pop(found[1].upper())
                kept += [] if text is None else [_param(found[1], text)]
            else:
                kept.append(found[0])
        kept += [_param(key, text) for key, text in wanted.items() if text is not None]
        if value is None:
            value = whole[whole.find(":", end) + 1 :]
        else:
            value = _CONTROLS.sub("", _BREAK.sub("", value))
        return _own(f"{whole[:at]}{''.join(kept)}:{value}")


@dataclass(slots=True)
class Node:
    """A component as written."""

    name: str
    begin: str = ""
    end: str = ""
    parts: list[Line | Node] = field(default_factory=list)

    @classmethod
    def new(cls, name: str, lines: Iterable[Line] = ()) -> Self:
        """A component of one's own."""
        return cls(name, f"BEGIN:{name}", f"END:{name}", list(lines))

    @property
    def text(self) -> str:
        """It all, with CRLF at the end of each line."""
        return "".join(f"{line}\r\n" for line in self._written())

    @property
    def component(self) -> Component:
        """What can be read of it."""
        return Component(
            self.name,
            [one.read for one in self.parts if isinstance(one, Line) and one.read],
            [one.component for one in self.nodes()],
        )

    def copy(self) -> Node:
        """The same, to be changed by itself."""
        parts = [one.copy() if isinstance(one, Node) else one for one in self.parts]
        return Node(self.name, self.begin, self.end, parts)

    def nodes(self, *names: str) -> Iterator[Node]:
        """The components in it, or those of some names."""
        return (one for one in self.parts if isinstance(one, Node) and (not names or one.name in names))

    def lines(self, *names: str) -> Iterator[Line]:
        """The lines with properties of these names."""
        return (one for one in self.parts if isinstance(one, Line) and one.name in names)

    def replace(self, names: str | tuple[str, ...], lines: Iterable[Line]) -> None:
        """Put these lines where the first one of such a name is, in place of all of them; else at the end."""
        wanted = (names,) if isinstance(names, str) else names
        self.replace_where(lambda one: one.name in wanted, lines)

    def replace_where(self, goes: Callable[[Line], bool], lines: Iterable[Line]) -> None:
        """Put these lines where the first one is that goes, in place of all of them; else at the end."""
        at = None
        kept: list[Line | Node] = []
        for one in self.parts:
            if isinstance(one, Line) and goes(one):
                at = len(kept) if at is None else at
            else:
                kept.append(one)
        if at is None:
            # Before the components: some programs look for no property behind them.
            at = next((where for where, one in enumerate(kept) if isinstance(one, Node)), len(kept))
        kept[at:at] = lines
        self.parts = kept

    def remove(self, *names: str) -> None:
        """Remove the properties of these names."""
        self.parts = [one for one in self.parts if isinstance(one, Node) or one.name not in names]

    def remove_nodes(self, goes: Callable[[Node], bool]) -> None:
        """Remove components."""
        self.parts = [one for one in self.parts if isinstance(one, Line) or not goes(one)]

    def _written(self) -> Iterator[str]:
        yield self.begin
        for one in self.parts:
            if isinstance(one, Node):
                yield from one._written()
            else:
                yield one.raw
        yield self.end


def parse_calendar(text: str) -> Node:
    """The first calendar (VCALENDAR) of a text. Raises `BadText` when there is none, or it is too long."""
    return parse_component(text, "VCALENDAR")


def parse_component(text: str, name: str) -> Node:
    """The first component of a name that stands in no other. Raises `BadText` as `parse_calendar`.

    A component that is not closed ends with what it is in. Components in more than eight others are dropped.
    """
    root = Node.new("")
    opened = [root]
    skipped = 0
    for line in _lines(text):
        inner = line.read.value.strip().upper() if line.read else ""
        if line.name == "BEGIN" and (skipped or len(opened) > DEEPEST):
            skipped += 1
        elif line.name == "BEGIN":
            begun = Node(inner, line.raw, f"END:{inner}")
            opened[-1].parts.append(begun)
            opened.append(begun)
        elif line.name == "END" and skipped:
            skipped -= 1
        elif line.name == "END":
            _close(opened, inner, line.raw)
        elif not skipped and line.raw:
            opened[-1].parts.append(line)
    found = next(root.nodes(name), None)
    if found is None:
        raise BadText(f"no {name}")
    return found


def make_line(name: str, value: str, params: Mapping[str, str] | None = None) -> Line:
    """A line of one's own, folded; `value` is as it is to be written, values of parameters are plain.

    Raises `BadText` when it is too long.
    """
    written = "".join(_param(key, text) for key, text in (params or {}).items())
    return _own(f"{name}{written}:{_CONTROLS.sub('', _BREAK.sub('', value))}")


def escaped(text: str) -> str:
    """Text as a value (RFC 5545 3.3.11), without the characters it cannot have."""
    plain = _CONTROLS.sub("", _BREAK.sub("\n", text))
    return _ESCAPED.sub(lambda match: "\\n" if match[0] == "\n" else f"\\{match[0]}", plain)


def check_size(text: str) -> None:
    """Refuse a text that could not be taken apart again. Raises `BadText`."""
    if len(text) > LONGEST_TEXT:
        raise BadText("a text that is too long")
    if text.count("\n") + text.count("\r") - text.count("\r\n") >= MOST_LINES:
        raise BadText("a text with too many lines")


def _lines(text: str) -> Iterator[Line]:
    check_size(text)
    pieces = _BREAK.split(text)
    known: dict[str, Property | None] = {}
    raw: list[str] = []
    for piece in pieces:
        if raw and piece[:1] in {" ", "\t"}:
            raw.append(piece)
            continue
        if raw:
            yield _line("\r\n".join(raw), known)
        raw = [piece]
    if raw:
        yield _line("\r\n".join(raw), known)


def _line(raw: str, known: dict[str, Property | None]) -> Line:
    """A line, read once however often it is there: exceptions of a series repeat most of what it says."""
    if raw not in known:
        known[raw] = Line.of(raw).read
    return Line(raw, known[raw])


def _close(opened: list[Node], name: str, raw: str) -> None:
    for depth in range(len(opened) - 1, 0, -1):
        if opened[depth].name == name:
            opened[depth].end = raw
            del opened[depth:]
            return


def _param(name: str, text: str) -> str:
    """A parameter, its value as RFC 6868 writes it."""
    plain = _CONTROLS.sub("", _BREAK.sub("\n", text)).strip()
    value = _TO_CARET.sub(lambda match: _CARETED[match[0]], plain)
    return f';{name}="{value}"' if any(sign in value for sign in ",;: ") else f";{name}={value}"


def _own(line: str) -> Line:
    """A line of one's own: one too long to be read again is refused. Raises `BadText`."""
    if len(line) > LONGEST_LINE:
        raise BadText("a value that is too long")
    return Line.of(_folded(line))


def _folded(line: str) -> str:
    octets = line.encode("utf-8", "replace")
    if len(octets) <= _FOLDED_AT:
        return line
    pieces: list[str] = []
    at, room = 0, _FOLDED_AT
    while at < len(octets):
        end = min(at + room, len(octets))
        while end < len(octets) and octets[end] & 0xC0 == 0x80:  # within a character
            end -= 1
        pieces.append(octets[at:end].decode())
        at, room = end, _FOLDED_AT - 1
    return "\r\n ".join(pieces)
