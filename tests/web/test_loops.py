"""Loops that are too slow to use a budget up, with a clock to set; and what honest phones do beside them."""

from __future__ import annotations

import pytest

from gateway.types import DeviceId, UserId
from gateway.web import loops
from gateway.web.loops import Loops, Turn, tells
from wbxml import Element, element
from wbxml.pages import AirSync, FolderHierarchy

JO, PHONE = UserId("jo"), DeviceId("PHONE")
TURNS, SECONDS = 60, 300


class Clock:
    """Seconds, as the event loop has them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(loops, "_now", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


class Asking:
    """A phone whose requests take no time unless they are held, and how often it was put off."""

    def __init__(self, clock: Clock, turns: int = TURNS) -> None:
        self.loops = Loops(turns, SECONDS)
        self.clock = clock
        self.served = 0
        self.reasons: list[str] = []

    def ask(self, command: str, says: object, *, news: bool = False, held: float = 0.0) -> bool:
        """One request; whether it was served."""
        seconds, reason = self.loops.wait(JO, PHONE, command)
        if seconds:
            self.reasons.append(reason)
            return False
        self.clock.now += held
        self.loops.note(JO, PHONE, Turn(command, hash((command, says)), held, news))
        self.served += 1
        return True


def test_a_slow_loop_of_pings_and_syncs_is_put_off_longer_and_longer(clock: Clock) -> None:
    """A request every two seconds: half an hour of it would use up a thirtieth of the budget."""
    phone = Asking(clock)
    for _ in range(450):
        phone.ask("Ping", "inbox")
        clock.now += 2
        phone.ask("Sync", "key 5")
        clock.now += 2
    assert SECONDS / 2 <= phone.served < 400
    told = [reason for reason in phone.reasons if reason]
    assert 3 <= len(told) <= 6  # once for each pause
    assert "again and again" in told[0]
    assert phone.ask("SendMail", "a mail")  # what is no loop is served all the time
    assert phone.loops.wait(JO, DeviceId("TABLET"), "Ping") == (0.0, "")


def test_pauses_grow_and_news_end_them(clock: Clock) -> None:
    phone = Asking(clock)

    def looped() -> float:
        while phone.ask("Ping", "inbox"):
            clock.now += 1
        clock.now -= 1
        return phone.loops.wait(JO, PHONE, "Ping")[0]

    pauses = []
    for _ in range(7):
        pauses.append(round(looped()))
        clock.now += pauses[-1]
    assert pauses == [30, 60, 120, 240, 480, 900, 900]
    assert looped() > 800
    phone.loops.note(JO, PHONE, Turn("FolderSync", 1, 0.0, news=True))
    assert phone.ask("Ping", "inbox")
    assert round(looped()) == 30


def test_the_same_answer_again_and_again_is_no_news(clock: Clock) -> None:
    """A phone that cannot take an answer asks with the key it has, for ever."""
    phone = Asking(clock)
    while phone.ask("Sync", "key 5", news=True):
        clock.now += 3
    assert TURNS < phone.served < 2 * TURNS


def test_who_measures_for_some_minutes_is_served_and_who_goes_on_is_not(clock: Clock) -> None:
    phone = Asking(clock)
    for _ in range(3):
        for _ in range(20_000):
            assert phone.ask("Sync", "key 5")
            clock.now += 0.01
        clock.now += 60
    while phone.ask("Sync", "key 5"):
        clock.now += 0.5
    assert clock.now > 1000 + 3 * 260 + SECONDS


def test_no_bound(clock: Clock) -> None:
    phone = Asking(clock, turns=0)
    assert all(phone.ask("Ping", "inbox") for _ in range(1000))


def test_honest_phones_are_served(clock: Clock) -> None:
    phone = Asking(clock)
    for key in range(1000):  # a first synchronisation, window by window
        assert phone.ask("Sync", f"key {key}", news=True)
        clock.now += 0.05
    for key in range(1000):  # mails deleted one by one: there is nothing to be told
        assert phone.ask("Sync", f"delete with key {key}")
        clock.now += 0.05
    for mail in range(500):  # mails that come in while it looks
        assert phone.ask("Ping", "inbox")
        assert phone.ask("Sync", f"key of mail {mail}", news=True)
    for _ in range(300):  # nothing happens, hour after hour
        assert phone.ask("Ping", "inbox", held=480)
    for _ in range(20):  # somebody pulls the list down, and does not believe it
        for folder in range(30):
            assert phone.ask("Sync", f"folder {folder}, as it was")
        clock.now += 31
    for _ in range(40):  # a network that loses answers
        assert phone.ask("Sync", "key 7")
        clock.now += 5
    for _ in range(20):  # several hundred folders, looked at each quarter of an hour
        for folder in range(400):
            assert phone.ask("Sync", f"folder {folder}")
        clock.now += 900
    assert not phone.reasons


def test_only_so_many_devices_are_known(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "_CAPACITY", 3)
    held = Loops(TURNS, SECONDS)
    for number in range(10):
        held.note(JO, DeviceId(str(number)), Turn("Ping", 1, 0.0, news=False))
    assert len(held._devices) == 3


def _sync(*collection: Element) -> Element:
    return element(
        AirSync.Sync,
        element(AirSync.Collections, element(AirSync.Collection, element(AirSync.SyncKey, "1"), *collection)),
    )


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (None, False),
        (_sync(), False),
        (_sync(element(AirSync.Commands, element(AirSync.Delete))), True),
        (_sync(element(AirSync.Responses, element(AirSync.Add))), True),
        (element(AirSync.Sync, element(AirSync.Status, 13)), False),
        (
            element(
                FolderHierarchy.FolderSync,
                element(FolderHierarchy.Changes, element(FolderHierarchy.Count, 0)),
            ),
            False,
        ),
        (
            element(
                FolderHierarchy.FolderSync,
                element(
                    FolderHierarchy.Changes,
                    element(FolderHierarchy.Count, 1),
                    element(FolderHierarchy.Delete),
                ),
            ),
            True,
        ),
    ],
)
def test_what_brings_a_phone_forward(reply: Element | None, expected: bool) -> None:
    assert tells(reply) is expected
