"""Budgets of devices and users, with a clock to set."""

from __future__ import annotations

import pytest

from gateway.types import DeviceId, UserId
from gateway.web import brakes, loops
from gateway.web.brakes import Brakes, Budget
from gateway.web.loops import Loops, Turn
from tests.support.buses import Line

JO, ANN = UserId("jo"), UserId("ann")
PHONE, TABLET = DeviceId("PHONE"), DeviceId("TABLET")
NONE = Budget(0, 0)
NO_LOOPS = Loops(0, 0)


class Clock:
    """Seconds, as the event loop has them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(brakes, "_now", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def served(held: Brakes, count: int, device: DeviceId = PHONE, user: UserId = JO) -> int:
    """How many of so many requests may be made."""
    return sum(held.wait(user, device, "A/1", "Sync")[0] == 0 for _ in range(count))


def test_a_device_that_asks_without_end_is_slowed_and_named_once(clock: Clock) -> None:
    held = Brakes(Budget(100, 3600), NONE, NO_LOOPS)
    assert served(held, 100) == 100
    assert held.wait(JO, PHONE, "A/1", "Sync") == (30, "it asks without end")
    assert held.wait(JO, PHONE, "A/1", "Sync") == (30, "")
    assert served(held, 10, TABLET) == 10  # another one
    assert served(held, 10, user=ANN) == 10  # of the same id
    clock.now += 5
    assert served(held, 10) == 5  # one a second
    assert held.slowed == 7


def test_a_storm_after_a_rest_is_named_again(clock: Clock) -> None:
    held = Brakes(Budget(10, 3600), NONE, NO_LOOPS)
    served(held, 11)
    clock.now += 60
    assert served(held, 10) == 10
    assert held.wait(JO, PHONE, "A/1", "Sync")[1]


def test_how_long_to_wait(clock: Clock) -> None:
    held = Brakes(Budget(1, 36), NONE, NO_LOOPS)  # one in 100 seconds
    served(held, 1)
    assert held.wait(JO, PHONE, "", "Sync")[0] == 100
    clock.now += 90
    assert held.wait(JO, PHONE, "", "Sync")[0] == 30  # at least


def test_what_leads_to_nothing_costs_more(clock: Clock) -> None:
    held = Brakes(Budget(100, 3600), NONE, NO_LOOPS)
    held.failed(JO, PHONE)  # not known yet
    for _ in range(10):
        assert held.wait(JO, PHONE, "", "Sync")[0] == 0
        held.failed(JO, PHONE)
    assert held.wait(JO, PHONE, "", "Sync")[0]
    assert served(held, 1, TABLET) == 1
    unbound = Brakes(NONE, NONE, NO_LOOPS)
    for _ in range(1000):
        assert unbound.wait(JO, PHONE, "", "Sync")[0] == 0
        unbound.failed(JO, PHONE)


def test_all_devices_of_a_user(clock: Clock) -> None:
    held = Brakes(NONE, Budget(10, 3600), NO_LOOPS)
    assert sum(served(held, 3, DeviceId(f"D{number}")) for number in range(5)) == 10
    assert held.wait(JO, PHONE, "", "Sync") == (30, "")
    assert served(held, 10, user=ANN) == 10


@pytest.mark.parametrize("budget", [NONE, Budget(0, 5), Budget(5, 0)])
def test_without_bound(clock: Clock, budget: Budget) -> None:
    assert served(Brakes(budget, budget, NO_LOOPS), 1000) == 1000


def test_a_device_that_changes_its_name_all_the_time(clock: Clock) -> None:
    held = Brakes(NONE, NONE, NO_LOOPS)
    waits = [held.wait(JO, PHONE, f"A/{number}", "Sync") for number in range(13)]
    assert [seconds for seconds, _ in waits] == [0] * 10 + [3600] * 3
    assert [reason for _, reason in waits[10:12]] == ["its User-Agent changes all the time", ""]
    clock.now += 3601
    assert held.wait(JO, PHONE, "A/12", "Sync")[0] == 0
    # A second storm is named again.
    waits = [held.wait(JO, PHONE, f"C/{number}", "Sync") for number in range(13)]
    assert "its User-Agent changes all the time" in [reason for _, reason in waits]
    clock.now += 3601
    # Two phones that share an id, or two programs on one, are none.
    for number in range(100):
        clock.now += 1
        assert held.wait(JO, PHONE, f"B/{number % 2}", "Sync")[0] == 0
    clock.now += 3601
    # An update now and then is none.
    for number in range(100):
        clock.now += 3600
        assert held.wait(JO, PHONE, f"B/{number}", "Sync")[0] == 0


def test_only_so_many_are_known(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brakes, "_CAPACITY", 3)
    held = Brakes(Budget(1, 1), Budget(1, 1), NO_LOOPS)
    for number in range(10):
        held.wait(UserId(f"u{number}"), PHONE, "", "Sync")
    assert len(held._devices) == len(held._users) == 3
    assert held.wait(UserId("u0"), PHONE, "", "Sync")[0] == 0
    assert held.wait(UserId("u9"), PHONE, "", "Sync")[0] > 0


@pytest.mark.parametrize("kind", ["device", "user"])
def test_a_budget_is_one_for_all_processes(clock: Clock, kind: str) -> None:
    """But for a tenth of it at each."""
    rate = Budget(1000, 3600)
    budgets = (rate, NONE) if kind == "device" else (NONE, rate)
    ends = Line.ends(4)
    processes = [Brakes(*budgets, NO_LOOPS, end) for end in ends]

    def spread(rounds: int) -> int:
        return sum(served(one, 1) for _ in range(rounds) for one in processes)

    assert 1000 <= spread(500) <= 1400
    for _ in range(60):  # as much as is got back, and hardly more
        clock.now += 10
        assert spread(1) <= 4
    clock.now += 10_000
    assert 1000 <= spread(500) <= 1400


def test_a_device_that_asks_no_more_than_it_gets_back_is_not_told_of(clock: Clock) -> None:
    (end,) = Line.ends(1)
    held = Brakes(Budget(100, 3600), Budget(100, 3600), NO_LOOPS, end)
    for _ in range(1000):
        clock.now += 1
        assert served(held, 1, DeviceId(""))
    assert end.said == []


def test_a_loop_is_told_to_the_other_processes(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "_now", lambda: clock.now)
    here, there = (Brakes(NONE, NONE, Loops(10, 0), end) for end in Line.ends(2))
    for _ in range(20):
        here.answered(JO, PHONE, Turn("Ping", 1, 0.0, news=False))
    assert here.wait(JO, PHONE, "A/1", "Ping")[0] >= 30
    assert there.wait(JO, PHONE, "A/1", "Ping") == (30, "")
    assert there.wait(JO, TABLET, "A/1", "Ping") == (0, "")
