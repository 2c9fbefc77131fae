"""MIME entities (RFC 2045 2.4) to make a message of: text, multiparts, parts taken over from other mail."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from gateway.mail.compose import Part
from gateway.mail.fields import crlf, fold
from gateway.mail.structure import Attachment

__all__ = [
    "Base64Lines",
    "Entity",
    "alternative",
    "embedded",
    "mixed",
    "multipart",
    "related",
    "taken_over",
    "text",
]

_WIDTH = 76
_LINE_OF_BASE64 = 57
_MOST_ESCAPES = 6
"""One octet in so many may need three in quoted-printable before base64 is shorter to look at."""
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}", re.ASCII)
_VISIBLE = re.compile(r"[ -~]{0,900}", re.ASCII)
_WORD = re.compile(r"[!-;=?-~]{1,900}", re.ASCII)
_NAMED = re.compile(r"(?:file)?name(?:\*.*)?", re.ASCII)
_ENCODINGS = frozenset({"7bit", "8bit", "base64", "quoted-printable"})


@dataclass(frozen=True, slots=True)
class Entity:
    """Header fields, each with its line end, and what follows the empty line."""

    header: bytes
    body: tuple[Part, ...] = field(repr=False)


def text(subtype: str, content: str) -> Entity:
    """A text part in UTF-8, encoded so that every server takes it."""
    data = crlf(content.encode("utf-8", "replace"))
    beyond = sum(octet > 0x7E for octet in data[:65536])
    if beyond * _MOST_ESCAPES > min(len(data), 65536):
        encoding, encoded = "base64", crlf(base64.encodebytes(data))
    else:
        encoding, encoded = "quoted-printable", crlf(binascii.b2a_qp(data))
    return Entity(
        _lines(f"Content-Type: text/{subtype}; charset=utf-8", f"Content-Transfer-Encoding: {encoding}"),
        (encoded,),
    )


def multipart(subtype: str, boundary: str, entities: Iterable[Entity | Part]) -> Entity:
    """Entities one after the other; what is no `Entity` holds whole ones, delimiters between them and all."""
    delimiter = f"--{boundary}\r\n".encode()
    body: list[Part] = []
    for each in entities:
        if isinstance(each, Entity):
            body += (delimiter, each.header, b"\r\n", *each.body, b"\r\n")
        elif len(each):
            body.append(each)
    body.append(f"--{boundary}--\r\n".encode())
    header = _lines(f'Content-Type: multipart/{subtype}; boundary="{boundary}"')
    return Entity(header, tuple(body))


def alternative(boundary: str, entities: Sequence[Entity]) -> Entity:
    """The same content in several forms, the plainest first; a single one needs no multipart."""
    return entities[0] if len(entities) == 1 else multipart("alternative", boundary, entities)


def related(boundary: str, root: Entity, others: Sequence[Entity | Part]) -> Entity:
    """A text with what is shown in it."""
    return multipart("related", boundary, [root, *others]) if any(map(_holds, others)) else root


def mixed(boundary: str, root: Entity, others: Sequence[Entity | Part]) -> Entity:
    """A text with files."""
    return multipart("mixed", boundary, [root, *others]) if any(map(_holds, others)) else root


def taken_over(attachment: Attachment, *, inline: bool) -> tuple[bytes, bool]:
    """The header for a part of another message, and whether its content has to be put into base64.

    Made anew, since only what the structure tells is known to be what it seems.
    """
    part = attachment.part
    known = _TOKEN.fullmatch(part.type) and _TOKEN.fullmatch(part.subtype)
    kind = f"{part.type}/{part.subtype}" if known else "application/octet-stream"
    values = [
        _parameter(name, value)
        for name, value in part.params.items()
        if not _NAMED.fullmatch(name) and _TOKEN.fullmatch(name) and _VISIBLE.fullmatch(value)
    ]
    encode = part.encoding not in _ENCODINGS and kind != "message/rfc822" and part.type != "multipart"
    encoding = "base64" if encode else part.encoding if part.encoding in _ENCODINGS else "8bit"
    made = [
        "; ".join([f"Content-Type: {kind}", *values, _parameter("name", attachment.name)]),
        f"Content-Transfer-Encoding: {encoding}",
        f"Content-Disposition: {'inline' if inline else 'attachment'}; "
        + _parameter("filename", attachment.name),
    ]
    content_id, location = (part.content_id or "").strip().strip("<>"), (part.location or "").strip()
    if _WORD.fullmatch(content_id):
        made.append(f"Content-ID: <{content_id}>")
    if _WORD.fullmatch(location):
        made.append(f"Content-Location: {location}")
    return _lines(*made), encode


def embedded(name: str) -> bytes:
    """The header for a whole message as an attachment.

    It may hold any octets: what is labelled so and is ASCII is no error, the other way round it is.
    """
    return _lines(
        f"Content-Type: message/rfc822; {_parameter('name', name)}",
        "Content-Transfer-Encoding: 8bit",
        f"Content-Disposition: attachment; {_parameter('filename', name)}",
    )


class Base64Lines:
    """Puts octets that come in pieces into lines of base64."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Take the next octets; returns whole lines."""
        data = self._held + data
        whole = len(data) - len(data) % _LINE_OF_BASE64
        self._held = data[whole:]
        return _in_lines(data[:whole])

    def finish(self) -> bytes:
        """There is no more."""
        rest, self._held = self._held, b""
        return _in_lines(rest)


def _in_lines(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


def _holds(other: Entity | Part) -> bool:
    return isinstance(other, Entity) or len(other) > 0


def _parameter(name: str, value: str) -> str:
    """A parameter, in the form of RFC 2231 when it is not ASCII."""
    if _VISIBLE.fullmatch(value):
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{name}="{quoted}"'
    return f"{name}*=utf-8''{quote(value[:200], safe='', errors='replace')}"


def _lines(*lines: str) -> bytes:
    return b"".join(fold(line.encode("ascii", "replace"), _WIDTH) + b"\r\n" for line in lines)
