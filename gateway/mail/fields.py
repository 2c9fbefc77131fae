"""The header block of an outgoing message as raw fields, so that what is not changed stays as it was."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.errors import Kind, Refused

__all__ = ["LONGEST_LINE", "Field", "crlf", "fold", "split_header"]

LONGEST_HEADER = 1024 * 1024
LONGEST_LINE = 998
"""Octets of a line without its end (RFC 5322 2.1.1)."""

_PIECE = 1024 * 1024
_NAME = re.compile(rb"([!-9;-~]+)[ \t]*:")
_BLANKS = re.compile(rb"[ \t]+")


@dataclass(frozen=True, slots=True)
class Field:
    """A field as it stands in the header, with its line ends. `name` is lower case."""

    name: bytes
    raw: bytes

    @property
    def value(self) -> bytes:
        """What follows the colon, unfolded and stripped."""
        return self.raw.partition(b":")[2].replace(b"\r\n", b"").strip()


def crlf(message: bytes) -> bytes:
    """The message with every line end (CRLF, CR or LF) as CRLF; not copied when they are already."""
    line_feeds = message.count(b"\n")
    if line_feeds == message.count(b"\r") == message.count(b"\r\n"):
        return message
    # In pieces, since one call for all of a large message would stop the event loop, from any thread.
    pieces: list[bytes] = []
    start = 0
    while start < len(message):
        end = start + _PIECE
        if message[end - 1 : end + 1] == b"\r\n":
            end += 1
        piece = message[start:end].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        pieces.append(piece.replace(b"\n", b"\r\n"))
        start = end
    return b"".join(pieces)


def split_header(message: bytes) -> tuple[list[Field], int]:
    """The fields of a message with CRLF line ends, and where its body starts (after the empty line).

    Every line must belong to a field: one that does not would end the header for the servers on the way, and
    leave what follows, maybe a Bcc, to be read as text by everybody. Raises `Refused` with
    `Kind.INVALID_MIME`.
    """
    end = message.find(b"\r\n\r\n", 0, LONGEST_HEADER)
    if end < 0 and len(message) > LONGEST_HEADER:
        raise Refused(Kind.INVALID_MIME, "the header of the message has no end")
    header = message if end < 0 else message[:end]
    body = len(message) if end < 0 else end + 4
    lines = header.removesuffix(b"\r\n").split(b"\r\n")
    if lines[0].startswith(b"From "):
        # The envelope line of a mailbox file; no part of the message.
        del lines[0]
    fields: list[tuple[bytes, list[bytes]]] = []
    for line in lines:
        if line[:1] in {b" ", b"\t"} and fields:
            # A continuation without text says nothing, and some readers take it for the end of the header.
            if line.strip():
                fields[-1][1].append(line)
            continue
        match = _NAME.match(line)
        if match is None:
            raise Refused(Kind.INVALID_MIME, "a header line of the message is not a field")
        fields.append((match[1].lower(), [line]))
    if not fields:
        raise Refused(Kind.INVALID_MIME, "the message has no header")
    return [Field(name, _joined(raw)) for name, raw in fields], body


def fold(line: bytes, width: int = LONGEST_LINE) -> bytes:
    """A header line in pieces of at most `width` octets, where it has blanks to break it at.

    Unfolding gives back the line, without the blanks at its end. No line end follows the last piece.
    """
    if len(line) <= width:
        return line
    line = line.rstrip()
    pieces: list[bytes] = []
    start = last = 0
    # Not at the first ones: those follow the name, or begin a continuation, and something must stand before a
    # break.
    breaks = [match.start() for match in _BLANKS.finditer(line)][1:]
    for position in [*breaks, len(line)]:
        if position - start > width and last > start:
            pieces.append(line[start:last])
            start = last
        last = position
    pieces.append(line[start:])
    return b"\r\n".join(pieces)


def _joined(lines: list[bytes]) -> bytes:
    return b"".join(fold(line) + b"\r\n" for line in lines)
