"""The fuzz target of mail reading over its seeds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.fuzz_mail import (
    CHARSETS,
    ENCODINGS,
    LIMITS,
    SEEDS,
    SUBTYPES,
    check,
    message,
    reader_functions,
)

_SEEDS = sorted(SEEDS.iterdir())


@pytest.mark.parametrize("seed", _SEEDS, ids=lambda seed: seed.name)
def test_seed(seed: Path) -> None:
    data = seed.read_bytes()
    check(data)
    for size in range(0, len(data), 7):
        check(data[:size])


@pytest.mark.parametrize(
    "number", range(0, 2 * len(SUBTYPES) * len(ENCODINGS) * len(CHARSETS) * len(LIMITS), 3)
)
def test_every_description_of_the_body(number: int) -> None:
    check(b"%d\nSubject: s\n\n<p>Hello =41\xc3\xbc" % number)


def test_the_seeds_are_what_they_seem() -> None:
    found = {message(seed.read_bytes())[0].structure.children[0].encoding for seed in _SEEDS}
    assert len(found) >= 3
    assert len(_SEEDS) >= 5


def test_the_fuzzer_sees_the_readers() -> None:
    names = {function.__qualname__ for function in reader_functions()}
    assert {"parse_addresses", "decode_words", "to_text", "TransferDecoder.feed", "lay_out"} <= names
