"""The primary group of somebody, which no list of members names: he names it himself, by a number."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.upstream.ldap.entries import Raw, values
from gateway.upstream.ldap.escaping import all_of, equals

__all__ = ["ASKED", "primary_groups"]

_UNIX, _RELATIVE, _SID = "gidNumber", "primaryGroupID", "objectSid"
ASKED = (_UNIX, _RELATIVE, _SID)
"""What must be asked for of a person."""
_HEAD, _PART = 8, 4
"""Octets of a SID before its parts, and of each part (MS-DTYP 2.4.2.2)."""
_LARGEST, _DIGITS = 2**32, 10


def primary_groups(person: Raw) -> Iterator[str]:
    """The filters for the primary groups of a person, if he has some.

    That of POSIX is the group with the same `gidNumber` (RFC 2307 3). That of Active Directory has the SID of
    the person with another last part, which is his `primaryGroupID` (MS-ADA3 2.120).
    """
    for number in values(person, [_UNIX]):
        yield all_of([equals("objectClass", "posixGroup"), equals(_UNIX, number)])
    for sid in values(person, [_SID]):
        for number in values(person, [_RELATIVE]):
            if group := _beside(sid, number):
                yield equals(_SID, group)


def _beside(sid: bytes, number: bytes) -> bytes:
    """The SID in the same domain with another last part; b"" where either is none."""
    if not number.isdigit() or len(number) > _DIGITS or int(number) >= _LARGEST:
        return b""
    if len(sid) < _HEAD + _PART or len(sid) != _HEAD + _PART * sid[1]:
        return b""
    return sid[:-_PART] + int(number).to_bytes(_PART, "little")
