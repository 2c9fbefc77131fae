"""Mail fetched ahead: taken once, bounded, dropped when nobody comes."""

from __future__ import annotations

import asyncio

import pytest

from gateway.eas import ahead
from gateway.eas.ahead import Ahead, Place
from gateway.eas.content.email import Prepared
from gateway.eas.content.preferences import BodyOptions
from gateway.eas.versions import Version
from gateway.errors import UpstreamUnavailable
from gateway.sync.background import Background
from gateway.types import CollectionId, DeviceId, UserId

pytestmark = pytest.mark.usefixtures("steady_clock")

SOME = Prepared(7, BodyOptions(), Version.V16_1, {}, {})


def place(device: int = 1) -> Place:
    return UserId("user"), DeviceId(str(device)), CollectionId("5")


async def fetching(seconds: float = 0.0, result: Prepared = SOME) -> Prepared:
    await asyncio.sleep(seconds)
    return result


async def test_a_window_is_taken_once_and_waited_for() -> None:
    kept = Ahead(Background())
    kept.begin(place(), fetching(0.05))
    assert await kept.take(place(2)) is None
    assert await kept.take(place()) is SOME
    assert await kept.take(place()) is None


async def test_the_newest_window_of_a_device_counts() -> None:
    other = Prepared(8, BodyOptions(), Version.V16_1, {}, {})
    kept = Ahead(Background())
    kept.begin(place(), fetching(60))
    await asyncio.sleep(0)
    kept.begin(place(), fetching(result=other))
    assert await kept.take(place()) is other


async def test_a_failure_is_left_to_whoever_asks_again() -> None:
    async def failing() -> Prepared:
        raise UpstreamUnavailable("no")

    kept = Ahead(Background())
    kept.begin(place(), failing())
    assert await kept.take(place()) is None


async def test_what_nobody_takes_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "SECONDS", 0.05)
    background = Background()
    kept = Ahead(background)
    kept.begin(place(), fetching(60))
    await asyncio.sleep(0.2)
    assert await kept.take(place()) is None
    await asyncio.wait_for(background.aclose(60), 20)


async def test_only_so_much_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "MOST", 3)
    kept = Ahead(Background())
    for device in range(5):
        kept.begin(place(device), fetching())
    taken = [await kept.take(place(device)) for device in range(5)]
    assert taken == [SOME, SOME, SOME, None, None]
    kept.begin(place(), fetching())
    assert await kept.take(place()) is SOME
