"""The same work over SQLite, and over PostgreSQL with one, two and four processes."""

from __future__ import annotations

import itertools
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from tests.bench import corpus, meters
from tests.bench.figures import Measured
from tests.bench.load import bounded, rate
from tests.bench.phones import BenchPhone
from tests.bench.ping_rows import held
from tests.bench.session_rows import empty
from tests.bench.stage import Stage
from tests.support.gateway import Gateway

__all__ = ["KINDS", "processes"]

KINDS: Mapping[str, int] = {"sqlite": 1, "pg1": 1, "pg2": 2, "pg4": 4}
"""The store, and how many processes serve from it."""
_AT_ONCE = 16
_SENDERS = 8
_SECONDS = 300.0
_SHARE = 5
"""Of the phones that `ping` has wait, so many times fewer wait here."""


async def processes(stage: Stage, kind: str) -> Sequence[Measured]:
    """First Syncs, Syncs with nothing new and sent messages per second, and the memory of a waiting phone."""
    scale = stage.scale
    users = await stage.small_mailboxes(max(scale.users, scale.pings // _SHARE))
    with _gateway(stage, kind) as gateway:
        bench = _Bench(stage, kind, gateway)
        held = await bench.held(
            users[: scale.pings // _SHARE]
        )  # at first: later memory is there to be used again
        return [
            await bench.first(users[: scale.users]),
            await bench.nothing(users[:_AT_ONCE]),
            await bench.send(),
            held,
        ]


@contextmanager
def _gateway(stage: Stage, kind: str) -> Iterator[Gateway]:
    if kind == "sqlite":
        with stage.own_gateway() as gateway:
            yield gateway
        return
    store = {"url": stage.postgres.url(stage.postgres.create())}
    with stage.own_gateway(KINDS[kind], store=store) as gateway:
        yield gateway


@dataclass(frozen=True, slots=True)
class _Spent:
    """Processor seconds so far: of each process of the gateway, of the servers behind, and of the phones."""

    gateway: Mapping[int, float]
    postgres: float
    dovecot: float
    phones: float

    def since(self, before: _Spent, count: float, seconds: float) -> dict[str, object]:
        """Milliseconds for each of so many operations, and how busy the gateway's busiest process was."""
        gateway = [spent - before.gateway.get(pid, 0.0) for pid, spent in self.gateway.items()]
        return {
            "gateway cpu ms": round(1000 * sum(gateway) / count, 3),
            "PostgreSQL cpu ms": round(1000 * (self.postgres - before.postgres) / count, 3),
            "Dovecot cpu ms": round(1000 * (self.dovecot - before.dovecot) / count, 3),
            "phones cpu ms": round(1000 * (self.phones - before.phones) / count, 3),
            "busiest process": round(max(gateway) / seconds, 2),
        }


class _Bench:
    """The measurements of one gateway."""

    def __init__(self, stage: Stage, kind: str, gateway: Gateway) -> None:
        self._stage = stage
        self._kind = kind
        self._gateway = gateway

    async def first(self, users: Sequence[str]) -> Measured:
        """Messages per second of many users' first Syncs, with Provision and FolderSync, some at once."""
        count = len(users) * self._stage.scale.small
        rates, costs = [], []
        for _ in range(self._stage.scale.rounds):
            phones = [self._stage.new_phone(user, self._gateway) for user in users]
            before, start = self._spent(), time.perf_counter()
            await bounded(_AT_ONCE, [partial(self._begin, phone) for phone in phones])
            seconds = time.perf_counter() - start
            rates.append(count / seconds)
            costs.append(self._spent().since(before, count, seconds))
            for phone in phones:
                phone.close()
        middle = sorted(range(len(rates)), key=rates.__getitem__)[len(rates) // 2]
        details = {"rounds": [round(speed) for speed in rates], **costs[middle]}
        return Measured(f"first-{self._kind}", rates[middle], None, details)

    async def nothing(self, users: Sequence[str]) -> Measured:
        """Syncs with nothing new per second, of users who each ask again and again."""
        phones = [self._stage.new_phone(user, self._gateway) for user in users]
        for phone in phones:
            await self._begin(phone)
            await phone.sync()
        return await self._rate("nothing", [phone.sync for phone in phones])

    async def send(self) -> Measured:
        """Messages sent per second, of users at once, each copied to Sent."""
        phones = [self._stage.new_phone(f"sender-{number}", self._gateway) for number in range(_SENDERS)]
        for phone in phones:
            await phone.connect()
        measured = await self._rate("send", [partial(_send, phone, itertools.count()) for phone in phones])
        for phone in phones:
            await empty(self._stage, phone.user)
        return measured

    async def held(self, users: Sequence[str]) -> Measured:
        """KiB that waiting adds to each phone of another user."""
        name = f"held-{self._kind}"
        waiting, _ = await held(self._stage, self._gateway, name, [(user, 1) for user in users])
        return waiting

    async def _begin(self, phone: BenchPhone) -> None:
        await phone.connect()
        await phone.first_sync(self._stage.scale.small, _SECONDS)

    async def _rate(self, name: str, calls: Sequence[Callable[[], Awaitable[object]]]) -> Measured:
        before, start = self._spent(), time.perf_counter()
        speed = await rate(calls, self._stage.scale.seconds / 2)
        seconds = time.perf_counter() - start
        details = self._spent().since(before, speed * seconds, seconds)
        return Measured(f"{name}-{self._kind}", speed, None, details)

    def _spent(self) -> _Spent:
        stage = self._stage
        return _Spent(
            {pid: meters.cpu_seconds([pid]) for pid in meters.tree(self._gateway.pid)},
            0.0 if self._kind == "sqlite" else meters.cpu_seconds(meters.tree(stage.postgres.pid)),
            stage.upstream_cpu(),
            meters.own_cpu_seconds(),
        )


def _send(phone: BenchPhone, numbers: Iterator[int]) -> Awaitable[object]:
    subject = f"sent-{next(numbers)}-{time.time_ns():x}"
    return phone.send_mail(subject, corpus.note(phone.user, subject))
