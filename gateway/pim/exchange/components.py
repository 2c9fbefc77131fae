"""Single components of a file, as lines that can be stored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from gateway.pim.events.writing import is_own_file
from gateway.pim.exchange.attachments import Enclosed, enclosed, is_enclosed
from gateway.pim.exchange.scan import Problem, Span
from gateway.pim.lines import LONGEST_LINE
from gateway.pim.tree import Line, Node

__all__ = ["LARGEST", "Found", "read_component"]

LARGEST = 100 << 20
"""Octets of a component that is read, the files in it included."""
_LARGEST_TEXT = 4 << 20
_MOST_LINES = 20_000
_MOST_FILES = 1000
_MOST_PROBLEMS = 20
"""Of one component, that are told one by one."""
_DEEPEST = 8
_BREAK = re.compile(rb"\r\n|\n|\r")


@dataclass(slots=True)
class Found:
    """A component as it can be stored, the files that stood in it, and what of it could not be taken over."""

    line: int
    node: Node
    files: list[Enclosed] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_component(file: BinaryIO, span: Span) -> Found | Problem:
    """Read a component; a problem when it is too large."""
    if span.end - span.start > LARGEST:
        return Problem(span.line, "larger than anything that is read", whole=True)
    file.seek(span.start)
    return _Builder(span.line).build(file.read(span.end - span.start))


class _Builder:
    def __init__(self, line: int) -> None:
        self._root = Node.new("")
        self._found = Found(line, self._root)
        self._open = [self._root]
        self._skipped = 0
        self._room = _LARGEST_TEXT
        self._lines = 0

    def build(self, octets: bytes) -> Found | Problem:
        first = number = self._found.line
        whole = bytearray()
        for piece in _pieces(octets):
            if whole and piece[:1] in {b" ", b"\t"}:
                whole += piece[1:]
            else:
                self._take(first, bytes(whole))
                whole, first = bytearray(piece), number
            number += 1
            if self._room < 0 or self._lines > _MOST_LINES:
                return Problem(self._found.line, "an event that is too large", whole=True)
        self._take(first, bytes(whole))
        self._found.node = next(self._root.nodes())
        return self._found

    def _take(self, number: int, whole: bytes) -> None:
        whole = whole.removeprefix(b"\xef\xbb\xbf")
        if not whole.strip(b"\0 \t"):
            return
        self._lines += 1
        if is_enclosed(whole) and not self._skipped:
            self._enclose(number, whole)
            return
        if len(whole) > LONGEST_LINE:
            self._complain(number, "a line that is too long")
            return
        line = Line.clean(_decoded(whole))
        self._room -= len(line.raw)
        if line.read is None:
            self._complain(number, "a line that is no property")
        elif line.name in {"BEGIN", "END"}:
            self._structure(line)
        elif self._skipped:
            return
        elif is_own_file(line):
            self._complain(number, "a file that is not in the text")
        else:
            self._open[-1].parts.append(line)

    def _structure(self, line: Line) -> None:
        name = line.read.value.strip().upper() if line.read else ""
        if line.name == "BEGIN":
            if self._skipped or len(self._open) > _DEEPEST:
                self._skipped += 1
                return
            begun = Node.new(name)
            self._open[-1].parts.append(begun)
            self._open.append(begun)
        elif self._skipped:
            self._skipped -= 1
        else:
            for depth in range(len(self._open) - 1, 0, -1):
                if self._open[depth].name == name:
                    del self._open[depth:]
                    return

    def _enclose(self, number: int, whole: bytes) -> None:
        found = enclosed(whole)
        if found is None or len(self._found.files) == _MOST_FILES:
            self._complain(number, "a file that cannot be read" if found is None else "too many files")
            return
        self._found.files.append(found)
        self._open[-1].parts.append(found.mark)

    def _complain(self, number: int, reason: str) -> None:
        if len(self._found.problems) < _MOST_PROBLEMS:
            self._found.problems.append(Problem(number, reason))


def _pieces(octets: bytes) -> Iterator[bytes]:
    """The lines as written, without their ends."""
    start = 0
    for match in _BREAK.finditer(octets):
        yield octets[start : match.start()]
        start = match.end()
    yield octets[start:]


def _decoded(octets: bytes) -> str:
    """Text in UTF-8, or in what programs wrote that knew of nothing else."""
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("cp1252", "replace")
