"""Who wins when both sides changed an item."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sync.conflict import Policy, Settlement, settle

VALUES = st.dictionaries(st.sampled_from("xyz"), st.integers(0, 2))
CHANGED = Settlement({"p": "b"})
KEPT: Settlement[str] = Settlement()
REFUSED: Settlement[str] = Settlement(refused=True)


@pytest.mark.parametrize(
    ("known", "wanted", "present", "client_wins", "server_wins"),
    [
        ("a", "b", "a", CHANGED, CHANGED),
        ("a", "a", "b", KEPT, KEPT),
        ("a", "b", "b", KEPT, KEPT),
        ("a", "b", "c", CHANGED, REFUSED),
    ],
)
def test_one_property(
    known: str,
    wanted: str,
    present: str,
    client_wins: Settlement[str],
    server_wins: Settlement[str],
) -> None:
    sides = {"p": known}, {"p": wanted}, {"p": present}
    assert settle(*sides, Policy.CLIENT_WINS) == client_wins
    assert settle(*sides, Policy.SERVER_WINS) == server_wins


def test_different_properties_do_not_conflict() -> None:
    both = settle({"p": 1, "q": 1}, {"p": 2}, {"p": 1, "q": 2}, Policy.SERVER_WINS)
    assert both == Settlement({"p": 2})


def test_where_the_server_wins_it_wins_with_the_whole_item() -> None:
    sides = {"p": 1, "q": 1}, {"p": 2, "q": 2}, {"p": 3, "q": 1}
    assert settle(*sides, Policy.SERVER_WINS) == Settlement(refused=True)
    assert settle(*sides, Policy.CLIENT_WINS) == Settlement({"p": 2, "q": 2})


def test_a_property_that_appears_on_both_sides_conflicts() -> None:
    assert settle({}, {"p": 1}, {"p": 2}, Policy.SERVER_WINS).refused
    assert not settle({}, {"p": 1}, {}, Policy.SERVER_WINS).refused


def test_two_values_never_conflict() -> None:
    for known, wanted, present in itertools.product((False, True), repeat=3):
        sides = {"read": known}, {"read": wanted}, {"read": present}
        assert not settle(*sides, Policy.SERVER_WINS).refused


@given(VALUES, VALUES, VALUES)
def test_the_client_is_never_refused_where_it_wins(
    known: dict[str, int], wanted: dict[str, int], present: dict[str, int]
) -> None:
    settled = settle(known, wanted, present, Policy.CLIENT_WINS)
    assert not settled.refused
    after = {**present, **settled.apply}
    assert all(after.get(name) == value for name, value in wanted.items() if value != known.get(name))
    strict = settle(known, wanted, present, Policy.SERVER_WINS)
    assert strict.apply == ({} if strict.refused else settled.apply)
