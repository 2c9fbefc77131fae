"""Finding people by words and by whole names."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from gateway.ports.directory import Entry, Found
from tests.ports.directory.conftest import ANYBODY, Filled, limited

ANN = Entry("Ann.Archer@example.com", "Ann Archer")
ANNA = Entry("anna@example.com", "Anna O'Brien-Müller")
BEN = Entry("ben@example.com")
OTHER = Entry("ann@elsewhere.example", "Ann Archer")
EVERYBODY = (ANN, OTHER, ANNA, BEN)

Names = tuple[tuple[str, str], ...]


def names(entries: Iterable[Entry]) -> Names:
    """Addresses and names; not every directory can have somebody without a name."""
    return tuple((one.address, one.name or one.address) for one in entries)


def told(found: Found) -> tuple[Names, int]:
    return names(found.entries), found.total


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
        ("o'b", (ANNA,)),
        ("O'BRIEN-MÜLL", (ANNA,)),
        ("rien", ()),
        ("ann.archer@ex", (ANN,)),
        ("ben", (BEN,)),
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
    assert told(await filled.directory.search(ANYBODY, text, 0, 100)) == (names(expected), len(expected))


async def test_words_inside_of_words(filled: Filled) -> None:
    """Where everybody is in memory, or an index has them."""
    for text, expected in (("brien", ANNA), ("MÜLL", ANNA), ("else", OTHER)):
        found = (names([expected]), 1) if filled.has_inner_words else ((), 0)
        assert told(await filled.directory.search(ANYBODY, text, 0, 100)) == found


async def test_by_name_and_part_by_part(filled: Filled) -> None:
    async def part(first: int, count: int) -> tuple[Names, int]:
        return told(await filled.directory.search(ANYBODY, "a", first, count))

    assert await part(0, 100) == (names([ANN, OTHER, ANNA]), 3)
    assert await part(0, 2) == (names([ANN, OTHER]), 3)
    assert await part(2, 2) == (names([ANNA]), 3)
    assert await part(3, 2) == ((), 3)
    assert await part(999_999_999, 100) == ((), 3)


@pytest.mark.parametrize(
    ("domain", "expected"), [("example.com", [ANN, ANNA]), ("elsewhere.example", [OTHER]), ("example", [])]
)
async def test_in_a_domain_alone(filled: Filled, domain: str, expected: list[Entry]) -> None:
    viewer = limited(domain)
    assert told(await filled.directory.search(viewer, "ann", 0, 1)) == (names(expected[:1]), len(expected))
    named = names(one for one in expected if one.name == "Ann Archer")
    assert told(await filled.directory.named(viewer, "Ann Archer", 9)) == (named, len(named))
    by_address = await filled.directory.named(viewer, "ann.archer@example.com", 9)
    assert told(by_address)[0] == names(one for one in expected if one == ANN)


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
        ("*", ()),
        ("", ()),
    ],
)
async def test_whole_names_and_addresses(filled: Filled, text: str, expected: tuple[Entry, ...]) -> None:
    assert told(await filled.directory.named(ANYBODY, text, 100)) == (names(expected), len(expected))


async def test_a_bound_on_namesakes(filled: Filled) -> None:
    assert told(await filled.directory.named(ANYBODY, "ann archer", 1)) == (names([ANN]), 2)


async def test_a_long_text_costs_little(filled: Filled) -> None:
    found = await filled.directory.search(ANYBODY, "ann " * 100_000, 0, 9)
    assert told(found) == (names([ANN, OTHER, ANNA]), 3)
