"""Which request of a device is the newest of its command: it ends the waiting of the one before, wherever.

Of a request that waits at another process nothing is stored. A process says that a device waits there, once,
and says nothing more of it until it hears of that device from another one. So a device that keeps coming to
one process costs one notification in all, and one that comes to this process and that a notification for
each time it waits elsewhere than before.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from gateway.ports import Bus, Subject
from gateway.sync.waiter import Signal
from gateway.types import DeviceId, UserId

__all__ = ["Asked", "Newest"]

_CAPACITY = 100_000
"""Devices of which is known where they waited last. Who is forgotten costs one notification more."""
_ALWAYS_WAITS = "Ping"
_WAITS, _ASKS = "waits", "asks"


class Asked(NamedTuple):
    """What devices ask one after the other."""

    user: UserId
    device: DeviceId
    command: str

    def said(self, what: str) -> str:
        """What other processes are told of it."""
        return f"{what}\n{self.command}\n{self.device}\n{self.user}"

    @classmethod
    def heard(cls, text: str) -> tuple[str, Asked]:
        """What another process said."""
        what, command, device, user = text.split("\n", 3)
        return what, cls(UserId(user), DeviceId(device), command)


class Newest:
    """The requests under way at this process."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._under_way: dict[Asked, Signal] = {}
        self._here: OrderedDict[int, bool] = OrderedDict()
        """Whether a device waited here last, or elsewhere, by the hash of what it asked."""
        bus.listen(Subject.REQUESTS, self._hear)

    def begin(self, asked: Asked, superseded: Signal) -> None:
        """A request comes; `superseded` is set when a newer one does, and ends its waiting."""
        earlier = self._under_way.get(asked)
        if earlier is not None:
            earlier.set()
        if self._here.get(hash(asked)) is False:
            del self._here[hash(asked)]
            self._bus.announce(Subject.REQUESTS, asked.said(_ASKS))
        self._under_way[asked] = superseded

    def holds(self, asked: Asked) -> None:
        """A request begins to wait."""
        if not self._here.get(hash(asked)):
            self._note(asked, here=True)
            self._bus.announce(Subject.REQUESTS, asked.said(_WAITS))

    def end(self, asked: Asked, superseded: Signal) -> None:
        """A request is answered."""
        if self._under_way.get(asked) is superseded:
            del self._under_way[asked]

    def interrupt(self, user: UserId, device: DeviceId | None = None) -> None:
        """End the waiting of a device of a user, or of all he has, because something was decided of it."""
        for asked, superseded in list(self._under_way.items()):
            if asked.user == user and device in {None, asked.device}:
                superseded.set()

    def _note(self, asked: Asked, *, here: bool) -> None:
        key = hash(asked)
        self._here.pop(key, None)
        self._here[key] = here
        if len(self._here) > _CAPACITY:
            self._here.popitem(last=False)

    def _hear(self, text: str) -> None:
        """A device asks or waits at another process; or nobody knows which do."""
        if not text:
            self._here.clear()
            return
        what, asked = Asked.heard(text)
        if what == _WAITS and asked.command != _ALWAYS_WAITS:
            self._note(asked, here=False)
        else:  # the next one that waits here is announced in any case
            self._here.pop(hash(asked), None)
        earlier = self._under_way.get(asked)
        if earlier is not None:
            earlier.set()
