"""Waiting for news: what holds a Ping or a Sync until something happens (MS-ASCMD 3.1.5.8).

A held request is one of these objects, its watch and a timer: no thread, no task for each source of events,
no parsed body. Subscribe first, then look, then wait: a change between looking and waiting has already set
the wake-up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from gateway.ports import Mailboxes, Unsubscribe


class Signal:
    """Something that happens once, for any number of those who wait for it."""

    __slots__ = ("_happened", "_listeners")

    def __init__(self) -> None:
        self._happened = False
        self._listeners: dict[Callable[[], None], None] = {}

    def set(self) -> None:
        """Let it happen. Those who listen are called once."""
        self._happened = True
        listeners, self._listeners = self._listeners, {}
        for listener in listeners:
            listener()

    def is_set(self) -> bool:
        """Whether it has happened."""
        return self._happened

    def listen(self, listener: Callable[[], None]) -> Unsubscribe:
        """Have `listener` called when it happens, at once if it has; the returned function ends that."""
        if self._happened:
            listener()
        else:
            self._listeners[listener] = None
        return lambda: self._listeners.pop(listener, None)


class Waiter:
    """Collects wake-ups while a request is held; `interrupts` end the waiting without news.

    Use as an asynchronous context manager around looking and waiting.
    """

    def __init__(self, mailboxes: Mailboxes, names: Iterable[str], interrupts: Iterable[Signal]) -> None:
        self._mailboxes = mailboxes
        self._names = tuple(names)
        self._interrupts = tuple(interrupts)
        self._dirty: set[str] = set()
        self._waiting: asyncio.Future[None] | None = None
        self._unsubscribe: list[Unsubscribe] = []

    async def __aenter__(self) -> Waiter:
        if self._names:
            self._unsubscribe.append(await self._mailboxes.subscribe(self._names, self.notify))
        self._unsubscribe += [interrupt.listen(self._wake) for interrupt in self._interrupts]
        return self

    async def __aexit__(self, *_: object) -> None:
        for unsubscribe in self._unsubscribe:
            unsubscribe()

    def until_left(self, unsubscribe: Unsubscribe) -> None:
        """Have a further watch, which calls `notify`, ended with this one."""
        self._unsubscribe.append(unsubscribe)

    def notify(self, mailbox: str) -> None:
        """Count a mailbox as one that may have changed."""
        self._dirty.add(mailbox)
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    @property
    def interrupted(self) -> bool:
        """Whether the request is to be answered now, news or not."""
        return any(interrupt.is_set() for interrupt in self._interrupts)

    async def news(self, seconds: float) -> frozenset[str]:
        """Wait at most so long.

        Returns the mailboxes that may have changed, none when time is up or interrupted.
        """
        if not self._dirty and not self.interrupted:
            loop = asyncio.get_running_loop()
            self._waiting = loop.create_future()
            timer = loop.call_later(seconds, self._wake)
            try:
                await self._waiting
            finally:
                timer.cancel()
                self._waiting = None
        dirty = frozenset(self._dirty)
        self._dirty.clear()
        return dirty
