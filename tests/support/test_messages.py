"""The sample messages are what their builders say, judged by the parser of the standard library."""

from __future__ import annotations

import email
from collections.abc import Callable
from email.header import decode_header, make_header
from email.message import Message

import pytest

from tests.support import messages
from tests.support.messages import BROKEN


def parse(data: bytes) -> Message:
    assert b"\n" not in data.replace(b"\r\n", b"")
    return email.message_from_bytes(data)


def types(message: Message) -> list[str]:
    return [part.get_content_type() for part in message.walk()]


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (messages.plain, ["text/plain"]),
        (messages.html, ["text/html"]),
        (messages.alternative, ["multipart/alternative", "text/plain", "text/html"]),
        (
            messages.inline_image,
            ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"],
        ),
        (messages.with_attachments, ["multipart/mixed", "text/plain", "application/pdf", "text/csv"]),
        (messages.forwarded, ["multipart/mixed", "text/plain", "message/rfc822", "text/plain"]),
        (messages.signed, ["multipart/signed", "text/plain", "application/pkcs7-signature"]),
    ],
)
def test_structure(build: Callable[[], bytes], expected: list[str]) -> None:
    message = parse(build())
    assert types(message) == expected
    assert not any(part.defects for part in message.walk())


@pytest.mark.parametrize(
    ("subject", "charset"), [("Привет", "koi8-r"), ("こんにちは", "iso-2022-jp"), ("مرحبا", "windows-1256")]
)
def test_legacy_charsets(subject: str, charset: str) -> None:
    message = parse(messages.legacy(subject, subject + "\n", charset))
    assert message.get_content_charset() == charset
    assert charset in str(message["Subject"]).lower()
    assert str(make_header(decode_header(message["Subject"]))) == subject
    payload = message.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode(charset).strip() == subject


@pytest.mark.parametrize("name", BROKEN)
def test_broken_messages_keep_their_subject(name: str) -> None:
    raw = BROKEN[name]("needle")
    assert b"Subject: needle\r\n" in raw


def test_nested_is_as_deep_as_asked() -> None:
    assert types(parse(messages.nested(5))) == ["multipart/mixed"] * 5 + ["text/plain"]


def test_png_and_pdf_look_like_what_they_are() -> None:
    assert messages.png(2, 2, (0, 0, 0), (1, 1, 1)).startswith(b"\x89PNG\r\n\x1a\n")
    document = messages.pdf("(x)")
    table = int(document.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    assert document[table : table + 4] == b"xref"
