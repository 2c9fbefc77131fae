"""Reading RTF for its text or the HTML in it, and writing text as RTF."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.rtf import RtfContent, from_text, read


def text(body: bytes) -> str:
    content = read(rb"{\rtf1\ansi\ansicpg1252\deff0 " + body + b"}")
    assert not content.is_html
    return content.text


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (rb"one\par two\line three\tab four", "one\r\ntwo\r\nthree\tfour"),
        (rb"\'e4 \u8364?x \u-10179?\u-8704?!", "ä €x \U0001f600!"),
        (rb"\uc2\u8364\'80\'80 a\uc0\u228 b", "€ aäb"),
        (rb"a \{b\} c\\d\~e\_f\-g", "a {b} c\\d\u00a0e\u2011fg"),
        (rb"{\fonttbl{\f0 Arial;}{\f1\fcharset204 X;}}{\colortbl;\red0;}\f1\'cf\'f0\f0\'e4", "Прä"),
        (rb"{\fonttbl{\f3\fcharset128 M;}}{\f3\'93\'fa\'96\'7b}", "日本"),
        (rb"x{\*\generator Riched20;}{\*\unknown y}{\pict 0102}{\info{\title t}}z", "xz"),
        (rb"{\field{\*\fldinst HYPERLINK x}{\fldrslt shown}}", "shown"),
        (rb"\ldblquote q\rdblquote\emdash\bullet", "\u201cq\u201d\u2014\u2022"),
        (b"line\r\nbroken\\par\r\nnext", "linebroken\r\nnext"),
    ],
)
def test_text(body: bytes, shown: str) -> None:
    assert text(body) == shown


def test_html_that_rtf_was_made_of() -> None:
    data = rb"""{\rtf1\ansi\ansicpg1251\fromhtml1 \deff0{\fonttbl{\f0\fswiss Arial;}}
{\*\htmltag19 <html>}{\*\htmltag34 <body>}{\*\htmltag64 <p>}\htmlrtf {\htmlrtf0
{\*\htmltag84 <b>}\htmlrtf {\b \htmlrtf0 \'cf\'f0\htmlrtf }\htmlrtf0{\*\htmltag92 </b>}
{\*\htmltag84 &nbsp;}\htmlrtf \'a0\htmlrtf0 x \{y\}\htmlrtf }\htmlrtf0{\*\htmltag72\par </p>}
{\*\mhtmltag84 <img src="cid:1">}{\*\htmltag58 </body>}}"""
    assert read(data) == RtfContent("<html><body><p><b>Пр</b>&nbsp;x {y}\r\n</p></body>", is_html=True)


@given(st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"]), max_size=80))
def test_text_survives(written: str) -> None:
    written = "".join(character for character in written if character >= " " or character in "\n\t")
    made = from_text(written)
    assert made.isascii()
    assert read(made).text == written.replace("\n", "\r\n")


@given(st.binary(max_size=300))
def test_any_octets_give_text(data: bytes) -> None:
    read(data).text.encode()


@given(st.lists(st.sampled_from([b"{", b"}", b"\\", b"*", b"u1?", b"'e", b"'e4", b"htmlrtf", b"f1", b"x "])))
def test_any_words_give_text(words: list[bytes]) -> None:
    read(b"{\\rtf1 " + b"".join(words)).text.encode()


@pytest.mark.parametrize("unit", [b"{", b"\\'e4", b"\\uc8\\u1", b"{\\f1 a}", b"\\htmlrtf ", b"a\\par "])
def test_twice_as_much_takes_about_twice_as_long(unit: bytes) -> None:
    def took(count: int) -> float:
        began = time.process_time()
        read(b"{\\rtf1 " + unit * count)
        return time.process_time() - began

    def least(count: int) -> float:  # without what Python tidies up now and then
        return min(took(count) for _ in range(3))

    took(2000)
    assert least(40_000) < 10 * max(least(10_000), 0.005)


def test_text_in_any_letters_is_soon_written() -> None:
    letters = "Gr\u00fc\u00dfe {\\\t} \u4e2d\U0001f600\r\n"
    assert read(from_text(letters)).text == letters.removesuffix("\r\n") + "\r\n"
    started = time.process_time()
    assert len(from_text(letters * 100_000)) > 5_000_000
    assert time.process_time() - started < 2
