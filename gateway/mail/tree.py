"""A message as a tree of raw parts, to change some of them and leave every octet of the others as it was.

The tree follows the structure that the IMAP server made out, so that section numbers mean the same to both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from gateway.mail.fields import Field, fold
from gateway.types import BodyPart

__all__ = ["Part", "leaves", "numbered", "read", "serialise", "without"]

_DEEPEST = 50
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:")
_SUBTYPE = re.compile(rb"\s*multipart/([!#-'*+.0-9A-Z^-~-]+)", re.IGNORECASE)


@dataclass(eq=False, slots=True)
class Part:
    """A part: its header fields, and what follows them.

    `raw` is its content as it was received, of a multipart with all its parts, and is None for a multipart
    that was made or changed here. `origin` is the section it had in the message that was read, "" for none.
    """

    fields: list[Field]
    raw: bytes | None = field(default=None, repr=False)
    children: list[Part] = field(default_factory=list)
    origin: str = ""

    @property
    def subtype(self) -> bytes:
        """Of a multipart, in lower case; b"" for any other part."""
        for each in self.fields:
            if each.name == b"content-type":
                match = _SUBTYPE.match(each.value)
                return match[1].lower() if match else b""
        return b""


def read(message: bytes, structure: BodyPart) -> Part:
    """Take a message with CRLF line ends apart, as `structure` says. Never raises.

    A multipart in which other parts are found than the server found stays in one piece.
    """
    return _read(message, structure, depth=0)


def _read(raw: bytes, structure: BodyPart, depth: int) -> Part:
    fields, content = _split(raw)
    part = Part(fields, content, origin=structure.section)
    boundary = structure.params.get("boundary", "")
    if structure.type == "multipart" and structure.children and boundary and depth < _DEEPEST:
        pieces = _pieces(content, boundary.encode("utf-8", "surrogateescape"))
        if len(pieces) == len(structure.children):
            part.children = [
                _read(piece, child, depth + 1)
                for piece, child in zip(pieces, structure.children, strict=True)
            ]
    return part


def _split(raw: bytes) -> tuple[list[Field], bytes]:
    """The fields of a part, lines that belong to none left out, and what follows the empty line."""
    if raw.startswith(b"\r\n"):
        return [], raw[2:]
    end = raw.find(b"\r\n\r\n")
    header, content = (raw.removesuffix(b"\r\n"), b"") if end < 0 else (raw[:end], raw[end + 4 :])
    found: list[tuple[bytes, list[bytes]]] = []
    for line in header.split(b"\r\n"):
        match = _FIELD.match(line)
        if match:
            found.append((match[1].lower(), [line]))
        elif found and line[:1] in {b" ", b"\t"} and line.strip():
            found[-1][1].append(line)
    return [Field(name, b"\r\n".join(lines) + b"\r\n") for name, lines in found], content


def _pieces(content: bytes, boundary: bytes) -> list[bytes]:
    """What stands between the delimiter lines of a multipart (RFC 2046 5.1.1)."""
    delimiter = b"--" + boundary
    pieces: list[bytes] = []
    start = -1
    position = content.find(delimiter)
    while position >= 0:
        end = content.find(b"\r\n", position)
        end = len(content) if end < 0 else end
        rest = content[position + len(delimiter) : end].rstrip(b" \t")
        if rest in {b"", b"--"} and (not position or content[position - 1] == 0x0A):
            if start >= 0:
                pieces.append(content[start:position].removesuffix(b"\r\n"))
            if rest:
                return pieces
            start = end + 2
        position = content.find(delimiter, end)
    if start >= 0:  # the last delimiter is missing
        pieces.append(content[start:])
    return pieces


def leaves(part: Part) -> Iterator[Part]:
    """The parts that hold no other parts, in order; an embedded message is one."""
    if not part.children:
        yield part
    for child in part.children:
        yield from leaves(child)


def without(part: Part, gone: Iterable[Part]) -> Part | None:
    """The tree without some of its leaves, and without multiparts that hold nothing then."""
    return _without(part, {id(each) for each in gone})


def _without(part: Part, gone: set[int]) -> Part | None:
    if not part.children:
        return None if id(part) in gone else part
    kept = [child for each in part.children if (child := _without(each, gone)) is not None]
    if len(kept) == len(part.children) and all(map(_same, kept, part.children)):
        return part
    return Part(part.fields, None, kept, part.origin) if kept else None


def _same(one: Part, other: Part) -> bool:
    return one is other


def numbered(root: Part) -> Iterator[tuple[str, Part]]:
    """The leaves of a message, each with its section number (RFC 3501 6.4.5)."""
    if root.children:
        yield from _numbered(root, "")
    else:
        yield "1", root


def _numbered(part: Part, prefix: str) -> Iterator[tuple[str, Part]]:
    for number, child in enumerate(part.children, 1):
        section = f"{prefix}{number}"
        if child.children:
            yield from _numbered(child, f"{section}.")
        else:
            yield section, child


def serialise(root: Part, boundary: str) -> bytes:
    """The message of a tree. `boundary` begins the boundaries of the multiparts made here."""
    return b"".join(_serialise(root, boundary))


def _serialise(part: Part, boundary: str) -> Iterator[bytes]:
    if part.raw is not None or not part.children:
        yield from (each.raw for each in part.fields)
        yield b"\r\n"
        yield part.raw or b""
        return
    own = f"{boundary}_{part.subtype.decode()}".encode()
    for each in part.fields:
        yield _with_boundary(each, own).raw if each.name == b"content-type" else each.raw
    yield b"\r\n"
    for number, child in enumerate(part.children):
        yield b"--" + own + b"\r\n"
        yield from _serialise(child, f"{boundary}{number}")
        yield b"\r\n"
    yield b"--" + own + b"--\r\n"


def _with_boundary(content_type: Field, boundary: bytes) -> Field:
    """The Content-Type of a multipart with another boundary; its other parameters stay."""
    kept = [
        piece.strip()
        for piece in _parameters(content_type.value)
        if not piece.strip().lower().startswith(b"boundary")
    ]
    line = b"Content-Type: " + b"; ".join([*kept, b'boundary="' + boundary + b'"'])
    return Field(b"content-type", fold(line, 76) + b"\r\n")


def _parameters(value: bytes) -> Sequence[bytes]:
    """A structured field at its semicolons, but for those in quotes."""
    return re.findall(rb'(?:[^;"]|"(?:[^"\\]|\\.)*"|")+', value)
