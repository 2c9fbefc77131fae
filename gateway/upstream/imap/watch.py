"""Push: one watcher per user notices changes for all who subscribed, over one connection (see `push`)."""

from __future__ import annotations

import asyncio
import logging
import random
import traceback
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from gateway.errors import AuthenticationFailed, GatewayError, UpstreamError, UpstreamUnavailable
from gateway.ports import NAMES, Unsubscribe
from gateway.types import Credentials
from gateway.upstream.imap.pool import Pool
from gateway.upstream.imap.push import borrow, push

COALESCE = 0.05
"""Seconds between two times that subscribers are told: the first notice is told at once, those that follow it
so soon become one for each mailbox."""
GRACE = 15.0
"""Seconds the watch goes on after the last subscriber has left: most come again."""
SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
"""Seconds before connecting again, doubling from the one to the other."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Subscriber:
    mailboxes: frozenset[str]
    notify: Callable[[str], None]


class Watcher:
    """Watches one user's mailboxes while anybody has subscribed.

    `on_end` is called once it has ended, `on_notice` at once with mailboxes that may have changed.
    """

    def __init__(
        self,
        pool: Pool,
        credentials: Credentials,
        on_end: Callable[[Watcher], None],
        on_notice: Callable[[Collection[str]], None],
    ) -> None:
        self._pool = pool
        self.credentials = credentials
        """With which it connects, should it have to: the newest there are."""
        self._on_end = on_end
        self._on_notice = on_notice
        self._subscribers: set[_Subscriber] = set()
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._waiting: list[asyncio.Future[None]] = []
        self._interrupted = False
        self._changed: set[str] = set()
        self._flush: asyncio.TimerHandle | None = None
        self._told_at = float("-inf")
        self._grace: asyncio.TimerHandle | None = None

    async def subscribe(self, mailboxes: Iterable[str], notify: Callable[[str], None]) -> Unsubscribe:
        """Returns once the watch covers the mailboxes. Raises `AuthenticationFailed` and `UpstreamError`."""
        subscriber = _Subscriber(frozenset(mailboxes), notify)
        self._subscribers.add(subscriber)
        if self._grace is not None:
            self._grace.cancel()
            self._grace = None
        stands: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(stands)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        self._wake.set()
        try:
            async with asyncio.timeout(self._pool.settings.timeout):
                await stands
        except BaseException as error:
            self._unsubscribe(subscriber)
            if isinstance(error, TimeoutError):
                raise UpstreamUnavailable("the watch does not stand in time") from None
            raise
        return lambda: self._unsubscribe(subscriber)

    async def aclose(self) -> None:
        """End the watch."""
        for handle in (self._flush, self._grace):
            if handle is not None:
                handle.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _unsubscribe(self, subscriber: _Subscriber) -> None:
        self._subscribers.discard(subscriber)
        if not self._subscribers and self._grace is None and self._task is not None:
            self._grace = asyncio.get_running_loop().call_later(GRACE, self._end)

    def _end(self) -> None:
        # At once, so that whoever comes before the task has noticed begins a new one.
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
        self._grace = None
        self._on_end(self)

    # --- what push uses ------------------------------------------------------------------------------------

    @property
    def mailboxes(self) -> set[str]:
        """Every mailbox somebody wants to know of."""
        return {mailbox for subscriber in self._subscribers for mailbox in subscriber.mailboxes} - {NAMES}

    def notice(self, mailboxes: Collection[str]) -> None:
        """These may have changed."""
        self._on_notice(mailboxes)
        self._changed.update(mailboxes)
        if self._flush is None and self._changed:
            loop = asyncio.get_running_loop()
            self._flush = loop.call_at(max(loop.time(), self._told_at + COALESCE), self._tell)

    def begin_round(self) -> Callable[[], None]:
        """To be called before looking at the mailboxes; the result, once the watch of them stands."""
        waiting = list(self._waiting)
        self._wake.clear()

        def stands() -> None:
            for future in waiting:
                if not future.done():
                    future.set_result(None)
            self._waiting = [future for future in self._waiting if not future.done()]
            if self._interrupted:
                # What happened while nobody watched is not known.
                self._interrupted = False
                self.notice(self.mailboxes | {NAMES})

        return stands

    def wake(self) -> None:
        """Ends `pause`."""
        self._wake.set()

    async def pause(self, seconds: float) -> bool:
        """Wait until something has to be done; True when only the time is over."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return True
        return False

    # --- the task ------------------------------------------------------------------------------------------

    def _tell(self) -> None:
        self._flush = None
        self._told_at = asyncio.get_running_loop().time()
        changed, self._changed = self._changed, set()
        for subscriber in list(self._subscribers):
            for mailbox in sorted(subscriber.mailboxes & changed):
                subscriber.notify(mailbox)

    async def _run(self) -> None:
        await self._watch_and_reconnect()
        self._task = None
        if self._grace is not None:
            self._grace.cancel()
            self._grace = None
        self._on_end(self)

    async def _watch_and_reconnect(self) -> None:
        loop = asyncio.get_running_loop()
        pause = SHORTEST_PAUSE
        while True:
            began = loop.time()
            try:
                await self._watch()
            except AuthenticationFailed as error:
                self._fail(error)
                return
            except UpstreamError as error:
                self._fail(error)
            except Exception:  # noqa: BLE001  # the boundary: whoever waits must not be forgotten
                # Formatted here, since some renderers show the values of variables: passwords.
                log.error("the watch failed\n%s", traceback.format_exc())  # noqa: TRY400
                self._fail(UpstreamUnavailable("the watch failed"))
            if loop.time() - began > LONGEST_PAUSE:
                pause = SHORTEST_PAUSE
            self._wake.clear()
            if not self._waiting:
                # Whoever subscribes meanwhile is answered at once, be it with an error.
                await self.pause(pause * random.uniform(0.75, 1.25))  # noqa: S311  # no secret
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _watch(self) -> None:
        if self._pool.allowed(self.credentials.login) == 1:
            await borrow(self._pool, self.credentials, self)
            self._interrupted = True
            return
        async with self._pool.lease(self.credentials, fresh=True, spare=True) as session:
            try:
                await push(session, self)
            finally:
                # It may have said NOTIFY, and would surprise its next user.
                session.close()

    def _fail(self, error: GatewayError) -> None:
        """Tell those who wait that they wait in vain, and the others that something may have changed."""
        log.info("watching %s: %s", self._pool.settings.host, error.detail)
        self._interrupted = True
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_exception(error)
        self.notice(self.mailboxes | {NAMES})
