"""Checking credentials: what is asked upstream, and the pause that wrong passwords earn."""

from __future__ import annotations

import asyncio
import base64
import time

import pytest

from gateway.eas.identity import Identity
from gateway.errors import AuthenticationFailed, UpstreamUnavailable
from gateway.web.auth import Authentication, Throttled
from tests.web.support import PASSWORD, Users

HOME, AWAY = "192.0.2.1", "198.51.100.9"


def header(password: str = PASSWORD, user: str = "Jo") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def users() -> Users:
    return Users()


def make(users: Users, max_delay: float = 2.0) -> Authentication:
    return Authentication(users, Identity(), max_delay=max_delay)


async def fail(authentication: Authentication, address: str = HOME) -> float:
    """Try a wrong password; returns how many seconds that took."""
    began = time.monotonic()
    with pytest.raises(AuthenticationFailed):
        await authentication.login(header("wrong"), address)
    return time.monotonic() - began


async def test_the_pause_grows_and_a_success_ends_it(users: Users) -> None:
    authentication = make(users, max_delay=0.6)
    assert await fail(authentication) < 0.2
    assert 0.4 < await fail(authentication) < 0.6
    assert 0.5 < await fail(authentication) < 0.8  # never more than max_delay
    began = time.monotonic()
    await authentication.login(header(), HOME)
    assert 0.5 < time.monotonic() - began < 0.8
    assert await fail(authentication) < 0.2


async def test_others_do_not_wait(users: Users) -> None:
    authentication = make(users)
    await fail(authentication)
    began = time.monotonic()
    await authentication.login(header(), AWAY)
    with pytest.raises(AuthenticationFailed):
        await authentication.login(header("wrong", "al"), HOME)
    assert time.monotonic() - began < 0.2


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


async def test_the_case_of_the_user_makes_no_other_user(users: Users) -> None:
    authentication = make(users, max_delay=0.5)
    await fail(authentication)
    began = time.monotonic()
    with pytest.raises(AuthenticationFailed):
        await authentication.login(header("wrong", "JO"), HOME)
    assert time.monotonic() - began > 0.4


async def test_an_upstream_that_is_away_is_no_failure_of_the_phone(users: Users) -> None:
    authentication = make(users)
    users.error = UpstreamUnavailable("down")
    for _ in range(5):
        with pytest.raises(UpstreamUnavailable):
            await authentication.login(header(), HOME)
    users.error = None
    began = time.monotonic()
    await authentication.login(header(), HOME)
    assert time.monotonic() - began < 0.2


async def test_sources_are_forgotten_when_there_are_too_many(
    users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.web.auth._MOST_ENTRIES", 3)
    authentication = make(users)
    await fail(authentication)
    for number in range(3):
        await fail(authentication, f"192.0.2.{number + 10}")
    assert await fail(authentication) < 0.2


async def test_no_pause_where_none_is_wanted(users: Users) -> None:
    authentication = make(users, max_delay=0)
    began = time.monotonic()
    for _ in range(5):
        await fail(authentication)
    assert time.monotonic() - began < 0.3


async def test_errors_do_not_hold_the_password(users: Users) -> None:
    with pytest.raises(AuthenticationFailed) as refused:
        await make(users).login(header("s3cr3t"), HOME)
    assert "s3cr3t" not in repr(refused.value)
    assert refused.value.__cause__ is None
