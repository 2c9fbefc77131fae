"""Replies and forwards: what the phone wrote, the original quoted below or attached (MS-ASCMD 2.2.1.19)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from email.header import Header
from enum import IntEnum
from html import unescape

from gateway.mail import body, entities, html, quote
from gateway.mail import original as originals
from gateway.mail.addresses import addresses
from gateway.mail.anatomy import Anatomy, take_apart
from gateway.mail.body import Fetched, Text
from gateway.mail.compose import Outgoing
from gateway.mail.conversations import message_ids, topic
from gateway.mail.entities import Entity
from gateway.mail.fields import Field, fold
from gateway.mail.headers import Headers
from gateway.mail.original import Original
from gateway.mail.structure import Attachment, Layout, Nature, lay_out
from gateway.ports import Mailboxes, Spool
from gateway.types import BodyPart

__all__ = ["Verb", "threaded", "titled", "verb", "with_original"]

_WIDTH = 76
_MOST_REFERENCES = 40
_SEALED = frozenset({"multipart/signed", "multipart/encrypted", "multipart/report"})
_CLOSED = frozenset({"multipart/encrypted"})
_SHOWN_BY_ID = re.compile(r"cid:([^\"'\s)>]{1,900})", re.IGNORECASE)
_SHOWN_BY_LOCATION = re.compile(r"\b(?:src|background)\s{0,9}=\s{0,9}([\"'])(.{1,900}?)\1", re.IGNORECASE)


class Verb(IntEnum):
    """What was done with the original: the values of LastVerbExecuted (MS-ASEMAIL 2.2.2.46)."""

    REPLY = 1
    REPLY_ALL = 2
    FORWARD = 3


def verb(message: Outgoing, original: Headers, *, forward: bool) -> Verb:
    """A reply is one to all when it goes to somebody else whom the original went to."""
    if forward:
        return Verb.FORWARD
    authors = {one.address.lower() for name in ("from", "reply-to") for one in addresses(original, name)}
    others = {one.address.lower() for name in ("to", "cc") for one in addresses(original, name)}
    people = {address.lower() for address in message.recipients}
    return Verb.REPLY_ALL if people & (others - authors) else Verb.REPLY


def threaded(message: Outgoing, original: Headers, *, forward: bool) -> Outgoing:
    """The message with In-Reply-To (of a reply) and References (RFC 5322 3.6.4), unless it has them."""
    parent = message_ids(original.get("message-id"))[:1]
    if not parent:
        return message
    above = message_ids(original.get("references")) or message_ids(original.get("in-reply-to"))[:1]
    chain = [*(one for one in above if one != parent[0]), *parent]
    if len(chain) > _MOST_REFERENCES:
        chain = [chain[0], *chain[1 - _MOST_REFERENCES :]]
    wanted = {b"references": b"References: " + b" ".join(b"<%b>" % one for one in chain)}
    if not forward:
        wanted[b"in-reply-to"] = b"In-Reply-To: <%b>" % parent[0]
    present = {each.name for each in message.fields}
    added = [
        Field(name, fold(line, _WIDTH) + b"\r\n") for name, line in wanted.items() if name not in present
    ]
    return replace(message, fields=(*message.fields, *added))


def titled(message: Outgoing, original: Headers) -> Outgoing:
    """The message with the subject that forwarded mail has."""
    words = Header(f"FW: {topic(original.text('subject'))}".strip(), "utf-8", header_name="Subject")
    line = fold(b"Subject: " + words.encode(linesep="").encode("ascii", "replace"), _WIDTH)
    return replace(message, fields=(*message.fields, Field(b"subject", line + b"\r\n")))


async def with_original(
    mailboxes: Mailboxes,
    original: Original,
    message: Outgoing,
    *,
    forward: bool,
    spool: Callable[[], Spool],
    stack: ExitStack,
) -> Outgoing:
    """The message with the original in it; its files pass through spools, which `stack` closes.

    A phone that encrypts has to put the original in by itself: what it sends then stays as it is. Raises
    `NotFound` when the original is gone, `Refused` when it is too large, and what port and spool raise.
    """
    written = await asyncio.to_thread(_Written.of, message)
    if written.closed:
        return message
    work = _Work(mailboxes, original, message, written, forward, spool, stack)
    return await work.run()


@dataclass(frozen=True, slots=True)
class _Written:
    """What the phone wrote, taken apart."""

    data: bytes = field(repr=False)
    anatomy: Anatomy = field(repr=False)
    layout: Layout = field(repr=False)
    header: bytes = field(repr=False)
    """The fields of the message that tell of its content."""

    @classmethod
    def of(cls, message: Outgoing) -> _Written:
        (view,) = message.body
        assert isinstance(view, memoryview)  # as the phone sent it
        data = view.obj
        assert isinstance(data, bytes)
        header = b"".join(each.raw for each in message.fields if each.name.startswith(b"content-"))
        anatomy = take_apart(data, header, len(data) - len(view))
        return cls(data, anatomy, lay_out(anatomy.root), header)

    @property
    def closed(self) -> bool:
        return self.layout.nature is Nature.ENVELOPED or self.anatomy.root.content_type in _CLOSED

    @property
    def sealed(self) -> bool:
        """Whether its text cannot be added to without breaking it."""
        return self.layout.nature is not Nature.MAIL or self.anatomy.root.content_type in _SEALED

    @property
    def has_text(self) -> bool:
        return any(block.plain for block in self.layout.blocks)

    def text(self, *, rich: bool) -> str:
        fetched = {}
        for part in self.layout.parts(rich=rich):
            span = self.anatomy.spans[part.section]
            fetched[part.section] = Fetched(self.data[span.body : span.end])
        return body.read(self.layout, fetched, rich=rich).data.decode("utf-8")

    def whole(self) -> Entity:
        span = self.anatomy.spans[self.anatomy.root.section]
        return Entity(self.header, (memoryview(self.data)[span.body : span.end],))

    def entity(self, part: BodyPart) -> Entity:
        if part is self.anatomy.root:
            return self.whole()
        span = self.anatomy.spans[part.section]
        header = self.data[span.start : max(span.body - 2, span.start)]
        return Entity(header, (memoryview(self.data)[span.body : span.end],))


@dataclass(frozen=True, slots=True)
class _Work:
    """One message being put together."""

    mailboxes: Mailboxes
    original: Original
    message: Outgoing
    written: _Written
    forward: bool
    spool: Callable[[], Spool]
    stack: ExitStack

    async def run(self) -> Outgoing:
        texts = None
        if self._is_quotable():
            texts = await originals.texts(self.mailboxes, self.original, self._forms())
        if texts is None:
            return self._with(await self._attached())
        return self._with(await self._quoted(texts))

    def _is_quotable(self) -> bool:
        """Whether text can be added to what the phone wrote, and that of the original taken out of it."""
        if self.written.sealed or self.original.closed:
            return False
        if self.written.layout.unlisted:
            return False
        original = self.original.layout
        tangled = original.unlisted or any(one.part.type == "multipart" for one in original.attachments)
        return not (self.forward and (self.original.sealed or tangled))

    def _forms(self) -> tuple[bool, ...]:
        """The forms of the text: HTML if one of the two is in it, plain unless the phone left that out."""
        rich = self.written.layout.has_html
        plain = self.written.has_text or not rich
        return (*([False] if plain else []), *([True] if rich or self.original.layout.has_html else []))

    async def _attached(self) -> Entity:
        """The original as a file beside what the phone wrote, which stays untouched."""
        boundary = self._boundary("mixed")
        room = self._room()
        await originals.attach_whole(self.mailboxes, self.original, room, boundary)
        return entities.mixed(boundary, self.written.whole(), [room])

    async def _quoted(self, texts: dict[bool, Text]) -> Entity:
        shown = texts[True].data.decode("utf-8") if True in texts else ""
        inline, files = self._carried(shown)
        pictures, room = self._room(), self._room()
        mixed, related = self._boundary("mixed"), self._boundary("related")
        await originals.carry(self.mailboxes, self.original, inline, pictures, related, inline=True)
        await originals.carry(self.mailboxes, self.original, files, room, mixed, inline=False)
        text = entities.alternative(
            self._boundary("alternative"), await asyncio.to_thread(self._texts, texts)
        )
        own = self.written.layout.attachments
        own_inline = [self.written.entity(one.part) for one in own if one.inline]
        own_files = [self.written.entity(one.part) for one in own if not one.inline]
        page = entities.related(related, text, [*own_inline, pictures])
        return entities.mixed(mixed, page, [*own_files, room])

    def _texts(self, texts: dict[bool, Text]) -> list[Entity]:
        """The text in each form, the original below. Takes a moment for long ones."""
        lines = quote.summary(self.original.headers, self.original.data.internal_date)
        made: list[Entity] = []
        for rich, text in sorted(texts.items()):
            quoted = text.data.decode("utf-8")
            if not rich:
                made.append(
                    entities.text("plain", quote.below_text(self.written.text(rich=False), lines, quoted))
                )
                continue
            own = self.written.text(rich=True) if self.written.layout.blocks else html.from_text("")
            made.append(entities.text("html", quote.below_html(own, lines, quoted)))
        return [*made, *map(self.written.entity, self.written.layout.calendars)]

    def _carried(self, shown: str) -> tuple[list[Attachment], list[Attachment]]:
        """The parts of the original that go along: those its text shows; in a forward all others as files."""
        ids = {match.lower() for match in _SHOWN_BY_ID.findall(shown)}
        places = {unescape(place).strip() for _, place in _SHOWN_BY_LOCATION.findall(shown)}
        inline = [
            one
            for one in self.original.layout.attachments
            if one.inline and (_id(one) in ids or (one.part.location or "").strip() in places - {""})
        ]
        if not self.forward:
            return inline, []
        files = [one for one in self.original.layout.attachments if one not in inline]
        meetings = (Attachment(part, "invite.ics") for part in self.original.layout.calendars)
        return inline, [*files, *meetings]

    def _with(self, content: Entity) -> Outgoing:
        """The message with another content."""
        kept = (each for each in self.message.fields if not each.name.startswith(b"content-"))
        fields = (*kept, Field(b"content-type", content.header))
        return replace(self.message, fields=fields, body=content.body)

    def _room(self) -> Spool:
        spool = self.spool()
        self.stack.callback(spool.close)
        return spool

    def _boundary(self, level: str) -> str:
        # From the digest, so that the same request makes the same message, and nobody can guess it.
        return f"=_{self.message.digest[:40]}_{level}"


def _id(attachment: Attachment) -> str:
    return (attachment.part.content_id or "").strip().strip("<>").lower()
