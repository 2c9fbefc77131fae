"""Who sees whom in the address list, and whom a recipient as typed means."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.eas.addresslist import AddressList, Reach
from gateway.errors import Kind, NotFound, Refused
from gateway.ports.directory import Entry, Found
from gateway.store.sqlite import Database, SqlitePeople
from gateway.types import Password, Principal, UserId

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
ANN, ANNA = Entry("ann@a.example", "Ann"), Entry("anna@a.example", "Anna Archer")
FAR = Entry("ann@b.example", "Ann of B")


def viewer(address: str = "ben@A.example") -> Principal:
    return Principal(UserId("ben"), address, Password("ben", "secret"))


@pytest.fixture
async def people(tmp_path: Path) -> AsyncIterator[SqlitePeople]:
    async with await Database.open(tmp_path / "gateway.db") as database:
        made = SqlitePeople(database)
        for entry in (ANN, ANNA, FAR):
            await made.note_person(UserId(entry.address), entry, "rules", NOON)
        yield made


@pytest.mark.parametrize(
    ("reach", "who", "expected"),
    [
        (Reach.DOMAIN, viewer(), (ANN, ANNA)),
        (Reach.DOMAIN, viewer("ben@b.example"), (FAR,)),
        (Reach.DOMAIN, viewer("ben@example"), ()),
        (Reach.DOMAIN, viewer("ben"), ()),
        (Reach.DOMAIN, viewer("a.example"), ()),  # a login that is no address is in no domain
        (Reach.DOMAIN, viewer(""), ()),
        (Reach.ALL, viewer(""), (ANN, FAR, ANNA)),
    ],
)
async def test_who_is_listed(
    people: SqlitePeople, reach: Reach, who: Principal, expected: Sequence[Entry]
) -> None:
    listed = AddressList([people], people, listed=reach)
    assert (await listed.search(who, "ann", 0, 9)).entries == tuple(expected)
    assert (await listed.resolve(who, "anna a", 9)).entries == tuple(one for one in expected if one == ANNA)


async def test_more_than_anybody_types(people: SqlitePeople) -> None:
    """A filter is made of it, and read by the directory: for a megabyte both take a very long time."""
    listed = AddressList([people], people)
    assert await listed.search(viewer(), "a" * 256, 0, 9) == Found()
    with pytest.raises(Refused) as refused:
        await listed.search(viewer(), "ann " * 65, 0, 9)
    assert refused.value.kind is Kind.INVALID_CONTENT


async def test_no_list(people: SqlitePeople) -> None:
    none = AddressList([people], people, listed=Reach.NONE)
    with pytest.raises(NotFound):
        await none.search(viewer(), "ann", 0, 9)
    assert await none.resolve(viewer(), ANN.address, 9) == Found()


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("ANN@a.example", (ANN,)),
        ('"Somebody else" <ann@a.example>', (ANN,)),
        ("ann", (ANN,)),  # the whole name is hers alone
        ("an", (ANN, ANNA)),
        ("anna archer", (ANNA,)),
        ("archer", (ANNA,)),
        ("a", ()),
        ("ann@a", ()),  # an address that only begins like another is another
        ("ann@b.example", ()),
    ],
)
async def test_what_is_typed(people: SqlitePeople, typed: str, expected: Sequence[Entry]) -> None:
    listed = AddressList([people], people)
    assert await listed.resolve(viewer(), typed, 9) == Found(tuple(expected), len(expected))


@pytest.mark.parametrize(
    ("reach", "near", "far"),
    [
        (Reach.DOMAIN, ["ann@a.example"], []),
        (Reach.ALL, ["ann@a.example"], ["ann@b.example"]),
        (Reach.NONE, [], []),
    ],
)
async def test_of_whom_one_may_know(
    people: SqlitePeople, reach: Reach, near: list[str], far: list[str]
) -> None:
    listed = AddressList([people], people, listed=Reach.NONE, free_busy=reach)
    assert list(await listed.users_at(viewer(), "Ann@A.example")) == near
    assert list(await listed.users_at(viewer(), "ann@b.example")) == far
    behind = await listed.user_behind(viewer(), "Ann <ann@b.example>")
    assert behind == (Entry("ann@b.example") if far else None)
    assert await listed.user_behind(viewer(), "ann") is None
    assert await listed.user_behind(viewer(), "nobody@a.example") is None
