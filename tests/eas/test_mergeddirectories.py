"""Several directories as one: who is in more than one, details of whom another found, and one that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from gateway.eas.mergeddirectories import MOST, MergedDirectories
from gateway.errors import UpstreamError
from gateway.pim.people import PeopleList, expanded
from gateway.ports import Directory
from gateway.ports.directory import Entry, Found, Members, Viewer
from gateway.types import Password, UserId

BEN = Viewer(UserId("ben"), Password("ben", "secret"))


class Plain:
    """People without details."""

    def __init__(self, *entries: Entry) -> None:
        self.people = PeopleList(entries)

    async def search(self, viewer: Viewer, text: str, first: int, count: int) -> Found:
        return self.people.search(text, viewer.domain, first, count)

    async def named(self, viewer: Viewer, text: str, count: int) -> Found:
        return self.people.named(text, viewer.domain, count)


@dataclass
class Rich(Plain):
    """People with certificates, photos and groups."""

    entries_: Sequence[Entry]
    known: Mapping[str, bytes] = field(default_factory=dict)
    groups: Mapping[str, Sequence[Entry]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(*self.entries_)

    async def entries(self, viewer: Viewer, addresses: Collection[str]) -> Sequence[Entry]:
        return self.people.at(addresses, viewer.domain)

    async def pictures(self, viewer: Viewer, addresses: Collection[str]) -> Mapping[str, bytes]:
        return {one: self.known[one] for one in addresses if one in self.known}

    async def certificates(self, viewer: Viewer, addresses: Collection[str]) -> Mapping[str, Sequence[bytes]]:
        return {one: [self.known[one], b"both"] for one in addresses if one in self.known}

    async def members(self, viewer: Viewer, address: str, most: int) -> Members | None:
        return expanded(self.groups.get, address, most)


class Failing(Plain):
    """Cannot be asked; says so once somebody else waits."""

    async def search(self, viewer: Viewer, text: str, first: int, count: int) -> Found:
        await asyncio.sleep(0)
        raise UpstreamError("away")


class Hanging(Plain):
    """Does not answer."""

    ended = False

    async def search(self, viewer: Viewer, text: str, first: int, count: int) -> Found:
        try:
            await asyncio.Event().wait()
            return Found()
        finally:
            self.ended = True


def entry(address: str, name: str = "", *others: str, **more: str) -> Entry:
    return Entry(address, name, others=others, **more)  # type: ignore[arg-type]


async def search(*sources: Directory, text: str = "an", first: int = 0, count: int = 9) -> Found:
    return await MergedDirectories(sources).search(BEN, text, first, count)


async def test_the_first_counts_and_others_add() -> None:
    one = Plain(entry("ann@a.example", "Ann", title="Head"), entry("anna@a.example", "Anna"))
    two = Plain(entry("x@b.example", "Another", "ANN@a.example", title="Boss", phone="+1"))
    assert await search(one, two) == Found(
        (
            entry("ann@a.example", "Ann", "x@b.example", title="Head", phone="+1"),
            entry("anna@a.example", "Anna"),
        ),
        2,
    )


async def test_two_who_are_one_by_a_third() -> None:
    one, two = Plain(entry("an1@a.example", "Ann")), Plain(entry("an2@a.example", "Anton"))
    third = Plain(entry("an3@a.example", "Anon", "an2@a.example", "an1@a.example"))
    (both,) = (await search(one, two, third)).entries
    assert (both.name, both.address) == ("Ann", "an1@a.example")
    assert sorted(both.addresses) == ["an1@a.example", "an2@a.example", "an3@a.example"]


async def test_pages_in_one_order() -> None:
    sources = [Plain(*(entry(f"an{at}@a.example") for at in range(start, 30, 3))) for start in (0, 1, 2)]
    everybody = sorted(f"an{at}@a.example" for at in range(30))
    for first in (0, 7, 14, 28, 30):
        found = await search(*sources, first=first, count=7)
        assert [one.address for one in found.entries] == everybody[first : first + 7]
        assert found.total == 30


async def test_what_another_knows_of_whom_one_found() -> None:
    """The other one has him under a name that was not searched for."""
    known = Rich([entry("ann@a.example", "Somebody", phone="+1", company="Example")])
    found = Plain(entry("ann@a.example", "Ann", phone="+2"))
    assert (await search(found, known)).entries == (
        entry("ann@a.example", "Ann", phone="+2", company="Example"),
    )
    (first,) = (await MergedDirectories([known, found]).named(BEN, "ann", 9)).entries
    assert (first.name, first.phone) == ("Somebody", "+1")


async def test_details_of_all() -> None:
    one = Rich([], {"ann@a.example": b"1"}, {"all@a.example": [entry("ann@a.example")]})
    two = Rich(
        [], {"ann@a.example": b"2", "ben@a.example": b"3"}, {"all@a.example": [entry("ben@a.example")]}
    )
    both = MergedDirectories([Plain(), one, two])
    asked = ["ann@a.example", "ben@a.example"]
    assert await both.pictures(BEN, asked) == {"ann@a.example": b"1", "ben@a.example": b"3"}
    assert await both.certificates(BEN, asked) == {
        "ann@a.example": (b"1", b"both", b"2"), "ben@a.example": (b"3", b"both")
    }  # fmt: skip
    everybody = (entry("ann@a.example"), entry("ben@a.example"))
    assert await both.members(BEN, "all@a.example", 2) == Members(everybody)
    assert await both.members(BEN, "all@a.example", 1) == Members(everybody[:1], complete=False)
    assert await both.members(BEN, "none@a.example", 9) is None


async def test_one_that_cannot_be_asked() -> None:
    """Then none is believed, and nobody waits for the others."""
    hanging = Hanging()
    with pytest.raises(UpstreamError, match="away"):
        await search(Plain(entry("ann@a.example")), hanging, Failing())
    assert hanging.ended


async def test_the_total_counts_those_that_are_too_many_to_be_put_together() -> None:
    many = Plain(*(entry(f"many.{number:04}@a.example", f"Many {number:04}") for number in range(MOST + 200)))
    some = Plain(
        *(entry(f"many.{number:04}@a.example") for number in range(50)), entry("many.x@a.example", "X")
    )
    both = MergedDirectories([many, some])
    assert (await both.search(BEN, "many", 0, 3)).total == MOST + 1 + 200
    (last,) = (await both.search(BEN, "many", MOST, 3)).entries
    assert last.name == "X"
