"""The bytes behind a FileReference (MS-ASCMD 2.2.1.10.1 Fetch, 2.2.1.8 GetAttachment)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.eas.content.ids import FileReference
from gateway.errors import Kind, NotFound, Refused
from gateway.mail.transfer import TransferDecoder
from gateway.ports import Mailboxes
from gateway.types import BodyPart, SectionRequest

__all__ = ["LARGEST", "AttachmentData", "fetch_attachment"]

LARGEST = 64 * 1024 * 1024
"""Octets that are given out at once, unless the caller says otherwise."""
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
    found = await mailboxes.fetch(mailbox, reference.uidvalidity, [reference.uid], ())
    message = found.get(reference.uid)
    part = _find(message.structure, reference.section) if message else None
    if part is None:
        raise NotFound("the message or its part is gone")
    first, last = byte_range or (0, None)
    if part.encoding in _IDENTITY and part.size:
        offset = min(first, part.size)
        end = part.size if last is None else min(last + 1, part.size)
        piece = _Piece(offset, None, largest, position=offset)
        if end > offset:
            request = SectionRequest(reference.uid, part.section, offset, end - offset)
            async for chunk in mailboxes.stream_section(mailbox, reference.uidvalidity, request):
                piece.add(chunk)
        return AttachmentData(_content_type(part), piece.data(), first, part.size)
    piece = _Piece(first, last, largest)
    decoder = TransferDecoder(part.encoding)
    request = SectionRequest(reference.uid, part.section)
    async for chunk in mailboxes.stream_section(mailbox, reference.uidvalidity, request):
        piece.add(decoder.feed(chunk))
    piece.add(decoder.finish())
    return AttachmentData(_content_type(part), piece.data(), first, piece.position)


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
                raise Refused(Kind.TOO_LARGE, "attachment or range is larger than what is given out at once")
            self._kept.append(wanted)

    def data(self) -> bytes:
        return b"".join(self._kept)


def _content_type(part: BodyPart) -> str:
    return part.content_type if _CONTENT_TYPE.fullmatch(part.content_type) else "application/octet-stream"


def _find(root: BodyPart, section: str) -> BodyPart | None:
    """The part with this section number; parts of embedded messages are found too."""
    pending = [root]
    while pending:
        part = pending.pop()
        if part.section == section:
            return part
        pending.extend(part.children)
    return None
