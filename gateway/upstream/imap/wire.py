"""Framing: the octets of an IMAP server cut into responses, without I/O (RFC 3501 2.2, RFC 9051 4.3).

`ResponseReader.feed` takes what arrived, in pieces of any size, and returns the responses completed by it.
Each octet is looked at once; a literal is copied once. Lines may end in a bare LF.

WireError (a ValueError)   a limit is exceeded: the stream cannot be followed any further
"""

from __future__ import annotations

import re
import sys
from io import BytesIO

from gateway.upstream.imap.fetch import flags_response, match_flags
from gateway.upstream.imap.parser import parse_response
from gateway.upstream.imap.responses import Enabled, Response, Unparsed

__all__ = ["ResponseReader", "WireError"]

# A server's literal. `{5+}` is for clients only: from a server it is text.
_LITERAL = re.compile(rb"~?\{([0-9]+)\}")
_FETCH_LENGTH = len("* 4294967295 FETCH ")
_FETCH = re.compile(rb"\* [0-9]{1,10} FETCH ", re.IGNORECASE)
# Human-readable text may end in what looks like a literal; status responses and continuations never have one.
_PROSE = re.compile(rb"\+|[^ ]+ +(?:OK|NO|BAD|BYE|PREAUTH)(?: |\Z)", re.IGNORECASE)
_MAX_DIGITS = 19
_LITERAL_LENGTH = len("~{}\r") + _MAX_DIGITS
"""What must be known of the end of a line to tell whether a literal follows."""


class WireError(ValueError):
    """The stream cannot be framed any further. `offset` counts octets since the connection began."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason, offset)
        self.reason = reason
        self.offset = offset

    def __str__(self) -> str:
        return f"{self.reason} at octet {self.offset}"


class _OverLimit(ValueError):
    """A limit is exceeded where the reader stands."""


class ResponseReader:
    """Bytes in, responses out.

    Limits in octets: `max_line` for the text of one response with its line ends, `max_literal` for each
    literal, `max_buffer` for text and literals of one response together. What is told of one message is
    passed over when its text is longer than `max_fetch`: the sender of a message decides how long a
    BODYSTRUCTURE is. From the ENABLED that names UTF8=ACCEPT on (RFC 6855), which `utf8` tells, mailbox
    names are UTF-8. `missing` is how many octets of a literal are still to come.
    """

    def __init__(
        self, *, max_line: int, max_literal: int, max_buffer: int, max_fetch: int = sys.maxsize
    ) -> None:
        self.utf8 = False
        self._max_line = max_line
        self._max_fetch = max_fetch
        self._max_literal = max_literal
        self._max_buffer = max_buffer
        self._offset = 0
        self._error: WireError | None = None
        self._line = bytearray()
        self.missing = 0
        self._sink = BytesIO()
        self._forget()

    def _forget(self) -> None:
        """Start a new response."""
        self._texts: list[str] = []
        self._text_size = 0
        self._literals: list[bytes] = []
        self._literal_size = 0
        self._passed_over = False

    @property
    def idle(self) -> bool:
        """Whether the octets so far end where a response ends."""
        return not (self._line or self._texts or self._passed_over)

    def feed(self, data: bytes) -> list[Response]:
        """Take `data`; return the responses it completes. Raises `WireError`, now and at every later call.

        The responses completed by the same `data` before the error are lost with it.
        """
        if self._error is not None:
            raise self._error
        responses: list[Response] = []
        at, end = 0, len(data)
        try:
            while at < end:
                if self.missing:
                    at = self._take_literal(data, at)
                elif self.idle and (match := match_flags(data, at)) is not None:
                    self._check_line(match.end() - at)
                    responses.append(flags_response(match))
                    at = match.end()
                else:
                    at = self._take_line(data, at, responses)
        except _OverLimit as error:
            self._error = WireError(str(error), self._offset + at)
            raise self._error from None
        self._offset += end
        return responses

    def _check_line(self, size: int) -> None:
        if self._text_size + size > self._max_line:
            raise _OverLimit("a response is too long")

    def _take_literal(self, data: bytes, at: int) -> int:
        piece = data[at : at + self.missing]
        self.missing -= len(piece)
        if self._passed_over:
            return at + len(piece)
        if self.missing or self._sink.tell():
            self._sink.write(piece)
        if not self.missing:
            # BytesIO hands its buffer over without a copy.
            self._literals.append(self._sink.getvalue() if self._sink.tell() else piece)
            self._sink = BytesIO()
        return at + len(piece)

    def _take_line(self, data: bytes, at: int, responses: list[Response]) -> int:
        newline = data.find(b"\n", at)
        behind = len(data) if newline < 0 else newline + 1
        size = len(self._line) + behind - at
        if self._passed_over or (self._text_size + size > self._max_fetch and self._is_fetch(data, at)):
            self._pass_over(data[at:behind], responses)
            return behind
        self._check_line(size)
        if newline < 0:
            self._line += data[at:]
            return behind
        line = data[at:newline]
        if self._line:
            line = bytes(self._line) + line
            self._line.clear()
        self._text_size += len(line) + 1
        line = line.removesuffix(b"\r")
        if not (line.endswith(b"}") and self._open_literal(line)):
            self._texts.append(line.decode("utf-8", "surrogateescape"))
            text = self._texts[0] if len(self._texts) == 1 else "".join(self._texts)
            found = parse_response(text, self._literals, utf8=self.utf8)
            if isinstance(found[0], Enabled) and "UTF8=ACCEPT" in found[0].names:
                # At once: what follows may have come with it.
                self.utf8 = True
            responses += found
            self._forget()
        return behind

    def _is_fetch(self, data: bytes, at: int) -> bool:
        """Whether the response that has begun, or begins at `at`, is about one message."""
        if self._texts:
            begun = self._texts[0][:_FETCH_LENGTH].encode("utf-8", "surrogateescape")
        else:
            begun = bytes(self._line[:_FETCH_LENGTH]) or data[at : at + _FETCH_LENGTH]
        return _FETCH.match(begun) is not None

    def _pass_over(self, piece: bytes, responses: list[Response]) -> None:
        """Keep of a response only what tells where it ends."""
        if not self._passed_over:
            self._forget()
            self._passed_over = True
        self._line += piece
        del self._line[: -_LITERAL_LENGTH - 1]
        if not piece.endswith(b"\n"):
            return
        line = bytes(self._line[:-1]).removesuffix(b"\r")
        self._line.clear()
        if not (line.endswith(b"}") and self._open_literal(line)):
            responses.append(Unparsed("more than can be read of one message", b"*"))
            self._forget()

    def _open_literal(self, line: bytes) -> bool:
        """Whether the line goes on with a literal; if so, prepare for it."""
        start = line.rfind(b"{")
        start -= start > 0 and line[start - 1 : start] == b"~"
        match = _LITERAL.fullmatch(line, max(start, 0))
        if match is None or (not self._texts and _PROSE.match(line)):
            return False
        size = int(match[1]) if len(match[1]) <= _MAX_DIGITS else self._max_literal + 1
        if not self._passed_over:
            self._literal_size += size
        if size > self._max_literal or self._text_size + self._literal_size > self._max_buffer:
            raise _OverLimit("a literal is too large")
        self.missing = size
        if self._passed_over:
            return True
        self._texts.append(line[: match.start()].decode("utf-8", "surrogateescape") + "\n")
        if not size:
            self._literals.append(b"")
        return True
