"""Sample mail for the tests: one builder for each shape that mail comes in, as bytes with CRLF line ends.

Every builder takes a `subject`, so that a test finds its message again; dates are fixed.
"""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.demo.compose import Attachment, Draft, compose, compose_legacy, pdf, png

DATE = datetime(2026, 3, 1, 9, 15, tzinfo=UTC)
SENDER = "Ann Archer <ann@example.test>"
RECIPIENT = "Ben Okafor <ben@example.test>"

__all__ = ["Attachment", "Draft", "compose", "compose_legacy", "pdf", "png"]


def _draft(subject: str, text: str = "", html: str = "", *attachments: Attachment) -> Draft:
    return Draft(subject, SENDER, RECIPIENT, DATE, text, html, attachments=attachments)


def plain(subject: str = "plain", text: str = "hello\n") -> bytes:
    """text/plain in UTF-8."""
    return compose(_draft(subject, text))


def html(subject: str = "html", body: str = "<p>hello <b>world</b></p>") -> bytes:
    """text/html alone."""
    return compose(_draft(subject, html=body))


def alternative(
    subject: str = "alternative", text: str = "hello\n", body: str = "<p>hello <b>world</b></p>"
) -> bytes:
    """multipart/alternative of text and HTML."""
    return compose(_draft(subject, text, body))


def inline_image(subject: str = "inline image") -> bytes:
    """Text beside multipart/related: HTML and the picture it shows by cid."""
    picture = Attachment("red.png", "image/png", png(8, 8, (255, 0, 0), (0, 0, 0)), "red")
    return compose(_draft(subject, "a picture\n", '<p><img src="cid:red"></p>', picture))


def with_attachments(subject: str = "attachments", *attachments: Attachment) -> bytes:
    """multipart/mixed: text and the given files, by default a PDF and a CSV file with a non-ASCII name."""
    files = attachments or (
        Attachment("offer.pdf", "application/pdf", pdf("Offer")),
        Attachment("Preise für März.csv", "text/csv", b"a;b\r\n1;2\r\n"),
    )
    return compose(_draft(subject, "see the files\n", "", *files))


def forwarded(subject: str = "forwarded", inner: bytes | None = None) -> bytes:
    """A message with another one attached as message/rfc822."""
    original = inner if inner is not None else plain("inner")
    return compose(_draft(subject, "see below\n", "", Attachment("inner.eml", "message/rfc822", original)))


def legacy(subject: str, text: str, charset: str) -> bytes:
    """Subject and body in a charset from before UTF-8, such as koi8-r or iso-2022-jp."""
    return compose_legacy(_draft(subject, text), charset)


def unencoded(subject: str = "Grüße", charset: str = "iso-8859-1") -> bytes:
    """8-bit bytes in the header and no charset anywhere, against RFC 5322 but common."""
    return f"{_head(subject)}\r\nViele Grüße\r\n".encode(charset)


def signed(subject: str = "signed") -> bytes:
    """multipart/signed (S/MIME, RFC 8551): the shape only, the signature is noise."""
    return _raw(
        subject,
        'multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary="sig"',
        "--sig\r\nContent-Type: text/plain\r\n\r\nsigned text\r\n"
        "--sig\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\nMIIBnoise\r\n--sig--\r\n",
    )


def broken_base64(subject: str = "broken base64") -> bytes:
    """A text part whose base64 holds foreign characters and ends in the middle."""
    return _raw(
        subject,
        "text/plain; charset=utf-8",
        "aGVsbG8gd29ybGQ*!*=\r\n???\r\naGVsb",
        "Content-Transfer-Encoding: base64\r\n",
    )


def unknown_charset(subject: str = "unknown charset") -> bytes:
    """A charset nobody knows."""
    return _raw(subject, "text/plain; charset=x-does-not-exist", "hello\r\n")


def missing_end(subject: str = "missing end") -> bytes:
    """A multipart without its closing boundary."""
    return _raw(
        subject,
        'multipart/mixed; boundary="b"',
        "--b\r\nContent-Type: text/plain\r\n\r\nfirst\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>cut",
    )


def missing_boundary(subject: str = "missing boundary") -> bytes:
    """A multipart that names no boundary."""
    return _raw(subject, "multipart/mixed", "some text\r\n")


def nested(depth: int, subject: str = "nested") -> bytes:
    """`depth` multiparts inside each other around one text part."""
    body = "Content-Type: text/plain\r\n\r\nthe core\r\n"
    for level in range(depth):
        mark = f"b{level}"
        body = f'Content-Type: multipart/mixed; boundary="{mark}"\r\n\r\n--{mark}\r\n{body}\r\n--{mark}--\r\n'
    return (_head(subject) + body).encode()


def bare(subject: str = "bare") -> bytes:
    """No From, To, Date or Message-ID: a subject and a line."""
    return f"Subject: {subject}\r\n\r\nhello\r\n".encode()


BROKEN = {
    "8-bit header": unencoded,
    "broken base64": broken_base64,
    "unknown charset": unknown_charset,
    "missing end": missing_end,
    "missing boundary": missing_boundary,
    "bare": bare,
}
"""Builders of messages that break a rule and must be shown all the same."""


def _head(subject: str) -> str:
    date = "Sun, 01 Mar 2026 09:15:00 +0000"
    return f"From: {SENDER}\r\nTo: {RECIPIENT}\r\nSubject: {subject}\r\nDate: {date}\r\nMIME-Version: 1.0\r\n"


def _raw(subject: str, content_type: str, body: str, extra: str = "") -> bytes:
    return f"{_head(subject)}Content-Type: {content_type}\r\n{extra}\r\n{body}".encode()
