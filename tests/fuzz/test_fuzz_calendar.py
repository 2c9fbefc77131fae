"""The fuzz target of scheduling messages over its seeds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.fuzz_calendar import SEEDS, check, message, reader_functions

_SEEDS = sorted(SEEDS.iterdir())


@pytest.mark.parametrize("seed", _SEEDS, ids=lambda seed: seed.name)
def test_seed(seed: Path) -> None:
    data = seed.read_bytes()
    assert message(data)
    for size in range(0, len(data) + 1, 29):
        check(data[:size])
        check(data[:size] + data[size + 5 :])


def test_there_are_seeds() -> None:
    assert len(_SEEDS) >= 10


def test_the_fuzzer_sees_the_readers() -> None:
    names = {function.__qualname__ for function in reader_functions()}
    assert {
        "read",
        "read_invitation",
        "read_rule",
        "Zones.instant",
        "Definition.offset_at",
        "zone_like",
    } <= names
