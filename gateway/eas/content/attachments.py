"""The bytes behind a FileReference (MS-ASCMD 2.2.1.10.1 Fetch, 2.2.1.8 GetAttachment)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from gateway.eas.content.ids import FileReference
from gateway.errors import Kind, NotFound, Refused
from gateway.mail.base64_lines import measure
from gateway.mail.packed import LARGEST_LISTED, split_section, unpack_file
from gateway.mail.tnef import BadTnef
from gateway.mail.transfer import TransferDecoder, decode, least_decoded_size
from gateway.ports import Mailboxes
from gateway.types import BodyPart, SectionRequest

__all__ = ["LARGEST", "AttachmentData", "fetch_attachment"]

LARGEST = 64 * 1024 * 1024
"""Octets that are given out at once, unless the caller says otherwise."""
_WORTH_SKIPPING = 128 * 1024
"""Octets of base64 from which on a range is fetched without what stands before it."""
_SAMPLE = 4096
_CONTENT_TYPE = re.compile(r"[!#-'*+.0-9A-Z^-~-]+/[!#-'*+.0-9A-Z^-~-]+", re.ASCII)
_IDENTITY = frozenset({"7bit", "8bit", "binary", ""})


@dataclass(frozen=True, slots=True)
class AttachmentData:
    """Octets of a file, decoded. `total` is the size of the whole file; `start` where `data` begins in it."""

    content_type: str
    data: bytes
    start: int
    total: int


async def fetch_attachment(
    mailboxes: Mailboxes,
    mailbox: str,
    reference: FileReference,
    byte_range: tuple[int, int] | None = None,
    *,
    largest: int = LARGEST,
) -> AttachmentData:
    """Fetch a part of a message and undo its transfer encoding, holding no more than what is returned.

    `byte_range` counts decoded octets from 0, both ends included. It may reach beyond the end: what is there
    is returned, nothing if it begins behind the end. Raises `NotFound` when the message or the part is gone,
    `Refused` (TOO_LARGE) when more than `largest` octets would be returned, and what the port raises.
    """
    outer, number = split_section(reference.section)
    if number is not None:
        packed = replace(reference, section=outer)
        return await _unpacked(mailboxes, mailbox, packed, number, byte_range)
    found = await mailboxes.fetch(mailbox, reference.uidvalidity, [reference.uid], ())
    message = found.get(reference.uid)
    part = _find(message.structure, reference.section) if message else None
    if part is None:
        raise NotFound("the message or its part is gone")
    if byte_range is None and least_decoded_size(part.size, part.encoding) > largest:
        raise _too_large()
    source = _Source(mailboxes, mailbox, reference, part, largest)
    if part.encoding in _IDENTITY and part.size:
        return await source.plain(byte_range)
    if byte_range and part.encoding == "base64" and part.size > _WORTH_SKIPPING:
        found_alone = await source.alone(byte_range)
        if found_alone:
            return found_alone
    return await source.decoded(byte_range)


async def _unpacked(
    mailboxes: Mailboxes,
    mailbox: str,
    reference: FileReference,
    number: int,
    byte_range: tuple[int, int] | None,
) -> AttachmentData:
    """A file in a winmail.dat, which `reference` names."""
    packed = await fetch_attachment(mailboxes, mailbox, reference, largest=LARGEST_LISTED)
    try:
        found = await asyncio.to_thread(unpack_file, packed.data, number)
    except BadTnef as error:
        raise NotFound("the part is no winmail.dat") from error
    if found is None:
        raise NotFound("no such file in the winmail.dat")
    content_type, data = found
    first, last = byte_range or (0, len(data))
    return AttachmentData(content_type, data[first : last + 1], first, len(data))


@dataclass(frozen=True, slots=True)
class _Source:
    """A part upstream, and the ways to get at its octets."""

    mailboxes: Mailboxes
    mailbox: str
    reference: FileReference
    part: BodyPart
    largest: int

    async def plain(self, byte_range: tuple[int, int] | None) -> AttachmentData:
        """Without a transfer encoding the server itself can give a range."""
        first, last = byte_range or (0, self.part.size - 1)
        begin, end = min(first, self.part.size), min(last + 1, self.part.size)
        piece = _Piece(begin, None, self.largest, position=begin)
        if end > begin:
            async for chunk in self._stream(begin, end - begin):
                piece.add(chunk)
        return self._data(piece.data(), first, self.part.size)

    async def decoded(self, byte_range: tuple[int, int] | None) -> AttachmentData:
        """Decode all of it, for only then its size is known; what is outside the range is dropped at once."""
        first, last = byte_range or (0, None)
        piece = _Piece(first, last, self.largest)
        decoder = TransferDecoder(self.part.encoding)
        async for chunk in self._stream(0, None):
            piece.add(decoder.feed(chunk))
        piece.add(decoder.finish())
        return self._data(piece.data(), first, piece.position)

    async def alone(self, byte_range: tuple[int, int]) -> AttachmentData | None:
        """A range of base64 from the lines that hold it; None when the lines are not alike."""
        lines = measure(await self._text(0, _SAMPLE))
        if lines is None:
            return None
        before_tail = max(self.part.size // lines.stride - 1, 0)
        tail = await self._text(before_tail * lines.stride, self.part.size)
        if not lines.fit(tail):
            return None
        total = before_tail * lines.decoded + len(decode(tail, "base64"))
        first, last = byte_range[0], min(byte_range[1], total - 1)
        if last < first:
            return self._data(b"", first, total)
        if last - first >= self.largest:
            raise _too_large()
        begin, end = first // lines.decoded, last // lines.decoded + 1
        middle = await self._text(begin * lines.stride, min(end * lines.stride, self.part.size))
        start = first - begin * lines.decoded
        data = decode(middle, "base64")[start : start + last - first + 1]
        whole = lines.fit(middle) and len(data) == last - first + 1
        return self._data(data, first, total) if whole else None

    async def _text(self, start: int, end: int) -> bytes:
        request = SectionRequest(self.reference.uid, self.part.section, start, end - start)
        answers = await self.mailboxes.fetch_sections(self.mailbox, self.reference.uidvalidity, [request])
        return answers.get(request, b"")

    def _stream(self, offset: int, limit: int | None) -> AsyncIterator[bytes]:
        request = SectionRequest(self.reference.uid, self.part.section, offset, limit)
        return self.mailboxes.stream_section(self.mailbox, self.reference.uidvalidity, request)

    def _data(self, data: bytes, start: int, total: int) -> AttachmentData:
        known = _CONTENT_TYPE.fullmatch(self.part.content_type)
        content_type = self.part.content_type if known else "application/octet-stream"
        return AttachmentData(content_type, data, start, total)


class _Piece:
    """Keeps the wanted range of a stream of octets."""

    def __init__(self, first: int, last: int | None, largest: int, *, position: int = 0) -> None:
        self._first = first
        self._end = None if last is None else last + 1
        self._left = largest
        self._kept: list[bytes] = []
        self.position = position

    def add(self, octets: bytes) -> None:
        begin = max(self._first - self.position, 0)
        end = len(octets) if self._end is None else max(self._end - self.position, 0)
        self.position += len(octets)
        wanted = octets[begin:end]
        if wanted:
            self._left -= len(wanted)
            if self._left < 0:
                raise _too_large()
            self._kept.append(wanted)

    def data(self) -> bytes:
        return b"".join(self._kept)


def _too_large() -> Refused:
    return Refused(Kind.TOO_LARGE, "attachment or range is larger than what is given out at once")


def _find(root: BodyPart, section: str) -> BodyPart | None:
    """The part with this section number; parts of embedded messages are found too."""
    pending = [root]
    while pending:
        part = pending.pop()
        if part.section == section:
            return part
        pending.extend(part.children)
    return None
