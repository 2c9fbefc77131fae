"""The small responses: each kind as servers write it, and what is not read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.types import Uids
from gateway.upstream.imap.parser import parse_response
from gateway.upstream.imap.responses import (
    Capability,
    Condition,
    Continuation,
    Enabled,
    ESearch,
    Exists,
    Expunge,
    Flags,
    Id,
    Recent,
    Response,
    ResponseCode,
    Search,
    Status,
    Tagged,
    Unparsed,
    Vanished,
)
from tests.upstream.imap.reading import read_one

CASES: list[tuple[str, Response]] = [
    ("* OK still here", Status(Condition.OK, None, "still here")),
    ("* bye", Status(Condition.BYE)),
    ("* PREAUTH [ALERT] hi", Status(Condition.PREAUTH, ResponseCode("ALERT"), "hi")),
    ("a1 OK done", Tagged("a1", Condition.OK, None, "done")),
    ("A17 no [TRYCREATE] none", Tagged("A17", Condition.NO, ResponseCode("TRYCREATE"), "none")),
    ("x BAD", Tagged("x", Condition.BAD)),
    ("a]b OK grüße", Tagged("a]b", Condition.OK, None, "grüße")),
    ("+", Continuation()),
    ("+ ", Continuation()),
    ("+ VXNlcg==", Continuation("VXNlcg==")),
    ("+idling", Continuation("idling")),
    ("* CAPABILITY IMAP4rev1 auth=PLAIN ", Capability(frozenset(("IMAP4REV1", "AUTH=PLAIN")))),
    ("* ENABLED condstore QRESYNC", Enabled(frozenset(("CONDSTORE", "QRESYNC")))),
    ("* ENABLED", Enabled(frozenset())),
    ("* 0 EXISTS", Exists(0)),
    ("* 23 EXISTS ", Exists(23)),
    ("* 5 recent", Recent(5)),
    ("* 44 EXPUNGE", Expunge(44)),
    ("* FLAGS (\\ANSWERED $forwarded Own)", Flags(frozenset(("\\Answered", "$Forwarded", "Own")))),
    ("* FLAGS ()", Flags(frozenset())),
    ("* SEARCH", Search(Uids())),
    ("* SEARCH 2 84 882", Search(Uids((2, 84, 882)))),
    ("* SEARCH 2 5 (MODSEQ 917162500)", Search(Uids((2, 5)), 917162500)),
    ("* VANISHED 300:303,405", Vanished(Uids((300, 301, 302, 303, 405)))),
    ("* VANISHED (EARLIER) 41,43:45", Vanished(Uids((41, 43, 44, 45)), earlier=True)),
    ('* ESEARCH (TAG "A282") MIN 2 COUNT 3', ESearch(tag="A282", min=2, count=3)),
    (
        '* ESEARCH (TAG "a") UID MAX 9 ALL 2,10:11 MODSEQ 1236',
        ESearch("a", uid=True, max=9, all=Uids((2, 10, 11)), modseq=1236),
    ),
    ("* ESEARCH UID", ESearch(uid=True)),
    ("* ESEARCH", ESearch()),
    (
        '* ESEARCH (TAG "A") UID PARTIAL (-1:-100 200:202)',
        ESearch("A", uid=True, partial=("-1:-100", Uids((200, 201, 202)))),
    ),
    ('* ESEARCH (TAG "A") PARTIAL (1:9 NIL)', ESearch("A", partial=("1:9", Uids()))),
    ("* ESEARCH X-NEW (1 2) COUNT 1", ESearch(count=1)),
    ("* ID NIL", Id({})),
    ('* ID ("Name" "Dovecot" "os" NIL)', Id({"name": "Dovecot", "os": None})),
]


@pytest.mark.parametrize(("line", "expected"), CASES, ids=[line for line, _ in CASES])
def test_responses(line: str, expected: Response) -> None:
    assert read_one(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        "",
        "*",
        "* ",
        "* 5",
        "* X-UNKNOWN 1 2",
        "* 3 UNKNOWN",
        "* 0 EXPUNGE",
        "* 0 FETCH (UID 1)",
        "* 4294967296 EXISTS",
        "* -1 EXISTS",
        "a1 MAYBE done",
        "a1 PREAUTH hi",
        "a1",
        "(a1) OK",
        "* FLAGS",
        "* FLAGS NIL",
        "* FLAGS ((a))",
        "* SEARCH 1 x",
        "* SEARCH 1 4294967296",
        "* SEARCH -1",
        "* VANISHED",
        "* VANISHED 1:*",
        "* VANISHED 0",
        "* VANISHED (LATER) 1",
        "* ESEARCH COUNT",
        "* ESEARCH COUNT x",
        "* ESEARCH (TAG) COUNT 1",
        "* ESEARCH ALL 1:*",
        "* ESEARCH PARTIAL 1",
        "* ID",
        '* ID ("a")',
        "* ID x",
        '* LIST () "/" "open',
        '* LIST () "/" a b\rc',
        "* LIST () NIL x\0y",
        "* LIST () NIL ((x)",
        "* LIST () NIL x)",
    ],
)
def test_what_is_not_read(line: str) -> None:
    found = read_one(line)
    assert isinstance(found, Unparsed)
    assert found.raw == line.encode("utf-8")
    assert found.reason


@given(st.text(), st.lists(st.binary(max_size=5)), st.booleans())
def test_nothing_is_raised(text: str, literals: list[bytes], utf8: bool) -> None:
    line = text.replace("\n", "") + "\n" * len(literals)
    for prefix in ("", "* ", "* 1 FETCH (", "* LIST () NIL ", "a OK [", "* ESEARCH ", "* NAMESPACE "):
        assert parse_response(prefix + line, literals, utf8=utf8)
