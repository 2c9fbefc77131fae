"""Groups of directories: asked when a user comes, believed for a while, and as long as nobody answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.eas.admission import AccessRule, Admission
from gateway.eas.identity import Identity
from gateway.eas.memberships import LearnedGroups
from gateway.errors import Refused, UpstreamUnavailable
from gateway.groups import Groups
from gateway.policies import Policies, Policy
from gateway.ports.directory import Viewer
from gateway.store.sqlite import SqliteState
from gateway.sync.background import Background
from gateway.types import Access, Device, DeviceId, UserId

ANNA = Identity().principal("Anna@example.com", "secret")
BERT = Identity(email="{user}@example.com").principal("Bert", "secret")
AGE = timedelta(minutes=10)


class World:
    """A directory that says who is in which groups, or does not answer; and the clock."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
        self.groups: dict[str, set[str]] = {}
        self.away = False
        self.asked: list[tuple[set[str], str]] = []

    def now(self) -> datetime:
        return self.moment

    async def groups_of(self, _: Viewer, addresses: Collection[str], alias: str) -> frozenset[str]:
        self.asked.append((set(addresses), alias))
        if self.away:
            raise UpstreamUnavailable("no LDAP server can be asked")
        return frozenset().union(*(self.groups.get(one, set()) for one in addresses))


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[SqliteState]:
    async with await SqliteState.open(tmp_path / "gateway.db") as opened:
        yield opened


def admission(*groups: str) -> Admission:
    """Policies for groups, of which `own` is of the configuration."""
    policies = tuple(Policy(name, groups=(name,)) for name in (*groups, "own"))
    rules = (AccessRule(Access.QUARANTINE, group="CN=Guests, DC=example"),)
    named = Groups({"own": ("anna@*",)})
    return Admission(Policies(policies, named), rules=rules, barred_groups=("Leavers",))


def learning(world: World, state: SqliteState, decided: Admission) -> LearnedGroups:
    names = decided.directory_groups
    return LearnedGroups(decided.policies.groups, names, state, world, Background(), sources=[world], age=AGE)


def policy_of(decided: Admission, user: UserId) -> str:
    return decided.policy_of(Device(user, DeviceId("D1"), "Phone")).name


async def test_what_is_demanded_of_a_group_does_not_get_lost_with_the_directory(state: SqliteState) -> None:
    world, decided = World(), admission("board")
    assert decided.directory_groups == {"board", "leavers", "cn=guests,dc=example"}
    groups = learning(world, state, decided)
    world.groups = {"anna@example.com": {"board", "cn=guests,dc=example", "others"}}
    await groups.learn(ANNA)
    await groups.learn(BERT)
    assert world.asked == [({"anna@example.com"}, ""), ({"bert@example.com"}, "bert")]
    assert (policy_of(decided, ANNA.user), policy_of(decided, BERT.user)) == ("board", "none")
    assert decided.access_of(Device(ANNA.user, DeviceId("D1"), "Phone")) is Access.QUARANTINE
    await groups.learn(ANNA)
    assert len(world.asked) == 2, "an answer counts for a while"
    world.away = True
    world.moment += AGE
    await groups.learn(ANNA)
    await groups.learn(ANNA)
    assert len(world.asked) == 3, "who does not answer is not asked by every request"
    # After a restart too; and nobody gets in of whom nothing was ever said.
    decided = admission("board")
    groups = learning(world, state, decided)
    await groups.learn(ANNA)
    assert policy_of(decided, ANNA.user) == "board"
    with pytest.raises(UpstreamUnavailable):
        await groups.learn(Identity().principal("carl@example.com", "secret"))
    # Nor is one believed to be outside of a group that nobody was asked for then.
    decided = admission("board", "sales")
    with pytest.raises(UpstreamUnavailable):
        await learning(world, state, decided).learn(ANNA)
    world.away, world.groups = False, {"anna@example.com": {"leavers"}}
    world.moment += AGE
    await (groups := learning(world, state, decided)).learn(ANNA)
    assert policy_of(decided, ANNA.user) == "own"
    with pytest.raises(Refused):
        decided.check_user(ANNA.user)
    # Whoever looks at devices asks nobody.
    seen = admission("board", "sales")
    asked = len(world.asked)
    await learning(world, state, seen).recall()
    with pytest.raises(Refused):
        seen.check_user(ANNA.user)
    assert len(world.asked) == asked


@pytest.mark.parametrize("restarted", [False, True])
async def test_what_was_told_by_a_clock_that_was_ahead_does_not_count_for_ever(
    state: SqliteState, restarted: bool
) -> None:
    world, decided = World(), admission()
    groups = learning(world, state, decided)
    world.moment += timedelta(days=365)
    await groups.learn(ANNA)
    decided.check_user(ANNA.user)
    world.moment -= timedelta(days=365)
    if restarted:
        decided = admission()
        groups = learning(world, state, decided)
    world.groups = {"anna@example.com": {"leavers"}}
    for _ in range(2):
        await groups.learn(ANNA)
        with pytest.raises(Refused):
            decided.check_user(ANNA.user)
    assert len(world.asked) == 2


async def test_only_who_waits_is_told_of_other_groups(state: SqliteState) -> None:
    world, decided = World(), admission("board")
    groups, told = learning(world, state, decided), list[str]()
    await groups.learn(ANNA)
    ends = [groups.watch(ANNA, partial(told.append, name)) for name in ("first", "second")]
    groups.watch(BERT, partial(told.append, "other"))
    ends[0]()
    world.moment += AGE
    await groups.learn(ANNA)
    assert told == []
    for found in ({"board"}, set[str]()):
        world.groups = {"anna@example.com": found}
        world.moment += AGE
        await groups.learn(ANNA)
        assert told == ["second"]
        ends[1]()


async def test_all_that_wait_for_a_user_are_looked_after_at_once_when_it_is_time(
    state: SqliteState, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, decided = World(), admission("board")
    groups = learning(world, state, decided)
    await groups.learn(ANNA)
    world.moment += AGE / 4
    loop, timers = asyncio.get_running_loop(), list[float]()
    later = loop.call_later

    def call_later(seconds: float, *args: Any) -> asyncio.TimerHandle:
        timers.append(seconds)
        return later(seconds, *args)

    monkeypatch.setattr(loop, "call_later", call_later)
    ends = [groups.watch(ANNA, print) for _ in range(3)]
    assert timers == [(AGE * 3 / 4).total_seconds()]
    for end in ends:
        end()


async def test_without_groups_of_directories_nobody_is_asked(state: SqliteState) -> None:
    world = World()
    groups = LearnedGroups(Groups(), (), state, world, Background(), sources=[world], age=AGE)
    await groups.learn(ANNA)
    await groups.recall()
    assert not world.asked
