"""Checking credentials: what is asked upstream, and the pause that wrong passwords earn."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count

import pytest

from gateway.eas.identity import Identity
from gateway.errors import AuthenticationFailed, UpstreamUnavailable
from gateway.web import pauses
from gateway.web.auth import Authentication, Throttled
from tests.support.buses import Line
from tests.web.support import PASSWORD, Users

HOME, AWAY = "192.0.2.1", "198.51.100.9"


def header(password: str = PASSWORD, user: str = "Jo") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def users() -> Users:
    return Users()


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.fixture(autouse=True)
async def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop's time stands still while something is done, and jumps when everything waits.

    So pauses are as long as they are meant to be, however busy the machine, and cost nothing.
    """
    loop = asyncio.get_running_loop()
    assert isinstance(loop, asyncio.SelectorEventLoop)
    selector = loop._selector  # type: ignore[attr-defined]  # what the loop sleeps in
    select, jumped = selector.select, loop.time()

    def jump(seconds: float | None) -> object:
        nonlocal jumped
        found = select(seconds if seconds is None else 0)
        if not found and seconds:
            jumped += seconds
        return found

    monkeypatch.setattr(loop, "time", lambda: jumped)
    monkeypatch.setattr(selector, "select", jump)


def make(users: Users, max_delay: float = 2.0) -> Authentication:
    return Authentication(users, Identity(), max_delay=max_delay)


async def fail(
    authentication: Authentication,
    address: str = HOME,
    *,
    password: str = "wrong",
    user: str = "Jo",
    device: str = "",
    shared: bool = False,
) -> float:
    """Try a wrong password; returns how many seconds that took."""
    began = now()
    with pytest.raises(AuthenticationFailed):
        await authentication.login(header(password, user), address, device, shared=shared)
    return now() - began


async def succeed(authentication: Authentication, address: str = HOME, device: str = "") -> float:
    """Log in; returns how many seconds that took."""
    began = now()
    await authentication.login(header(), address, device)
    return now() - began


async def throttled(authentication: Authentication, sent: str, device: str, address: str = HOME) -> int:
    """Send five attempts at once; returns how many are not taken on."""
    attempts = [authentication.login(sent, address, device) for _ in range(5)]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    return sum(isinstance(outcome, Throttled) for outcome in outcomes)


