"""The query language: what people type, what is half typed, and what nobody types."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.categories import keyword
from gateway.mail.kql import MAX_DEPTH, MAX_LENGTH, MAX_TERMS, KqlError, TooComplex, parse
from gateway.query import (
    EVERYTHING,
    NOTHING,
    And,
    Contains,
    HasAttachment,
    HasFlag,
    Larger,
    Not,
    Or,
    Place,
    Query,
    Received,
)
from gateway.types import FLAGGED, SEEN

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)
"""A Wednesday."""


def day(number: int, month: int = 3, year: int = 2026) -> datetime:
    return datetime(year, month, number, tzinfo=UTC)


def word(text: str) -> Query:
    return Contains(Place.ANYWHERE, text, fuzzy=True)


def phrase(text: str) -> Query:
    return Contains(Place.ANYWHERE, text)


A, B, C, D = map(word, "abcd")
ANN, BEN = Contains(Place.FROM, "ann"), Contains(Place.FROM, "ben")
PLAN = Contains(Place.SUBJECT, "plan")


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("plan", word("plan")),
        ("Pläne*", word("Pläne")),
        ('"the  plan"', phrase("the plan")),
        ("“the plan”", phrase("the plan")),
        ("from:ann", ANN),
        ("FROM:ann", ANN),
        ('from:"Ann Archer"', Contains(Place.FROM, "Ann Archer")),
        ("from: ann", ANN),
        ("subject=plan", PLAN),
        ("to:x", Contains(Place.TO, "x")),
        ("cc:x", Contains(Place.CC, "x")),
        ("bcc:x", Contains(Place.BCC, "x")),
        ("body:x*", Contains(Place.BODY, "x")),
        ("attachment:offer.pdf", Contains(Place.ATTACHMENT, "offer.pdf")),
        ("recipients:x", Or(tuple(Contains(place, "x") for place in (Place.TO, Place.CC, Place.BCC)))),
        ("hasattachment:yes", HasAttachment()),
        ("hasattachments:FALSE", Not(HasAttachment())),
        ("isread:true", HasFlag(SEEN)),
        ("isread:0", Not(HasFlag(SEEN))),
        ("isflagged:1", HasFlag(FLAGGED)),
        ("is:flagged", HasFlag(FLAGGED)),
        ("is:unread", Not(HasFlag(SEEN))),
        ("kind:email", EVERYTHING),
        ("kind:contacts", NOTHING),
        ("size>1k", Larger(1024)),
        ("size:<=2000", Not(Larger(2000))),
        ("10:30", word("10:30")),
        ("re:", word("re:")),
        ("C:\\temp\\", word("C:\\temp\\")),
        ("xfrom:ann", word("xfrom:ann")),
    ],
)
def test_single_terms(text: str, query: Query) -> None:
    assert parse(text, NOW) == query


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("a b", And((A, B))),
        ("a AND b", And((A, B))),
        ("a OR b", Or((A, B))),
        ("a b OR c d", Or((And((A, B)), And((C, D))))),
        ("a AND (b OR c)", And((A, Or((B, C))))),
        ("a NOT b", And((A, Not(B)))),
        ("a -b", And((A, Not(B)))),
        ("-(a b)", Not(And((A, B)))),
        ("NOT NOT a", A),
        ("+a -b", And((A, Not(B)))),
        ("a and b", And((A, word("and"), B))),
        ("a-b", word("a-b")),
        ("from:ann from:ben", Or((ANN, BEN))),
        ("from:ann AND from:ben", And((ANN, BEN))),
        ("from:ann subject:plan from:ben", And((Or((ANN, BEN)), PLAN))),
        ("from:(ann OR ben)", Or((ANN, BEN))),
        ("-from:ann plan", And((Not(ANN), word("plan")))),
    ],
)
def test_terms_together(text: str, query: Query) -> None:
    assert parse(text, NOW) == query


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", None),
        ("  ", None),
        ('"', None),
        ("()", None),
        ("from:", None),
        ("AND", None),
        ("received:", None),
        ("* - ?!", None),
        ('"the pl', phrase("the pl")),
        ("(a b", And((A, B))),
        ("a) b", And((A, B))),
        ("a AND", A),
        ("OR a", A),
        ("a OR", A),
        ("a NOT", A),
        ("a AND OR b", Or((A, B))),
        ("a\0b", And((A, B))),
    ],
)
def test_half_typed(text: str, query: Query | None) -> None:
    assert parse(text, NOW) == query


@pytest.mark.parametrize(
    ("text", "since", "before"),
    [
        ("received:today", day(18), day(19)),
        ("received:Yesterday", day(17), day(18)),
        ("received:this week", day(16), day(23)),
        ('received:"last week"', day(9), day(16)),
        ("received:this month", day(1), day(1, 4)),
        ("received:last month", day(1, 2), day(1)),
        ("received:this year", day(1, 1), day(1, 1, 2027)),
        ("received:last year", day(1, 1, 2025), day(1, 1)),
        ("received:2026-03-01", day(1), day(2)),
        ("received:3/1/2026", day(1), day(2)),
        ("sent:1.3.2026", day(1), day(2)),
        ("received=2026-03-01", day(1), day(2)),
        ("received:2026-03-01..2026-03-04", day(1), day(5)),
        ("received:2026-03-01..", day(1), None),
        ("received:..yesterday", None, day(18)),
        ("received>=2026-03-01", day(1), None),
        ("received:>2026-03-01", day(2), None),
        ("received<2026-03-01", None, day(1)),
        ("received<=2026-03-01", None, day(2)),
        ("received>=2026-03-01T10:30Z", datetime(2026, 3, 1, 10, 30, tzinfo=UTC), None),
    ],
)
def test_dates(text: str, since: datetime | None, before: datetime | None) -> None:
    assert parse(text, NOW) == Received(since, before)


def test_dates_beside_each_other_limit_each_other() -> None:
    begin, end = Received(since=day(1)), Received(before=day(5))
    assert parse("received>=2026-03-01 received<2026-03-05", NOW) == And((begin, end))
    assert parse("received<>2026-03-01", NOW) == Not(Received(day(1), day(2)))


def test_importance_and_category() -> None:
    high, low, normal = (parse(f"importance:{name}", NOW) for name in ("high", "low", "normal"))
    assert len({high, low, normal}) == 3
    blue = keyword("Blue Category")
    assert blue is not None
    for text in ('category:"Blue Category"', 'category:"blue category"'):
        query = parse(text, NOW)
        assert isinstance(query, Or)
        assert HasFlag(blue) in query.terms


@pytest.mark.parametrize(
    "text",
    [
        "received:sometime",
        "received:2026-13-01",
        "received>=99999-01-01",
        "received:9999-12-31",
        "hasattachment:maybe",
        "isread:2",
        "is:blue",
        "importance:very",
        "size:big",
    ],
)
def test_values_that_do_not_exist(text: str) -> None:
    with pytest.raises(KqlError):
        parse(text, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "x" * (MAX_LENGTH + 1),
        "a " * (MAX_TERMS + 1),
        "(" * (MAX_DEPTH + 1) + "a",
        "from:(" * (MAX_DEPTH + 1) + "a",
    ],
)
def test_too_much(text: str) -> None:
    with pytest.raises(TooComplex):
        parse(text, NOW)


PIECES = [
    "a",
    '"',
    "(",
    ")",
    " ",
    "AND ",
    " OR ",
    "NOT ",
    "-",
    "+",
    "from:",
    "received:",
    "is:",
    "size",
    ">=",
    "..",
]


@given(st.one_of(st.text(max_size=80), st.lists(st.sampled_from(PIECES), max_size=60).map("".join)))
def test_any_text_is_a_query_or_the_declared_error(text: str) -> None:
    try:
        query = parse(text, NOW)
    except KqlError:
        return
    assert parse(text, NOW) == query
    assert query is None or isinstance(query, get_args(Query))
