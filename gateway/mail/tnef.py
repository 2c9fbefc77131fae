"""What is in a winmail.dat: the text and the files of a message as Outlook packs them (MS-OXTNEF).

Reading only, lenient and bounded: of a damaged file what can be read is given.
"""

from __future__ import annotations

import codecs
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gateway.mail.html import relabel
from gateway.mail.lzfu import BadRtf, decompress, is_packed
from gateway.mail.rtf import RtfContent
from gateway.mail.rtf import read as read_rtf
from gateway.mail.tnefreader import CutOff, OctetReader

__all__ = ["BadTnef", "File", "TnefMessage", "Value", "is_tnef", "read"]

_SIGNATURE = b"\x78\x9f\x3e\x22"
_HEADER = struct.Struct("<BII")
_MOST_FILES = 200
_MOST_PROPERTIES = 4000
_DEEPEST = 4
"""Messages in messages are read so deep; one further down is a file like any other."""

# Attributes (MS-OXTNEF 2.1.3.2), with their types.
_SUBJECT, _BODY, _CODEPAGE, _PROPERTIES, _CLASS = 0x18004, 0x2800C, 0x69007, 0x69003, 0x78008
_OF_MESSAGE = frozenset({_SUBJECT, _BODY, _PROPERTIES, _CLASS})
_RENDERING, _TITLE, _DATA, _FILE_PROPERTIES = 0x69002, 0x18010, 0x6800F, 0x69005

# Properties (MS-OXPROPS).
_P_SUBJECT, _P_BODY, _P_HTML, _P_RTF, _P_CODEPAGE = 0x0037, 0x1000, 0x1013, 0x1009, 0x3FDE
_P_DATA, _P_METHOD, _P_NAME, _P_LONG_NAME, _P_TITLE = 0x3701, 0x3705, 0x3704, 0x3707, 0x3001
_P_MIME, _P_CONTENT_ID, _P_LOCATION = 0x370E, 0x3712, 0x3713
_P_CLASS = 0x001A

_FIXED = {1: 0, 2: 4, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 10: 4, 11: 4, 20: 8, 64: 8, 72: 16}
"""Octets of a value of a property type, with padding (MS-OXTNEF 2.1.3.4)."""
_STRING8, _UNICODE, _OBJECT, _BINARY = 30, 31, 13, 258
_SIZED = frozenset({_STRING8, _UNICODE, _OBJECT, _BINARY})
_MANY = 0x1000
_NAMED_FROM = 0x8000
_GUID_OCTETS = 16
_MESSAGE = bytes.fromhex("0703020000000000c000000000000046")
_MIME = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+")


class BadTnef(ValueError):
    """It is no TNEF at all."""


@dataclass(frozen=True, slots=True)
class File:
    """A file in a winmail.dat. `ole` tells an embedded object; of a `message` in it `data` is its TNEF."""

    name: str
    data: bytes = field(repr=False)
    content_type: str = ""
    content_id: str | None = None
    location: str | None = None
    ole: bool = False
    message: TnefMessage | None = None


@dataclass(frozen=True, slots=True)
class TnefMessage:
    """What Outlook packed. `html` and `text` are "" where there is none; either may be made of RTF.

    `rtf` is that RTF, still compressed (PidTagRtfCompressed). `kind` is its message class. `properties` are
    those with a number, by it; `named` those with a number in a property set, by both (MS-OXPROPS 1.3.2).
    """

    subject: str = ""
    text: str = field(default="", repr=False)
    html: str = field(default="", repr=False)
    files: tuple[File, ...] = ()
    rtf: bytes = field(default=b"", repr=False)
    kind: str = ""
    properties: Mapping[int, Value] = field(default_factory=dict, repr=False)
    named: Mapping[tuple[bytes, int], Value] = field(default_factory=dict, repr=False)


def is_tnef(data: bytes) -> bool:
    """Whether octets begin as a winmail.dat does."""
    return data[: len(_SIGNATURE)] == _SIGNATURE


def read(data: bytes) -> TnefMessage:
    """Read a TNEF stream. Raises `BadTnef` for what does not begin as one."""
    return _read(data, _DEEPEST)


