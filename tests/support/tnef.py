"""Writes what Outlook sends as winmail.dat (MS-OXTNEF), for the tests."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

SUBJECT, BODY, CODEPAGE, PROPERTIES, CLASS = 0x18004, 0x2800C, 0x69007, 0x69003, 0x78008
RENDERING, TITLE, DATA, FILE_PROPERTIES = 0x69002, 0x18010, 0x6800F, 0x69005
P_BODY, P_HTML, P_RTF = 0x1000, 0x1013, 0x1009
P_DATA, P_METHOD, P_LONG_NAME, P_MIME, P_CONTENT_ID = 0x3701, 0x3705, 0x3707, 0x370E, 0x3712
MESSAGE = bytes.fromhex("0703020000000000c000000000000046")
STORAGE = bytes.fromhex("0b00000000000000c000000000000046")

Attribute = tuple[int, bytes]


APPOINTMENT = bytes.fromhex("0220060000000000c000000000000046")
MEETING = bytes.fromhex("90dad86e0b451b1098da00aa003f1305")
Numbered = tuple[bytes, int]
"""A property set, and a number in it."""


class Object(bytes):
    """An interface (16 octets) and the data behind it."""


def stream(*attributes: Attribute, codepage: int = 1252) -> bytes:
    """A TNEF stream of attributes in their order."""
    pages = (CODEPAGE, codepage.to_bytes(8, "little"))
    return b"\x78\x9f\x3e\x22\x01\x00" + b"".join(_attribute(*one) for one in (pages, *attributes))


def properties(
    *several: tuple[int, object],
    named: Iterable[str] = (),
    numbered: Mapping[Numbered, object] = MappingProxyType({}),
) -> bytes:
    """A list of properties; `named` ones come first, with a number each, and those of sets by number."""
    written = [_named(number, name) for number, name in enumerate(named, 0x8000)]
    for at, ((of, number), value) in enumerate(numbered.items(), 0x8100):
        whole = _property(at, value)
        written.append(whole[:4] + of + struct.pack("<II", 0, number) + whole[4:])
    written += [_property(name, value) for name, value in several]
    return struct.pack("<I", len(written)) + b"".join(written)


def file(name: str, data: bytes, *several: tuple[int, object]) -> list[Attribute]:
    """The attributes of a file whose data stands in an attribute of its own, as old programs write it."""
    title = name.encode("cp1252", "replace") + b"\0"
    return [(RENDERING, bytes(14)), (TITLE, title), (DATA, data), (FILE_PROPERTIES, properties(*several))]


def _attribute(attribute: int, value: bytes) -> bytes:
    level = 2 if attribute in {RENDERING, TITLE, DATA, FILE_PROPERTIES} else 1
    return struct.pack("<BII", level, attribute, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)


def _property(name: int, value: object) -> bytes:
    if isinstance(value, datetime):
        ticks = (value - datetime(1601, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 10
        return struct.pack("<HHQ", 64, name, ticks)
    if isinstance(value, int):
        return struct.pack("<HHI", 3, name, value)
    if isinstance(value, str):
        return struct.pack("<HHI", 31, name, 1) + _sized(value.encode("utf-16-le") + b"\0\0")
    assert isinstance(value, bytes)
    return struct.pack("<HHI", 13 if isinstance(value, Object) else 258, name, 1) + _sized(value)


def _named(number: int, name: str) -> bytes:
    word = name.encode("utf-16-le") + b"\0\0"
    return struct.pack("<HH", 3, number) + bytes(16) + struct.pack("<I", 1) + _sized(word) + bytes(4)


def _sized(value: bytes) -> bytes:
    return struct.pack("<I", len(value)) + value + bytes(-len(value) % 4)
