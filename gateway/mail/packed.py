"""Outlook's winmail.dat in a message: found in the structure, and what is in it shown in its place."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from email.message import EmailMessage
from email.policy import SMTP

from gateway.mail import tnef, transfer
from gateway.mail.headers import clean
from gateway.mail.structure import Attachment, Block, Layout
from gateway.types import BodyPart

__all__ = [
    "LARGEST_LISTED",
    "SEPARATOR",
    "Unpacked",
    "packed_part",
    "split_section",
    "unpack",
    "unpack_file",
]

LARGEST_LISTED = 8 * 1024 * 1024
"""Octets, as transferred, of a winmail.dat that is opened to show a message; a larger one stays a file."""
SEPARATOR = "~"
"""Between the section of a part and what is in it."""
_TEXT, _HTML, _RTF = "text", "html", "rtf"
_OLE = ("application", "x-ole-storage")
_TYPES = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A message with the content of its winmail.dat in place, and the texts that were in it by section."""

    layout: Layout
    texts: Mapping[str, bytes]


def packed_part(layout: Layout) -> BodyPart | None:
    """The winmail.dat of a message, when it has one that is small enough to be opened."""
    for attachment in layout.attachments:
        part = attachment.part
        if part.content_type in _TYPES or attachment.name.lower() == "winmail.dat":
            return part if 0 < part.size <= LARGEST_LISTED else None
    return None


def unpack(layout: Layout, packed: BodyPart, data: bytes) -> Unpacked:
    """Put what a winmail.dat holds in its place; `data` is as transferred.

    Its text is shown where the message has none of its own, as RTF also beside plain text. Raises
    `tnef.BadTnef`, also when it is empty.
    """
    message = tnef.read(transfer.decode(data, packed.encoding))
    if not (message.files or message.text or message.html):
        raise tnef.BadTnef("nothing in it")
    attachments: list[Attachment] = []
    for attachment in layout.attachments:
        if attachment.part is packed:
            attachments += [found for found, _ in _files(message, packed.section)]
        else:
            attachments.append(attachment)
    texts: dict[str, bytes] = {}
    blocks = layout.blocks
    if not blocks:
        named = {_HTML: message.html, _TEXT: message.text}
        rich, plain = (
            [_text_part(packed.section, kind, text)] if text else [] for kind, text in named.items()
        )
        texts = {part.section: data for part, data in (*rich, *plain)}
        blocks = (Block(tuple(part for part, _ in rich), tuple(part for part, _ in plain)),) if texts else ()
    rtf = None
    if message.rtf and not layout.has_html:
        section = f"{packed.section}{SEPARATOR}{_RTF}"
        rtf = BodyPart(section, "application", "rtf", encoding="binary", size=len(message.rtf))
        texts[section] = message.rtf
    return Unpacked(replace(layout, blocks=blocks, attachments=tuple(attachments), rtf=rtf), texts)


def split_section(section: str) -> tuple[str, int | None]:
    """The section of a part, and which file in it is meant: "2~3" is the third in part 2."""
    outer, _, number = section.partition(SEPARATOR)
    return outer, int(number) if number else None


def unpack_file(data: bytes, number: int) -> tuple[str, bytes] | None:
    """The content type and octets of a file in a winmail.dat; None when it has no such file.

    `data` is without its transfer encoding. Raises `tnef.BadTnef`.
    """
    for at, (attachment, content) in enumerate(_files(tnef.read(data), ""), 1):
        if at == number:
            return attachment.part.content_type, content
    return None


def _text_part(outer: str, kind: str, text: str) -> tuple[BodyPart, bytes]:
    data = text.encode("utf-8", "replace")
    section, subtype = f"{outer}{SEPARATOR}{kind}", "html" if kind == _HTML else "plain"
    charset = {"charset": "utf-8"}
    return BodyPart(section, "text", subtype, charset, encoding="binary", size=len(data)), data


def _files(message: tnef.TnefMessage, outer: str) -> Iterator[tuple[Attachment, bytes]]:
    for number, file in enumerate(message.files, 1):
        name, data, (kind, subtype) = file.name, file.data, _type_of(file)
        if file.message is not None:
            data = _as_mime(file.message)
            name = name if name.lower().endswith(".eml") else f"{name}.eml"
        part = BodyPart(
            f"{outer}{SEPARATOR}{number}",
            kind,
            subtype,
            content_id=file.content_id,
            encoding="binary",
            size=len(data),
            location=file.location,
        )
        shown = bool(message.html) and kind == "image" and file.content_id is not None
        yield Attachment(part, clean(name), inline=shown or file.ole), data


def _type_of(file: tnef.File) -> tuple[str, str]:
    if file.message is not None:
        return "message", "rfc822"
    if file.ole:
        return _OLE
    named = file.content_type or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    kind, _, subtype = named.partition("/")
    return kind, subtype


def _as_mime(message: tnef.TnefMessage) -> bytes:
    """A message that was packed, as one anybody can read."""
    made = EmailMessage(policy=SMTP)
    made["Subject"] = clean(message.subject)
    made.set_content(message.text)
    if message.html:
        made.add_alternative(message.html, subtype="html")
    for attachment, data in _files(message, ""):
        part = attachment.part
        if attachment.embedded:
            part = replace(part, type="application", subtype="octet-stream")
        made.add_attachment(data, maintype=part.type, subtype=part.subtype, filename=attachment.name)
    return made.as_bytes()
