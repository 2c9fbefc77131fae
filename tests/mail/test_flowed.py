"""Flowed text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.flowed import is_flowed, unflow

FLOWED = {"format": "flowed"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one", "one"),
        ("one \r\ntwo\r\nthree", "one two\nthree"),
        ("one\r\n\r\ntwo", "one\n\ntwo"),
        (" stuffed", "stuffed"),
        ("> quoted \r\n> more\r\nmine", "> quoted more\nmine"),
        (">> deep \r\n> less", "> > deep\n> less"),
        (">\r\n> x", ">\n> x"),
        ("text \r\n-- \r\nAnn", "text \n-- \nAnn"),
        ("open end ", "open end "),
        ("", ""),
    ],
)
def test_lines_are_joined(text: str, shown: str) -> None:
    assert unflow(text, FLOWED) == shown


def test_the_space_is_deleted_where_the_sender_says_so() -> None:
    assert unflow("日本 \r\n語", {"format": "flowed", "delsp": "yes"}) == "日本語"


@given(st.text(alphabet="> a\r\n-", max_size=60))
def test_no_word_is_lost(text: str) -> None:
    assert unflow(text, FLOWED).count("a") == text.count("a")


def test_is_flowed() -> None:
    assert is_flowed({"format": "Flowed"})
    assert not is_flowed({"format": "fixed"})
    assert not is_flowed({})
