"""Undoing the compression of RTF in Outlook's mail (MS-OXRTFCP), leniently and bounded."""

from __future__ import annotations

import struct

__all__ = ["LARGEST", "BadRtf", "decompress", "is_packed", "whole"]

LARGEST = 8 * 1024 * 1024
"""Octets that are made at most."""
_COMPRESSED = b"LZFu"
_UNCOMPRESSED = b"MELA"
_RTF = rb"{\rtf"
_HEADER = struct.Struct("<II4sI")
_SIZE_COUNTED_FROM = 4
_WINDOW = 4096
_BEGINNING = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS "
    rb"Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0" + b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
"""What the window holds at first (MS-OXRTFCP 2.1.2.1)."""


class BadRtf(ValueError):
    """It is not compressed RTF."""


def decompress(data: bytes) -> bytes:
    """The RTF in the value of PidTagRtfCompressed; of a damaged one what can be read. Raises `BadRtf`.

    The checksum is not looked at: a text with a wrong letter is better than none.
    """
    if len(data) < _HEADER.size:
        raise BadRtf("too short")
    compressed_size, raw_size, kind, _ = _HEADER.unpack_from(data)
    content = data[_HEADER.size : _SIZE_COUNTED_FROM + compressed_size]
    if kind == _UNCOMPRESSED:
        return content[: min(raw_size, LARGEST)]
    if kind != _COMPRESSED:
        raise BadRtf("neither compressed nor plain")
    return _expand(content, min(raw_size, LARGEST))


def is_packed(data: bytes) -> bool:
    """Whether octets begin as a value of PidTagRtfCompressed does."""
    return len(data) >= _HEADER.size and _HEADER.unpack_from(data)[2] in {_COMPRESSED, _UNCOMPRESSED}


def whole(data: bytes) -> bytes | None:
    """The RTF in the value of PidTagRtfCompressed; None when it is damaged or larger than LARGEST."""
    try:
        made = decompress(data)
    except BadRtf:
        return None
    _, raw_size, _, _ = _HEADER.unpack_from(data)
    return made if len(made) == raw_size and made.startswith(_RTF) else None


def _expand(content: bytes, most: int) -> bytes:
    window = bytearray(_BEGINNING.ljust(_WINDOW, b"\0"))
    at, position, made = len(_BEGINNING), 0, bytearray()
    while position < len(content) and len(made) < most:
        control, position = content[position], position + 1
        for bit in range(8):
            if not control >> bit & 1:
                piece, position = content[position : position + 1], position + 1
            else:
                if position + 2 > len(content):
                    return bytes(made[:most])
                reference = int.from_bytes(content[position : position + 2], "big")
                position += 2
                start, length = reference >> 4, (reference & 15) + 2
                if start == at:  # the mark of the end
                    return bytes(made[:most])
                piece = _repeated(window, start, length, at)
            made += piece
            for octet in piece:
                window[at] = octet
                at = (at + 1) % _WINDOW
    return bytes(made[:most])


def _repeated(window: bytearray, start: int, length: int, at: int) -> bytes:
    """The octets a reference means, which may reach into those it makes itself."""
    distance = (at - start) % _WINDOW
    known = min(length, distance)
    piece = bytes(window[(start + index) % _WINDOW] for index in range(known))
    return (piece * (length // known + 1))[:length]
