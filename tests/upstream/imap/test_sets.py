"""Sets of numbers: read, written, split."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.types import Uids
from gateway.upstream.imap.sets import MAX_NUMBER, format_set, parse_ranges, parse_set, runs, split_set

_numbers = st.integers(1, 400) | st.integers(MAX_NUMBER - 50, MAX_NUMBER) | st.integers(1, MAX_NUMBER)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", [1]),
        ("2,4:7,9", [2, 4, 5, 6, 7, 9]),
        ("7:4", [4, 5, 6, 7]),
        ("3,1,2,2:3", [1, 2, 3]),
        ("4294967295", [MAX_NUMBER]),
        ("007", [7]),
    ],
)
def test_reading(text: str, expected: list[int]) -> None:
    assert parse_set(text) == Uids(expected)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0:3",
        "*",
        "1:*",
        "1,",
        ",1",
        "1:2:3",
        "a",
        "-1",
        "1 2",
        "4294967296",
        "1:4294967296",
        "١",
        "1\n",
    ],
)
def test_what_is_no_set(text: str) -> None:
    with pytest.raises(ValueError, match="number"):
        parse_set(text)


def test_runs_keep_their_order() -> None:
    assert parse_ranges("9,5:3,4") == (range(9, 10), range(3, 6), range(4, 5))


def test_everything_costs_little() -> None:
    start = time.process_time()
    everything = parse_set(f"1:{MAX_NUMBER}")
    assert len(everything) == MAX_NUMBER
    assert format_set(everything) == f"1:{MAX_NUMBER}"
    assert all(format_set(range(first, MAX_NUMBER + 1)) for first in range(1, 1000))
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([1], "1"),
        ([3, 1, 2], "1:3"),
        ([1, 2], "1:2"),
        ([1, 3, 5, 6, 7, 10], "1,3,5:7,10"),
        ([MAX_NUMBER - 1, MAX_NUMBER], f"{MAX_NUMBER - 1}:{MAX_NUMBER}"),
        (range(5, 9), "5:8"),
        (range(5, 6), "5"),
        (range(5, 11, 2), "5,7,9"),
    ],
)
def test_writing(numbers: list[int], expected: str) -> None:
    assert format_set(numbers) == expected


@given(st.sets(_numbers, min_size=1))
def test_round_trip(numbers: set[int]) -> None:
    text = format_set(iter(numbers))
    assert parse_set(text) == Uids(numbers)
    spans = list(runs(numbers))
    assert all(last < after - 1 for (_, last), (after, _) in itertools.pairwise(spans))


@given(st.sets(_numbers), st.integers(1, 60))
def test_splitting(numbers: set[int], limit: int) -> None:
    texts = split_set(numbers, limit)
    assert Uids().union(*map(parse_set, texts)) == Uids(numbers)
    assert all(len(text) <= limit or "," not in text for text in texts)
    assert ",".join(texts) == (format_set(numbers) if numbers else "")


def test_splitting_wastes_no_command() -> None:
    texts = split_set(range(1, 20_000, 2), 7000)
    assert len(texts) == -(-len(",".join(texts)) // 7000)


@pytest.mark.parametrize("numbers", [[], [0], [0, 1, 2]])
def test_what_cannot_be_written(numbers: list[int]) -> None:
    with pytest.raises(ValueError, match=r"empty|0"):
        format_set(numbers)


@pytest.mark.parametrize("numbers", [[-1], [2**32]])
def test_out_of_range(numbers: list[int]) -> None:
    with pytest.raises(OverflowError):
        format_set(numbers)
