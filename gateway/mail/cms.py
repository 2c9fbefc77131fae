"""What an opaque signature encloses: the content of CMS SignedData (RFC 5652 5), taken out, not verified."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BadCms", "signed_content"]

_SEQUENCE, _OBJECT, _EXPLICIT, _SET, _INTEGER = 0x30, 0x06, 0xA0, 0x31, 0x02
_OCTETS, _PIECES = 0x04, 0x24
_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_DEEPEST = 16
_MOST_PIECES = 100_000


class BadCms(ValueError):
    """It is no SignedData, or none that encloses its content."""


def signed_content(data: bytes) -> bytes:
    """The octets that were signed, of a ContentInfo in DER or BER. Raises `BadCms`."""
    walk = _Walk(data)
    outer = walk.inside(walk.expect(0, len(data), _SEQUENCE))
    kind = walk.expect(*outer, _OBJECT)
    if data[kind.start : kind.end] != _SIGNED_DATA:
        raise BadCms("not SignedData")
    signed = walk.inside(walk.expect(kind.next, outer[1], _EXPLICIT))
    fields = walk.inside(walk.expect(*signed, _SEQUENCE))
    version = walk.expect(*fields, _INTEGER)
    digests = walk.expect(version.next, fields[1], _SET)
    enclosed = walk.inside(walk.expect(digests.next, fields[1], _SEQUENCE))
    kind = walk.expect(*enclosed, _OBJECT)
    content = walk.inside(walk.expect(kind.next, enclosed[1], _EXPLICIT))
    return b"".join(walk.octets(walk.element(*content)))


@dataclass(frozen=True, slots=True)
class _Element:
    """A value: its content from `start` to `end`, and where the next one begins."""

    tag: int
    start: int
    end: int
    next: int


class _Walk:
    """Goes through BER (X.690 8.1), lengths of both kinds."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = _MOST_PIECES

    def expect(self, at: int, end: int, tag: int) -> _Element:
        found = self.element(at, end)
        if found.tag != tag:
            raise BadCms("another element was expected")
        return found

    @staticmethod
    def inside(element: _Element) -> tuple[int, int]:
        return element.start, element.end

    def element(self, at: int, end: int, depth: int = 0) -> _Element:
        """The element at a place. Those of indefinite length are gone through to find their end."""
        self._left -= 1
        if depth > _DEEPEST or self._left < 0 or at + 2 > end:
            raise BadCms("too deep, too much or too short")
        tag, length = self._data[at], self._data[at + 1]
        start = at + 2
        if length == 0x80:
            inner = start
            while self._data[inner : inner + 2] != b"\0\0":
                inner = self.element(inner, end, depth + 1).next
            return _Element(tag, start, inner, inner + 2)
        if length > 0x80:
            size = length - 0x80
            length = int.from_bytes(self._data[start : start + size], "big")
            start += size
        if start + length > end or tag & 0x1F == 0x1F:
            raise BadCms("longer than what is there, or of a tag that CMS has not")
        return _Element(tag, start, start + length, start + length)

    def octets(self, element: _Element, depth: int = 0) -> list[bytes]:
        """The pieces of an OCTET STRING."""
        if element.tag == _OCTETS:
            return [self._data[element.start : element.end]]
        if element.tag != _PIECES or depth > _DEEPEST:
            raise BadCms("no octets")
        pieces: list[bytes] = []
        at = element.start
        while at < element.end:
            piece = self.element(at, element.end)
            pieces += self.octets(piece, depth + 1)
            at = piece.next
        return pieces
