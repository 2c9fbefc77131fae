"""Users are noted as they come: once a day, if they have an address, never at the cost of a request."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from gateway.eas.identity import Identity
from gateway.errors import GatewayError
from gateway.ports.directory import Entry
from gateway.types import UserId
from gateway.web import presence
from gateway.web.presence import Presence
from tests.web.support import Site

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
IDENTITY = Identity(login="{local}", name="{local}\n of {domain}")


@dataclass
class Recorder:
    """Remembers what is noted; `broken` as a store is with a full disk."""

    noted: list[tuple[UserId, Entry, str]] = field(default_factory=list)
    broken: bool = False

    async def note_person(self, user: UserId, entry: Entry, rules: str, now: datetime) -> None:
        if self.broken:
            raise GatewayError("disk full")
        del now
        self.noted.append((user, entry, rules))

    async def users_at(self, addresses: Collection[str]) -> list[UserId]:
        raise NotImplementedError

    async def prune_people(self, before: datetime, rules: str) -> None:
        raise NotImplementedError


@dataclass
class Clock:
    """A clock that the test sets."""

    moment: datetime = NOON

    def now(self) -> datetime:
        return self.moment


async def test_once_a_day_and_when_something_is_new() -> None:
    people, clock = Recorder(), Clock()
    seen = Presence(people, IDENTITY, clock)
    for login in ("Ann@a.example", "Ann@a.example", "ann@b.example", "Ann@a.example"):
        await seen.note(IDENTITY.principal(login, "secret"))
    assert people.noted == [
        (UserId("ann"), Entry("Ann@a.example", "Ann of a.example"), "{local} {user}"),
        (UserId("ann"), Entry("ann@b.example", "ann of b.example"), "{local} {user}"),
    ]
    clock.moment += timedelta(days=1)
    await seen.note(IDENTITY.principal("Ann@a.example", "secret"))
    assert len(people.noted) == 3


@pytest.mark.parametrize(
    "login",
    ["ann", "ann @a.example", "<ann@a.example>", "ann@", "@a.example", "a@b@c", "x" * 65 + "@a.example"],
)
async def test_a_login_that_makes_no_address(login: str) -> None:
    people = Recorder()
    await Presence(people, IDENTITY, Clock()).note(IDENTITY.principal(login, "secret"))
    assert people.noted == []


async def test_what_cannot_be_noted_is_tried_again() -> None:
    people = Recorder(broken=True)
    seen = Presence(people, IDENTITY, Clock())
    principal = IDENTITY.principal("ann@a.example", "secret")
    await seen.note(principal)
    people.broken = False
    await seen.note(principal)
    assert len(people.noted) == 1


async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "_CAPACITY", 2)
    people = Recorder()
    seen = Presence(people, IDENTITY, Clock())
    for name in ("a", "b", "c", "a"):
        await seen.note(IDENTITY.principal(f"{name}@a.example", "secret"))
    assert [user for user, _, _ in people.noted] == ["a", "b", "c", "a"]


async def test_who_sends_a_request_is_found(site: Site) -> None:
    await site.post("Sync", headers={"Authorization": ""})
    assert await site.people.users_at(["jo@example.com"]) == []
    await site.post("Sync")
    assert await site.people.users_at(["jo@example.com"]) == ["jo"]
