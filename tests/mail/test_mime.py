"""Whole messages as text."""

from __future__ import annotations

import email

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.mime import as_utf8
from tests.mail.corpus import BOTH, INNER, coded, mail, multi, part


@pytest.mark.parametrize("raw", [mail(BOTH), mail(coded("utf-8", "Grüße")), b"", INNER])
def test_a_message_in_ascii_or_utf_8_stays_as_it_is(raw: bytes) -> None:
    assert as_utf8(raw) == raw


def test_parts_of_other_charsets_are_encoded_again() -> None:
    raw = mail(multi("mixed", coded("utf-8", "Grüße"), coded("iso-8859-1", "Grüße")))
    made = email.message_from_bytes(as_utf8(raw))
    _, first, second = made.walk()
    assert first.get_payload(decode=True) == "Grüße".encode()
    assert second.get_payload(decode=True) == "Grüße".encode("iso-8859-1")
    assert second["Content-Transfer-Encoding"] == "base64"
    assert second.get_content_charset() == "iso-8859-1"
    assert made["Subject"] == "s"


def test_a_cut_message_ends_with_a_whole_character() -> None:
    raw = mail(coded("utf-8", "Grüße"))
    end = raw.index("ü".encode()) + 1
    assert as_utf8(raw[:end], cut=True) == raw[: end - 1]


def test_a_cut_message_of_another_charset_is_readable() -> None:
    assert as_utf8(mail(coded("iso-8859-1", "Grüße")), cut=True).endswith("Grüße".encode())


def test_headers_with_8_bit_text_are_readable() -> None:
    raw = mail(part("text/plain", "x"), "Subject: Grüße\n".encode("iso-8859-1"))
    assert "Grüße".encode() in as_utf8(raw)


def test_characters_where_pieces_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "aü€😀".encode() * 50
    for size in range(1, 9):
        monkeypatch.setattr("gateway.mail.pieces.PIECE", size)
        assert as_utf8(text) == text
        assert as_utf8(text[:-1], cut=True) == text[:-4]
        assert as_utf8(text + b"\xfc", cut=True) == text + "ü".encode()
        assert as_utf8(text + b"\xfc.\0", cut=True) == text + "ü.".encode()


def test_deep_nesting_is_read_all_the_same() -> None:
    raw = (
        b"".join(b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (n, n) for n in range(3000))
        + b"\xff"
    )
    assert as_utf8(raw).endswith("ÿ".encode())


@given(st.binary(max_size=300), st.booleans())
def test_arbitrary_messages_become_utf_8(raw: bytes, cut: bool) -> None:
    text = as_utf8(b"Content-Type: text/plain; charset=koi8-r\r\n\r\n" + raw, cut=cut).decode("utf-8")
    assert "\x00" not in text
