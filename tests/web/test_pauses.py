"""Pauses between attempts: how they grow and fade, and that they take no more memory than they may."""

from __future__ import annotations

import pytest

from gateway.web import pauses
from gateway.web.pauses import Pauses


class Clock:
    """The time, set by the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(pauses, "_now", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def make(*, longest: float = 10, allowed: int = 0, capacity: int = 100) -> Pauses:
    return Pauses(longest, allowed=allowed, recovery=100, capacity=capacity)


def fail(made: Pauses, clock: Clock, source: str = "a") -> float:
    """Wait as long as told, and fail; returns the wait."""
    delay = made.delay(source)
    made.reserve(source, delay)
    clock.now += delay
    made.lengthen(source)
    return delay


def test_pauses_double_up_to_the_longest(clock: Clock) -> None:
    made = make()
    waits = [fail(made, clock) for _ in range(9)]
    assert waits[0] == 0
    assert waits[1:6] == pytest.approx([0.5, 1, 2, 4, 8], rel=0.15)
    assert waits[6:] == [10, 10, 10]


def test_some_failures_are_free(clock: Clock) -> None:
    made = make(allowed=3)
    assert [fail(made, clock) for _ in range(4)] == [0, 0, 0, 0]
    assert fail(made, clock) == 0.5


def test_attempts_that_come_together_are_put_one_behind_the_other(clock: Clock) -> None:
    made = make()
    fail(made, clock)
    delays = []
    for _ in range(3):
        delays.append(made.delay("a"))
        made.reserve("a", delays[-1])
    assert delays == [0.5, 1.0, 1.5]


def test_failures_fade(clock: Clock) -> None:
    made = make()
    for _ in range(20):
        fail(made, clock)
    clock.now += 10
    assert made.delay("a") == 0
    clock.now += 400
    fail(made, clock)
    assert made.delay("a") < 10
    clock.now += 1000
    assert made.delay("a") == 0
    assert len(made) == 0


def test_sources_are_apart_and_can_be_forgotten(clock: Clock) -> None:
    made = make()
    fail(made, clock)
    assert made.delay("b") == 0
    made.end("a")
    assert made.delay("a") == 0
    assert len(made) == 0


def test_the_source_that_failed_longest_ago_is_forgotten_first(clock: Clock) -> None:
    made = make(capacity=3)
    for source in ("a", "b", "c", "a", "d"):
        fail(made, clock, source)
    assert len(made) == 3
    assert made.delay("b") == 0
    assert made.delay("a") > 0
