"""Writes CMS SignedData around a content, in DER and in the BER of programs that stream (RFC 5652, X.690)."""

from __future__ import annotations

SIGNED_DATA, DATA = bytes.fromhex("2a864886f70d010702"), bytes.fromhex("2a864886f70d010701")
ENVELOPED_DATA = bytes.fromhex("2a864886f70d010703")


def value(tag: int, *content: bytes) -> bytes:
    """A value of definite length."""
    octets = b"".join(content)
    if len(octets) < 0x80:
        return bytes([tag, len(octets)]) + octets
    length = len(octets).to_bytes((len(octets).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 + len(length)]) + length + octets


def streamed(tag: int, *content: bytes) -> bytes:
    """A value of indefinite length."""
    return bytes([tag, 0x80]) + b"".join(content) + b"\0\0"


def signed(content: bytes, *, kind: bytes = SIGNED_DATA) -> bytes:
    """SignedData of one signer, in DER; the signature is none."""
    enclosed = value(0x30, value(0x06, DATA), value(0xA0, value(0x04, content)))
    return value(0x30, value(0x06, kind), value(0xA0, _signed(enclosed)))


def signed_in_pieces(content: bytes, size: int = 1000) -> bytes:
    """The same in BER, the content in pieces."""
    pieces = (value(0x04, content[at : at + size]) for at in range(0, len(content), size))
    enclosed = streamed(0x30, value(0x06, DATA), streamed(0xA0, streamed(0x24, *pieces)))
    return streamed(0x30, value(0x06, SIGNED_DATA), streamed(0xA0, _signed(enclosed)))


def _signed(enclosed: bytes) -> bytes:
    return value(0x30, value(0x02, b"\x01"), value(0x31), enclosed, value(0x31))
