"""Waiting for news: what holds a Ping or a Sync until something happens (MS-ASCMD 3.1.5.8).

A held request is this object, its watch and a timer: no thread, no task of its own per event source, no
parsed body. Subscribe first, then look, then wait: a change between looking and waiting has already set
the wake-up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from gateway.ports import Mailboxes, Unsubscribe


class Waiter:
    """Collects wake-ups while a request is held.

    Use as an asynchronous context manager around looking and waiting.
    """

    def __init__(
        self, mailboxes: Mailboxes, names: Iterable[str], interrupts: Iterable[asyncio.Event]
    ) -> None:
        self._mailboxes = mailboxes
        self._names = tuple(names)
        self._interrupts = tuple(interrupts)
        self._wake = asyncio.Event()
        self._dirty: set[str] = set()
        self._unsubscribe: Unsubscribe | None = None

    async def __aenter__(self) -> Waiter:
        if self._names:
            self._unsubscribe = await self._mailboxes.subscribe(self._names, self._notify)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()

    def _notify(self, mailbox: str) -> None:
        self._dirty.add(mailbox)
        self._wake.set()

    @property
    def interrupted(self) -> bool:
        """Whether the request is to be answered now, news or not."""
        return any(event.is_set() for event in self._interrupts)

    async def news(self, seconds: float) -> frozenset[str]:
        """Wait at most so long.

        Returns the mailboxes that may have changed, none when time is up or interrupted.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        tasks = [asyncio.create_task(event.wait()) for event in (self._wake, *self._interrupts)]
        try:
            while not self._dirty and not self.interrupted and (left := deadline - loop.time()) > 0:
                await asyncio.wait(tasks, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        dirty = frozenset(self._dirty)
        self._dirty.clear()
        self._wake.clear()
        return dirty
