"""The newest request of a device, on one process and on several."""

from __future__ import annotations

from gateway.ports import Subject
from gateway.sync.waiter import Signal
from gateway.types import DeviceId, UserId
from gateway.web.newest import Asked, Newest
from tests.support.buses import Line

ANNA = UserId("anna@example.com")
PING, SYNC = (Asked(ANNA, DeviceId("PHONE"), command) for command in ("Ping", "Sync"))
OTHER = Asked(ANNA, DeviceId("TABLET"), "Ping")


def begun(at: Newest, asked: Asked, *, waits: bool = True) -> Signal:
    superseded = Signal()
    at.begin(asked, superseded)
    if waits:
        at.holds(asked)
    return superseded


def test_a_newer_one_ends_the_waiting_wherever() -> None:
    processes = [Newest(end) for end in Line.ends(3)]
    for asked in (PING, SYNC):
        held = begun(processes[0], asked)
        untouched = begun(processes[1], OTHER)
        for at in (0, 1, 2, 0, 2, 2):
            newer = begun(processes[at], asked)
            assert held.is_set()
            held = newer
            assert not held.is_set()
        assert not untouched.is_set()


def test_a_sync_that_does_not_wait_ends_one_that_does() -> None:
    here, there = (Newest(end) for end in Line.ends(2))
    for _ in range(2):
        held = begun(here, SYNC)
        newer = begun(there, SYNC, waits=False)
        assert held.is_set()
        assert not newer.is_set()


def test_a_device_that_keeps_to_a_process_is_told_of_once() -> None:
    ends = Line.ends(2)
    here, there = (Newest(end) for end in ends)
    for asked in (PING, SYNC):
        for _ in range(10):
            here.end(asked, begun(here, asked))
    assert len(ends[0].said) == 2
    # Nothing is said of a Sync that never waits.
    for _ in range(10):
        begun(there, Asked(ANNA, DeviceId("TABLET"), "Sync"), waits=False)
    assert ends[1].said == []


def test_who_was_cut_off_tells_again() -> None:
    ends = Line.ends(2)
    here, there = (Newest(end) for end in ends)
    begun(here, PING)
    ends[0].others, ends[1].others = [], []
    held = begun(there, PING)
    ends[0].others, ends[1].others = [ends[1]], [ends[0]]
    for end in ends:
        end.tell(Subject.REQUESTS, "")
    begun(here, PING)
    assert held.is_set()


def test_what_is_decided_of_a_device_ends_what_it_waits_for() -> None:
    (end,) = Line.ends(1)
    here = Newest(end)
    asked = begun(here, PING), begun(here, SYNC), begun(here, OTHER)
    here.interrupt(ANNA, PING.device)
    assert [one.is_set() for one in asked] == [True, True, False]
    here.interrupt(ANNA)
    assert asked[2].is_set()
