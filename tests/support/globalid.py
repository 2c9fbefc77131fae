"""Which UID a GlobalObjId is of, as a phone reads it (MS-ASEMAIL 2.2.2.37)."""

from __future__ import annotations

__all__ = ["uid_of"]

_HEAD = 40
_WRAP = b"vCal-Uid\x01\x00\x00\x00"


def uid_of(octets: bytes) -> str:
    """The UID of a meeting: the same for all of its occurrences."""
    data = octets[_HEAD:]
    assert len(data) == int.from_bytes(octets[_HEAD - 4 : _HEAD], "little")
    if data.startswith(_WRAP):
        return data.removeprefix(_WRAP).removesuffix(b"\0").decode()
    return (octets[:16] + bytes(4) + octets[20:]).hex().upper()
