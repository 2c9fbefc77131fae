"""What is new in an answer: quotes of the usual programs go, and nothing that is not one."""

from __future__ import annotations

import time

import pytest

from gateway.mail.quoted import new_in_html, new_in_text

NEW = "<p>My answer</p>"
GMAIL = (
    '<br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">On Mar 1, 2026 at '
    '10:00 Ann &lt;ann@x&gt; wrote:<br></div><blockquote class="gmail_quote" style="margin:0"><div>old '
    "<div>words</div></div></blockquote></div>"
)
OUTLOOK_HEADER = (
    '<font face="Calibri" style="font-size:11pt"><b>Von:</b> Ann<br><b>Gesendet:</b> heute<br>'
    "<b>An:</b> Bob<br><b>Betreff:</b> Plan</font>"
)
OUTLOOK = (
    '<div id="appendonsend"></div><hr style="width:98%" tabindex="-1">'
    f'<div id="divRplyFwdMsg" dir="ltr">{OUTLOOK_HEADER}<div>&nbsp;</div></div><div><p>old words</p></div>'
)
WORD = (
    '<div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm"><p class="x">'
    '<b><span lang="EN-US">From:</span></b> Ann<br><b>Sent:</b> today<br><b>To:</b> Bob</p></div></div>'
    "<p>old words</p>"
)
THUNDERBIRD = (
    '<div class="moz-cite-prefix">Am 01.03.26 um 10:00 schrieb Ann:<br></div>'
    '<blockquote type="cite" cite="mid:1@x"><p>old words</p></blockquote>'
)
APPLE = (
    "<div><br><blockquote type='cite'><div>On 1. Mar 2026, at 10:00, Ann wrote:</div>old words</blockquote>"
    "</div><br>"
)


def page(text: str) -> str:
    return f"<html><head><style>p {{ margin: 0 }}</style></head><body>{text}</body></html>"


@pytest.mark.parametrize("quote", [GMAIL, OUTLOOK, WORD, THUNDERBIRD, APPLE])
def test_a_quote_at_the_end_goes(quote: str) -> None:
    new = new_in_html(page(NEW + quote))
    assert new is not None
    assert "My answer" in new
    assert new.endswith("</body></html>")
    for old in ("old", "words", "wrote", "schrieb", "2026", "Ann", "<hr"):
        assert old not in new


@pytest.mark.parametrize("quote", [GMAIL, OUTLOOK, WORD, THUNDERBIRD, APPLE])
def test_what_would_be_nothing_without_its_quote_keeps_it(quote: str) -> None:
    assert new_in_html(page(f"<p>&nbsp;</p>{quote}")) is None
    assert new_in_html(page(f'<p><img src="cid:1"></p>{quote}')) is not None


@pytest.mark.parametrize("quote", [GMAIL, THUNDERBIRD, APPLE])
def test_a_quote_that_is_commented_below_stays(quote: str) -> None:
    assert new_in_html(page(f"{NEW}{quote}<p>and this</p>")) is None


def test_of_comments_between_quotes_only_the_last_quote_goes() -> None:
    new = new_in_html(page(f"{NEW}{THUNDERBIRD}<p>one comment</p>{THUNDERBIRD}"))
    assert new is not None
    assert new.count("old words") == 1
    assert "one comment" in new


def test_a_quote_whose_end_was_not_fetched_goes() -> None:
    new = new_in_html(f"<body>{NEW}{GMAIL[:150]}")
    assert new is not None
    assert new.endswith("<br>")


@pytest.mark.parametrize(
    "document",
    [
        page(NEW),
        page(f"{NEW}<blockquote>a poem</blockquote>"),
        page(f'{NEW}<div style="border-top:solid 1px"><b>Note:</b> a box</div>'),
        page(f"{NEW}<hr><p>a line above</p>"),
        "",
    ],
)
def test_html_without_a_quote_stays(document: str) -> None:
    assert new_in_html(document) is None


MARKED = "> old words\r\n>\r\n> more\r\n"
SEPARATED = "From: Ann\r\nSent: today\r\nTo: Bob\r\n\r\nold words\r\n"


@pytest.mark.parametrize(
    "quote",
    [
        f"On Sun, 1 Mar 2026 at 10:00, Ann wrote:\r\n\r\n{MARKED}",
        f"On Sun, 1 Mar 2026 at 10:00, Ann\r\n<ann@example.test> wrote:\r\n{MARKED}",
        f"Am 1.3.26 schrieb Ann:\r\n{MARKED}\r\n\r\n",
        f"-----Original Message-----\r\n{SEPARATED}",
        f"-----Ursprüngliche Nachricht-----\r\n{SEPARATED}",
        f"________________________________\r\n{SEPARATED}",
    ],
)
def test_a_plain_quote_at_the_end_goes(quote: str) -> None:
    assert new_in_text(f"My answer\r\n\r\n{quote}") == "My answer\r\n"
    assert new_in_text(quote) is None


@pytest.mark.parametrize(
    "text",
    [
        "My answer\r\n",
        f"Ann wrote:\r\n{MARKED}My answer\r\n",
        f"No attribution\r\n{MARKED}",
        "A table\r\n-----------\r\nrow: 1\r\n",
        "-- Part two --\r\nand so on\r\n",
        "My list:\r\n",
        "",
    ],
)
def test_plain_text_without_a_quote_at_the_end_stays(text: str) -> None:
    assert new_in_text(text) is None


@pytest.mark.parametrize(
    "piece",
    [
        "<div ",
        '<div class="gmail_quote">',
        '<blockquote type="cite">',
        '<blockquote type="cite"></blockquote>x',
        '<div id="divRplyFwdMsg"><b>',
        "<hr>",
        '<div style="border-top:solid"><b>a:<b>a:<b>a:',
        "<p>a",
    ],
)
def test_hostile_documents_take_bounded_time(piece: str) -> None:
    started = time.process_time()
    new_in_html(piece * (400_000 // len(piece)))
    assert time.process_time() - started < 5


@pytest.mark.parametrize("line", ["> x\r\n", "-----x-----\r\n", "a:\r\n", "\r\n", "_" * 70 + "\r\n"])
def test_hostile_texts_take_bounded_time(line: str) -> None:
    started = time.process_time()
    new_in_text("new\r\n" + line * 100_000)
    assert time.process_time() - started < 2
