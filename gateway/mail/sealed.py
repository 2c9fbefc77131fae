"""Mail whose text is not in the open: an opaque signature is opened to show it; of encrypted mail, a notice.

What was received stays as it is, and is an attachment beside the files that were signed with the text; MIME
is handed out untouched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gateway.mail import transfer
from gateway.mail.anatomy import Anatomy, take_apart
from gateway.mail.cms import BadCms, signed_content
from gateway.mail.fields import crlf
from gateway.mail.packed import SEPARATOR
from gateway.mail.structure import Block, Layout, Nature, lay_out
from gateway.types import BodyPart

__all__ = ["Opened", "is_sealed", "open_sealed", "signed_file", "signed_part"]

_LARGEST_OPENED = 8 * 1024 * 1024
"""Octets, as transferred, of a signed message that is opened to show its text."""
_NOTICE_SECTION = "~notice"
_NOTICE = (
    b"This message is encrypted or signed in a way that cannot be shown here. It is attached as it was "
    b"received and can be read with a program that has the key."
)


@dataclass(frozen=True, slots=True)
class Opened:
    """A message with a text in place, and the octets of that by section.

    The files signed with it follow the attachments of the message: "1~2" is the second one in part 1.
    """

    layout: Layout
    texts: Mapping[str, bytes]


def is_sealed(root: BodyPart, layout: Layout) -> bool:
    """Whether the structure shows no text because it is signed as a whole or encrypted (S/MIME, PGP/MIME)."""
    if layout.blocks:
        return False
    return layout.nature is Nature.ENVELOPED or root.content_type == "multipart/encrypted"


def signed_part(root: BodyPart, layout: Layout) -> BodyPart | None:
    """The part to fetch of a sealed message, when it may only be signed and is not too large to be opened."""
    kind = root.params.get("smime-type", "signed-data").lower()
    if layout.nature is not Nature.ENVELOPED or kind != "signed-data":
        return None
    return root if 0 < root.size <= _LARGEST_OPENED else None


def open_sealed(layout: Layout, part: BodyPart | None, data: bytes) -> Opened:
    """Put the text that was signed in place, or a notice where there is none to be had.

    `part` is what `signed_part` found, `data` its octets as transferred.
    """
    if part is not None:
        try:
            opened = _signed(part, signed_content(transfer.decode(data, part.encoding)))
        except BadCms:
            opened = None
        if opened is not None and (opened.layout.blocks or opened.layout.nature is not Nature.ENVELOPED):
            files = tuple(
                replace(file, part=replace(file.part, section=f"{part.section}{SEPARATOR}{number}"))
                for number, file in enumerate(opened.layout.attachments, 1)
            )
            shown = replace(layout, blocks=opened.layout.blocks, attachments=(*layout.attachments, *files))
            return Opened(shown, opened.texts)
    notice = BodyPart(_NOTICE_SECTION, "text", "plain", {"charset": "utf-8"}, size=len(_NOTICE))
    return Opened(replace(layout, blocks=(Block(plain=(notice,)),)), {_NOTICE_SECTION: _NOTICE})


def signed_file(data: bytes, number: int) -> tuple[str, bytes] | None:
    """The content type and octets of a file in a signed message; None when it has no such file.

    `data` is without its transfer encoding. Raises `BadCms`.
    """
    message, anatomy = _opened(signed_content(data))
    files = lay_out(anatomy.root).attachments
    if number > len(files):
        return None
    part = files[number - 1].part
    span = anatomy.spans[part.section]
    return part.content_type, transfer.decode(message[span.body : span.end], part.encoding)


def _signed(outer: BodyPart, content: bytes) -> Opened:
    """A signed MIME entity taken apart; its sections are named below that of the part which holds it."""
    message, anatomy = _opened(content)
    layout = lay_out(_below(anatomy.root, f"{outer.section}{SEPARATOR}"))
    texts = {
        part.section: message[span.body : span.end]
        for block in layout.blocks
        for part in (*block.rich, *block.plain)
        if (span := anatomy.spans.get(part.section.partition(SEPARATOR)[2]))
    }
    return Opened(layout, texts)


def _opened(content: bytes) -> tuple[bytes, Anatomy]:
    """A signed MIME entity with CRLF line ends, and its parts."""
    message = crlf(content)
    header, _, _ = message.partition(b"\r\n\r\n")
    if message.startswith(b"\r\n"):
        header, body = b"", 2
    else:
        body = min(len(header) + 4, len(message))
    return message, take_apart(message, header, body)


def _below(part: BodyPart, prefix: str) -> BodyPart:
    children = tuple(_below(child, prefix) for child in part.children)
    return replace(part, section=prefix + part.section, children=children)
