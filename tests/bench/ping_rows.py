"""Waiting phones: what each of them costs, how many there can be, and how soon they learn of new mail."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TypeAlias

from tests.bench import corpus, meters
from tests.bench.crowd import Crowd
from tests.bench.figures import Measured
from tests.bench.imap import ImapClient
from tests.bench.load import bounded, spread
from tests.bench.phones import Answer, BenchPhone, Failed
from tests.bench.stage import Stage, log_as_administrators_do
from tests.support.gateway import Gateway
from wbxml import decode
from wbxml.pages import Ping

__all__ = ["crowd", "held", "memory", "memory_of_devices", "prepare", "push", "status", "waiting"]

Pings: TypeAlias = Sequence[asyncio.Task[Answer]]

HEARTBEAT = 900
_NEWS, _NOTHING = "2", "1"
_AT_ONCE = 16
_WARM_UP = 10
_COME_AT_ONCE = 500
"""Of more than 2,048 connections that have not said anything yet the gateway closes the oldest."""
_SETTLE = 2.0
_STANDS_SECONDS = 120.0
_TOLD_SECONDS = 30.0
_SOURCES = 5
"""Loopback addresses that phones come from, each of which has ports of its own."""


# --- memory ------------------------------------------------------------------------------------------------


async def memory(stage: Stage) -> Sequence[Measured]:
    """KiB that a waiting phone adds to the process; each phone has another user, on a Dovecot."""
    users = await stage.small_mailboxes(stage.scale.pings)
    return await _memory(stage, "ping", [(user, 1) for user in users])


async def memory_of_devices(stage: Stage) -> Sequence[Measured]:
    """The same, where each user has many phones."""
    devices = max(2, stage.scale.pings // 20)
    users = await stage.small_mailboxes(stage.scale.pings // devices)
    return await _memory(stage, "ping-devices", [(user, devices) for user in users])


async def _memory(stage: Stage, name: str, wanted: Sequence[tuple[str, int]]) -> Sequence[Measured]:
    with stage.own_gateway() as gateway:
        return await held(stage, gateway, name, wanted)


async def held(
    stage: Stage, gateway: Gateway, name: str, wanted: Sequence[tuple[str, int]]
) -> Sequence[Measured]:
    """What waiting phones add to a gateway: after their Syncs, and together with those (`-whole`).

    `wanted` are users, and how many devices each has.
    """
    async with waiting(stage, gateway, [(f"warm-{number}", 1) for number in range(_WARM_UP)]):
        pass
    base, behind = _memory_of(gateway), meters.pss_kib(meters.tree(stage.dovecot.pid))
    count = sum(devices for _, devices in wanted)
    async with waiting(stage, gateway, wanted) as prepared:
        whole = _memory_of(gateway)
        details: dict[str, object] = {
            "phones": count,
            "users": len(wanted),
            "MiB before": round(base / 1024, 1),
            "MiB synced": round(prepared / 1024, 1),
            "MiB held": round(whole / 1024, 1),
            "Dovecot KiB each": round((meters.pss_kib(meters.tree(stage.dovecot.pid)) - behind) / count),
            "files": sum(map(meters.file_descriptors, meters.tree(gateway.pid))),
        }
    return [
        Measured(name, (whole - prepared) / count, None, details),
        Measured(f"{name}-whole", (whole - base) / count),
    ]


def _memory_of(gateway: Gateway) -> int:
    """KiB of all its processes."""
    return meters.pss_kib(meters.tree(gateway.pid))


@asynccontextmanager
async def waiting(stage: Stage, gateway: Gateway, wanted: Sequence[tuple[str, int]]) -> AsyncIterator[int]:
    """Phones that have synced and wait; gives the memory of the gateway before they began to wait."""
    phones = [stage.new_phone(user, gateway) for user, devices in wanted for _ in range(devices)]
    await bounded(_AT_ONCE, [partial(prepare, phone) for phone in phones])
    await asyncio.sleep(_SETTLE)
    prepared = _memory_of(gateway)
    pings = await _hold(gateway, phones)
    try:
        yield prepared
    finally:
        await _let_go(gateway, phones, pings)


async def prepare(phone: BenchPhone) -> None:
    """Have a phone sync its folder from nothing to its end."""
    await phone.connect()
    await phone.sync()
    while (await phone.sync())[1]:
        pass
    phone.close()


async def _hold(gateway: Gateway, phones: Sequence[BenchPhone]) -> Pings:
    """Send the Pings, so many at once, and wait until the gateway holds all of them."""
    before = _held(gateway)
    pings: list[asyncio.Task[Answer]] = []
    try:
        for at in range(0, len(phones), _COME_AT_ONCE):
            pings += [asyncio.create_task(phone.ping(HEARTBEAT)) for phone in phones[at : at + _COME_AT_ONCE]]
            await _until_held(gateway, before, pings)
    except BaseException:
        for ping in pings:
            ping.cancel()
        raise
    await asyncio.sleep(_SETTLE)
    return pings


async def _until_held(gateway: Gateway, before: int, pings: Pings) -> None:
    end = time.perf_counter() + _STANDS_SECONDS
    while _held(gateway) < before + len(pings):
        early = [ping for ping in pings if ping.done()]
        if early:
            raise Failed(f"{len(early)} Pings ended early: {status(early[0].result())}")
        if time.perf_counter() > end:
            raise Failed(f"only {_held(gateway) - before} of {len(pings)} Pings are held")
        await asyncio.sleep(0.2)


async def _let_go(gateway: Gateway, phones: Sequence[BenchPhone], pings: Pings) -> None:
    """Hang up, and see that nothing is held any more."""
    for phone in phones:
        phone.close()
    await asyncio.gather(*pings, return_exceptions=True)
    end = time.perf_counter() + _STANDS_SECONDS
    while _held(gateway):
        if time.perf_counter() > end:
            raise Failed(f"{_held(gateway)} Pings are held for phones that are gone")
        await asyncio.sleep(0.1)


def _held(gateway: Gateway) -> int:
    """How many Pings the gateway says it holds."""
    return int(gateway.metric('eas_requests_open{command="Ping"}'))


def status(answer: Answer) -> str:
    """The Status of a Ping's answer."""
    return decode(answer.body).child_text(Ping.Status) or ""


