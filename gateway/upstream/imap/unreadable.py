"""Messages that a server cannot read: it hangs up over them, and so hides all that are asked for at once.

They are found by halves. That it is the message and not the network is proven on connections made for it,
each of which had just selected the mailbox. What is proven is remembered for a while, since it costs several
connections.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from gateway.errors import UpstreamHungUp

PROOFS = 3
"""How often the server must hang up over one message, each time on a new connection."""
MOST_HANG_UPS = 40
LONGEST = 30.0
"""Hang-ups, and seconds, after which a reading is given up; the next need not prove again what it has."""
MEMORY_SECONDS = 3600.0
MEMORY_SIZE = 10_000

K = TypeVar("K")
T = TypeVar("T")

Read = Callable[[Sequence[int]], Awaitable[dict[K, T]]]
Name = tuple[Hashable, ...]
"""User and mailbox, and then what tells a message there from others."""

log = logging.getLogger(__name__)


class Unreadable:
    """What was proven unreadable, the oldest first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: OrderedDict[Hashable, float] = OrderedDict()
        self._turns: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    def note(self, what: Hashable) -> None:
        """Remember it for `MEMORY_SECONDS`, or until there is too much to remember."""
        self._until[what] = self._clock() + MEMORY_SECONDS
        self._until.move_to_end(what)
        if len(self._until) > MEMORY_SIZE:
            self._until.popitem(last=False)

    def turn(self, mailbox: Hashable) -> asyncio.Lock:
        """Held by who looks for unreadable messages in a mailbox."""
        return self._turns.setdefault(mailbox, asyncio.Lock())

    def __contains__(self, what: Hashable) -> bool:
        return self._until.get(what, 0.0) > self._clock()


async def read_around(
    uids: Iterable[int],
    read: Read[K, T],
    read_afresh: Read[K, T],
    unreadable: Unreadable,
    name: Callable[[int], Name],
) -> dict[K, T]:
    """Read messages, but for those that the server cannot read; `read_afresh` does it on a new connection.

    `name` is what a message is remembered by. Raises what `read` raises, and `UpstreamHungUp` when the server
    hung up too often, or for too long, for this to be about a few messages.
    """
    uids = [uid for uid in sorted(set(uids)) if name(uid) not in unreadable]
    if not uids:
        return {}
    try:
        return await read(uids)
    except UpstreamHungUp as error:
        patience = _Patience()
        patience.lose(error)
    # Each attempt is a strain on the server, and may cost a damaged message: Dovecot mends a mailbox by
    # leaving it out. What others of the same mailbox find out meanwhile is not found out again.
    async with unreadable.turn(name(uids[0])[:2]):
        left = [uid for uid in uids if name(uid) not in unreadable]
        search = _Search(read, read_afresh, unreadable, name, patience)
        return await (search.narrow(uids) if left == uids else search.read_all([left]))


@dataclass(slots=True)
class _Search(Generic[K, T]):
    """Looks for the messages that the server hangs up over."""

    read: Read[K, T]
    read_afresh: Read[K, T]
    unreadable: Unreadable
    name: Callable[[int], Name]
    patience: _Patience

    async def read_all(self, waiting: list[Sequence[int]]) -> dict[K, T]:
        """Read groups of messages, the last one first."""
        found: dict[K, T] = {}
        while waiting:
            some = waiting.pop()
            try:
                found |= await self.read(some) if some else {}
            except UpstreamHungUp as error:
                self.patience.lose(error)
                found |= await self.narrow(some)
        return found

    async def narrow(self, some: Sequence[int]) -> dict[K, T]:
        """Read messages over which the server hung up, as far as that can be done."""
        middle = len(some) // 2
        return await (self.read_all([some[middle:], some[:middle]]) if middle else self._prove(some))

    async def _prove(self, one: Sequence[int]) -> dict[K, T]:
        """Read one message, or prove that it cannot be read."""
        for attempt in range(1, PROOFS + 1):
            try:
                return await self.read_afresh(one)
            except UpstreamHungUp as error:
                if attempt == PROOFS:
                    log.info("message %d cannot be read: %s", one[0], error.detail)
                    self.unreadable.note(self.name(one[0]))
                self.patience.lose(error)
        return {}


class _Patience:
    """What is left of the hang-ups and of the time that one reading may take."""

    def __init__(self) -> None:
        self._left = MOST_HANG_UPS
        self._end = time.monotonic() + LONGEST

    def lose(self, error: UpstreamHungUp) -> None:
        """One more hang-up. Raises it when it was one too many."""
        self._left -= 1
        if self._left <= 0 or time.monotonic() >= self._end:
            raise error
