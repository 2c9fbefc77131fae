"""The users of the gateway and their addresses."""

from __future__ import annotations

from datetime import timedelta

from gateway.ports.directory import Entry, Found
from gateway.store.people import StoredPeople
from gateway.types import UserId
from tests.ports.directory.conftest import ANYBODY, NOON

ANN, BEN = UserId("ann"), UserId("ben")
HOUR = timedelta(hours=1)


async def test_a_user_is_found_by_each_of_his_addresses(people: StoredPeople) -> None:
    await people.note_person(ANN, Entry("ann@a.example"), "rules", NOON)
    await people.note_person(ANN, Entry("Ann@B.example"), "rules", NOON)
    assert await people.users_at(["ANN@a.example"]) == [ANN]
    assert await people.users_at(["ann@b.example ", "ann@a.example"]) == [ANN]
    assert await people.users_at(["ann@c.example"]) == []
    assert await people.users_at([]) == []


async def test_users_who_share_an_address(people: StoredPeople) -> None:
    for user in (BEN, ANN):
        await people.note_person(user, Entry("info@a.example", "Office"), "rules", NOON)
    assert await people.users_at(["info@a.example"]) == [ANN, BEN]
    assert await people.search(ANYBODY, "info", 0, 9) == Found((Entry("info@a.example", "Office"),), 1)


async def test_the_newest_spelling_counts(people: StoredPeople) -> None:
    await people.note_person(ANN, Entry("ann@a.example", "ann"), "rules", NOON)
    await people.note_person(ANN, Entry("Ann@a.example", "Ann Archer"), "rules", NOON)
    assert await people.search(ANYBODY, "archer", 0, 9) == Found((Entry("Ann@a.example", "Ann Archer"),), 1)


async def test_other_rules_make_other_addresses(people: StoredPeople) -> None:
    await people.note_person(ANN, Entry("ann@a.example"), "old", NOON)
    await people.note_person(BEN, Entry("ben@a.example"), "old", NOON)
    await people.note_person(ANN, Entry("ann@b.example"), "new", NOON)
    assert await people.users_at(["ann@a.example"]) == []
    assert await people.users_at(["ann@b.example", "ben@a.example"]) == [ANN, BEN]
    await people.prune_people(NOON, "new")
    assert await people.users_at(["ann@b.example", "ben@a.example"]) == [ANN]


async def test_who_does_not_come_any_more_is_forgotten(people: StoredPeople) -> None:
    await people.note_person(ANN, Entry("ann@a.example"), "rules", NOON)
    await people.note_person(BEN, Entry("ben@a.example"), "rules", NOON)
    await people.note_person(BEN, Entry("ben@a.example"), "rules", NOON + HOUR)
    await people.prune_people(NOON + HOUR, "rules")
    assert await people.users_at(["ann@a.example", "ben@a.example"]) == [BEN]
