"""HTML to text and back."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from gateway.mail.html import declared_charset, from_text, join, relabel, shallow, to_text

TEXTS = pytest.mark.parametrize(
    ("document", "text"),
    [
        ("Hello", "Hello"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<div>one</div><div>two</div>", "one\ntwo"),
        ("<div><div>one</div></div><div>two</div>", "one\ntwo"),
        ("one<br>two<br/><br>three", "one\ntwo\n\nthree"),
        ("a <b> b </b> c", "a b c"),
        ("wor<b>ld</b>wide", "worldwide"),
        ("<p>  many \n\t spaces  </p>", "many spaces"),
        ("a&nbsp;&nbsp;b", "a  b"),
        ("&lt;tag&gt; &amp; &euro; &#228; &bogus;", "<tag> & € ä &bogus;"),
        ("<h1>Title</h1>text", "Title\n\ntext"),
        ("<ul><li>one<li>two</ul>after", "- one\n- two\n\nafter"),
        ("<ol start=9><li>one</li><li>two</li></ol>", "9. one\n10. two"),
        ("<ul><li>one<ul><li>inner</li></ul></li><li>two</li></ul>", "- one\n  - inner\n- two"),
        ("<ul><li><li>two</ul>", "-\n- two"),
        ("<ul><li><p>one</p></li><li><p>two</p></li></ul>", "- one\n- two"),
        ("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table>", "1\t2\n3\t4"),
        ("before<blockquote>quoted<br>more</blockquote>after", "before\n\n> quoted\n> more\nafter"),
        ("<blockquote>a<blockquote>b</blockquote></blockquote>", "> a\n>\n> > b"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ('<a href="http://x.org/">here</a>', "here <http://x.org/>"),
        ('<a href="http://x.org/">http://x.org</a>', "http://x.org"),
        ('<a href="mailto:a@b.org">a@b.org</a>', "a@b.org"),
        ('<a href="javascript:x()">here</a>', "here"),
        ('<a href="#part">here</a>', "here"),
        ('<a href="http://x.org/"><img src="y"></a>', ""),
        ('<img alt="Logo" src="cid:x"> text', "[Logo] text"),
        ("one<hr>two", f"one\n\n{'_' * 32}\n\ntwo"),
        ("<script>x</script><style>y</style><title>z</title>text", "text"),
        ("text<!-- comment -->more", "textmore"),
        ('<div style="display: none">hidden</div>shown', "shown"),
        ("soft\u00adhyphen zero\u200bwidth", "softhyphen zerowidth"),
        ("<p>unclosed <b>tags", "unclosed tags"),
        ("</div></p>stray", "stray"),
        ("<", "<"),
        ("", ""),
        ("<td>no table</td><dl><dt>a<dd>b</dl>", "no table\n\na\nb"),
        ("<table><tr><td>1<td><table><tr><td>2</table><tr><td>3</table>", "1\n\n2\n\n3"),
        ("a<svg/>b<svg><text>c</svg>d<select><option>e</select>f", "abdf"),
        ("<!-- a --!>b<!-->c<!-- d", "bc"),
        ("<p title='>'>a<a title='</p>' href=http://x.org/?a=b>b</a>", "ab <http://x.org/?a=b>"),
        ('<p title="a"">b</p><a href="http://x.org""c>it\'s</a> "d"', 'b\n\nit\'s <http://x.org> "d"'),
        ("<p title=it's>a</p><a href=http://x.org/o'n>b</a> '", "a\n\nb <http://x.org/o'n> '"),
        ("<a title='a<b' href='http://x.org/?<c>'>d</a> <3 e", "d <http://x.org/?<c>> <3 e"),
        ("a</p>b</br>c<h1>d</h2>e", "a\n\nb\nc\n\nd\n\ne"),
        ("a<form>b<div>c</form>d</div>e<table><form><tr><td>f</form><td>g</table>", "a\nb\ncd\ne\n\nf\tg"),
        (
            "<table><tr><div>a</div><a href='http://x.org'>b</a><img alt=c><b><td>d<tr><td>e</table>",
            "a\nb <http://x.org> [c]\n\nd\ne",
        ),
        (
            "<table><tr><table><tr><td>a</table>b<svg><p>c<select><option>d<select>e<select><input>f",
            "a\n\nb\n\ncef",
        ),
        ("a<!-- b <i>c</i> d", "a"),
        (f"1 < 2{' a' * 2000}<!--{' b' * 2000} -->c", f"1 < 2{' a' * 2000}c"),
    ],
)


@TEXTS
def test_text(document: str, text: str) -> None:
    assert to_text(document).replace("\r\n", "\n") == text


@TEXTS
def test_text_among_many_tags(document: str, text: str) -> None:
    """Documents of many tags are written anew before they are parsed."""
    assert to_text("<br>" * 2000 + document).replace("\r\n", "\n") == text


def test_text_behind_an_embedded_picture_is_read() -> None:
    picture = "<img src='data:image/png;base64," + "iVBORw0KGgo/" * 100_000 + "' alt=it>"
    assert to_text(f"<p>before {picture} behind</p>") == "before [it] behind"


MARKUP = (
    "<div> </div> <p> </p> </br> <b> </b> <font\tcolor='r''> </font> <span> </span> <a\thref=//x'y> </a> "
    '<table> </table> <tr> </tr> <td\ttitle="1""> </td> <th> <caption> <li> </li> <ul> </ul> <h1> </h2> '
    "<blockquote> </blockquote> <pre> </pre> <hr> <dl> <dt> <dd> </dl> <o:p> </o:p> "
    "<!--\t<p>--> <style>x</style>"
)


@given(st.lists(st.sampled_from(MARKUP.split(" ")) | st.just("word "), max_size=30))
@settings(max_examples=100, deadline=None)
def test_no_word_is_lost_among_many_tags(pieces: list[str]) -> None:
    document = "".join(piece.replace("word", f"word{number}") for number, piece in enumerate(pieces))
    alone, among_many = (to_text(before + document, links=False) for before in ("", "<br>" * 1500))
    assert sorted(among_many.replace(">", "").split()) == sorted(alone.replace(">", "").split())


def test_links_can_be_left_out() -> None:
    assert to_text('<a href="http://x.org/">here</a>', links=False) == "here"


def test_a_limit_ends_the_work_early() -> None:
    text = to_text("<p>word</p>" * 10_000, limit=100)
    assert 100 <= len(text) < 130


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("<>/ =\"'!-&;abdilopqrtuv#1\n\x00ü"), max_size=200))
def test_arbitrary_documents_give_text(document: str) -> None:
    to_text(document)


@given(st.binary(max_size=500))
def test_arbitrary_bytes_give_text(data: bytes) -> None:
    to_text(data.decode("utf-8", "replace"))


@pytest.mark.parametrize(
    "document",
    [
        "<div>" * 200_000 + "end",
        "<div>" * 20_000 + "</div>" * 20_000 + "end",
        "".join(f"<font size={size}>" for size in range(40_000)) + "<p>x" * 5_000 + "end",
        "<b><i><u><p>" * 50_000 + "end",
        "<a href=http://x>" * 50_000 + "end",
        "<table><tr><td>" * 50_000 + "end",
        "<ul><li>" * 80_000 + "end",
        "<blockquote>" * 80_000 + "end",
        "<a " + "b " * 300_000 + ">end",
        "<p>" * 200_000 + "end",
        "<![CDATA[" * 50_000 + ">end",
        "<!--" * 100_000 + "--> end",
        "&amp" * 200_000 + "end",
        "<select><option>" * 50_000 + "</select>end",
    ],
    ids=lambda document: document[:12],
)
def test_hostile_documents_take_bounded_time(document: str) -> None:
    start = time.process_time()
    text = to_text(f"{document[: 256 * 1024]}{document[-20:]}")
    assert time.process_time() - start < 3
    assert "end" in text[-20:] or "select" in document


@pytest.mark.parametrize(
    "document",
    [
        "<p>" + "".join(f"<b id={number}>" for number in range(200)) + "</p>" + "<p>x</p>" * 3000,
        "<td>" + "".join(f"<b id={number}><p></b>" for number in range(200)) + "</td>" + "<p>x</p>" * 3000,
        "</b><div>" * 3000,
        "<span><div></span></div>" * 3000,
        "<form><div></form>" * 3000,
        "<div><!-- </div> -->" * 3000,
        "<div><textarea></div></textarea>" * 3000,
        "<div title='</div>'>" * 3000,
        "<table><b id=1><tr><td></b>" * 3000,
        "<object><div></object>" * 3000 + "<svg>" + "<td>" * 3000,
        "<i '<b >' " * 3000 + "<",
    ],
    ids=lambda document: document[-40:],
)
def test_what_the_parser_makes_of_a_document_is_in_proportion_to_it(document: str) -> None:
    nodes = deepest = 0
    walk = [(LexborHTMLParser(shallow(document)).root, 0)]
    while walk:
        node, depth = walk.pop()
        if node is not None:
            nodes, deepest = nodes + 1, max(deepest, depth)
            walk.extend(((node.next, depth), (node.child, depth + 1)))
    assert nodes < 3 * document.count("<") + 10
    assert deepest < 350


def test_choices_of_many_options_are_left_out() -> None:
    made = shallow("<select>" + "<option>a</option>" * 3000 + "</select>b")
    assert made == "b"


def test_flattened_documents_keep_their_lines() -> None:
    assert to_text("<div>" * 5000 + "<p>one</p><p>two</p>").split() == ["one", "two"]


@pytest.mark.parametrize(
    ("text", "piece"),
    [
        ("a < b & c", "a &lt; b &amp; c"),
        ("one\r\ntwo\nthree", "one<br>\r\ntwo<br>\r\nthree"),
        ("  indented  twice", "\u00a0\u00a0indented \u00a0twice"),
        (
            "see http://x.org/a?b=1&c=2.",
            '<a href="http://x.org/a?b=1&amp;c=2">http://x.org/a?b=1&amp;c=2</a>.',
        ),
        ("(www.x.org)", '(<a href="http://www.x.org">www.x.org</a>)'),
        ("https://x.org/a_(b)", '<a href="https://x.org/a_(b)">https://x.org/a_(b)</a>'),
    ],
)
def test_html_of_text(text: str, piece: str) -> None:
    assert piece in from_text(text)


@given(st.text(alphabet=st.characters(exclude_categories=("Cc", "Cs", "Cf", "Zs", "Zl", "Zp")), max_size=80))
def test_text_survives_the_way_to_html_and_back(text: str) -> None:
    assert to_text(from_text(text), links=False) == text


def test_documents_are_joined_into_one() -> None:
    joined = join(
        [
            "<html><body>one</body></html>\r\n",
            "<!DOCTYPE html><html><head></head><body bgcolor=x>two</body></html>",
            "three",
        ]
    )
    assert joined == "<html><body>one<br>\r\ntwo<br>\r\nthree</body></html>"


@pytest.mark.parametrize(
    "later", ["<body " * 150_000, "<!doctype " * 100_000, " " * 300_000 + "<html" * 60_000]
)
def test_joining_takes_time_in_proportion(later: str) -> None:
    start = time.process_time()
    assert join(["one", later]) == f"one<br>\r\n{later}</body></html>"
    assert time.process_time() - start < 3


@pytest.mark.parametrize(
    ("document", "charset"),
    [
        (b'<meta charset="koi8-r">', "koi8-r"),
        (b"<META http-equiv=Content-Type content='text/html; charset=windows-1251'>", "windows-1251"),
        (b"<p>charset=koi8-r", None),
        (b" " * 5000 + b"<meta charset=koi8-r>", None),
    ],
)
def test_declared_charset(document: bytes, charset: str | None) -> None:
    assert declared_charset(document) == charset


def test_the_charset_of_the_document_is_corrected() -> None:
    assert relabel(b'<meta charset="koi8-r"><p>') == b'<meta charset="utf-8"><p>'
    assert relabel(b"<p>") == b"<p>"
