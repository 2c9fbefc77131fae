"""Builds sample messages of every common shape, as bytes with CRLF line ends."""

from __future__ import annotations

import email
import email.policy
import struct
import zlib
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.mime.text import MIMEText
from email.utils import format_datetime

_SMTP = email.policy.SMTP
_SMTP_COMPAT = email.policy.compat32.clone(linesep="\r\n")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file to attach. With `content_id` (no angle brackets) it is shown inside the HTML instead."""

    name: str
    content_type: str
    data: bytes
    content_id: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """What a message is made of. `references` are the Message-IDs of its ancestors, oldest first."""

    subject: str
    sender: str
    to: str
    date: datetime
    text: str = ""
    html: str = ""
    message_id: str = ""
    references: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()


def compose(draft: Draft) -> bytes:
    """Writes a draft in UTF-8, with the smallest MIME structure that holds all of it."""
    message = EmailMessage(policy=_SMTP)
    _head(message, draft)
    if draft.text or not draft.html:
        message.set_content(draft.text)
        if draft.html:
            message.add_alternative(draft.html, subtype="html")
    else:
        message.set_content(draft.html, subtype="html")
    for one in draft.attachments:
        # The name stands twice, as most mail programs write it: pymap shows that of Content-Type alone.
        params = {"name": one.name}
        maintype, _, subtype = one.content_type.partition("/")
        if one.content_id:
            # add_related belongs to the part with the HTML, which may be the message itself.
            html = message.get_body(("html",))
            assert isinstance(html, EmailMessage)
            html.add_related(
                one.data,
                maintype,
                subtype,
                cid=f"<{one.content_id}>",
                disposition="inline",
                filename=one.name,
                params=params,
            )
        elif one.content_type == "message/rfc822":
            message.add_attachment(
                email.message_from_bytes(one.data, policy=_SMTP), filename=one.name, params=params
            )
        else:
            message.add_attachment(one.data, maintype, subtype, filename=one.name, params=params)
    return message.as_bytes()


def compose_legacy(draft: Draft, charset: str) -> bytes:
    """Writes the text of a draft as mail programs did before UTF-8: body and subject in `charset`."""
    message = MIMEText(draft.text.replace("\r\n", "\n"), "plain", charset, policy=_SMTP_COMPAT)
    _head(message, draft)
    message.replace_header("Subject", Header(draft.subject, charset).encode())
    return message.as_bytes()


def _head(message: EmailMessage | MIMEText, draft: Draft) -> None:
    message["From"] = draft.sender
    message["To"] = draft.to
    message["Subject"] = draft.subject
    message["Date"] = format_datetime(draft.date)
    message["Message-ID"] = draft.message_id or message_id(draft)
    if draft.references:
        message["In-Reply-To"] = draft.references[-1]
        message["References"] = " ".join(draft.references)


def message_id(draft: Draft) -> str:
    """The Message-ID a draft gets when it names none: the same for the same subject and date."""
    seed = f"{draft.subject}|{draft.date.isoformat()}".encode()
    return f"<{zlib.crc32(seed):08x}.{int(draft.date.timestamp())}@example.test>"


def png(width: int, height: int, left: tuple[int, int, int], right: tuple[int, int, int]) -> bytes:
    """Draws a picture whose colour goes from `left` to `right` (red, green, blue from 0 to 255)."""
    row = b"".join(
        bytes(a + (b - a) * x // max(width - 1, 1) for a, b in zip(left, right, strict=True))
        for x in range(width)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress((b"\0" + row) * height, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def pdf(line: str) -> bytes:
    """A one-page PDF that shows one line of ASCII text."""
    text = line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    stream = f"BT /F1 24 Tf 72 720 Td ({text}) Tj ET".encode("ascii")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Font << /F1 5 0 R >> >>",
    ]
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(out)
