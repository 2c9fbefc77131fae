"""Rich Text Format: the text in it, the HTML that Outlook hides in it (MS-OXRTFEX), and text as RTF."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

__all__ = ["RtfContent", "from_text", "read"]

_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?[0-9]{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|([^\\{}\r\n]+)|[\r\n\\]",
    re.DOTALL,
)
_DEEPEST = 500
"""Groups nested deeper than this end the reading."""
_SYMBOLS: Mapping[bytes, str] = {
    b"par": "\r\n",
    b"line": "\r\n",
    b"sect": "\r\n",
    b"page": "\r\n",
    b"row": "\r\n",
    b"tab": "\t",
    b"cell": "\t",
    b"emdash": "\u2014",
    b"endash": "\u2013",
    b"emspace": "\u2003",
    b"enspace": "\u2002",
    b"lquote": "\u2018",
    b"rquote": "\u2019",
    b"ldblquote": "\u201c",
    b"rdblquote": "\u201d",
    b"bullet": "\u2022",
}
_ESCAPES: Mapping[bytes, str] = {
    b"\\": "\\",
    b"{": "{",
    b"}": "}",
    b"~": "\u00a0",
    b"_": "\u2011",
    b"-": "",
    b"\r": "\r\n",
    b"\n": "\r\n",
}
_SPECIAL: Mapping[str, str] = {"\\": r"\\", "{": r"\{", "}": r"\}", "\t": r"\tab "}
_NOT_SHOWN = frozenset(
    {
        *(b"colortbl", b"stylesheet", b"info", b"pict", b"object", b"header", b"headerl", b"headerr"),
        *(b"footer", b"footerl", b"footerr", b"footnote", b"listtable", b"listoverridetable", b"revtbl"),
        *(b"filetbl", b"fldinst", b"themedata", b"colorschememapping", b"datastore", b"xmlnstbl"),
    }
)
_CHARSETS: Mapping[int, str] = {
    128: "cp932",
    129: "cp949",
    134: "gbk",
    136: "cp950",
    161: "cp1253",
    162: "cp1254",
    163: "cp1258",
    177: "cp1255",
    178: "cp1256",
    186: "cp1257",
    204: "cp1251",
    222: "cp874",
    238: "cp1250",
}
"""The codec of a \\fcharset."""


@dataclass(frozen=True, slots=True)
class RtfContent:
    """What RTF says: text with CRLF line ends, or the HTML it was made of."""

    text: str
    is_html: bool


@dataclass(frozen=True, slots=True)
class _Group:
    """What holds within a pair of braces."""

    shown: bool = True
    tag: bool = False
    """It is a piece of the HTML hidden in the RTF."""
    rendering: bool = False
    """What stands here shows HTML to those who read RTF only."""
    fonts: bool = False
    """It is the table of fonts."""
    font: int = -1
    fallback: int = 1
    """Characters that stand after a \\u for those who do not know it."""


def read(data: bytes) -> RtfContent:
    """The content of RTF; of what is broken as much as can be read."""
    return _Reader(data).read()


def from_text(text: str) -> bytes:
    """Plain text as RTF, in ASCII."""
    head = r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fswiss Arial;}}\f0\fs20 "
    lines = text.replace("\r\n", "\n").translate(_Escaped()).split("\n")
    return (head + "\\par\r\n".join(lines) + "}").encode("ascii")


class _Escaped(dict[int, str]):
    """Characters as RTF, by code point; each is made when it occurs first."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        made = _SPECIAL.get(character, character) if character.isascii() else _unicode(character)
        self[code] = made
        return made


def _unicode(character: str) -> str:
    units = character.encode("utf-16-le", "replace")
    numbers = (int.from_bytes(units[at : at + 2], "little", signed=True) for at in range(0, len(units), 2))
    return "".join(f"\\u{number}?" for number in numbers)


@dataclass(slots=True)
class _Reader:
    data: bytes
    group: _Group = field(default_factory=_Group)
    outer: list[_Group] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    octets: bytearray = field(default_factory=bytearray)
    """Characters by number that await their neighbours: two may make one letter."""
    codec: str = "cp1252"
    codecs: dict[int, str] = field(default_factory=dict)
    is_html: bool = False
    optional: bool = False
    """The word that comes names a destination which may be passed over."""
    skip: int = 0

    def read(self) -> RtfContent:
        for token in _TOKEN.finditer(self.data):
            word, number, octet, escape, brace, text = token.groups()
            if octet is not None:
                self._octet(int(octet, 16))
                continue
            self._flush()
            if brace == b"{":
                self.outer.append(self.group)
                if len(self.outer) > _DEEPEST:
                    break
            elif brace == b"}":
                self.skip = 0
                if self.outer:
                    self.group = self.outer.pop()
            elif word is not None:
                self._word(word, int(number) if number else None)
            elif escape is not None:
                self._escape(escape)
            elif text is not None:
                self._text(text)
        self._flush()
        joined = "".join(self.made).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return RtfContent(joined, self.is_html)

    def _word(self, word: bytes, number: int | None) -> None:
        optional, self.optional = self.optional, False
        if word in _SYMBOLS:
            self._say(_SYMBOLS[word])
        elif word == b"u" and number is not None:
            self._say(chr(number & 0xFFFF))
            self.skip = self.group.fallback
        elif word == b"uc":
            self.group = replace(self.group, fallback=min(max(number or 0, 0), 8))
        elif word == b"htmlrtf":
            self.group = replace(self.group, rendering=number != 0)
        elif word == b"htmltag":
            self.group = replace(self.group, tag=True, rendering=False)
        elif word == b"fromhtml":
            self.is_html = True
        elif word == b"fonttbl":
            self.group = replace(self.group, shown=False, fonts=True)
        elif word == b"f" and number is not None:
            self.group = replace(self.group, font=number)
        elif word == b"fcharset" and self.group.fonts and number is not None and number in _CHARSETS:
            self.codecs[self.group.font] = _CHARSETS[number]
        elif word == b"ansicpg" and number:
            self.codec = f"cp{number}"
        elif optional or word in _NOT_SHOWN:
            self.group = replace(self.group, shown=False)

    def _escape(self, escape: bytes) -> None:
        if escape == b"*":
            self.optional = True
        elif escape in _ESCAPES:
            self._say(_ESCAPES[escape])

    def _text(self, text: bytes) -> None:
        text, self.skip = text[self.skip :], max(self.skip - len(text), 0)
        if text and self._heard():
            self.made.append(text.decode(self._codec(), "replace"))

    def _octet(self, octet: int) -> None:
        if self.skip:
            self.skip -= 1
        elif self._heard():
            self.octets.append(octet)

    def _say(self, text: str) -> None:
        if self.skip:
            self.skip -= 1
        elif self._heard():
            self.made.append(text)

    def _flush(self) -> None:
        if self.octets:
            self.made.append(self.octets.decode(self._codec(), "replace"))
            self.octets.clear()

    def _heard(self) -> bool:
        group = self.group
        return group.shown and not group.rendering

    def _codec(self) -> str:
        codec = self.codecs.get(self.group.font, self.codec)
        try:
            codecs.lookup(codec)
        except LookupError:
            return "cp1252"
        return codec