@asynccontextmanager
async def guessing(authentication: Authentication, address: str = HOME) -> AsyncIterator[None]:
    """More guesses than are taken on, without an end."""

    async def guess() -> None:
        for number in count():
            with suppress(AuthenticationFailed, Throttled):
                await authentication.login(header(f"old {number % 2}"), address, "other")
            await asyncio.sleep(0.01)

    tasks = [asyncio.create_task(guess()) for _ in range(3)]
    try:
        await asyncio.sleep(0.3)
        assert await throttled(authentication, header("guess"), "guess", address) >= 3
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_pause_is_never_too_long_by_rounding(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    """Next to a clock that stands still for a while, whatever it shows: `(clock + 0.1) - clock > 0.1`."""
    for number in range(100):
        monkeypatch.setattr(pauses, "_now", lambda: 1000.7 * number)  # noqa: B023
        authentication = make(users, max_delay=0.1)
        await fail(authentication)
        await fail(authentication)


async def test_the_pause_grows_and_a_success_ends_it(users: Users) -> None:
    authentication = make(users, max_delay=0.6)
    assert await fail(authentication) < 0.2
    assert 0.4 < await fail(authentication) < 0.6
    assert 0.5 < await fail(authentication) < 0.8  # never more than max_delay
    began = now()
    await authentication.login(header(), HOME)
    assert 0.5 < now() - began < 0.8
    assert await fail(authentication) < 0.2


async def test_others_do_not_wait(users: Users) -> None:
    authentication = make(users)
    await fail(authentication)
    began = now()
    await authentication.login(header(), AWAY)
    with pytest.raises(AuthenticationFailed):
        await authentication.login(header("wrong", "al"), HOME)
    assert now() - began < 0.2


async def test_parallel_guesses_queue_and_the_queue_is_bounded(users: Users) -> None:
    authentication = make(users, max_delay=1.0)
    await fail(authentication)
    users.asked = 0
    guesses = [asyncio.create_task(authentication.login(header(f"guess {n}"), HOME)) for n in range(20)]
    results = await asyncio.gather(*guesses, return_exceptions=True)
    throttled = [result for result in results if isinstance(result, Throttled)]
    assert len(throttled) >= 17
    assert all(1 <= result.seconds <= 3 for result in throttled)
    assert users.asked == 20 - len(throttled)


async def test_first_guesses_that_come_together_are_tried_one_by_one(users: Users) -> None:
    authentication = make(users, max_delay=1.0)
    users.seconds = 0.05
    guesses = [asyncio.create_task(authentication.login(header(f"guess {n}"), HOME)) for n in range(50)]
    results = await asyncio.gather(*guesses, return_exceptions=True)
    assert users.asked <= 3
    assert users.most_at_once == 1
    assert sum(isinstance(result, Throttled) for result in results) == 50 - users.asked


async def test_a_phone_that_sends_much_at_once_at_first_is_let_in(users: Users) -> None:
    authentication = make(users)
    users.seconds = 0.02
    async with asyncio.timeout(1):
        await asyncio.gather(*(authentication.login(header(), HOME, "d1") for _ in range(8)))


async def test_the_case_of_the_user_makes_no_other_user(users: Users) -> None:
    authentication = make(users, max_delay=0.5)
    await fail(authentication)
    began = now()
    with pytest.raises(AuthenticationFailed):
        await authentication.login(header("wrong", "JO"), HOME)
    assert now() - began > 0.4


async def test_an_upstream_that_is_away_is_no_failure_of_the_phone(users: Users) -> None:
    authentication = make(users)
    users.error = UpstreamUnavailable("down")
    for _ in range(5):
        with pytest.raises(UpstreamUnavailable):
            await authentication.login(header(), HOME)
    users.error = None
    began = now()
    await authentication.login(header(), HOME)
    assert now() - began < 0.2


async def test_guesses_do_not_lock_out_a_device_that_logged_in_before(users: Users) -> None:
    authentication = make(users, max_delay=0.6)
    await succeed(authentication, device="phone")
    async with guessing(authentication):
        for _ in range(10):
            assert await succeed(authentication, device="phone") < 0.2
            await asyncio.sleep(0.02)


async def test_the_right_guess_waits_like_a_wrong_one(users: Users) -> None:
    authentication = make(users, max_delay=0.6)
    await succeed(authentication, device="phone")
    async with guessing(authentication):
        # Whoever has the password alone, and not the id of the device, is told nothing.
        for device in ("", "guess", "phone2"):
            assert await throttled(authentication, header(), device) >= 3


async def test_success_of_a_known_device_does_not_help_who_guesses(users: Users) -> None:
    authentication = make(users)
    await succeed(authentication, device="phone")
    await fail(authentication)
    await succeed(authentication, device="phone")
    assert await fail(authentication) > 0.4


async def test_a_password_that_is_no_longer_right_waits_again(users: Users) -> None:
    authentication = make(users)
    await succeed(authentication, device="phone")
    users.passwords["Jo"] = "new"
    assert await fail(authentication, password=PASSWORD, device="phone") < 0.2
    assert await fail(authentication, password=PASSWORD, device="phone") > 0.4


async def test_an_address_that_tries_one_password_on_many_users_is_slowed(users: Users) -> None:
    authentication = make(users)
    first = [await fail(authentication, user=f"user{number}") for number in range(30)]
    assert max(first) < 0.2
    assert await fail(authentication, user="one more") < 0.2
    assert 0.4 < await fail(authentication, user="another") < 0.7
    assert 0.8 < await succeed(authentication) < 1.2  # a right password waits as well
    assert await fail(authentication, AWAY, user="elsewhere") < 0.2


async def test_one_old_password_repeated_is_not_held_against_the_address(users: Users) -> None:
    authentication = make(users, max_delay=0.1)
    for number in range(29):
        await fail(authentication, user=f"user{number}")
    for _ in range(5):
        await fail(authentication)
    assert await fail(authentication, user="al") < 0.08
    assert await fail(authentication, user="bo") > 0.08


async def test_a_proxy_that_tells_no_clients_apart_is_not_slowed(users: Users) -> None:
    authentication = make(users)
    for number in range(40):
        assert await fail(authentication, user=f"user{number}", shared=True) < 0.2


async def test_an_ipv6_network_is_one_address(users: Users) -> None:
    authentication = make(users)
    await fail(authentication, "2001:db8::1")
    assert await fail(authentication, "2001:db8::ffff:2") > 0.4
    assert await fail(authentication, "2001:db8:0:1::1") < 0.2


async def test_devices_are_forgotten_when_there_are_too_many(
    users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.web.auth._CAPACITY", 3)
    authentication = make(users)
    for device in ("first", "second", "third", "first", "fourth"):
        await succeed(authentication, device=device)
    await fail(authentication)
    assert await succeed(authentication, device="first") < 0.2
    assert await succeed(authentication, device="second") > 0.4


async def test_no_pause_where_none_is_wanted(users: Users) -> None:
    authentication = make(users, max_delay=0)
    began = now()
    for _ in range(5):
        await fail(authentication)
    assert now() - began < 0.3


async def test_errors_do_not_hold_the_password(users: Users) -> None:
    with pytest.raises(AuthenticationFailed) as refused:
        await make(users).login(header("s3cr3t"), HOME)
    assert "s3cr3t" not in repr(refused.value)
    assert refused.value.__cause__ is None


async def guesses(users: Users, processes: Sequence[Authentication], seconds: float) -> int:
    """How many passwords somebody can try who asks all processes at once, again and again."""
    tried, end = count(), now() + seconds

    async def guess(authentication: Authentication) -> None:
        while now() < end:
            try:
                await authentication.login(header(f"guess {next(tried)}"), HOME)
            except AuthenticationFailed:
                continue
            except Throttled as error:
                await asyncio.sleep(error.seconds)

    users.asked = 0
    await asyncio.gather(*(guess(one) for one in processes for _ in range(3)))
    return users.asked


async def test_who_asks_four_processes_has_no_more_attempts_than_at_one(users: Users) -> None:
    def process(bus: Line) -> Authentication:
        return Authentication(users, Identity(), max_delay=2.0, bus=bus)

    alone = await guesses(users, [process(Line())], 120)
    together = await guesses(users, [process(end) for end in Line.ends(4)], 120)
    assert 50 < alone < 70
    assert together < alone + 20


async def test_what_ends_the_pause_ends_it_everywhere(users: Users) -> None:
    here, there = (Authentication(users, Identity(), max_delay=2.0, bus=end) for end in Line.ends(2))
    for _ in range(3):
        await fail(here)
    assert await fail(there, "192.0.2.77") < 0.1
    assert await succeed(there) > 0.3
    assert await succeed(here) < 0.1
    assert await fail(here) < 0.1


async def test_a_phone_that_repeats_an_old_password_counts_once_for_its_address(users: Users) -> None:
    """At whichever process: others who share the address do not wait for it."""
    processes = [Authentication(users, Identity(), max_delay=2.0, bus=end) for end in Line.ends(4)]
    for number in range(12):
        for process in processes:
            await fail(process, password="old", user=f"user{number}", device=f"{number}")
    assert await succeed(processes[0]) < 0.1


async def test_a_password_that_is_good_no_more_is_asked_about_everywhere(users: Users) -> None:
    here = Authentication(users, Identity(), max_delay=2.0, bus=(ends := Line.ends(2))[0])
    other = Users()
    Authentication(other, Identity(), max_delay=2.0, bus=ends[1])
    await succeed(here, device="PHONE")
    await fail(here, device="PHONE")
    assert other.forgotten == []  # that is another password
    users.passwords["Jo"] = "new"
    await fail(here, device="PHONE", password=PASSWORD)
    assert other.forgotten == ["jo"]


async def test_what_is_told_names_nobody(users: Users) -> None:
    (end,) = Line.ends(1)
    await fail(Authentication(users, Identity(), max_delay=2.0, bus=end), password="Sesame")
    ((_, said),) = end.said
    assert not any(word.lower() in said.lower() for word in ("Sesame", "Jo", HOME))
    assert len(said) < 100
