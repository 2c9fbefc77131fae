"""What PostgreSQL has to do for each kind of request."""

from __future__ import annotations

import asyncio
import operator
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import astuple, dataclass

from tests.bench import corpus, meters
from tests.bench.calendar_rows import event, told
from tests.bench.database import Meter
from tests.bench.figures import Measured
from tests.bench.phones import CALENDAR_TYPE, BenchPhone, Failed, subjects
from tests.bench.ping_rows import prepare, status
from tests.bench.session_rows import empty
from tests.bench.stage import Stage
from tests.support.gateway import Gateway
from tests.support.tcp_cut import Way
from wbxml import Element, element
from wbxml.pages import AirSync, Email

__all__ = ["adds", "costs", "send"]

_SECONDS = 300.0
_TOLD_SECONDS = 30.0
_HEARTBEAT, _LONG = 1, 900
_NEWS = "2"
_WAITING = 10
"""Phones that wait at once, and how often."""
_ROUNDS = 5
_BEGIN = 1.0
"""Seconds until all of them are held."""
_SETTLE = 0.2
"""Seconds in which what a request left to be done is done."""
_EVENTS = 100


async def costs(stage: Stage) -> Sequence[Measured]:
    """Statements for each request, with all that the database and the gateway spend on it beside them.

    Requests follow one another, at a gateway with one process.
    """
    database = stage.postgres.create()
    with Way(stage.postgres.port) as way:
        url = stage.postgres.url(database).replace(f":{stage.postgres.port}/", f":{way.port}/")
        with stage.own_gateway(store={"url": url}, eas={"heartbeat_min": _HEARTBEAT}) as gateway:
            bench = _Costs(stage, gateway, _Counters(stage, gateway, database, way))
            return [
                await bench.connect(),
                await bench.message(),
                *await bench.mail(),
                *await bench.pings(),
                await bench.send(),
                *await bench.events(),
            ]


@dataclass(frozen=True, slots=True)
class _Counts:
    """What was done between two readings, or in several such times."""

    statements: int = 0
    writes: int = 0
    durable: int = 0
    notices: int = 0
    log: int = 0
    octets: int = 0
    turns: int = 0
    gateway: float = 0.0
    postgres: float = 0.0

    def __add__(self, other: _Counts) -> _Counts:
        return _Counts(*map(operator.add, astuple(self), astuple(other)))

    def measured(self, name: str, count: float) -> Measured:
        """The figure of an operation that was done so often."""
        details = {
            "round trips": round(self.turns / count, 2),
            "writing transactions": round(self.writes / count, 2),
            "durable commits": round(self.durable / count, 2),
            "notices": round(self.notices / count, 2),
            "log octets": round(self.log / count),
            "wire octets": round(self.octets / count),
            "PostgreSQL cpu ms": round(1000 * self.postgres / count, 3),
            "gateway cpu ms": round(1000 * self.gateway / count, 3),
            "n": round(count, 3),
        }
        return Measured(f"cost-{name}", self.statements / count, None, details)


class _Counters:
    """Counts what is done while something goes on."""

    def __init__(self, stage: Stage, gateway: Gateway, database: str, way: Way) -> None:
        self._stage = stage
        self._gateway = gateway
        self._meter = Meter(stage.postgres, database)
        self._way = way
        self.counted: defaultdict[str, _Counts] = defaultdict(_Counts)
        """By the names of operations."""

    @asynccontextmanager
    async def counting(self, name: str) -> AsyncIterator[None]:
        """Add what is done while the context lasts, and what goes on for a moment after it."""
        seen, passed, cpu = self._meter.read(), (self._way.octets, self._way.turns), self._cpu()
        yield
        await asyncio.sleep(_SETTLE)
        gateway, postgres = (now - then for now, then in zip(self._cpu(), cpu, strict=True))
        octets, turns = self._way.octets - passed[0], self._way.turns - passed[1]
        done = self._meter.read() - seen
        self.counted[name] += _Counts(
            done.statements,
            done.writes,
            self._meter.durable(seen.wal),
            sum(calls for text, calls in done.calls.items() if "pg_notify" in text),
            done.wal,
            octets,
            turns,
            gateway,
            postgres,
        )

    def _cpu(self) -> tuple[float, float]:
        """Processor seconds of the gateway and of PostgreSQL."""
        return (
            meters.running_seconds(meters.tree(self._gateway.pid)),
            meters.running_seconds(meters.tree(self._stage.postgres.pid)),
        )


