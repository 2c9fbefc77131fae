"""Notices a server that owes an answer and shows no life, neither sending nor taking what is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.upstream.imap.exchange import Pending

__all__ = ["Watchdog"]

PATIENCE = 10
"""A command may last this many times the time-out as long as the server keeps sending."""


class Watchdog:
    """Watches one connection, with a timer that runs only while an answer is owed.

    `owed` tells the oldest command that is to be answered, None while there is none. `progress` tells how
    many octets the server has not taken yet, and whether some that it sent have not been read: that is not
    held against it. `silent` is called with what happened.
    """

    __slots__ = ("_heard", "_loop", "_owed", "_progress", "_silent", "_timeout", "_timer", "_unwritten")

    def __init__(
        self,
        timeout: float,
        owed: Callable[[], Pending | None],
        progress: Callable[[], tuple[int, bool]],
        silent: Callable[[str], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._timeout = timeout
        self._owed = owed
        self._progress = progress
        self._silent = silent
        self._heard = 0.0
        self._unwritten = 0
        self._timer: asyncio.TimerHandle | None = None

    def heard(self) -> None:
        """The server showed life, or could not have been expected to until now."""
        self._heard = self._loop.time()

    def watch(self) -> None:
        """Begin to watch if an answer is owed."""
        if self._timer is None and self._owed() is not None:
            self._timer = self._loop.call_later(self._timeout, self._look)

    def stop(self) -> None:
        """Watch no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer = None
        oldest = self._owed()
        if oldest is None:
            return
        now = self._loop.time()
        unwritten, unread = self._progress()
        if unwritten != self._unwritten or unread:
            self._unwritten, self._heard = unwritten, now
        silence = now - self._heard
        if silence >= self._timeout or now - oldest.began >= self._timeout * PATIENCE:
            self._silent(f"did not answer {oldest.command.name} within {self._timeout:g} s")
        else:
            self._timer = self._loop.call_later(self._timeout - silence, self._look)
