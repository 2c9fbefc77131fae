"""Phones in a loop, recognised: they ask the same again and again, at once, and nothing comes of it.

A Ping that ends at once because of news which no Sync then finds; a Sync repeated with the same key, whatever
it is answered. An honest phone repeats a request when its answer got lost, or when its user is impatient:
some times, and not for minutes; one that measures how fast it is answered does so very often, and not for
many minutes. Whatever brings it forward (a Sync that told something new) ends what was counted.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field

from gateway.eas.commands.base import Reply
from gateway.types import DeviceId, UserId
from wbxml import Element
from wbxml.pages import AirSync, FolderHierarchy

__all__ = ["Loops", "Turn", "tells"]

_CAPACITY = 100_000
_MOST_REQUESTS = 256
"""Different requests of a device that are remembered; one that has more is in no loop."""
_AT_ONCE = 2.0
"""Seconds of a request that was not held."""
_AGAIN = 30.0
"""Seconds within which the same request is a repetition."""
_FORGIVEN = 10.0
"""Seconds after which one repetition is forgotten."""
_SHORTEST, _LONGEST = 30.0, 900.0
"""Seconds for which a device is put off, at first and in the end."""
_LOOPING = frozenset({"Ping", "Sync"})
_COUNTED = _LOOPING | {"FolderSync"}
"""What is looked at: what loops are made of, and what brings a device forward."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A request that was answered: `digest` stands for all it said, `news` whether it told anything."""

    command: str
    digest: int
    seconds: float
    news: bool


@dataclass(slots=True)
class _Account:
    """What a device asked lately, by digest, and how much of it was repetition, as of `at`."""

    asked: dict[int, float] = field(default_factory=dict)
    repeated: float = 0.0
    at: float = 0.0
    since: float = 0.0
    """When the repetitions began that came one after the other."""
    until: float = 0.0
    pause: float = _SHORTEST
    told: bool = True
    command: str = ""


class Loops:
    """Who is in a loop, after so many `turns` (0: nobody) and `seconds` of it."""

    def __init__(self, turns: int, seconds: float) -> None:
        self._turns = turns
        self._lasting = seconds
        self._devices: OrderedDict[tuple[UserId, DeviceId], _Account] = OrderedDict()

    def wait(self, user: UserId, device: DeviceId, command: str) -> tuple[float, str]:
        """Seconds after which a device may ask again that is in a loop, and why; 0: it may now.

        Only what loops are made of is put off. The reason is "" where it was told before.
        """
        account = self._devices.get((user, device))
        if account is None or command not in _LOOPING or account.until <= (now := _now()):
            return 0.0, ""
        reason = "" if account.told else f"its {account.command} comes again and again, and finds nothing"
        account.told = True
        return account.until - now, reason

    def note(self, user: UserId, device: DeviceId, turn: Turn) -> float:
        """Count what came of a request; returns the seconds for which its device is put off because of it."""
        if not self._turns or turn.command not in _COUNTED:
            return 0.0
        now = _now()
        account = self._known(user, device, now)
        again = now - account.asked.get(turn.digest, now - 2 * _AGAIN) <= _AGAIN
        if turn.news and not again:
            account.asked, account.repeated, account.pause = {}, 0.0, _SHORTEST
            account.until = 0.0
        if len(account.asked) >= _MOST_REQUESTS:
            account.asked = {}
        account.asked[turn.digest] = now
        if again and turn.command in _LOOPING and turn.seconds < _AT_ONCE:
            return self._count(account, turn.command, now)
        return 0.0

    def put_off(self, user: UserId, device: DeviceId, seconds: float) -> None:
        """Another process recognised a loop, and said so."""
        now = _now()
        account = self._known(user, device, now)
        account.until = max(account.until, now + seconds)

    def _known(self, user: UserId, device: DeviceId, now: float) -> _Account:
        key = (user, device)
        account = self._devices.pop(key, None) or _Account(at=now, since=now)
        self._devices[key] = account
        if len(self._devices) > _CAPACITY:
            self._devices.popitem(last=False)
        return account

    def _count(self, account: _Account, command: str, now: float) -> float:
        if now - account.at > _AGAIN:
            account.since = now
        forgiven = (now - account.at) / _FORGIVEN
        account.repeated, account.at = (
            max(0.0, account.repeated - max(0.0, forgiven)) + 1,
            max(now, account.at),
        )
        lasting = now - account.since >= self._lasting or account.pause > _SHORTEST
        if account.repeated <= self._turns or not lasting or now < account.until:
            return 0.0
        pause = account.pause
        account.until, account.told, account.command = now + pause, False, command
        account.pause = min(_LONGEST, pause * 2)
        account.repeated, account.at = self._turns / 2, account.until  # pauses forgive nothing
        return pause


def tells(reply: Reply) -> bool:
    """Whether an answer brings a device forward: items, answers to its changes, folders."""
    if not isinstance(reply, Element):
        return False
    if reply.tag == FolderHierarchy.FolderSync:
        changes = reply.find(FolderHierarchy.Changes)
        return changes is not None and len(changes.children) > 1
    return any(
        collection.find(AirSync.Commands) is not None or collection.find(AirSync.Responses) is not None
        for collections in reply.findall(AirSync.Collections)
        for collection in collections.findall(AirSync.Collection)
    )


def _now() -> float:
    return asyncio.get_running_loop().time()
