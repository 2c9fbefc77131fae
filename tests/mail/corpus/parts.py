"""What messages of the corpus are made of."""

from __future__ import annotations

import base64
from dataclasses import dataclass

__all__ = [
    "ANN",
    "BOTH",
    "FROM_ANN",
    "HTML",
    "IMAGE",
    "INNER",
    "INVITATION",
    "MESSAGE",
    "PIXEL",
    "SIGNATURE",
    "TEXT",
    "WITH_IMAGE",
    "Sample",
    "base64_part",
    "coded",
    "crlf",
    "file",
    "mail",
    "multi",
    "part",
    "sender",
    "subject",
]

ANN = '"Ann" <ann@example.org>'
FROM_ANN = "From: Ann <ann@example.org>\nSubject: s\n"
PIXEL = b"R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


@dataclass(frozen=True, slots=True)
class Sample:
    """A message and what is expected: properties whole; of bodies, a piece they hold and one they do not.

    What is None may be anything. Where `plain` is "" there is no text.
    """

    name: str
    raw: bytes
    subject: str | None = "s"
    sender: str | None = ANN
    plain: str | None = ""
    html: str = ""
    absent: str = ""
    native: int | None = 1
    attachments: tuple[str, ...] | None = ()
    inline: tuple[str, ...] | None = ()
    message_class: str | None = "IPM.Note"


def crlf(text: str | bytes) -> bytes:
    octets = text.encode("utf-8") if isinstance(text, str) else text
    return octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def mail(content: bytes, fields: str | bytes = FROM_ANN) -> bytes:
    """A message of header fields and a MIME part (its own fields, an empty line, its body)."""
    return crlf(fields) + b"MIME-Version: 1.0\r\n" + content


def part(content_type: str, body: str | bytes, *fields: str) -> bytes:
    head = "".join(f"{field}\n" for field in (f"Content-Type: {content_type}", *fields))
    return crlf(head) + b"\r\n" + (crlf(body) if isinstance(body, str) else body)


def multi(subtype: str, *parts: bytes, boundary: str = "b", params: str = "") -> bytes:
    line = b"--" + boundary.encode()
    head = crlf(f'Content-Type: multipart/{subtype}; boundary="{boundary}"{params}\n\n')
    return head + b"".join(line + b"\r\n" + one + b"\r\n" for one in parts) + line + b"--\r\n"


def coded(charset: str, text: str, codec: str | None = None) -> bytes:
    return part(
        f"text/plain; charset={charset}", text.encode(codec or charset), "Content-Transfer-Encoding: 8bit"
    )


def base64_part(content_type: str, body: bytes, *fields: str) -> bytes:
    return part(
        content_type,
        base64.encodebytes(body).replace(b"\n", b"\r\n"),
        "Content-Transfer-Encoding: base64",
        *fields,
    )


def subject(raw: str | bytes) -> bytes:
    octets = raw if isinstance(raw, bytes) else raw.encode("utf-8")
    return b"From: Ann <ann@example.org>\nSubject: " + octets + b"\n"


def sender(raw: str) -> str:
    return f"From: {raw}\nSubject: s\n"


def file(name_fields: str, content_type: str = "application/pdf") -> bytes:
    return base64_part(content_type, b"%PDF", f"Content-Disposition: attachment{name_fields}")


TEXT = part("text/plain; charset=utf-8", "Hello Ann")
HTML = part("text/html; charset=utf-8", "<html><body><p>Hello <b>Ann</b></p></body></html>")
BOTH = multi("alternative", TEXT, HTML, boundary="alt")
IMAGE = part(
    "image/gif; name=dot.gif",
    PIXEL,
    "Content-Transfer-Encoding: base64",
    "Content-ID: <dot@x>",
    "Content-Disposition: inline",
)
WITH_IMAGE = part("text/html", '<img src="cid:dot@x"><p>Hello <b>Ann</b></p>')
INNER = mail(TEXT, "From: Bob <bob@example.org>\nSubject: inner\n")
MESSAGE = part("message/rfc822", INNER)
SIGNATURE = base64_part(
    "application/pkcs7-signature; name=smime.p7s",
    b"signature",
    "Content-Disposition: attachment; filename=smime.p7s",
)
INVITATION = part("text/calendar; charset=utf-8; method=REQUEST", "BEGIN:VCALENDAR\nEND:VCALENDAR\n")
