"""Reading in turns: nobody waits for all that came on the other connections."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable

import pytest

from gateway.upstream.imap.turns import Turns


@pytest.fixture(autouse=True)
def one_step_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.upstream.imap.turns.TURN", 0.0)


def _counting(name: str, times: int, told: list[str]) -> Callable[[], bool]:
    left = times

    def step() -> bool:
        nonlocal left
        left -= 1
        told.append(name)
        return left > 0

    return step


async def _drain(rounds: int) -> None:
    for _ in range(rounds):
        await asyncio.sleep(0)


async def test_those_who_wait_take_turns_and_others_come_in_between() -> None:
    told: list[str] = []
    turns = Turns.of(asyncio.get_running_loop())
    turns.take(_counting("a", 3, told))
    turns.take(_counting("b", 2, told))
    for _ in range(5):
        await asyncio.sleep(0)
        told.append("-")
    await _drain(3)
    assert told == ["a", "-", "b", "-", "a", "-", "b", "-", "a", "-"]


async def test_one_that_fails_keeps_nobody_waiting() -> None:
    told: list[str] = []
    failures: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: failures.append(context["exception"]))

    def broken() -> bool:
        raise ValueError

    turns = Turns.of(loop)
    turns.take(broken)
    turns.take(_counting("a", 2, told))
    await _drain(6)
    assert told == ["a", "a"]
    assert len(failures) == 1


async def test_who_comes_during_a_step_waits_like_the_others() -> None:
    told: list[str] = []
    turns = Turns.of(asyncio.get_running_loop())

    def inviting() -> bool:
        turns.take(_counting("late", 1, told))
        told.append("early")
        return False

    turns.take(inviting)
    await _drain(4)
    assert told == ["early", "late"]
    turns.take(_counting("again", 1, told))
    await _drain(2)
    assert told[-1] == "again"


async def test_a_loop_has_one_row_of_turns() -> None:
    loop = asyncio.get_running_loop()
    assert Turns.of(loop) is Turns.of(loop)


def test_a_loop_that_is_over_is_forgotten() -> None:
    async def used() -> weakref.ref[asyncio.AbstractEventLoop]:
        loop = asyncio.get_running_loop()
        Turns.of(loop).take(lambda: False)
        await _drain(2)
        return weakref.ref(loop)

    loop = asyncio.run(used())
    gc.collect()
    assert loop() is None
