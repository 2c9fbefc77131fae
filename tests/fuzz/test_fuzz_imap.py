"""The fuzz target of the IMAP reader over its seeds."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.upstream.imap.responses import Unparsed
from tests.fuzz.fuzz_imap import SEEDS, check, read, reader_functions

_SEEDS = sorted(SEEDS.iterdir())
_BROKEN = {"broken.txt", "over-limit.txt"}


@pytest.mark.parametrize("seed", _SEEDS, ids=lambda seed: seed.name)
def test_seed(seed: Path) -> None:
    check(seed.read_bytes())


@pytest.mark.parametrize("seed", _SEEDS, ids=lambda seed: seed.name)
def test_only_broken_seeds_are_not_read(seed: Path) -> None:
    found, over = read(seed.read_bytes(), 7)
    faulty = over or any(isinstance(response, Unparsed) for response in found)
    assert faulty == (seed.name in _BROKEN)
    assert found or over


def test_every_cut_of_a_seed() -> None:
    for seed in _SEEDS:
        data = seed.read_bytes()
        for end in range(len(data)):
            check(data[:end] + b"\r\n* 1 EXISTS\r\n")


def test_the_target_sees_a_broken_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.upstream.imap.wire.ResponseReader.feed", lambda _self, data: [data])
    with pytest.raises(AssertionError):
        check(b"* OK\r\n")


def test_the_inner_loop_is_instrumented() -> None:
    names = {function.__name__ for function in reader_functions()}
    assert {"feed", "parse_nodes", "_single", "parse_response", "parse_set"} <= names
