"""What is used of aioimaplib: its protocol class, as asyncio calls it, and its tags."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aioimaplib import IMAP4ClientProtocol

__all__ = ["Protocol"]


class Protocol(IMAP4ClientProtocol):  # type: ignore[misc]  # aioimaplib has no types
    """aioimaplib's protocol with all of its reading replaced."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        received: Callable[[bytes], None],
        lost: Callable[[Exception | None], None],
    ) -> None:
        super().__init__(loop, lost)
        self._received = received
        # For its own reading. Empty as they are, they take 4 KiB of each connection that waits.
        self.idle_queue = self._idle_event = self.state_condition = None

    def data_received(self, d: bytes) -> None:
        self._received(d)

    def next_tag(self) -> str:
        """The tag of the next command."""
        return str(self.new_tag())
