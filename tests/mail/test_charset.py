"""Charset names and guesses. The corpus has one message for each charset."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.charset import codec, decode, widest


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("UTF-8", "utf_8"),
        ('"utf-8"', "utf_8"),
        ("us-ascii", "cp1252"),
        ("ISO_8859-1", "cp1252"),
        ("Windows-1251", "cp1251"),
        ("x-cp1250", "cp1250"),
        ("ks_c_5601-1987", "cp949"),
        ("gb2312", "gb18030"),
        ("iso-8859-8-i", "iso8859_8"),
        ("cp65001", "utf_8"),
        ("unknown-8bit", None),
        ("", None),
        ("x" * 100, None),
        ("ütf-8", None),
        ("hex", None),
        ("rot13", None),
        ("zlib", None),
        ("idna", None),
        ("punycode", None),
        ("unicode_escape", None),
        ("undefined", None),
        ("utf\x008", None),
    ],
)
def test_names(name: str, found: str | None) -> None:
    assert codec(name) == found


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        (b"abc", None, "abc"),
        ("ü".encode(), None, "ü"),
        (b"\xfc", None, "ü"),
        (b"\xfc", "utf-8", "ü"),
        ("ü".encode(), "us-ascii", "ü"),
        ("ü".encode(), "iso-8859-1", "ü"),
        (b"\xfc", "us-ascii", "ü"),
        (b"\x80", "iso-8859-1", "€"),
        (b"\x81", None, "\ufffd"),
        ("Grüße aus K".encode() + b"\xff", "utf-8", "Grüße aus K\ufffd"),
        (b"\xef\xbb\xbfabc", "utf-8", "abc"),
        (b"\xff\xfea\x00", "utf-16", "a"),
        (b"\xf0\xd2", "koi8-r", "Пр"),
        (b"\x82", "shift_jis", "\ufffd"),
    ],
)
def test_guesses(data: bytes, charset: str | None, text: str) -> None:
    assert decode(data, charset) == text


@pytest.mark.parametrize("charset", ["utf-8", "gb18030", "shift_jis", "utf-16-le", "iso-2022-jp", None])
def test_half_a_character_at_the_end_of_cut_data_is_dropped(charset: str | None) -> None:
    text = "日本語" * 10
    data = text.encode(charset or "utf-8")
    for size in range(len(data)):
        assert text.startswith(decode(data[:size], charset, cut=True))


@given(
    st.binary(max_size=100),
    st.text(max_size=20) | st.sampled_from(["utf-7", "hz", "iso-2022-kr", "utf-16", "big5"]),
    st.booleans(),
)
def test_nothing_raises(data: bytes, charset: str, cut: bool) -> None:
    decode(data, charset, cut=cut)


@pytest.mark.parametrize(
    ("charset", "octets"),
    [(None, 1), ("utf-8", 1), ("koi8-r", 1), ("utf-16", 2), ("utf-32", 4), ("iso-2022-jp", 2)],
)
def test_widest(charset: str | None, octets: int) -> None:
    assert widest(charset) == octets


def test_long_names_are_not_remembered() -> None:
    tracemalloc.start()
    for number in range(20):
        name = f"{number}{'x' * 100_000}"
        assert (codec(name), widest(name)) == (None, 1)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 1_000_000
