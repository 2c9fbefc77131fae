"""The fuzz target of .ics files over its seeds."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.pim.exchange.sorts import SORTS
from tests.fuzz.fuzz_exchange import SEEDS, TASKS, check, found_in, reader_functions

_SEEDS = [*sorted(SEEDS.iterdir()), *sorted(TASKS.iterdir())]


@pytest.mark.parametrize("seed", _SEEDS, ids=lambda seed: f"{seed.parent.name}/{seed.name}")
def test_seed(seed: Path) -> None:
    data = seed.read_bytes()
    assert any(found_in(data, sort) for sort in SORTS.values())
    for size in range(0, len(data) + 1, 97):
        check(data[:size])
        check(data[:size] + data[size + 5 :])
        check(data[:size] + data[size // 2 :])


def test_the_fuzzer_sees_the_readers() -> None:
    names = {function.__qualname__ for function in reader_functions()}
    assert {"_Scanner.take", "_Builder.build", "_Importer.series", "FileZones.settle", "enclosed"} <= names
