"""Spelling of flags."""

from __future__ import annotations

import pytest

from gateway.types import TRACKED_FLAGS
from gateway.upstream.imap.flags import canonical, flag_set


@pytest.mark.parametrize(
    "flag", [*TRACKED_FLAGS, "\\Recent", "\\*", "$Junk", "\\HasNoChildren", "\\NonExistent"]
)
def test_known_flags_have_one_spelling(flag: str) -> None:
    assert canonical(flag.upper()) == canonical(flag.lower()) == flag


def test_unknown_flags_stay() -> None:
    assert canonical("MyLabel") == "MyLabel"
    assert canonical("x" * 5000) == "x" * 5000


def test_sets() -> None:
    assert flag_set("") == frozenset()
    assert flag_set(" \\SEEN  Own \\Seen ") == {"\\Seen", "Own"}
    many = [f"label{number}" for number in range(1000)]
    assert flag_set(" ".join(many)) == set(many)


def test_long_lists_are_not_kept() -> None:
    short, long = "a b c", "a b " + "c" * 300
    assert flag_set(short) is flag_set("a b " + "c")
    assert flag_set(long) is not flag_set("a b " + "c" * 300)
