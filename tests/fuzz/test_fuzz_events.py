"""The fuzz target of events over its seeds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.fuzz_events import SEEDS, check, event, reader_functions

_SEEDS = sorted(SEEDS.iterdir())


@pytest.mark.parametrize("seed", _SEEDS, ids=lambda seed: seed.name)
def test_seed(seed: Path) -> None:
    data = seed.read_bytes()
    assert event(data)
    for size in range(0, len(data) + 1, 97):
        check(data[:size])
        check(data[:size] + data[size + 5 :])


def test_the_fuzzer_sees_the_readers() -> None:
    names = {function.__qualname__ for function in reader_functions()}
    assert {"read_component", "parse_calendar", "Rule.times", "Series.follow", "apply"} <= names
