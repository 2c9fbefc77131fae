"""Finding people by words and by whole names."""

from __future__ import annotations

import pytest

from gateway.ports.directory import Entry, Found
from tests.ports.directory.conftest import ANYBODY, Filled, limited

ANN = Entry("Ann.Archer@example.com", "Ann Archer")
ANNA = Entry("anna@example.com", "Anna O'Brien-Müller")
BEN = Entry("ben@example.com")
OTHER = Entry("ann@elsewhere.example", "Ann Archer")
EVERYBODY = (ANN, OTHER, ANNA, BEN)


@pytest.fixture(autouse=True)
async def _people(filled: Filled) -> None:
    await filled.put(reversed(EVERYBODY))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ann", (ANN, OTHER, ANNA)),
        ("ANN ARCH", (ANN, OTHER)),
        ("archer, ann", (ANN, OTHER)),
        ("arc ann", (ANN, OTHER)),
        ("brien", (ANNA,)),
        ("o'b", (ANNA,)),
        ("MÜLL", (ANNA,)),
        ("rien", ()),
        ("ann.archer@ex", (ANN,)),
        ("ben", (BEN,)),
        ("else", (OTHER,)),
        ("ann x", ()),
        ("ann%", ()),
        ("_nn", ()),
        ("", ()),
        (" ,; ", ()),
        ("'; drop", ()),
        ("ann\0", ()),
    ],
)
async def test_words_begin_like_those_asked_for(
    filled: Filled, text: str, expected: tuple[Entry, ...]
) -> None:
    assert await filled.directory.search(ANYBODY, text, 0, 100) == Found(expected, len(expected))


async def test_by_name_and_part_by_part(filled: Filled) -> None:
    search = filled.directory.search
    assert await search(ANYBODY, "e", 0, 100) == Found((ANN, OTHER, ANNA, BEN), 4)
    assert await search(ANYBODY, "e", 0, 2) == Found((ANN, OTHER), 4)
    assert await search(ANYBODY, "e", 2, 2) == Found((ANNA, BEN), 4)
    assert await search(ANYBODY, "e", 4, 2) == Found((), 4)
    assert await search(ANYBODY, "e", 999_999_999, 100) == Found((), 4)


async def test_in_a_domain_alone(filled: Filled) -> None:
    assert await filled.directory.search(limited("example.com"), "ann", 0, 1) == Found((ANN,), 2)
    assert await filled.directory.search(limited("elsewhere.example"), "ann", 0, 9) == Found((OTHER,), 1)
    assert await filled.directory.search(limited("example"), "ann", 0, 9) == Found()
    assert await filled.directory.named(limited("elsewhere.example"), "Ann Archer", 9) == Found((OTHER,), 1)
    assert await filled.directory.named(limited("elsewhere.example"), "ann.archer@example.com", 9) == Found()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ann.archer@example.com", (ANN,)),
        (" ANN.ARCHER@EXAMPLE.COM ", (ANN,)),
        ("ann archer", (ANN, OTHER)),
        ("anna o'brien-MÜLLER", (ANNA,)),
        ("ben@example.com", (BEN,)),
        ("ann", ()),
        ("ben@example", ()),
        ("", ()),
    ],
)
async def test_whole_names_and_addresses(filled: Filled, text: str, expected: tuple[Entry, ...]) -> None:
    assert await filled.directory.named(ANYBODY, text, 100) == Found(expected, len(expected))


async def test_a_bound_on_namesakes(filled: Filled) -> None:
    assert await filled.directory.named(ANYBODY, "ann archer", 1) == Found((ANN,), 2)


async def test_a_long_text_costs_little(filled: Filled) -> None:
    assert await filled.directory.search(ANYBODY, "ann " * 100_000, 0, 9) == Found((ANN, OTHER, ANNA), 3)
