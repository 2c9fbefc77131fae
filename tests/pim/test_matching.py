"""Conditions of a search held against the texts of an item."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail import kql
from gateway.pim.matching import Searched, folded
from gateway.query import (
    EVERYTHING,
    NOTHING,
    And,
    Contains,
    HasFlag,
    InConversation,
    Larger,
    Not,
    Or,
    Place,
    Query,
    Received,
)

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
ITEM = Searched.of(
    {
        Place.SUBJECT: ["Blue  PLAN", "for Köln"],
        Place.BODY: ["the anchor\r\nis heavy"],
        Place.FROM: ["Ann", "ann@example.test"],
        Place.ANYWHERE: ["Straße 5", "\ufb01sh"],
    },
    NOW,
)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("blue anchor", True),
        ("anchor BLUE", True),
        ("blue anchors", False),
        ("lan", True),
        ('"blue plan"', True),
        ('"anchor is heavy"', True),
        ('"plan for"', False),
        ("KÖLN", True),
        ("ko\u0308ln", True),
        ("STRASSE fish", True),
        ("red OR (heavy NOT green)", True),
        ("blue -heavy", False),
        ("subject:plan", True),
        ("subject:anchor", False),
        ("body:anchor from:ann", True),
        ("to:ann", False),
        ("-to:ann", True),
        ("hasattachment:no plan", True),
        ("hasattachment:yes plan", False),
        ("received:today", True),
        ("received:yesterday", False),
        ("NOT received:yesterday", True),
        ("received>=2026-03-05", False),
    ],
)
def test_what_is_typed(typed: str, expected: bool) -> None:
    query = kql.parse(typed, NOW)
    assert query is not None
    assert ITEM.matches(query) is expected


@pytest.mark.parametrize(
    "typed", ["isread:yes", "isread:no", "is:unread", "size>1", "size<1", "importance:high"]
)
def test_of_what_only_mail_has_neither_is_true(typed: str) -> None:
    condition = kql.parse(typed, NOW)
    assert condition is not None
    for query in (condition, Not(condition), And((condition, Contains(Place.ANYWHERE, "plan")))):
        assert not ITEM.matches(query), query
    assert ITEM.matches(Or((condition, Contains(Place.ANYWHERE, "plan"))))


def test_the_bounds_of_received() -> None:
    assert ITEM.matches(Received(since=NOW))
    assert not ITEM.matches(Received(before=NOW))


leaves = st.sampled_from(
    [
        EVERYTHING,
        NOTHING,
        Contains(Place.ANYWHERE, "plan"),
        Contains(Place.SUBJECT, "anchor"),
        HasFlag("\\Seen"),
        Larger(1),
        InConversation(b"1"),
        Received(since=NOW),
    ]
)
queries = st.recursive(
    leaves,
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(And, st.lists(inner, max_size=3).map(tuple))
        | st.builds(Or, st.lists(inner, max_size=3).map(tuple))
    ),
    max_leaves=8,
)


@given(queries)
def test_nothing_fits_together_with_its_contrary(query: Query) -> None:
    assert not (ITEM.matches(query) and ITEM.matches(Not(query)))
    assert ITEM.matches(Not(Not(query))) is ITEM.matches(query)


@given(st.text(max_size=30))
def test_folding_leaves_one_line(text: str) -> None:
    assert len(folded(text).splitlines()) <= 1
