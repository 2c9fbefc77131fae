"""Framing: the octets of an IMAP server cut into responses, without I/O (RFC 3501 2.2, RFC 9051 4.3).

`ResponseReader.feed` takes what arrived, in pieces of any size, and returns the responses completed by it.

WireError (a ValueError)   the octets cannot be framed: a limit is exceeded; the connection is of no use any more
"""

from __future__ import annotations

from gateway.upstream.imap.responses import Response

__all__ = ["ResponseReader", "WireError"]


class WireError(ValueError):
    """The stream cannot be framed any further. `offset` counts octets since the connection began."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason, offset)
        self.reason = reason
        self.offset = offset

    def __str__(self) -> str:
        return f"{self.reason} at octet {self.offset}"


class ResponseReader:
    """Bytes in, responses out.

    Limits in octets: `max_line` for the text of one response, `max_literal` for each literal, `max_buffer` for text and
    literals of one response together. Set `utf8` once UTF8=ACCEPT is enabled: mailbox names then are UTF-8.
    """

    def __init__(self, *, max_line: int, max_literal: int, max_buffer: int) -> None:
        self.utf8 = False
        self._limits = (max_line, max_literal, max_buffer)

    def feed(self, data: bytes) -> list[Response]:
        """Take `data`; return the responses it completes. Raises `WireError`, now and at every later call."""
        raise NotImplementedError
