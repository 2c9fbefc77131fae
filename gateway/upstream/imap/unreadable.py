"""Messages that a server cannot read: it hangs up over them, and so hides all that are asked for at once.

They are found by halves. That it is the message and not the network is proven on connections made for it,
each of which had just selected the mailbox. What is proven is remembered for a while, since it costs several
connections.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from typing import TypeVar

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

log = logging.getLogger(__name__)


class Unreadable:
    """What was proven unreadable, the oldest first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: OrderedDict[Hashable, float] = OrderedDict()

    def note(self, what: Hashable) -> None:
        """Remember it for `MEMORY_SECONDS`, or until there is too much to remember."""
        self._until[what] = self._clock() + MEMORY_SECONDS
        self._until.move_to_end(what)
        if len(self._until) > MEMORY_SIZE:
            self._until.popitem(last=False)

    def __contains__(self, what: Hashable) -> bool:
        return self._until.get(what, 0.0) > self._clock()


async def read_around(
    uids: Iterable[int],
    read: Read[K, T],
    read_afresh: Read[K, T],
    unreadable: Unreadable,
    name: Callable[[int], Hashable],
) -> dict[K, T]:
    """Read messages, but for those that the server cannot read; `read_afresh` does it on a new connection.

    `name` is what a message is remembered by. Raises what `read` raises, and `UpstreamHungUp` when the server
    hung up too often, or for too long, for this to be about a few messages.
    """
    found: dict[K, T] = {}
    patience = _Patience()
    waiting: list[Sequence[int]] = [[uid for uid in sorted(set(uids)) if name(uid) not in unreadable]]
    while waiting:
        some = waiting.pop()
        if not some:
            continue
        try:
            found |= await read(some)
            continue
        except UpstreamHungUp as error:
            patience.lose(error)
        if len(some) > 1:
            middle = len(some) // 2
            waiting += [some[middle:], some[:middle]]
            continue
        for attempt in range(1, PROOFS + 1):
            try:
                found |= await read_afresh(some)
                break
            except UpstreamHungUp as error:
                if attempt == PROOFS:
                    log.info("message %d cannot be read: %s", some[0], error.detail)
                    unreadable.note(name(some[0]))
                patience.lose(error)
    return found


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
