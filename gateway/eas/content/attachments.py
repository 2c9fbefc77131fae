"""The bytes behind a FileReference (MS-ASCMD 2.2.1.10.1 Fetch, 2.2.1.8 GetAttachment)."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Protocol

from gateway.eas.content.ids import FileReference
from gateway.errors import Kind, NotFound, Refused
from gateway.mail.base64_lines import Lines, measure
from gateway.mail.cms import BadCms
from gateway.mail.packed import LARGEST_LISTED, split_section, unpack_file
from gateway.mail.sealed import signed_file
from gateway.mail.tnef import BadTnef, is_tnef
from gateway.mail.transfer import TransferDecoder, decode, least_decoded_size
from gateway.ports import Mailboxes
from gateway.types import BodyPart, SectionRequest
from wbxml import Utf8

__all__ = [
    "LARGEST",
    "AttachmentData",
    "Base64Text",
    "Extent",
    "Sink",
    "copy_attachment",
    "fetch_attachment",
    "known_type",
]

LARGEST = 64 * 1024 * 1024
"""Octets that are given out at once, unless the caller says otherwise."""
_WORTH_SKIPPING = 128 * 1024
"""Octets of base64 from which on a range is fetched without what stands before it."""
_STEP = 384 * 1024
"""Octets of a range that are fetched so at once."""
_SAMPLE = 4096
_CONTENT_TYPE = re.compile(r"[!#-'*+.0-9A-Z^-~-]+/[!#-'*+.0-9A-Z^-~-]+", re.ASCII)
_IDENTITY = frozenset({"7bit", "8bit", "binary", ""})


class Sink(Protocol):
    """Takes octets as they come; a `ports.Spool` is one."""

    async def write(self, data: bytes) -> None:
        """Take the next ones."""
        ...


@dataclass(frozen=True, slots=True)
class Extent:
    """What was given out of a file: `size` octets from `start`, of `total` in all."""

    content_type: str
    start: int
    size: int
    total: int


@dataclass(frozen=True, slots=True)
class AttachmentData:
    """Octets of a file, decoded. `total` is the size of the whole file; `start` where `data` begins in it."""

    content_type: str
    data: bytes
    start: int
    total: int


def known_type(content_type: str) -> str:
    """A media type, that of unknown octets for what is none (RFC 2045 5.1)."""
    return content_type if _CONTENT_TYPE.fullmatch(content_type) else "application/octet-stream"


async def fetch_attachment(
    mailboxes: Mailboxes,
    mailbox: str,
    reference: FileReference,
    byte_range: tuple[int, int] | None = None,
    *,
    largest: int = LARGEST,
) -> AttachmentData:
    """As `copy_attachment`, into memory."""
    kept = _Kept()
    extent = await copy_attachment(mailboxes, mailbox, reference, kept, byte_range, largest=largest)
    return AttachmentData(extent.content_type, b"".join(kept.pieces), extent.start, extent.total)


async def copy_attachment(
    mailboxes: Mailboxes,
    mailbox: str,
    reference: FileReference,
    sink: Sink,
    byte_range: tuple[int, int] | None = None,
    *,
    largest: int = LARGEST,
) -> Extent:
    """Fetch a part of a message piece by piece, undo its transfer encoding, and write it into `sink`.

    `byte_range` counts decoded octets from 0, both ends included. It may reach beyond the end: what is there
    is written, nothing if it begins behind the end. Raises `NotFound` when the message or the part is gone,
    `Refused` (TOO_LARGE) when more than `largest` octets would be written, and what port and sink raise.
    """
    outer, number = split_section(reference.section)
    if number is not None:
        packed = replace(reference, section=outer)
        return await _unpacked(mailboxes, mailbox, packed, number, sink, byte_range, largest)
    found = await mailboxes.fetch(mailbox, reference.uidvalidity, [reference.uid], ())
    message = found.get(reference.uid)
    part = _find(message.structure, reference.section) if message else None
    if part is None:
        raise NotFound("the message or its part is gone")
    if byte_range is None and least_decoded_size(part.size, part.encoding) > largest:
        raise _too_large()
    source = _Source(mailboxes, mailbox, reference, part, sink, largest)
    if part.encoding in _IDENTITY and part.size:
        return await source.plain(byte_range)
    if byte_range and part.encoding == "base64" and part.size > _WORTH_SKIPPING:
        found_alone = await source.alone(byte_range)
        if found_alone:
            return found_alone
    return await source.decoded(byte_range)


async def _unpacked(  # noqa: PLR0917 - as `copy_attachment`
    mailboxes: Mailboxes,
    mailbox: str,
    reference: FileReference,
    number: int,
    sink: Sink,
    byte_range: tuple[int, int] | None,
    largest: int,
) -> Extent:
    """A file in a winmail.dat or in a signed message, which `reference` names."""
    packed = await fetch_attachment(mailboxes, mailbox, reference, largest=LARGEST_LISTED)
    unpacked = unpack_file if is_tnef(packed.data) else signed_file
    try:
        found = await asyncio.to_thread(unpacked, packed.data, number)
    except (BadTnef, BadCms) as error:
        raise NotFound("the part is neither a winmail.dat nor a signed message") from error
    if found is None:
        raise NotFound("no such file in the part")
    content_type, data = found
    first, last = byte_range or (0, len(data))
    wanted = data[first : last + 1]
    if len(wanted) > largest:
        raise _too_large()
    await sink.write(wanted)
    return Extent(content_type, first, len(wanted), len(data))


@dataclass(frozen=True, slots=True)
class _Source:
    """A part upstream, the ways to get at its octets, and where they go."""

    mailboxes: Mailboxes
    mailbox: str
    reference: FileReference
    part: BodyPart
    sink: Sink
    largest: int

    async def plain(self, byte_range: tuple[int, int] | None) -> Extent:
        """Without a transfer encoding the server itself can give a range."""
        first, last = byte_range or (0, self.part.size - 1)
        begin, end = min(first, self.part.size), min(last + 1, self.part.size)
        piece = _Piece(self.sink, begin, None, self.largest, position=begin)
        if end > begin:
            async for chunk in self._stream(begin, end - begin):
                await piece.add(chunk)
        return self._extent(first, piece.size, self.part.size)

    async def decoded(self, byte_range: tuple[int, int] | None) -> Extent:
        """Decode all of it, for only then its size is known; what is outside the range is dropped at once."""
        first, last = byte_range or (0, None)
        piece = _Piece(self.sink, first, last, self.largest)
        decoder = TransferDecoder(self.part.encoding)
        async for chunk in self._stream(0, None):
            await piece.add(decoder.feed(chunk))
        await piece.add(decoder.finish())
        return self._extent(first, piece.size, piece.position)

    async def alone(self, byte_range: tuple[int, int]) -> Extent | None:
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
        if last - first >= self.largest:
            raise _too_large()
        at = first
        while at <= last:
            data = await self._lines(lines, at, min(last, at + _STEP - 1))
            if data is None:  # lines in the middle are not alike
                rest = await self.decoded((at, byte_range[1]))
                return self._extent(first, at - first + rest.size, rest.total)
            await self.sink.write(data)
            at += len(data)
        return self._extent(first, at - first, total)

    async def _lines(self, lines: Lines, first: int, last: int) -> bytes | None:
        """The octets from `first` to `last`; None when the lines that hold them are not as they should be."""
        begin, end = first // lines.decoded, last // lines.decoded + 1
        middle = await self._text(begin * lines.stride, min(end * lines.stride, self.part.size))
        start = first - begin * lines.decoded
        data = decode(middle, "base64")[start : start + last - first + 1]
        return data if lines.fit(middle) and len(data) == last - first + 1 else None

    async def _text(self, start: int, end: int) -> bytes:
        request = SectionRequest(self.reference.uid, self.part.section, start, end - start)
        answers = await self.mailboxes.fetch_sections(self.mailbox, self.reference.uidvalidity, [request])
        return answers.get(request, b"")

    def _stream(self, offset: int, limit: int | None) -> AsyncIterator[bytes]:
        request = SectionRequest(self.reference.uid, self.part.section, offset, limit)
        return self.mailboxes.stream_section(self.mailbox, self.reference.uidvalidity, request)

    def _extent(self, start: int, size: int, total: int) -> Extent:
        return Extent(known_type(self.part.content_type), start, size, total)


class _Piece:
    """Passes the wanted range of a stream of octets on to a sink."""

    def __init__(self, sink: Sink, first: int, last: int | None, largest: int, *, position: int = 0) -> None:
        self._sink = sink
        self._first = first
        self._end = None if last is None else last + 1
        self._largest = largest
        self.size = 0
        """Octets passed on."""
        self.position = position

    async def add(self, octets: bytes) -> None:
        begin = max(self._first - self.position, 0)
        end = len(octets) if self._end is None else max(self._end - self.position, 0)
        self.position += len(octets)
        wanted = octets[begin:end]
        if wanted:
            self.size += len(wanted)
            if self.size > self._largest:
                raise _too_large()
            await self._sink.write(wanted)


class Base64Text:
    """A sink that makes base64 of what comes, for an inline answer: neither is held twice."""

    def __init__(self) -> None:
        self._held = b""
        self._text = BytesIO()

    async def write(self, data: bytes) -> None:
        """Take the next octets."""
        data = self._held + data
        whole = len(data) - len(data) % 3
        self._held = data[whole:]
        self._text.write(base64.b64encode(memoryview(data)[:whole]))

    def text(self) -> Utf8:
        """All of it; there is no more."""
        self._text.write(base64.b64encode(self._held))
        return Utf8(self._text.getvalue())


@dataclass(slots=True)
class _Kept:
    """A sink in memory."""

    pieces: list[bytes] = field(default_factory=list)

    async def write(self, data: bytes) -> None:
        self.pieces.append(data)


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
