"""Calendars: the first Sync, one with nothing new, and one with an event that another device changed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from tests.bench import meters
from tests.bench.figures import Measured
from tests.bench.load import spread
from tests.bench.phones import CALENDAR_TYPE, Answer, BenchPhone, Failed
from tests.bench.stage import Stage
from wbxml import Element, decode, element
from wbxml.pages import AirSync, AirSyncBase, Calendar

__all__ = ["event", "initial", "nochange", "onechange", "told"]

_USER = "agenda"
_SECONDS = 900.0
_ADDS = 200
"""Events that one Sync of the filling phone adds."""
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)
_NOTES = "What is to be talked about.\n" * 40
_EVERY = 10
"""Which events are series: every so many-th."""


async def initial(stage: Stage) -> Sequence[Measured]:
    """Events per second of a phone's first Sync."""
    count = await _filled(stage)
    rates, costs = [], []
    for _ in range(stage.scale.rounds):
        phone = await _phone(stage)
        cpu, start = meters.cpu_seconds([stage.gateway.pid]), time.perf_counter()
        end, _ = await phone.first_sync(count, _SECONDS)
        rates.append(count / (end - start))
        costs.append(1000 * (meters.cpu_seconds([stage.gateway.pid]) - cpu) / count)
        phone.close()
    details = {
        "rounds": [round(speed) for speed in rates],
        "cpu ms per event": round(statistics.median(costs), 3),
    }
    return [Measured("calendar-initial", statistics.median(rates), None, details)]


async def nochange(stage: Stage) -> Sequence[Measured]:
    """Milliseconds of a Sync with nothing new."""
    phone = await _synced(stage)
    times = []
    for _ in range(stage.scale.requests):
        start = time.perf_counter()
        answer, _ = await phone.sync()
        times.append(answer.at - start)
        if answer.body:
            raise Failed("a Sync with nothing new has an answer")
    return [Measured("calendar-nochange", 1000 * statistics.median(times), None, spread(times))]


async def onechange(stage: Stage) -> Sequence[Measured]:
    """Milliseconds of a Sync that tells of one event another phone has just changed."""
    phone, other = await _synced(stage), await _synced(stage)
    added, _ = await other.sync(element(AirSync.Add, element(AirSync.ClientId, "c"), event(0)))
    (name,) = told(added)
    await phone.sync()
    times = []
    for number in range(1, 1 + max(5, stage.scale.requests // 10)):
        changed = element(AirSync.Change, element(AirSync.ServerId, name), event(number))
        await other.sync(changed)
        start = time.perf_counter()
        answer, _ = await phone.sync()
        times.append(answer.at - start)
        if told(answer) != [name]:
            raise Failed(f"one event was changed, {told(answer)} came")
    await other.sync(element(AirSync.Delete, element(AirSync.ServerId, name)))
    return [Measured("calendar-onechange", 1000 * statistics.median(times), None, spread(times))]


async def _filled(stage: Stage) -> int:
    """Have the calendar filled; returns how many events it holds."""
    count = stage.scale.sizes[1]
    phone = await _phone(stage)
    await phone.sync()
    known = 0
    while (found := await phone.sync())[0].body:
        known += len(told(found[0]))
        if not found[1]:
            break
    for at in range(known, count, _ADDS):
        adds = (
            element(AirSync.Add, element(AirSync.ClientId, f"c{number}"), event(number))
            for number in range(at, min(at + _ADDS, count))
        )
        await phone.sync(*adds)
    phone.close()
    return count


async def _phone(stage: Stage) -> BenchPhone:
    phone = stage.new_phone(_USER)
    await phone.connect(CALENDAR_TYPE)
    return phone


async def _synced(stage: Stage) -> BenchPhone:
    """A phone that has all of the calendar."""
    count = await _filled(stage)
    phone = await _phone(stage)
    await phone.first_sync(count, _SECONDS)
    return phone


def event(number: int) -> Element:
    """An event of an hour, one after the other; some are series of ten."""
    start = _BEGIN + number * _HOUR
    data = [
        element(Calendar.StartTime, f"{start:%Y%m%dT%H%M%SZ}"),
        element(Calendar.EndTime, f"{start + _HOUR:%Y%m%dT%H%M%SZ}"),
        element(Calendar.Subject, f"Event {number}"),
        element(AirSyncBase.Body, element(AirSyncBase.Type, 1), element(AirSyncBase.Data, _NOTES)),
    ]
    if number % _EVERY == 0:
        rule = (
            element(Calendar.Type, 0),
            element(Calendar.Interval, 1),
            element(Calendar.Occurrences, 10),
        )
        data.append(element(Calendar.Recurrence, *rule))
    return element(AirSync.ApplicationData, *data)


def told(answer: Answer) -> list[str]:
    """The ServerIds in a reply: of what is told, and of what was added."""
    if not answer.body:
        return []
    return [each.text() for each in decode(answer.body).iter() if each.tag is AirSync.ServerId]
