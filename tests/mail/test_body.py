"""How much is fetched of a text, and what is made of it."""

from __future__ import annotations

import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.body import (
    LARGEST_TEXT,
    Fetched,
    clean_utf8,
    cut_html,
    cut_text,
    estimated_size,
    preview,
    read,
    wanted,
)
from gateway.mail.structure import lay_out
from gateway.types import BodyPart
from tests.mail.corpus import base64_part, mail, multi, part
from tests.support.mailboxes import structure_of


@given(st.text(max_size=200), st.integers(0, 300))
def test_a_cut_is_the_longest_beginning_of_whole_characters(text: str, size: int) -> None:
    data = text.encode("utf-8", "ignore")
    kept = cut_text(data, size)
    assert data.startswith(kept)
    assert len(kept) <= size
    kept.decode("utf-8")
    following = data.decode()[len(kept.decode()) :][:1].encode()
    assert not following or len(kept) + len(following) > size


@pytest.mark.parametrize(
    ("document", "size", "kept"),
    [
        ("<p>Hello</p>", 100, "<p>Hello</p>"),
        ("<p>Hello</p>", 8, "<p>Hello"),
        ("<p>Hello</p>", 10, "<p>Hello"),
        ("<p>a &amp; b", 8, "<p>a "),
        ("<p>a &amp; b", 10, "<p>a &amp;"),
        ("<p>a &#12345; b", 9, "<p>a "),
        ("<p>Müller", 5, "<p>M"),
        ("1 > 0 < 2", 9, "1 > 0 "),
    ],
)
def test_a_cut_tears_no_tag_and_no_reference(document: str, size: int, kept: str) -> None:
    assert cut_html(document.encode(), size).decode() == kept


@given(st.text(max_size=100), st.integers(0, 120))
def test_a_cut_of_html_is_never_longer_than_asked(text: str, size: int) -> None:
    data = f"<p>{text}</p>".encode("utf-8", "ignore")
    kept = cut_html(data, size)
    assert len(kept) <= size
    assert data.startswith(kept)
    kept.decode("utf-8")


@given(st.binary(max_size=300))
def test_clean_text_holds_nothing_that_xml_forbids(data: bytes) -> None:
    text = clean_utf8(data.decode("utf-8", "replace").encode()).decode()
    for character in text:
        assert character in "\t\r\n" or (character >= " " and character not in "\ufffe\uffff")


@pytest.mark.parametrize("size", [1, 20, 100, 1000, 5000])
@pytest.mark.parametrize("encoding", ["7bit", "8bit", "base64", "quoted-printable"])
@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "utf-16", "gb18030"])
@pytest.mark.parametrize("letter", ["x", "ü", "=\n"])
def test_what_is_fetched_is_enough(size: int, encoding: str, charset: str, letter: str) -> None:
    octets = (letter * 20_000).encode(charset)
    if encoding == "quoted-printable":
        content = part(
            "text/plain", quopri.encodestring(octets), "Content-Transfer-Encoding: quoted-printable"
        )
    elif encoding == "base64":
        content = base64_part("text/plain", octets)
    else:
        content = part("text/plain", octets, f"Content-Transfer-Encoding: {encoding}")
    structure, sections = structure_of(
        mail(content.replace(b"text/plain", f"text/plain; charset={charset}".encode()))
    )
    layout = lay_out(structure)
    limits = wanted(layout, rich=False, size=size)
    fetched = {name: Fetched(sections[name][:limit], limit is not None) for name, limit in limits.items()}
    text = read(layout, fetched, rich=False)
    assert len(text.data) >= size
    assert not text.complete
    assert text.size > size
    assert sum(limit or 0 for limit in limits.values()) < size * 8 + 3000


def test_small_parts_share_few_limits() -> None:
    limits = {
        wanted(lay_out(BodyPart("1", "text", "plain", size=size)), rich=False, size=None)["1"]
        for size in range(0, 100_000, 500)
    }
    assert limits == {32768, 131072}


