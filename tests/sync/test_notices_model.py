"""Notices against a model: whatever servers say and wherever it breaks off, each is told once, in order."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.store.sqlite import Database
from tests.support.killed import Fuse, Killed
from tests.sync.test_notices import World, about

PEOPLE = [f"{name}@example.test" for name in ("ann", "cid", "dan", "eve")]
SOME = st.lists(st.sampled_from(PEOPLE), min_size=1, unique=True)
NOTICES = st.lists(st.tuples(st.sampled_from(["monday", "friday"]), SOME), min_size=1, max_size=5)
ROUNDS = st.lists(
    st.tuples(
        st.frozensets(st.sampled_from(PEOPLE)),  # who is refused for now
        st.sampled_from([1, 2, 3, 1000]),  # recipients taken at once
        st.booleans(),  # whether copies are lost
        st.integers(0, 25),  # where the process dies, if it does
    ),
    max_size=4,
)


@settings(max_examples=25, deadline=None)
@given(NOTICES, ROUNDS, st.frozensets(st.sampled_from(PEOPLE), max_size=1))
def test_everybody_is_told_once_and_in_order(
    notices: list[tuple[str, list[str]]],
    rounds: list[tuple[frozenset[str], int, bool, int]],
    refused: frozenset[str],
) -> None:
    asyncio.run(play(notices, rounds, refused))


async def play(
    notices: list[tuple[str, list[str]]],
    rounds: list[tuple[frozenset[str], int, bool, int]],
    refused: frozenset[str],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with await Database.open(Path(folder) / "gateway.db") as database:
            world = World(database)
            world.server.refused = refused
            known = [about(event, f"n{number}", *people) for number, (event, people) in enumerate(notices)]
            twice = 0
            for at, one in enumerate(known):
                await world.store(one)
                if at < len(rounds):
                    twice += await broken(world, rounds[at])
            for how in rounds[len(known) :]:
                twice += await broken(world, how)
            world.server.busy, world.server.at_once, world.server.lose_copies = frozenset(), 1000, False
            world.begin_anew()
            assert await world.mail()
            assert await world.pending() == []
            judge(world, notices, refused, twice)


async def broken(world: World, how: tuple[frozenset[str], int, bool, int]) -> int:
    """A round in which not all goes well; returns how many messages may come twice by that."""
    world.server.busy, world.server.at_once, world.server.lose_copies, moment = how
    fuse = Fuse(moment)
    with pytest.MonkeyPatch.context() as patch:
        fuse.put(
            patch, world.items, "note_attempt", "note_told", "split_notice", "drop_notice", "next_notice"
        )
        fuse.put(patch, world.state, "begin_send", "mark_send")
        with suppress(Killed):
            await world.mail()
    world.begin_anew()
    world.clock.time += timedelta(minutes=1)
    return fuse.last == "mark_send"


def judge(world: World, notices: list[tuple[str, list[str]]], refused: frozenset[str], twice: int) -> None:
    came = [
        (int(subject[1:]), names)
        for (names, _), subject in zip(world.server.taken, world.server.subjects, strict=True)
    ]
    told = [(number, name) for number, names in came for name in names]
    wanted = {(number, name) for number, (_, people) in enumerate(notices) for name in people} - {
        (number, name) for number in range(len(notices)) for name in refused
    }
    assert set(told) == wanted
    # Only where it died between the server's answer and the note of it.
    assert len(came) - len(set(came)) <= twice
    for name in PEOPLE:
        for event in ("monday", "friday"):
            numbers = [number for number, one in told if one == name and notices[number][0] == event]
            assert numbers == sorted(numbers)
    assert sorted(world.server.named("Sent")) == sorted({f"n{number}" for number, _ in wanted})
