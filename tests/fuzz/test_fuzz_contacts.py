"""The fuzz target of contacts over its seeds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.fuzz_contacts import SEEDS, check, contacts, reader_functions

_SEEDS = sorted(SEEDS.iterdir())


@pytest.mark.parametrize("seed", _SEEDS, ids=lambda seed: seed.name)
def test_seed(seed: Path) -> None:
    data = seed.read_bytes()
    assert contacts(data)
    for size in range(0, len(data) + 1, 97):
        check(data[:size])
        check(data[:size] + data[size + 5 :])


def test_the_fuzzer_sees_the_readers() -> None:
    names = {function.__qualname__ for function in reader_functions()}
    assert {"take_in", "logical_lines", "allotted", "Slots.write", "Names.read", "parse_component"} <= names
