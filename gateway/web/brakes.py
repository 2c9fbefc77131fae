"""Devices that ask without end, slowed: each has a budget of requests, which fills up again with time.

A device in a loop asks some times a second for hours, a busy one some hundred times within minutes. So the
budget is large, and what it gets back in an hour small; requests that are refused cost more of it. There is
one for each device, and one for each user, whose devices may be many. A loop that is too slow to use one up
is recognised by what comes of it (`loops.py`). All is in memory: after a restart everybody begins with a full
budget.

Processes that share a store tell each other what of a budget was used, a tenth of it at a time: so it is one
for all of them, and a device that asks as much as it gets back costs nothing. They tell of loops, too. What
User-Agents a device has, each process sees for itself.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field

from gateway.ports import Bus, NoOthers, Subject
from gateway.types import DeviceId, UserId
from gateway.web.loops import Loops, Turn

__all__ = ["Brakes", "Budget"]

_NO_OTHERS = NoOthers()
_OF_DEVICE, _OF_USER, _LOOP = "device", "user", "loop"

_CAPACITY = 100_000
"""Devices and users of whom is known how much they asked, of each; those that asked longest ago go."""
_HOUR = 3600.0
_SHORTEST_WAIT = 30
_FAILURE = 10
"""What a request costs that leads to nothing."""
_STEP = 0.1
"""Of a budget, how much is used before others are told."""
_MOST_AGENTS = 10
"""Different User-Agents of one device in an hour: more are not one device, and not two that share an id."""


@dataclass(frozen=True, slots=True)
class Budget:
    """`burst` requests at once, and so many in each hour; 0 for the one or the other: no bound."""

    burst: int
    per_hour: int

    @property
    def bounded(self) -> bool:
        return bool(self.burst and self.per_hour)


@dataclass(slots=True)
class _Account:
    """What is left of a budget, as of `at` (seconds of the event loop). `told`: it was said to be used up."""

    left: float
    at: float
    untold: float = 0.0
    """What was used here of what is not left, and other processes do not know of."""
    told: bool = False
    agents: OrderedDict[int, float] = field(default_factory=OrderedDict)
    """When each User-Agent came last, by its hash; the newest ones."""


class Brakes:
    """Who has to wait before he may ask again."""

    def __init__(self, device: Budget, user: Budget, loops: Loops, bus: Bus = _NO_OTHERS) -> None:
        self._device = device
        self._user = user
        self._devices: OrderedDict[Hashable, _Account] = OrderedDict()
        self._users: OrderedDict[Hashable, _Account] = OrderedDict()
        self._loops = loops
        self._bus = bus
        bus.listen(Subject.BRAKES, self._hear)
        self.slowed = 0
        """Requests that were put off so far."""

    def wait(self, user: UserId, device: DeviceId, agent: str, command: str) -> tuple[int, str]:
        """Seconds after which a device may ask again that asks now, and why; 0: it may.

        The reason is "" where it was told before for the same storm.
        """
        seconds, reason = self._loops.wait(user, device, command)
        if seconds:
            return self._put_off(seconds), reason
        now = _now()
        account = _known(self._devices, (user, device), self._device, now)
        if _agents(account, agent, now) > _MOST_AGENTS:
            return self._slow(account, _HOUR, "its User-Agent changes all the time")
        if seconds := _spend(account, self._device, now):
            return self._slow(account, seconds, "it asks without end")
        self._tell(account, self._device, f"{_OF_DEVICE}\n{device}\n{user}")
        account = _known(self._users, user, self._user, now)
        if seconds := _spend(account, self._user, now):
            return self._slow(account, seconds, "the devices of its user ask without end")
        self._tell(account, self._user, f"{_OF_USER}\n\n{user}")
        return 0, ""

    def answered(self, user: UserId, device: DeviceId, turn: Turn) -> None:
        """A request was answered: one of a loop, or not."""
        if seconds := self._loops.note(user, device, turn):
            self._bus.announce(Subject.BRAKES, f"{seconds}\n{_LOOP}\n{device}\n{user}")

    def failed(self, user: UserId, device: DeviceId) -> None:
        """A request led to nothing: one in a loop of such ones costs as much as several."""
        account = self._devices.get((user, device))
        if account is not None and self._device.bounded:
            account.left -= _FAILURE - 1
            account.untold += _FAILURE - 1

    def _tell(self, account: _Account, budget: Budget, whose: str) -> None:
        """Have the others know of what was used, once that is much."""
        if budget.bounded and account.untold >= max(1.0, budget.burst * _STEP):
            self._bus.announce(Subject.BRAKES, f"{account.untold}\n{whose}")
            account.untold = 0.0

    def _hear(self, text: str) -> None:
        """What another process says."""
        if not text:
            return
        number, what, device, user = text.split("\n", 3)
        if what == _LOOP:
            self._loops.put_off(UserId(user), DeviceId(device), float(number))
        elif what == _OF_DEVICE:
            _use(_known(self._devices, (user, device), self._device, _now()), self._device, float(number))
        else:
            _use(_known(self._users, user, self._user, _now()), self._user, float(number))

    def _slow(self, account: _Account, seconds: float, reason: str) -> tuple[int, str]:
        reason = "" if account.told else reason
        account.told = True
        return self._put_off(seconds), reason

    def _put_off(self, seconds: float) -> int:
        self.slowed += 1
        return max(_SHORTEST_WAIT, math.ceil(seconds))


def _known(accounts: OrderedDict[Hashable, _Account], who: Hashable, budget: Budget, now: float) -> _Account:
    account = accounts.pop(who, None) or _Account(budget.burst, now)
    accounts[who] = account
    if len(accounts) > _CAPACITY:
        accounts.popitem(last=False)
    return account


def _spend(account: _Account, budget: Budget, now: float) -> float:
    """Take one request from a budget; returns the seconds until there is one again, 0 when there was."""
    if not budget.bounded:
        account.told = False
        return 0.0
    _fill(account, budget, now)
    if account.left < 1:
        return (1 - account.left) / (budget.per_hour / _HOUR)
    account.left -= 1
    account.untold = min(account.untold + 1, budget.burst - account.left)
    if account.left > budget.burst / 2:
        account.told = False
    return 0.0


def _fill(account: _Account, budget: Budget, now: float) -> None:
    account.left = min(budget.burst, account.left + (now - account.at) * budget.per_hour / _HOUR)
    account.at = now


def _use(account: _Account, budget: Budget, count: float) -> None:
    """Take what was used elsewhere from a budget."""
    if budget.bounded:
        _fill(account, budget, _now())
        account.left -= count


def _agents(account: _Account, agent: str, now: float) -> int:
    """How many User-Agents there were within an hour."""
    agents = account.agents
    if agent:
        agents[hash(agent)] = now
        agents.move_to_end(hash(agent))
    while agents and (len(agents) > _MOST_AGENTS + 1 or now - next(iter(agents.values())) > _HOUR):
        agents.popitem(last=False)
    return len(agents)


def _now() -> float:
    return asyncio.get_running_loop().time()
