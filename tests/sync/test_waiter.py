"""Waiting: no wake-up is lost, and whatever ends it leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import cast

from gateway.ports import Mailboxes, Unsubscribe
from gateway.sync.waiter import Signal, Waiter


class Watched:
    """The half of the port that is waited on: `notify` is what the waiter gave."""

    def __init__(self) -> None:
        self.notify: Callable[[str], None] | None = None

    @property
    def port(self) -> Mailboxes:
        return cast("Mailboxes", self)

    async def subscribe(self, names: Iterable[str], notify: Callable[[str], None]) -> Unsubscribe:
        assert list(names) == ["INBOX"]
        self.notify = notify

        def unsubscribe() -> None:
            self.notify = None

        return unsubscribe

    def change(self) -> None:
        assert self.notify is not None
        self.notify("INBOX")


async def test_a_change_before_waiting_is_not_lost() -> None:
    watched = Watched()
    async with Waiter(watched.port, ["INBOX"], ()) as waiter:
        watched.change()
        assert await asyncio.wait_for(waiter.news(60), 20) == {"INBOX"}


async def test_a_change_ends_the_wait_and_is_told_once() -> None:
    watched = Watched()
    async with Waiter(watched.port, ["INBOX"], ()) as waiter:
        asyncio.get_running_loop().call_later(0.01, watched.change)
        assert await asyncio.wait_for(waiter.news(60), 20) == {"INBOX"}
        assert await waiter.news(0.01) == frozenset()
    assert watched.notify is None


async def test_every_interrupt_ends_every_wait() -> None:
    stopping, superseded = Signal(), Signal()
    watched = Watched()
    async with (
        Waiter(watched.port, ["INBOX"], (stopping, superseded)) as one,
        Waiter(watched.port, (), (stopping,)) as two,
    ):
        asyncio.get_running_loop().call_later(0.01, stopping.set)
        news = tuple(await asyncio.wait_for(asyncio.gather(one.news(60), two.news(60)), 20))
        assert news == (frozenset(), frozenset())
        assert one.interrupted
        assert await asyncio.wait_for(one.news(60), 20) == frozenset()


async def test_an_interrupt_before_waiting_counts() -> None:
    stopping = Signal()
    stopping.set()
    async with Waiter(Watched().port, (), (stopping,)) as waiter:
        assert await asyncio.wait_for(waiter.news(60), 20) == frozenset()


async def test_a_cancelled_wait_leaves_nothing_behind() -> None:
    stopping = Signal()
    watched = Watched()

    async def held() -> None:
        async with Waiter(watched.port, ["INBOX"], (stopping,)) as waiter:
            await waiter.news(60)

    task = asyncio.create_task(held())
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert watched.notify is None
    called: list[bool] = []
    stopping.listen(lambda: called.append(True))
    stopping.set()
    assert called == [True]
