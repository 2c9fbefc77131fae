"""The gateway's own script: what it says comes back, and nothing else is taken for it."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ports.filters import Audience, AutoReply, AwayState, OutOfOffice
from gateway.upstream.sieve.script import Stored, answers_by_itself, needs, parse, render

START = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
OWN = ("anna@example.test", "a@example.test")

TEXTS = st.text(max_size=60) | st.sampled_from(['"; stop;', "\r\n.\r\n", "#=x", "*/", "text:\n", "${x}"])
REPLIES = st.builds(AutoReply, st.booleans(), TEXTS, st.booleans())
ABSENCES = st.builds(
    OutOfOffice,
    st.sampled_from(AwayState),
    st.just(START),
    st.just(START + timedelta(days=9)),
    st.fixed_dictionaries(dict.fromkeys(Audience, REPLIES)),
    st.lists(TEXTS, max_size=3).map(tuple),
)


@settings(max_examples=60, deadline=None)
@given(st.builds(Stored, ABSENCES, TEXTS))
def test_what_is_set_comes_back(stored: Stored) -> None:
    text = render(stored, OWN)
    told = replace(stored, away=replace(stored.away, known=()))
    assert parse(text) == told
    assert parse(text.replace("\r\n", "\n") + "\n") == told
    assert render(stored, OWN) == text
    assert parse(text.replace("# activesync-gateway 1 ", "# activesync-gateway 1 0")) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "keep;\r\n",
        "# activesync-gateway 1 ",
        "# activesync-gateway 1 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\r\n",
    ],
)
def test_other_scripts(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize("data", ["[" * 100_000, "{}", "7", '{"state": "gone"}', "no json"])
def test_comments_of_others_under_a_right_digest(data: str) -> None:
    body = f"#={base64.b64encode(data.encode()).decode()}\r\n"
    digest = hashlib.sha256(body.rstrip().encode()).hexdigest()
    assert parse(f"# activesync-gateway 1 {digest}\r\n{body}") is None


def test_a_changed_line_makes_it_another_script() -> None:
    stored = Stored(OutOfOffice(AwayState.ON, replies=dict.fromkeys(Audience, AutoReply(True, "Away"))))
    text = render(stored, OWN)
    assert parse(text) == stored
    assert parse(text.replace(":days 7", ":days 8")) is None
    assert parse(text + "discard;\r\n") is None


def test_needs_no_more_than_is_used() -> None:
    away = OutOfOffice(AwayState.ON)
    timed = OutOfOffice(AwayState.TIMED, START, START + timedelta(days=1))
    assert needs(Stored(OutOfOffice())) == frozenset()
    assert needs(Stored(away)) == {"envelope", "vacation"}
    assert needs(Stored(timed, "mine")) == {"date", "envelope", "include", "relational", "vacation"}


def test_people_he_knows_have_a_branch_only_if_they_get_something_else() -> None:
    replies = dict.fromkeys(Audience, AutoReply(True, "Away"))
    away = OutOfOffice(AwayState.ON, replies=replies, known=("ben@elsewhere.test",))
    assert "ben@" not in "".join(_rules(away))
    replies[Audience.UNKNOWN] = AutoReply(False, "Away")
    assert 'elsif envelope :all :is "from" ["ben@elsewhere.test"] {' in _rules(away)


def _rules(away: OutOfOffice) -> list[str]:
    return [line for line in render(Stored(away), OWN).splitlines() if not line.startswith("#")]


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ("", False),
        ('require "vacation";', False),
        ('vacation "x";', True),
        ("VACATION :days 7 text:\nhello\n.\n;", True),
        ("# vacation\nkeep;", False),
        ("/* vacation */ keep; /* vacation", False),
        ('fileinto "\\" vacation "; keep;', False),
        ("redirect text:\nvacation\n.\n; vacation 'x';", True),
        ("if false # true\n{ vacation 'x'; }", False),
        ("if false { if true { keep; } vacation 'x'; } keep;", False),
        ("if false { keep; } vacation 'x';", True),
        ("if true { if false { keep; } vacation 'x'; }", True),
        ("if not false { vacation 'x'; }", True),
        ('fileinto "open vacation', False),
        ("}" * 9 + "vacation;", True),
    ],
)
def test_a_vacation_of_its_own(text: str, answers: bool) -> None:
    assert answers_by_itself(text) is answers


@pytest.mark.parametrize("piece", ["/*", '"', "text:\n", "{", "if false {", "#", '"\\'])
def test_long_scripts_are_read_in_linear_time(piece: str) -> None:
    assert answers_by_itself(piece * 50_000 + "\nkeep;") is False
