"""Header fields from raw bytes. The corpus has more subjects and file names."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.headers import Headers, clean, decode_text, decode_words, parameter


def test_fields() -> None:
    headers = Headers(
        b"From: a\r\nSUBJECT : one\r\n two\r\nX-Empty:\r\nReceived: 1\r\nReceived: 2\r\n\r\nBody: x\r\n"
    )
    assert headers.get("from") == b"a"
    assert headers.get("subject") == b"one two"
    assert headers.get("x-empty") == b""
    assert headers.get_all("received") == [b"1", b"2"]
    assert headers.get("body") is None
    assert "from" in headers
    assert "to" not in headers
    assert headers.has_any(["to", "x-empty"])
    assert not headers.has_any(["to", "cc"])
    assert headers.text("to") == ""


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n", b"\r"])
def test_any_line_end(line_end: bytes) -> None:
    headers = Headers(line_end.join([b"A: 1", b"\tmore", b"B: 2"]))
    assert headers.get("a") == b"1\tmore"
    assert headers.get("b") == b"2"


def test_lines_that_are_no_field_are_passed_over() -> None:
    headers = Headers(
        b" folded first\r\nFrom nobody Mon Jan 1\r\n goes on\r\nno colon\r\n: x\r\nA b: c\r\nSubject: s\r\n"
    )
    assert headers.get("subject") == b"s"
    assert "a b" not in headers


@pytest.mark.parametrize("raw", [b"\nA: 1", b"\r\nA: 1", b"\n\nA: 1", b"\r\rA: 1", b"B: 2\n\r\nA: 1"])
def test_an_empty_line_ends_a_block(raw: bytes) -> None:
    assert "a" not in Headers(raw)


@given(st.binary(max_size=300))
def test_arbitrary_blocks_give_text_that_xml_can_carry(data: bytes) -> None:
    headers = Headers(b"Subject: " + data)
    text = headers.text("subject")
    assert text == clean(text)
    text.encode("utf-8")
    assert not any(character < " " for character in text)


@given(st.text(alphabet="=?utf-8BQbq_ \nÄ,koi.", max_size=100))
def test_arbitrary_encoded_words_give_text(text: str) -> None:
    decode_words(text)
    parameter({"filename": text, "name*": text, "x*0*": text, "x*1": text}, "x")


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"),
        (b"=?utf-8?q?a?=  =?utf-8?q?b?=", "ab"),
        (b"=?utf-8?q?a?=x=?utf-8?q?b?=", "axb"),
        (b"x=?utf-8?q?a?=", "xa"),
        (b"=?utf-8?q??=", ""),
        (b"=?utf-8?x?a?=", "=?utf-8?x?a?="),
        (b"=?utf-8?b?????=", "=?utf-8?b?????="),
        (b"=?hex?q?41?=", "41"),
    ],
)
def test_encoded_words(raw: bytes, text: str) -> None:
    assert decode_text(raw) == text


@pytest.mark.parametrize(
    ("params", "value"),
    [
        ({}, None),
        ({"filename": "a"}, "a"),
        ({"filename*": "utf-8''%c3%a4"}, "ä"),
        ({"filename*": "utf-8''%c3%a4", "filename": "a"}, "ä"),
        ({"filename*": "%zz"}, "%zz"),
        ({"filename*": "x-none'en'a"}, "a"),
        ({"filename*1": "b", "filename*0": "a"}, "ab"),
        ({"filename*0": "a", "filename*2": "c"}, "a"),
        ({"filename*1": "b", "filename": "x"}, "x"),
        ({"filename*0*": "utf-8'de'%c3", "filename*1*": "%a4"}, "ä"),
        ({"filename*0*": "%41", "filename*1": "b"}, "Ab"),
        ({"filename*0": "=?utf-8?q?=C3", "filename*1": "=A4?="}, "ä"),
        ({"filename": "\udcfc"}, "ü"),
        ({"filename": "ü"}, "ü"),
    ],
)
def test_parameters(params: dict[str, str], value: str | None) -> None:
    assert parameter(params, "filename") == value


@pytest.mark.parametrize(
    "raw",
    [b"=?" * 200_000, b"=?a?q?" * 100_000, b"=?utf-8?q?a?= " * 30_000, b" " * 500_000, b"x\r\n " * 100_000],
    ids=["open", "half", "words", "blanks", "folds"],
)
def test_hostile_values_take_linear_time(raw: bytes) -> None:
    start = time.process_time()
    decode_text(Headers(b"Subject: " + raw).get("subject") or b"")
    assert time.process_time() - start < 2
