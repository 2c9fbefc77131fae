"""The lines of a file of any size, in little memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from gateway.errors import Kind, Refused

__all__ = ["FileLine", "file_lines"]

_CHUNK = 1 << 20
_LONGEST = 1 << 20
"""Octets of a line that is handled in one piece."""
_BREAK = re.compile(rb"\r\n|\n|\r(?!\n)")
_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class FileLine:
    """A line as written, without its end; `end` is where the next one starts. Not `first`: the rest of it."""

    number: int
    start: int
    end: int
    octets: bytes
    first: bool = True


def file_lines(file: BinaryIO) -> Iterator[FileLine]:
    """The lines of a file; those that are too long in several pieces.

    Raises `Refused` for a file in UTF-16.
    """
    number, at, rest, first = 1, 0, b"", True
    while chunk := file.read(_CHUNK):
        if not at and not rest and chunk.startswith(_UTF_16):
            raise Refused(Kind.INVALID_CONTENT, "the file is in UTF-16; convert it to UTF-8 first")
        data = rest + chunk
        start = len(_BOM) if not at and data.startswith(_BOM) else 0
        held_back = 1 if data.endswith(b"\r") else 0
        for match in _BREAK.finditer(data, start, len(data) - held_back):
            yield FileLine(number, at + start, at + match.end(), data[start : match.start()], first)
            number, start, first = number + 1, match.end(), True
        rest = data[start:]
        at += start
        if len(rest) > _LONGEST:
            yield FileLine(number, at, at + len(rest), rest, first)
            at, rest, first = at + len(rest), b"", False
    if rest:
        yield FileLine(number, at, at + len(rest), rest.rstrip(b"\r"), first)
