"""HTML of one message inside another: it closes what it opens, and does nothing by itself."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from gateway.mail.fragment import fragment


@pytest.mark.parametrize(
    ("document", "made"),
    [
        ("<html><body><p>a</p></body></html>", "<div><p>a</p></div>"),
        ("plain", "<div>plain</div>"),
        ("", "<div></div>"),
        ("<b>open", "<div><b>open</b></div>"),
        ("a</div></body></html>b", "<div>ab</div>"),
        ("a<!-- b --><!--[if mso]>c<![endif]-->d<!-- e", "<div>ad</div>"),
        ("<script>a</script>b<iframe src=x></iframe>", "<div>b</div>"),
        ("<p onclick=a ONLOAD=b class=c>d</p>", '<div><p class="c">d</p></div>'),
        ("<a href=' java\nscript:x'>a</a>", "<div><a>a</a></div>"),
        ("<img src=data:text/html,x><img src='cid:a'>", '<div><img><img src="cid:a"></div>'),
        ("<form action=x>a<input>b</form>", "<div>ab</div>"),
        ("<base href=x><meta http-equiv=refresh>a", "<div>a</div>"),
        ("<style>p{color:red}</style>a", "<style>p{color:red}</style><div>a</div>"),
        ("<style>@import url(x);p{}</style>a", "<style>p{}</style><div>a</div>"),
        (
            "<body bgcolor=#fff text='x;y' style='margin:0'>a",
            '<div style="background-color: #fff; margin:0">a</div>',
        ),
    ],
)
def test_what_is_made_of_a_document(document: str, made: str) -> None:
    assert fragment(document) == made


def test_what_is_made_of_a_document_of_many_tags() -> None:
    cells = "<tr><td><b class='a'>bold <font color=red>red</font></b><td><a href=http://x>x</a><br>" * 2000
    made = fragment(f"<body bgcolor=#fff><style>p{{}}</style><table>{cells}</table><p>end<object>none")
    assert made.startswith(
        '<style>p{}</style><div style="background-color: #fff"><table><tbody><tr><td><b class'
    )
    assert made.endswith("</td></tr></tbody></table><p>end</p></div>")
    assert (
        made.count('<b class="a">bold <font color="red">red</font></b></td><td><a href="http://x">x</a><br>')
        == 2000
    )


TAGS = (
    "<div> </div> <b> </b> <!-- --> <script> </script> <style> </style> <table><tr><td> </table> "
    "<p onclick='x' > <textarea> <svg> </body> ' \" a"
)
MARKUP = st.lists(st.sampled_from(TAGS.split(" ")), max_size=30).map(" ".join)


@given(MARKUP)
def test_what_follows_is_outside(markup: str) -> None:
    page = LexborHTMLParser(f"<body>{fragment(markup)}<i>mine</i></body>")
    (mine,) = page.css("body > i")
    assert mine.text() == "mine"
    assert not page.css("script, svg, [onclick]")


@pytest.mark.parametrize(
    "hostile",
    [
        "<div>" * 30_000,
        '<a href="x"' * 30_000,
        "<" * 1_000_000,
        "<a " + " ".join(f"a{number}" for number in range(300_000)) + ">",
        "<p onclick=1>" * 20_000,
    ],
    ids=range(5),
)
def test_hostile_markup_takes_little_time(hostile: str) -> None:
    start = time.process_time()
    fragment(hostile)
    assert time.process_time() - start < 3