def test_a_large_part_is_fetched_whole_or_up_to_the_most() -> None:
    layout = lay_out(BodyPart("1", "text", "plain", size=LARGEST_TEXT // 2))
    assert wanted(layout, rich=False, size=None) == {"1": None}
    layout = lay_out(BodyPart("1", "text", "plain", size=LARGEST_TEXT * 2))
    limit = wanted(layout, rich=False, size=None)["1"]
    assert limit is not None
    assert LARGEST_TEXT <= limit < LARGEST_TEXT * 1.01


def test_later_blocks_are_fetched_only_when_there_is_room() -> None:
    long = part("text/plain", "x" * 10_000)
    layout = lay_out(structure_of(mail(multi("mixed", long, long, long)))[0])
    assert list(wanted(layout, rich=False, size=5000)) == ["1"]
    assert list(wanted(layout, rich=False, size=15_000)) == ["1", "2"]
    assert list(wanted(layout, rich=False, size=None)) == ["1", "2", "3"]


def test_a_cut_block_ends_the_text() -> None:
    block = part("text/plain", "words")
    layout = lay_out(structure_of(mail(multi("mixed", block, block)))[0])
    text = read(layout, {"1": Fetched(b"wor", cut=True), "2": Fetched(b"words")}, rich=False)
    assert (text.data, text.complete) == (b"wor", False)
    assert text.size == estimated_size(layout, rich=False) == 10


def test_cut_html_ends_before_a_torn_tag_even_when_it_fits() -> None:
    layout = lay_out(BodyPart("1", "text", "html", size=1000))
    text = read(layout, {"1": Fetched(b"<p>Hello <a href='x", cut=True)}, rich=True)
    assert text.data == b"<p>Hello "


@pytest.mark.parametrize(
    ("declared", "text"),
    [(None, "Привет"), ("US-ASCII", "Привет"), ("x-odd", "Привет"), ("cp1251", "рТЙЧЕФ")],
)
def test_the_charset_of_the_document_counts_when_the_part_names_none(declared: str | None, text: str) -> None:
    document = '<meta charset="koi8-r"><p>Привет'.encode("koi8-r")
    params = {"charset": declared} if declared else {}
    layout = lay_out(BodyPart("1", "text", "html", params, size=len(document)))
    assert text in read(layout, {"1": Fetched(document)}, rich=True).data.decode()


def test_the_size_is_exact_when_everything_is_there() -> None:
    layout = lay_out(BodyPart("1", "text", "plain", {"charset": "iso-8859-1"}, size=4))
    text = read(layout, {"1": Fetched(b"\xfc\xfc\n\n")}, rich=False)
    assert (text.data.decode(), text.size, text.complete) == ("üü\r\n\r\n", 8, True)


@pytest.mark.parametrize(
    ("subtype", "body", "characters", "shown"),
    [
        ("plain", "Hello\r\n\r\n  Ann and Ben", 11, "Hello Ann a"),
        ("plain", "Hi", 50, "Hi"),
        (
            "html",
            "<head><title>t</title></head><body><p>Hello</p><p>Ann &amp; <a href='http://x'>Ben</a>",
            50,
            "Hello Ann & Ben",
        ),
        ("html", "<head><style>" + "x" * 3000 + "</style></head><body>Hello", 50, "Hello"),
        ("html", "<p>a&#1;b&#xFFFF;c", 99, "abc"),
        ("html", "<img src='" + "x" * 5000 + "'>Hello", 50, "Hello"),
    ],
)
def test_previews(subtype: str, body: str, characters: int, shown: str) -> None:
    layout = lay_out(BodyPart("1", "text", subtype, size=len(body)))
    rich = subtype == "html"
    text = read(layout, {"1": Fetched(body.encode())}, rich=rich)
    assert preview(text, characters, rich=rich) == shown
