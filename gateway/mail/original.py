"""The message that is replied to or forwarded: what is told of it, its text, its parts to be taken over."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gateway.errors import Kind, NotFound, Refused
from gateway.mail import body, entities
from gateway.mail.body import Fetched, Text
from gateway.mail.fields import crlf
from gateway.mail.headers import Headers, clean
from gateway.mail.packed import packed_part, unpack
from gateway.mail.pieces import LineEnds
from gateway.mail.quote import HEADER_FIELDS
from gateway.mail.structure import Attachment, Layout, Nature, lay_out
from gateway.mail.tnef import BadTnef
from gateway.mail.transfer import TransferDecoder
from gateway.ports import Mailboxes, Spool
from gateway.types import MessageData, SectionRequest

__all__ = ["LARGEST", "Original", "attach_whole", "carry", "find", "texts"]

LARGEST = 256 * 1024 * 1024
"""Octets that are taken over from an original at most."""
LARGEST_QUOTE = 2 * 1024 * 1024
"""Octets of text that are quoted at most; an original with more is attached."""
_FIELDS = (*HEADER_FIELDS, "Reply-To", "Message-ID", "In-Reply-To", "References")
_HIDDEN = (b"bcc:", b"resent-bcc:")
_CLOSED = frozenset({"multipart/encrypted"})
_SEALED = frozenset({"multipart/signed"})
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Original:
    """A message of a mailbox, taken apart."""

    mailbox: str
    uidvalidity: int
    data: MessageData = field(repr=False)
    headers: Headers = field(repr=False)
    layout: Layout = field(repr=False)

    @property
    def closed(self) -> bool:
        """Whether its text cannot be read here: it is encrypted, or signed in a form that hides it."""
        return self.layout.nature is Nature.ENVELOPED or self.data.structure.content_type.lower() in _CLOSED

    @property
    def sealed(self) -> bool:
        """Whether it is signed, so that it is worth something as a whole only."""
        return self.data.structure.content_type in _SEALED


async def find(mailboxes: Mailboxes, mailbox: str, uidvalidity: int, uid: int) -> Original:
    """Look a message up. Raises `NotFound`, and what the port raises."""
    found = await mailboxes.fetch(mailbox, uidvalidity, [uid], _FIELDS)
    if uid not in found:
        raise NotFound("the original is gone")
    data = found[uid]
    return Original(mailbox, uidvalidity, data, Headers(data.header), lay_out(data.structure))


async def texts(mailboxes: Mailboxes, original: Original, forms: Iterable[bool]) -> dict[bool, Text] | None:
    """Its text in HTML (True) and plain (False), as asked; None when it is too long to be quoted."""
    layout, fetched = await _opened(mailboxes, original)
    sections: dict[str, int | None] = {}
    wanted = tuple(forms)
    for rich in wanted:
        for section, limit in body.wanted(layout, rich=rich, size=LARGEST_QUOTE).items():
            known = sections.get(section, 0)
            sections[section] = None if limit is None or known is None else max(limit, known)
    requests = [
        SectionRequest(original.data.uid, section, 0, limit)
        for section, limit in sections.items()
        if section not in fetched
    ]
    answers = await mailboxes.fetch_sections(original.mailbox, original.uidvalidity, requests)
    fetched |= {
        request.section: Fetched(data, request.limit is not None and len(data) >= request.limit)
        for request, data in answers.items()
    }
    made = {rich: body.read(layout, fetched, rich=rich) for rich in wanted}
    short = all(one.complete and len(one.data) <= LARGEST_QUOTE for one in made.values())
    return made if short else None


async def _opened(mailboxes: Mailboxes, original: Original) -> tuple[Layout, dict[str, Fetched]]:
    """The layout with the text of a winmail.dat where there is no other, and that text by section."""
    layout = original.layout
    packed = None if layout.blocks else packed_part(layout)
    if packed is None:
        return layout, {}
    request = SectionRequest(original.data.uid, packed.section)
    answers = await mailboxes.fetch_sections(original.mailbox, original.uidvalidity, [request])
    try:
        found = await asyncio.to_thread(unpack, layout, packed, answers.get(request, b""))
    except BadTnef:
        return layout, {}
    return found.layout, {section: Fetched(data) for section, data in found.texts.items()}


async def carry(
    mailboxes: Mailboxes,
    original: Original,
    attachments: Sequence[Attachment],
    spool: Spool,
    boundary: str,
    *,
    inline: bool,
) -> None:
    """Write parts of a message into a spool as parts of a multipart, as they come.

    Raises `NotFound`, `Refused` when they are too large, and what port and spool raise.
    """
    if sum(attachment.part.size for attachment in attachments) > LARGEST:
        raise Refused(Kind.TOO_LARGE, "the attachments of the original are too large")
    for attachment in attachments:
        header, encode = entities.taken_over(attachment, inline=inline)
        await spool.write(f"--{boundary}\r\n".encode() + header + b"\r\n")
        decoder = TransferDecoder(attachment.part.encoding if encode else "")
        change = entities.Base64Lines() if encode else LineEnds()
        request = SectionRequest(original.data.uid, attachment.part.section)
        stream = mailboxes.stream_section(original.mailbox, original.uidvalidity, request)
        async for piece in stream:
            await spool.write(change.feed(decoder.feed(piece)))
        await spool.write(change.feed(decoder.finish()) + change.finish() + b"\r\n")


async def attach_whole(mailboxes: Mailboxes, original: Original, spool: Spool, boundary: str) -> None:
    """Write a whole message into a spool as a part of a multipart; its Bcc stays behind."""
    if original.data.size > LARGEST:
        raise Refused(Kind.TOO_LARGE, "the original is too large")
    uid = original.data.uid
    head = SectionRequest(uid, "HEADER")
    answers = await mailboxes.fetch_sections(original.mailbox, original.uidvalidity, [head])
    if head not in answers:
        raise NotFound("the original is gone")
    title = clean(original.headers.text("subject")).replace("/", " ").replace("\\", " ")[:_LONGEST_NAME]
    name = f"{title.strip(' .') or 'message'}.eml"
    await spool.write(f"--{boundary}\r\n".encode() + entities.embedded(name) + b"\r\n")
    await spool.write(_shown(crlf(answers[head])))
    ends = LineEnds()
    stream = mailboxes.stream_section(original.mailbox, original.uidvalidity, SectionRequest(uid, "TEXT"))
    async for piece in stream:
        await spool.write(ends.feed(piece))
    await spool.write(ends.finish() + b"\r\n")


def _shown(header: bytes) -> bytes:
    """A header block without the fields that name hidden recipients."""
    kept: list[bytes] = []
    hidden = False
    for line in header.splitlines(keepends=True):
        if line[:1] not in {b" ", b"\t"}:
            hidden = line.lower().startswith(_HIDDEN)
        if not hidden:
            kept.append(line)
    return b"".join(kept)
