"""Address lists of received mail (RFC 5322 3.4), read as senders write them rather than as they should."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from gateway.mail.headers import ENCODED_WORD, Headers, clean, decode_words, raw_text

__all__ = ["Address", "addresses", "parse_addresses"]

_QUOTED = r'(?P<quoted>"(?:[^"\\]|\\.)*")'
_OTHER = rf"""
      (?P<word>{ENCODED_WORD})
    | (?P<angle><[^<>]*>)
    | (?P<space>\s+)
    | (?P<special>[,;:()<>"])
    | (?P<text>(?:(?!=\?)[^\s,;:()<>"])+|=)
"""
_TOKEN = re.compile(f"{_QUOTED}|{_OTHER}", re.VERBOSE | re.DOTALL)
_TOKEN_WITHOUT_QUOTES = re.compile(_OTHER, re.VERBOSE | re.DOTALL)
_COMMON = re.compile(
    r"""
    \s*+
    (?: (?: "([^"\\]*+)" | ([^"\\@,;:()<>]*+) ) \s*+ <([^<>@\s"]++@[^<>@\s"]++)>
      | ([^"\\@,;:()<>\s]++@[^"\\@,;:()<>\s]++)
    )
    \s*+ (?:,|\Z)
    """,
    re.VERBOSE,
)
"""An address as nearly all are written; what it does not match is left to the reader below."""
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ROUTE = re.compile(r"@[^:]*:")


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox: the display name, readable, and the address; either may be empty, and senders err."""

    name: str
    address: str

    def __str__(self) -> str:
        """The form the protocol uses: `"Name" <address>`, or the one that is there."""
        if not self.name:
            return self.address
        quoted = self.name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}" <{self.address}>' if self.address else f'"{quoted}"'


def addresses(headers: Headers, name: str) -> Iterator[Address]:
    """All addresses of the fields with this (lower case) name, one by one: the caller can stop early."""
    return chain.from_iterable(map(parse_addresses, map(raw_text, headers.get_all(name))))


def parse_addresses(text: str) -> Iterator[Address]:
    """The addresses of a list; encoded words are decoded after it is split. Linear; never raises.

    Groups give their members. A semicolon parts addresses as a comma does (Outlook). Quotes, comments
    and angle brackets that are never closed count as ordinary characters.
    """
    position = 0
    while match := _COMMON.match(text, position):
        yield Address(decode_words(match[1] or match[2] or ""), clean(match[3] or match[4]))
        position = match.end()
        if position == len(text):
            return
    text = text[position:]
    reader = _Reader()
    tokens = _tokens(text)
    comments_close = text.rfind(")")
    for token in tokens:
        kind = token.lastgroup
        part = token.group()
        if part == "(" and token.end() <= comments_close:
            reader.comment(_comment(tokens))
        elif part in {",", ";"}:
            yield from reader.end()
        elif part == ":":
            reader.group()
        elif kind == "quoted":
            reader.add(_ESCAPE.sub(r"\1", part[1:-1]), part)
        elif kind == "angle":
            reader.angle(part[1:-1])
        elif part not in {"<", ">", '"'}:
            reader.add(part)
    yield from reader.end()


class _Reader:
    """The address being read."""

    __slots__ = ("_angle", "_comments", "_name", "_raw")

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._name: list[str] = []
        self._raw: list[str] = []
        self._comments: list[str] = []
        self._angle: str | None = None

    def add(self, text: str, raw: str | None = None) -> None:
        self._name.append(text)
        self._raw.append(text if raw is None else raw)

    def comment(self, text: str) -> None:
        self._comments.append(text)

    def angle(self, text: str) -> None:
        if self._angle is None or "@" not in self._angle:
            self._angle = text

    def group(self) -> None:
        """A colon: what stood before it was the name of a group."""
        self._reset()

    def end(self) -> Iterable[Address]:
        """The address read, if there is one; the next begins."""
        name, raw = "".join(self._name), "".join(self._raw).strip()
        comments, angle = " ".join(self._comments), self._angle
        self._reset()
        if angle is not None:
            address = _ROUTE.sub("", clean(angle).replace(" ", ""), count=1)
            return (Address(decode_words(name) or decode_words(comments), address),)
        if not raw:
            return ()
        words = raw.split()
        if len(words) > 1 and "@" in raw and not raw.startswith('"'):
            # A name and an address without brackets.
            at = next(index for index, word in enumerate(words) if "@" in word)
            return (Address(decode_words(" ".join(words[:at] + words[at + 1 :])), clean(words[at])),)
        if len(words) > 1 and "@" not in raw:
            return (Address(decode_words(name), ""),)
        if "=?" in raw:
            return (Address("", decode_words(name)),)
        return (Address(decode_words(comments), clean(raw)),)


def _tokens(text: str) -> Iterator[re.Match[str]]:
    for token in _TOKEN.finditer(text):
        yield token
        if token.group() == '"':
            # It is never closed, nor is any after it; looking again at each would be quadratic.
            yield from _TOKEN_WITHOUT_QUOTES.finditer(text, token.end())
            return


def _comment(tokens: Iterator[re.Match[str]]) -> str:
    """The text of a comment whose opening parenthesis was read, nested ones within it."""
    depth = 1
    parts: list[str] = []
    for token in tokens:
        part = token.group()
        depth += (part == "(") - (part == ")")
        if not depth:
            break
        parts.append(part)
    return "".join(parts)
