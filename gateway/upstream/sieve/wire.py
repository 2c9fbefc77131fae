"""The wire format of ManageSieve without I/O (RFC 5804 4): arguments of commands, and replies.

Whatever a server sends gives replies or `UpstreamConfused`, in time linear in its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, cast

from gateway.errors import UpstreamConfused

__all__ = ["LONGEST_REPLY", "Reply", "ReplyReader", "literal", "quoted"]

LONGEST_REPLY = 4 * 1024 * 1024
"""Octets of one reply; a script is rarely longer than a few kilobytes."""
_LONGEST_LINE = 16 * 1024
"""Octets up to the next line end or literal."""
_MOST_TOKENS = 50_000
_OUTCOME = frozenset({"OK", "NO", "BYE"})

_BLANKS = re.compile(rb"[ \t]*")
_QUOTED = re.compile(rb'"((?:[^"\\\r\n\0]|\\["\\])*)"')
_LITERAL = re.compile(rb"\{(\d{1,10})\+?\}\r?\n")
_ATOM = re.compile(rb'[^\s"(){}]+')
_ESCAPE = re.compile(rb"\\(.)")


def quoted(text: str) -> bytes:
    """A string as an argument of a command."""
    data = text.encode("utf-8", "surrogateescape")
    if len(data) > 1024 or re.search(rb"[\r\n\0]", data):
        return literal(data)
    return b'"' + data.replace(b"\\", rb"\\").replace(b'"', rb"\"") + b'"'


def literal(data: bytes) -> bytes:
    """Octets as an argument, sent without waiting."""
    return b"{%d+}\r\n" % len(data) + data


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answers: the lines before, as lists of strings, and the outcome.

    `code` is the response code in upper case without its arguments ("QUOTA/MAXSIZE"), or "".
    """

    outcome: Literal["OK", "NO", "BYE"]
    code: str = ""
    text: str = field(default="", compare=False)
    lines: tuple[tuple[str, ...], ...] = ()


@dataclass(slots=True)
class ReplyReader:
    """Takes octets as they come, and gives replies once they are whole."""

    _buffer: bytearray = field(default_factory=bytearray)
    _wanted: int | None = None
    """Octets of the literal that comes next."""
    _taken: int = 0
    _tokens: list[tuple[bool, str]] = field(default_factory=list)
    _lines: list[tuple[str, ...]] = field(default_factory=list)
    _count: int = 0

    def feed(self, data: bytes) -> Iterator[Reply]:
        """The replies that end in these octets. Raises `UpstreamConfused`."""
        self._buffer += data
        self._taken += len(data)
        if self._taken > LONGEST_REPLY:
            raise UpstreamConfused("a reply of the ManageSieve server is too long")
        while self._advance():
            if reply := self._line_end():
                yield reply

    @property
    def pending(self) -> bool:
        """Whether octets came that belong to no whole reply yet."""
        return bool(self._buffer or self._tokens or self._lines)

    @property
    def challenge(self) -> bool:
        """Whether a line came that is one string: a server that waits for an answer (RFC 5804 2.1)."""
        return [len(line) for line in self._lines] == [1] and not self._buffer

    def _advance(self) -> bool:
        """Read tokens to the end of a line; False when more octets are needed for that."""
        place = 0
        try:
            while True:
                found = self._token(place)
                if found is None:
                    return False
                place, ended = found
                if ended:
                    return True
        finally:
            del self._buffer[:place]

    def _token(self, place: int) -> tuple[int, bool] | None:
        """Read one token: where it ends, and whether it ended a line. None: it is not all there."""
        buffer = self._buffer
        if self._wanted is not None:
            end = place + self._wanted
            if len(buffer) < end:
                return None
            self._note(string=True, data=bytes(buffer[place:end]))
            self._wanted = None
            return end, False
        line_end = buffer.find(b"\n", place, place + _LONGEST_LINE)
        if line_end < 0:
            if len(buffer) - place >= _LONGEST_LINE:
                raise UpstreamConfused("a line of the ManageSieve server is too long")
            return None
        blanks = _BLANKS.match(buffer, place)
        place = blanks.end() if blanks else place
        if buffer.startswith((b"\r\n", b"\n"), place):
            return line_end + 1, True
        if match := _QUOTED.match(buffer, place):
            self._note(string=True, data=_ESCAPE.sub(rb"\1", match[1]))
        elif match := _LITERAL.match(buffer, place):
            self._wanted = int(match[1])
            if self._wanted > LONGEST_REPLY:
                raise UpstreamConfused("a literal of the ManageSieve server is too long")
        elif match := _ATOM.match(buffer, place):
            self._note(string=False, data=match[0])
        elif buffer[place] in b"()":
            self._note(string=False, data=bytes(buffer[place : place + 1]))
            return place + 1, False
        else:
            raise UpstreamConfused("the ManageSieve server breaks its protocol")
        return match.end(), False

    def _note(self, *, string: bool, data: bytes) -> None:
        self._count += 1
        if self._count > _MOST_TOKENS:
            raise UpstreamConfused("a reply of the ManageSieve server has too many parts")
        self._tokens.append((string, data.decode("utf-8", "replace")))

    def _line_end(self) -> Reply | None:
        tokens, self._tokens = self._tokens, []
        if not tokens:
            return None
        string, first = tokens[0]
        if string or first.upper() not in _OUTCOME:
            self._lines.append(tuple(text for _, text in tokens))
            return None
        lines, self._lines = tuple(self._lines), []
        self._taken = len(self._buffer)
        self._count = 0
        code, text = _outcome(tokens[1:])
        return Reply(cast(Literal["OK", "NO", "BYE"], first.upper()), code, text, lines)


def _outcome(tokens: list[tuple[bool, str]]) -> tuple[str, str]:
    """The response code and the text for people."""
    code = ""
    if tokens[:1] == [(False, "(")]:
        end = tokens.index((False, ")")) if (False, ")") in tokens else len(tokens)
        code = tokens[1][1].upper() if end > 1 else ""
        tokens = tokens[end + 1 :]
    return code, " ".join(text for string, text in tokens if string)