class _Costs:
    """Does each operation often enough, one after the other."""

    def __init__(self, stage: Stage, gateway: Gateway, counters: _Counters) -> None:
        self._stage = stage
        self._gateway = gateway
        self._counters = counters
        self._counting = counters.counting
        self._few = max(5, stage.scale.requests // 10)

    async def connect(self) -> Measured:
        """New users' devices."""
        phones = [self._phone(f"new-{number}") for number in range(self._few)]
        async with self._counting("connect"):
            for phone in phones:
                await phone.connect()
        return self._measured("connect", len(phones))

    async def message(self) -> Measured:
        """A large folder, with the Sync that begins it."""
        count = self._stage.scale.sizes[0]
        phone = self._phone(await self._stage.mailbox(count))
        await phone.connect()
        async with self._counting("message"):
            await phone.first_sync(count, _SECONDS)
        return self._measured("message", count)

    async def mail(self) -> Sequence[Measured]:
        """Nothing new, new messages, and each of them marked as read."""
        count = self._stage.scale.requests
        user = await self._stage.mailbox(self._stage.scale.small)
        [phone] = await self._synced([user])
        async with self._counting("nothing"):
            for _ in range(count):
                await phone.sync()
        subject = f"cost-{time.time_ns():x}"
        async with self._stage.imap() as client:
            await client.log_in(user, self._stage.dovecot.password)
            uids: list[int] = []
            names: list[str] = []
            async with self._counting("mail"):
                for number in range(self._few):
                    uids.append(await client.append(corpus.note(user, f"{subject}-{number}")))
                    answer, _ = await phone.sync()
                    names += subjects(answer).values()
            if len(names) != len(uids):
                raise Failed(f"{len(uids)} messages were new, {len(names)} came")
            await phone.sync()
            async with self._counting("mark"):
                for name in names:
                    await phone.sync(_read(name))
            await client.expunge(uids)
        return [
            self._measured("nothing", count),
            self._measured("mail", len(uids)),
            self._measured("mark", len(names)),
        ]

    async def pings(self) -> Sequence[Measured]:
        """Some phones at once: to the end of the heartbeat, told of mail, and while nothing happens."""
        phones = await self._synced(await self._stage.small_mailboxes(_WAITING))
        await _all(phone.ping(_HEARTBEAT) for phone in phones)  # the first one is stored
        async with self._counting("ping"):
            for _ in range(_ROUNDS):
                await _all(phone.ping(_HEARTBEAT) for phone in phones)
        for _ in range(_ROUNDS):
            await self._tell(phones)
        waiting = [asyncio.create_task(phone.ping(_LONG)) for phone in phones]
        await asyncio.sleep(_BEGIN)
        seconds = self._stage.scale.idle_seconds
        async with self._counting("minute"):
            await asyncio.sleep(seconds - _SETTLE)
        for phone in phones:
            phone.close()
        await asyncio.gather(*waiting, return_exceptions=True)
        return [
            self._measured("ping", _ROUNDS * len(phones)),
            self._measured("told", _ROUNDS * len(phones)),
            self._measured("minute", seconds / 60),
        ]

    async def _tell(self, phones: Sequence[BenchPhone]) -> None:
        """New mail for all of them while they wait; removed and synced afterwards."""
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(self._stage.imap()) for _ in phones]
            for phone, client in zip(phones, clients, strict=True):
                await client.log_in(phone.user, self._stage.dovecot.password)
            async with self._counting("told"):
                pings = [asyncio.create_task(phone.ping(_LONG)) for phone in phones]
                await asyncio.sleep(_BEGIN)
                uids = [
                    await client.append(corpus.note(phone.user, f"told-{time.time_ns():x}"))
                    for phone, client in zip(phones, clients, strict=True)
                ]
                async with asyncio.timeout(_TOLD_SECONDS):
                    answers = [await ping for ping in pings]
            if wrong := [status(answer) for answer in answers if status(answer) != _NEWS]:
                raise Failed(f"Pings ended with Status {wrong}")
            for phone, client, uid in zip(phones, clients, uids, strict=True):
                await client.expunge([uid])
                await phone.sync()
                await phone.sync()

    async def send(self) -> Measured:
        """One message after the other."""
        phone, count = self._phone("cost-sender"), self._stage.scale.requests // 2
        await phone.connect()
        async with self._counting("send"):
            await send(phone, count)
        await empty(self._stage, phone.user)
        return self._measured("send", count)

    async def events(self) -> Sequence[Measured]:
        """One device changes an event, which another is told of."""
        writer, reader = self._phone("cost-agenda"), self._phone("cost-agenda")
        for phone in (writer, reader):
            await phone.connect(CALENDAR_TYPE)
            await phone.sync()
        added, _ = await writer.sync(*adds(range(_EVENTS)))
        name = told(added)[0]
        while (await reader.sync())[1]:
            pass
        for number in range(_EVENTS, _EVENTS + self._few):
            change = element(AirSync.Change, element(AirSync.ServerId, name), event(number))
            async with self._counting("event"):
                await writer.sync(change)
            async with self._counting("event-told"):
                answer, _ = await reader.sync()
            if told(answer) != [name]:
                raise Failed(f"one event was changed, {told(answer)} came")
        return [self._measured("event", self._few), self._measured("event-told", self._few)]

    async def _synced(self, users: Sequence[str]) -> Sequence[BenchPhone]:
        """A phone of each, which has all of his INBOX."""
        phones = [self._phone(user) for user in users]
        for phone in phones:
            await prepare(phone)
        await asyncio.sleep(_SETTLE)  # they hung up
        return phones

    def _phone(self, user: str) -> BenchPhone:
        return self._stage.new_phone(user, self._gateway)

    def _measured(self, name: str, count: float) -> Measured:
        return self._counters.counted[name].measured(name, count)


def _read(name: str) -> Element:
    """Marks a message as read."""
    data = element(AirSync.ApplicationData, element(Email.Read, 1))
    return element(AirSync.Change, element(AirSync.ServerId, name), data)


def adds(numbers: Iterable[int]) -> Sequence[Element]:
    """Adds events."""
    return [
        element(AirSync.Add, element(AirSync.ClientId, f"c{number}"), event(number)) for number in numbers
    ]


async def send(phone: BenchPhone, count: int) -> None:
    """Send messages, one after the other."""
    for _ in range(count):
        subject = f"cost-{time.time_ns():x}"
        await phone.send_mail(subject, corpus.note(phone.user, subject))


async def _all(answers: Iterable[Awaitable[object]]) -> None:
    await asyncio.gather(*answers)
