"""The GlobalObjId of a meeting, made of the UID of iCalendar (MS-ASEMAIL 2.2.2.37).

offset  octets
     0      16  always the same
    16       4  the occurrence: year (high octet first), month, day; zero for all
    20       8  when it was made; zero for the UID of another program
    28       8  zero
    36       4  how many octets follow, little-endian
    40          those of Outlook, or "vCal-Uid", 01 00 00 00, the UID and a zero
"""

from __future__ import annotations

import re
import struct
from datetime import date

__all__ = ["global_object_id"]

_CLASS = bytes.fromhex("040000008200E00074C5B7101A82E008")
_OUTLOOK = re.compile(rf"{_CLASS.hex()}(?:[0-9a-f]{{2}}){{24,}}", re.ASCII | re.IGNORECASE)
_WRAP = b"vCal-Uid\x01\x00\x00\x00"
_DATE = slice(16, 20)


def global_object_id(uid: str, occurrence: date | None = None) -> bytes:
    """The GlobalObjId of a meeting, or of its occurrence at a date of its original time."""
    day = struct.pack(">HBB", occurrence.year, occurrence.month, occurrence.day) if occurrence else bytes(4)
    if _OUTLOOK.fullmatch(uid):
        octets = bytearray.fromhex(uid)
        octets[_DATE] = day
        return bytes(octets)
    data = _WRAP + uid.encode("utf-8", "replace") + b"\0"
    return _CLASS + day + bytes(16) + struct.pack("<I", len(data)) + data
