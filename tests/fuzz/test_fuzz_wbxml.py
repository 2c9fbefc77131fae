"""The fuzz target of the codec over its seeds, and the seeds against the golden documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.fuzz_wbxml import SEEDS, check, codec_functions
from tests.wbxml.vectors import VECTORS
from wbxml import Element, decode, encode

_SEEDS = sorted(SEEDS.iterdir())


@pytest.mark.parametrize("seed", _SEEDS, ids=lambda seed: seed.name)
def test_seed(seed: Path) -> None:
    check(seed.read_bytes())


def test_every_golden_document_is_a_seed() -> None:
    assert {seed.read_bytes() for seed in _SEEDS} >= {vector.wire for vector in VECTORS}


def test_seeds_reach_trees_and_not_only_errors() -> None:
    unusual = [seed for seed in _SEEDS if seed.name.startswith("unusual-")]
    assert unusual
    for seed in unusual:
        found = decode(seed.read_bytes())
        assert encode(found) != seed.read_bytes()


def test_the_target_sees_a_broken_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fuzz.fuzz_wbxml.encode", lambda tree: encode(Element(tree.tag)))
    with pytest.raises(AssertionError):
        check(VECTORS[0].wire)


def test_the_inner_loop_is_instrumented() -> None:
    assert {"_fill", "_piece", "encode", "from_xml"} <= {function.__name__ for function in codec_functions()}