# --- a crowd -----------------------------------------------------------------------------------------------


async def crowd(stage: Stage) -> Sequence[Measured]:
    """How many phones wait in one process, of some thousand users; what the processor does meanwhile.

    Dovecot has a process for each connection, so a small server of our own stands in for it. All phones but
    the first of each user ask for their folders, and then wait for mail that they never synced.
    """
    count = stage.scale.crowd
    with Crowd() as server, Gateway(server, stage.sink, sections=log_as_administrators_do()) as gateway:
        address = (gateway.host, gateway.port)
        per_user = 5
        firsts = [
            BenchPhone.make(address, f"crowd-{number}", server.password, "0", _source(number))
            for number in range(count // per_user)
        ]
        await bounded(_AT_ONCE, [partial(prepare, phone) for phone in firsts])
        base = meters.pss_kib([gateway.pid])
        others = [*itertools.chain.from_iterable(_others(address, first, per_user) for first in firsts)]
        await bounded(_AT_ONCE, [partial(_ask_for_folders, phone) for phone in others])
        phones = [*firsts, *others]
        half = phones[: count // 2]
        pings = list(await _hold(gateway, half))
        cpu = await _cpu_share(gateway, stage.scale.idle_seconds)
        pings += await _hold(gateway, phones[len(half) :])
        held = _held(gateway)
        size = meters.pss_kib([gateway.pid])
        times = await _tell_some(server, phones, pings)
        details: dict[str, object] = {
            "users": len(firsts),
            "KiB each": round((size - base) / held, 1),
            "MiB held": round(size / 1024, 1),
            "files": meters.file_descriptors(gateway.pid),
            "told": len(times),
            **spread(times),
        }
        await _let_go(gateway, phones, pings)
    return [
        Measured("crowd", held, None, details),
        Measured("crowd-cpu", 100 * cpu, None, {"phones": len(half)}),
    ]


def _source(number: int) -> str:
    return f"127.0.0.{2 + number % _SOURCES}"


def _others(address: tuple[str, int], first: BenchPhone, per_user: int) -> Sequence[BenchPhone]:
    """Further phones of a user."""
    return [
        BenchPhone.make(address, first.user, first.password, str(number), _source(number))
        for number in range(1, per_user)
    ]


async def _ask_for_folders(phone: BenchPhone) -> None:
    await phone.connect()
    phone.close()


async def _cpu_share(gateway: Gateway, seconds: float) -> float:
    before = meters.cpu_seconds([gateway.pid])
    await asyncio.sleep(seconds)
    return (meters.cpu_seconds([gateway.pid]) - before) / seconds


async def _tell_some(server: Crowd, phones: Sequence[BenchPhone], pings: Pings) -> Sequence[float]:
    """New mail for some users, which must end every Ping of theirs; returns the seconds until it did."""
    users = sorted({phone.user for phone in phones})
    chosen = users[:: max(1, len(users) // 20)]
    times = []
    async with ImapClient(server.host, server.port) as client:
        for user in chosen:
            start = time.perf_counter()
            await client.do(f"XNEWS {user}")
            for phone, ping in zip(phones, pings, strict=True):
                if phone.user == user:
                    answer = await asyncio.wait_for(ping, _TOLD_SECONDS)
                    if status(answer) != _NEWS:
                        raise Failed(f"a Ping ended with Status {status(answer)}")
                    times.append(answer.at - start)
    return times


# --- new mail ----------------------------------------------------------------------------------------------


async def push(stage: Stage) -> Sequence[Measured]:
    """Milliseconds from new mail to the answer of a Ping, beyond what an idle client waits for it."""
    users = (await stage.small_mailboxes(_AT_ONCE))[: stage.scale.watched]
    beyond, alone, notified, whole = [], [], [], []
    with stage.own_gateway() as gateway:
        async with AsyncExitStack() as stack:
            watched = [await stack.enter_async_context(_watched(stage, gateway, user)) for user in users]
            for _ in range(stage.scale.deliveries):
                for one in watched:
                    answered, idle, notify = await one.deliver()
                    beyond.append(answered - idle)
                    whole.append(answered)
                    alone.append(idle)
                    notified.append(notify)
    ordered = sorted(beyond)
    details: dict[str, object] = {
        "p50 beyond IDLE ms": round(1000 * statistics.median(beyond), 1),
        "p50 of the whole ms": round(1000 * statistics.median(whole), 1),
        "p50 of IDLE ms": round(1000 * statistics.median(alone), 1),
        "p50 of NOTIFY ms": round(1000 * statistics.median(notified), 1),
        **spread(whole),
    }
    p95 = 1000 * ordered[int(len(ordered) * 0.95)]
    return [Measured("push", p95, 1000 * statistics.median(alone), details)]


class _Watched:
    """A user with a phone that waits, and beside it a client in IDLE and one under NOTIFY."""

    def __init__(self, phone: BenchPhone, writer: ImapClient, idle: ImapClient, notify: ImapClient) -> None:
        self.phone = phone
        self._writer = writer
        self._told: list[asyncio.Future[float]] = []
        for number, (client, mark) in enumerate(((idle, b"EXISTS"), (notify, b"STATUS"))):
            client.on_line = partial(self._hear, number, mark)
        self._uids: list[int] = []

    def _hear(self, number: int, mark: bytes, data: bytes) -> None:
        if mark in data and number < len(self._told) and not self._told[number].done():
            self._told[number].set_result(time.perf_counter())

    async def deliver(self) -> tuple[float, float, float]:
        """Append a message; returns the seconds until the Ping was answered, IDLE and NOTIFY told."""
        loop = asyncio.get_running_loop()
        self._told = [loop.create_future(), loop.create_future()]
        ping = asyncio.create_task(self.phone.ping(HEARTBEAT))
        await asyncio.sleep(0.1)
        subject = f"push-{time.time_ns():x}"
        start = time.perf_counter()
        appended = asyncio.create_task(self._writer.append(corpus.note(self.phone.user, subject)))
        async with asyncio.timeout(_TOLD_SECONDS):
            answer = await ping
            idle, notify = [await told for told in self._told]
            self._uids.append(await appended)
        if status(answer) != _NEWS:
            raise Failed(f"a Ping ended with Status {status(answer)}")
        await self.phone.sync()
        return answer.at - start, idle - start, notify - start

    async def tidy(self) -> None:
        """Remove what was delivered."""
        await self._writer.expunge(self._uids)


@asynccontextmanager
async def _watched(stage: Stage, gateway: Gateway, user: str) -> AsyncIterator[_Watched]:
    phone = stage.new_phone(user, gateway)
    await prepare(phone)
    async with stage.imap() as writer, stage.imap() as idle, stage.imap() as notify:
        for client in (writer, idle, notify):
            await client.log_in(user, stage.dovecot.password)
        await idle.do("SELECT INBOX")
        await idle.idle()
        await notify.do("NOTIFY SET (PERSONAL (MessageNew MessageExpunge FlagChange))")
        watched = _Watched(phone, writer, idle, notify)
        try:
            yield watched
        finally:
            await watched.tidy()
            phone.close()
