"""Helpers of the syntax tests: read a server's octets at once, and read a command as a server would."""

from __future__ import annotations

import re
from typing import TypeAlias

from gateway.mail.pieces import Joined
from gateway.upstream.imap.responses import Response
from gateway.upstream.imap.syntax import Command
from gateway.upstream.imap.wire import ResponseReader

Word: TypeAlias = "str | bytes | list[Word]"
"""An argument as a server reads it: an atom as text, a string (quoted or literal) as octets, or a list."""


def reader(
    *, max_line: int = 1 << 20, max_literal: int = 1 << 20, max_buffer: int = 1 << 21
) -> ResponseReader:
    return ResponseReader(max_line=max_line, max_literal=max_literal, max_buffer=max_buffer)


def read(data: bytes, *, utf8: bool = False) -> list[Response]:
    one = reader()
    one.utf8 = utf8
    found = one.feed(data)
    assert one.idle
    return found


def read_one(line: str, *, utf8: bool = False) -> Response:
    """The only response in a line given without its end."""
    (response,) = read(line.encode("utf-8", "surrogateescape") + b"\r\n", utf8=utf8)
    return response


_QUOTED = re.compile(rb'"((?:[^"\\\r\n\0]|\\["\\])*)"')
_LITERAL = re.compile(rb"~?\{([0-9]+)\+?\}\r\n")
_ATOM = re.compile(rb'[^\x00-\x20\x7f-\xff"(){]+')


def server_reads(command: Command, tag: str = "A1") -> list[Word]:
    """The words of a command after its tag, by the grammar of RFC 3501, written for this test alone."""
    data = b"".join(bytes(Joined(tuple(step))) for step in command.steps(tag))
    start = f"{tag} ".encode("ascii")
    assert data.startswith(start)
    outer: list[list[Word]] = []
    words: list[Word] = []
    at = len(start)
    while data[at:] != b"\r\n":
        if words and not (outer and data[at : at + 1] == b")"):
            assert data[at : at + 1] == b" ", data[at:]
            at += 1
        while data[at : at + 1] == b"(":
            outer.append(words)
            words = []
            at += 1
        if data[at : at + 1] == b")":
            inner, words = words, outer.pop()
            words.append(inner)
            at += 1
        elif quoted := _QUOTED.match(data, at):
            words.append(re.sub(rb"\\(.)", rb"\1", quoted[1]))
            at = quoted.end()
        elif literal := _LITERAL.match(data, at):
            at = literal.end() + int(literal[1])
            words.append(data[literal.end() : at])
        else:
            atom = _ATOM.match(data, at)
            assert atom, data[at:]
            words.append(atom[0].decode("ascii"))
            at = atom.end()
    assert not outer
    return words