def _read(data: bytes, depth: int) -> TnefMessage:
    if not is_tnef(data):
        raise BadTnef("no signature")
    codec, message, files = "cp1252", _Parts(), list[_Parts]()
    for attribute, value in _attributes(data):
        if attribute == _CODEPAGE:
            codec = _codec(int.from_bytes(value[:4], "little"))
        elif attribute == _RENDERING:
            if len(files) == _MOST_FILES:
                break
            files.append(_Parts())
        elif attribute in _OF_MESSAGE:
            message.add(attribute, value, codec)
        elif files:
            files[-1].add(attribute, value, codec)
    return _message(message, codec, tuple(_file(file, depth, at) for at, file in enumerate(files, 1)))


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(attribute, value) up to the end; checksums are not looked at."""
    at = len(_SIGNATURE) + 2
    while at + _HEADER.size <= len(data):
        _, attribute, length = _HEADER.unpack_from(data, at)
        at += _HEADER.size
        yield attribute, data[at : at + length]
        at += length + 2


# --- messages and files ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Embedded:
    """The value of an object: which interface it has, and its data."""

    interface: bytes
    data: bytes


Value = int | bytes | str | _Embedded
_Named = tuple[bytes, int]
"""A property set (GUID), and the number of a property in it."""


@dataclass(slots=True)
class _Parts:
    """What was read of a message or a file."""

    title: str = ""
    data: bytes = b""
    kind: str = ""
    properties: dict[int, Value] = field(default_factory=dict)
    named: dict[_Named, Value] = field(default_factory=dict)

    def add(self, attribute: int, value: bytes, codec: str) -> None:
        """Take an attribute in; of lists of properties those up to the first that cannot be read."""
        if attribute in {_SUBJECT, _TITLE}:
            self.title = _text(value, codec)
        elif attribute in {_BODY, _DATA}:
            self.data = value
        elif attribute == _CLASS:
            self.kind = _text(value, codec)
        elif attribute in {_PROPERTIES, _FILE_PROPERTIES}:
            for name, one in _properties(value, codec):
                if isinstance(name, int):
                    self.properties[name] = one
                else:
                    self.named[name] = one

    def text(self, name: int) -> str:
        """A property that is a text, else ""."""
        value = self.properties.get(name)
        return value if isinstance(value, str) else ""


def _message(parts: _Parts, codec: str, files: tuple[File, ...]) -> TnefMessage:
    text = parts.text(_P_BODY) or _text(parts.data, codec)
    html = _html(parts, codec)
    if not html:
        content = _rtf(parts.properties.get(_P_RTF))
        if content.is_html:
            html = content.text
        elif not text:
            text = content.text
    if html:
        html = relabel(html.encode("utf-8", "replace")).decode("utf-8")
    rtf = parts.properties.get(_P_RTF)
    packed = rtf if isinstance(rtf, bytes) and is_packed(rtf) else b""
    subject, kind = parts.text(_P_SUBJECT) or parts.title, parts.text(_P_CLASS) or parts.kind
    return TnefMessage(subject, text, html, files, packed, kind, parts.properties, parts.named)


def _html(parts: _Parts, codec: str) -> str:
    html, page = parts.properties.get(_P_HTML), parts.properties.get(_P_CODEPAGE)
    if isinstance(html, bytes):
        return _text(html, _codec(page) if isinstance(page, int) else codec)
    return html if isinstance(html, str) else ""


def _rtf(value: Value | None) -> RtfContent:
    try:
        return read_rtf(decompress(value)) if isinstance(value, bytes) else RtfContent("", is_html=False)
    except BadRtf:
        return RtfContent("", is_html=False)


def _file(parts: _Parts, depth: int, number: int) -> File:
    stored = parts.properties.get(_P_DATA)
    embedded = stored if isinstance(stored, _Embedded) else None
    data = embedded.data if embedded else stored if isinstance(stored, bytes) and stored else parts.data
    message = None
    if embedded and embedded.interface == _MESSAGE and depth:
        try:
            message = _read(data, depth - 1)
        except BadTnef:
            embedded = None
    name = parts.text(_P_LONG_NAME) or parts.title or parts.text(_P_NAME) or parts.text(_P_TITLE)
    content_type = parts.text(_P_MIME).strip().lower()
    return File(
        name.strip() or f"attachment-{number}",
        data,
        content_type if _MIME.fullmatch(content_type) else "",
        parts.text(_P_CONTENT_ID).strip("<> ") or None,
        parts.text(_P_LOCATION).strip() or None,
        ole=embedded is not None and message is None,
        message=message,
    )


# --- properties --------------------------------------------------------------------------------------------


def _properties(data: bytes, codec: str) -> Iterator[tuple[int | _Named, Value]]:
    """The properties of a list, each once, up to the first that cannot be read; not those with names."""
    found: set[int | _Named] = set()
    reader = _Reader(data)
    try:
        for _ in range(min(reader.number(), _MOST_PROPERTIES)):
            kind, number = reader.short(), reader.short()
            name = number if number < _NAMED_FROM else reader.name()
            value = reader.value(kind, codec)
            if value is not None and name is not None and name not in found:
                found.add(name)
                yield name, value
    except CutOff:
        return


class _Reader(OctetReader):
    """Also raises `CutOff` at what is of a kind whose size is not known."""

    __slots__ = ()

    def sized(self) -> bytes:
        value = self.take(self.number())
        self.at += -len(value) % 4
        return value

    def name(self) -> _Named | None:
        """How a property is called in its set; None when that is a name and no number."""
        of = self.take(_GUID_OCTETS)
        if self.number():
            self.sized()
            return None
        return of, self.number()

    def value(self, kind: int, codec: str) -> Value | None:
        """The value that comes, the first of many; None for one that nobody here asks for."""
        single = kind & ~_MANY
        if single not in _SIZED:
            if single not in _FIXED:
                raise CutOff
            count = self.number() if kind & _MANY else 1
            values = self.take(count * _FIXED[single])
            return int.from_bytes(values[: _FIXED[single]], "little")
        first: bytes | None = None
        for _ in range(self.number()):
            value = self.sized()
            first = value if first is None else first
        if first is None or single == _BINARY:
            return first
        if single == _OBJECT:
            return _Embedded(first[:_GUID_OCTETS], first[_GUID_OCTETS:])
        return _text(first, "utf-16-le" if single == _UNICODE else codec)


def _text(value: bytes, codec: str) -> str:
    return value.decode(codec, "replace").rstrip("\0")


def _codec(page: int) -> str:
    name = {65001: "utf-8", 1200: "utf-16-le", 20127: "cp1252", 28591: "cp1252"}.get(page, f"cp{page}")
    try:
        codecs.lookup(name)
    except LookupError:
        return "cp1252"
    return name
