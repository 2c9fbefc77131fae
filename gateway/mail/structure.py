"""Which parts of a message are its text and which are attachments, from the structure alone.

The text is a sequence of blocks, shown one after the other. A block has the same content in up to two forms,
rich and plain; a form may take several parts (multipart/alternative with a multipart/mixed in it).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from gateway.mail.headers import clean, decode_words, parameter
from gateway.types import BodyPart

__all__ = ["Attachment", "Block", "Layout", "Nature", "charset_of", "lay_out"]

_DEEPEST = 50
"""Multiparts nested deeper than this are handed out as one attachment."""
_MOST_ATTACHMENTS = 500
"""A message of nothing but attachments must not fill a reply."""
_PATH = re.compile(r"[\\/]")
_PKCS7_MIME = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_PKCS7_SIGNATURE = frozenset({"application/pkcs7-signature", "application/x-pkcs7-signature"})
_NAMES = {
    "message/rfc822": "message.eml",
    "message/global": "message.eml",
    "message/delivery-status": "details.txt",
    "message/disposition-notification": "details.txt",
    "text/rfc822-headers": "headers.txt",
    "text/calendar": "invite.ics",
    "text/html": "attachment.html",
    "text/vcard": "contact.vcf",
    "text/x-vcard": "contact.vcf",
    "text/csv": "attachment.csv",
    "image/jpeg": "image.jpg",
    "image/png": "image.png",
    "image/gif": "image.gif",
    "image/webp": "image.webp",
    "image/svg+xml": "image.svg",
    "image/heic": "image.heic",
    "audio/mpeg": "audio.mp3",
    "audio/wav": "audio.wav",
    "video/mp4": "video.mp4",
    "application/pdf": "attachment.pdf",
    "application/zip": "attachment.zip",
    "application/pgp-signature": "signature.asc",
    "application/pgp-encrypted": "version.txt",
    "application/ms-tnef": "winmail.dat",
    **dict.fromkeys(_PKCS7_MIME, "smime.p7m"),
    **dict.fromkeys(_PKCS7_SIGNATURE, "smime.p7s"),
}


class Nature(Enum):
    """What kind of mail it is, as far as the structure tells."""

    MAIL = auto()
    SIGNED = auto()  # S/MIME, multipart/signed: readable by everyone
    ENVELOPED = auto()  # S/MIME, application/pkcs7-mime: encrypted, or signed and opaque
    DELIVERY_REPORT = auto()
    READ_REPORT = auto()


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is offered as a file. `inline` tells that the HTML text shows it."""

    part: BodyPart
    name: str
    inline: bool = False

    @property
    def embedded(self) -> bool:
        """Whether it is itself a message."""
        return self.part.type == "message" and self.part.subtype in {"rfc822", "global"}

    @property
    def ole(self) -> bool:
        """Whether it is an object that a program embedded in the text."""
        return self.part.content_type == "application/x-ole-storage"


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of the text: the parts of its rich form, and of its plain form. One of them may be empty."""

    rich: tuple[BodyPart, ...] = ()
    plain: tuple[BodyPart, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """A message taken apart.

    `status` is the machine-readable part of a report; `calendars` are forms of the text that programs read,
    and that are not among the attachments. `unlisted` is how many attachments there are beyond those.
    `rtf` is the text as Outlook wrote it, compressed.
    """

    blocks: tuple[Block, ...]
    attachments: tuple[Attachment, ...]
    nature: Nature = Nature.MAIL
    status: BodyPart | None = None
    calendars: tuple[BodyPart, ...] = ()
    unlisted: int = 0
    rtf: BodyPart | None = None

    @property
    def has_html(self) -> bool:
        """Whether the text was written in HTML."""
        return _is_html(self.blocks)

    def parts(self, *, rich: bool) -> tuple[BodyPart, ...]:
        """The parts that make up the text in one form, from the other form where a block lacks it."""
        chosen: list[BodyPart] = []
        for block in self.blocks:
            chosen.extend((block.rich or block.plain) if rich else (block.plain or block.rich))
        return tuple(chosen)


def lay_out(root: BodyPart) -> Layout:
    """Take a message apart."""
    walk = _Walk()
    blocks = tuple(walk.part(root, depth=0))
    nature, status = _nature(root)
    attachments = walk.attachments
    if nature is Nature.SIGNED:
        attachments = [found for found in attachments if found.part is not root.children[-1]]
    listed = tuple(attachments[:_MOST_ATTACHMENTS])
    return Layout(blocks, listed, nature, status, tuple(walk.calendars), len(attachments) - len(listed))


def charset_of(part: BodyPart) -> str | None:
    """The charset a text part declares."""
    return part.params.get("charset") or None


class _Walk:
    """Goes through the structure once, collecting attachments in order."""

    def __init__(self) -> None:
        self.attachments: list[Attachment] = []
        self.calendars: list[BodyPart] = []

    def part(self, part: BodyPart, depth: int) -> list[Block]:
        if part.type != "multipart" or not part.children:
            return self._leaf(part)
        if depth >= _DEEPEST:
            self._attach(part)
            return []
        if part.subtype == "alternative":
            return self._alternative(part, depth + 1)
        if part.subtype == "related":
            return self._related(part, depth + 1)
        if part.subtype == "appledouble":
            return self.part(part.children[-1], depth + 1)
        return self._mixed(part, depth + 1)

    def _leaf(self, part: BodyPart) -> list[Block]:
        if part.type == "text" and part.disposition != "attachment":
            if part.subtype == "html":
                return [Block(rich=(part,))]
            if part.subtype in {"plain", "enriched", "richtext", "markdown"}:
                return [Block(plain=(part,))]
        if part.type != "multipart":
            self._attach(part)
        return []

    def _mixed(self, part: BodyPart, depth: int) -> list[Block]:
        blocks: list[Block] = []
        for child in part.children:
            named = _file_name(child) is not None
            if blocks and named and child.type == "text":
                self._attach(child)  # a text file sent along, though it could be shown
            elif part.subtype == "digest" and child.type == "message":
                self._attach(child)
            else:
                blocks.extend(self.part(child, depth))
        return blocks

    def _related(self, part: BodyPart, depth: int) -> list[Block]:
        root = _related_root(part)
        blocks: list[Block] = []
        for child in part.children:
            if child is root:
                blocks.extend(self.part(child, depth))
            elif child.type == "multipart":
                self.part(child, depth)
            else:
                shown = child.type == "image" or child.disposition != "attachment"
                self._attach(child, inline=shown and bool(child.content_id or child.location))
        return blocks

    def _alternative(self, part: BodyPart, depth: int) -> list[Block]:
        variants: list[list[Block]] = []
        spare: list[BodyPart] = []
        for child in part.children:
            if child.type == "text" and child.subtype not in {"plain", "html"}:
                spare.append(child)
            else:
                variants.append(self.part(child, depth))
        with_html = [variant for variant in variants if _is_html(variant)]
        without = [variant for variant in variants if variant and not _is_html(variant)]
        if with_html or without:
            self.calendars += [child for child in spare if child.subtype == "calendar"]
        if with_html and without:
            return [Block(rich=_flat(with_html[-1]), plain=_flat(without[0]))]
        if with_html or without:
            return with_html[-1] if with_html else without[0]
        readable = [child for child in spare if child.subtype in {"enriched", "richtext", "markdown"}]
        for child in spare:
            if child not in readable[:1]:
                self._attach(child)
        return [Block(plain=(readable[0],))] if readable else []

    def _attach(self, part: BodyPart, *, inline: bool = False) -> None:
        self.attachments.append(Attachment(part, _file_name(part) or _invented_name(part), inline))


def _is_html(blocks: Iterable[Block]) -> bool:
    for block in blocks:
        for part in block.rich:
            if part.subtype == "html":
                return True
    return False


def _flat(blocks: Iterable[Block]) -> tuple[BodyPart, ...]:
    return tuple(part for block in blocks for part in (block.rich or block.plain))


def _related_root(part: BodyPart) -> BodyPart:
    """The child that refers to the others (RFC 2387 3.2), or the first text where senders name none."""
    start = part.params.get("start", "").strip("<> ")
    if start:
        for child in part.children:
            if child.content_id and child.content_id.strip("<> ") == start:
                return child
    for child in part.children:
        if child.type in {"text", "multipart"}:
            return child
    return part.children[0]


def _nature(root: BodyPart) -> tuple[Nature, BodyPart | None]:
    kind = root.content_type
    if kind in _PKCS7_MIME:
        return Nature.ENVELOPED, None
    if root.type == "application" and (_file_name(root) or "").lower() in {"smime.p7m", "smime.p7z"}:
        return Nature.ENVELOPED, None
    if kind == "multipart/signed" and len(root.children) == 2:
        signature = root.children[1]
        if signature.content_type in _PKCS7_SIGNATURE:
            return Nature.SIGNED, None
    if kind == "multipart/report":
        for child in root.children:
            if child.content_type in {"message/delivery-status", "message/global-delivery-status"}:
                return Nature.DELIVERY_REPORT, child
            if child.content_type == "message/disposition-notification":
                return Nature.READ_REPORT, child
    return Nature.MAIL, None


def _file_name(part: BodyPart) -> str | None:
    """The last component of the name the sender gave, or None."""
    name = parameter(part.disposition_params, "filename") or parameter(part.params, "name")
    if not name:
        return None
    return _PATH.split(name)[-1].strip(" .") or None


def _invented_name(part: BodyPart) -> str:
    name = _NAMES.get(part.content_type)
    if name is None:
        name = "attachment.txt" if part.type == "text" else "attachment.bin"
    if part.content_type == "message/rfc822" and part.description:
        title = clean(_PATH.sub(" ", decode_words(part.description)))[:100].strip(" .")
        name = f"{title}.eml" if title else name
    return name
