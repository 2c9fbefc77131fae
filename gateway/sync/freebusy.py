"""When the users behind an address are free, worked out from their calendars."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from gateway.items import ItemKind
from gateway.pim.events.document import read_event
from gateway.pim.events.freebusy import NO_DATA, Taken, merged_free_busy, no_free_busy, taken
from gateway.pim.events.model import BadEvent, Event
from gateway.pim.rules import Work
from gateway.ports import Items
from gateway.sync.background import compute
from gateway.types import UserId

__all__ = ["free_busy"]

_MOST_EVENTS = 10_000
"""Read of one address; each is some kilobytes of text."""
_WORK = 10_000
"""For one event; enough for one of each day over decades, some hundredths of a second."""
_TURN = 0.05
"""Seconds of computing at a time: others wait for the same thread."""
_DAY = timedelta(days=1)
"""How far whole days may lie from the same days of UTC, by which the store knows them."""
_FREE = "0"


async def free_busy(
    items: Items,
    users: Collection[UserId],
    address: str,
    start: datetime,
    end: datetime,
    *,
    zone: tzinfo,
    until: float,
) -> str:
    """One digit for each half hour between two instants (MS-ASCMD 2.2.3.107): 0 free to 3 away, 4 no data.

    All calendars of their own count, those of others that are shared with them do not. What is to be known of
    too many events, or after `until` (in the time of the event loop), stays unknown: it has 4 where nothing
    else is known.
    """
    folders = [
        folder.id
        for user in users
        for folder in await items.item_folders(user)
        if folder.owner == user and folder.kind is ItemKind.CALENDAR
    ]
    if not folders:
        return no_free_busy(start, end)
    found = await items.items_between(folders, start - _DAY, end + _DAY, _MOST_EVENTS + 1)
    reckoning = _Reckoning(address, start, end, zone)
    texts = [one.stored.text for one in found[:_MOST_EVENTS]]
    complete = await reckoning.go_through(texts, UTC, until, whole_days=False)
    complete &= await reckoning.go_through(reckoning.whole_days, reckoning.home, until, whole_days=True)
    if complete and reckoning.complete and len(found) <= _MOST_EVENTS:
        return reckoning.digits
    return reckoning.digits.replace(_FREE, NO_DATA)


class _Reckoning:
    """The digits so far. `whole_days` are the texts of events that lie in no zone, to be looked at last."""

    def __init__(self, address: str, start: datetime, end: datetime, zone: tzinfo) -> None:
        self._zone = zone
        self._address, self._start, self._end = address, start, end
        self._zones: Counter[ZoneInfo] = Counter()
        self.digits = merged_free_busy((), start, end)
        self.whole_days: list[str] = []
        self.complete = True

    @property
    def home(self) -> tzinfo:
        """Where most events are that are somewhere."""
        return max(self._zones, key=lambda zone: self._zones[zone], default=self._zone)

    async def go_through(self, texts: Sequence[str], zone: tzinfo, until: float, *, whole_days: bool) -> bool:
        """Look at events, those in no zone in `zone`; return whether there was time for all of them."""
        at, now = 0, asyncio.get_running_loop().time
        while at < len(texts):
            if now() >= until:
                return False
            at = await compute(self._turn, texts, at, zone, whole_days)
        return True

    def _turn(self, texts: Sequence[str], at: int, zone: tzinfo, whole_days: bool) -> int:
        """Look at events for a while, from the one at `at` on; return at which to go on."""
        ends = time.monotonic() + _TURN

        def times() -> Iterator[Taken]:
            nonlocal at
            while at < len(texts) and time.monotonic() < ends:
                event = self._read(texts[at], zone, whole_days=whole_days)
                at += 1
                if event is not None:
                    yield from self._taken(event)

        found = merged_free_busy(times(), self._start, self._end)
        self.digits = "".join(map(max, self.digits, found))
        return at

    def _read(self, text: str, zone: tzinfo, *, whole_days: bool) -> Event | None:
        try:
            event = read_event(text, self._address, zone)
        except BadEvent:
            return None
        if event.all_day and event.zone is UTC and not whole_days:
            self.whole_days.append(text)
            return None
        if isinstance(event.zone, ZoneInfo):
            self._zones[event.zone] += 1
        return event

    def _taken(self, event: Event) -> Iterator[Taken]:
        work = Work(_WORK)
        yield from taken([event], self._start, self._end, work)
        self.complete &= work.left >= 0
