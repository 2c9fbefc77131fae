"""What the gateway costs as a process: start-up, memory, and how long one phone waits for others."""

from __future__ import annotations

import asyncio
import ctypes
import os
import random
import statistics
import time
from collections.abc import Sequence
from typing import Any

from gateway.types import MailboxView
from gateway.upstream.imap.upstream import ImapUpstream
from tests.bench import corpus, meters
from tests.bench.figures import Measured
from tests.bench.phones import Connection
from tests.bench.stage import Stage
from tests.support.gateway import Gateway
from tests.support.imap_servers import on_dovecot

__all__ = ["lag", "start", "views"]

_USERS = 10
_PROBE_EVERY = 0.005
_PROBE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
_LATE = 0.02
_VIEWS = 40


async def start(stage: Stage) -> Sequence[Measured]:
    """Seconds from the start of the process until it answers, with an empty store, and its memory then."""
    seconds, sizes = [], []
    for _ in range(max(3, stage.scale.rounds)):
        begin = time.perf_counter()
        with stage.own_gateway() as gateway:
            seconds.append(time.perf_counter() - begin)
            await asyncio.sleep(0.5)
            sizes.append(meters.pss_kib([gateway.pid]) / 1024)
    details = {"rounds": [round(each, 2) for each in seconds]}
    return [
        Measured("start", statistics.median(seconds), None, details),
        Measured("base", statistics.median(sizes)),
    ]


# --- the event loop ----------------------------------------------------------------------------------------


async def lag(stage: Stage) -> Sequence[Measured]:
    """How long the event loop is busy with others at any moment while ten users sync from nothing.

    A probe asks for /healthz every few milliseconds over a connection of its own: its time is what a request
    that costs nothing has to wait. The gateway's own gauge of its event loop stands beside it.
    """
    count = stage.scale.sizes[0]
    users = [await stage.mailbox(count, number) for number in range(_USERS)]
    waits: list[float] = []
    with stage.own_gateway() as gateway:
        probe = Connection(gateway.host, gateway.port)
        idle = await _probe(probe, 1.0)
        before = _loop_lag(gateway)
        for _ in range(stage.scale.rounds):
            phones = [stage.new_phone(user, gateway) for user in users]
            for phone in phones:
                await phone.connect()
            syncs = asyncio.gather(*(phone.first_sync(count, 600) for phone in phones))
            waits += await _probe(probe, 600.0, syncs)
            await syncs
            for phone in phones:
                phone.close()
        told = _late(before, _loop_lag(gateway))
        probe.close()
    ordered = sorted(waits)
    details = {
        "n": len(waits),
        "p50 ms": round(1000 * statistics.median(waits), 2),
        "most ms": round(1000 * ordered[-1], 1),
        "share over 20 ms": round(sum(wait > _LATE for wait in waits) / len(waits), 4),
        "p50 ms without load": round(1000 * statistics.median(idle), 2),
        "share over 20 ms by the gauge": told,
    }
    return [Measured("lag", 1000 * ordered[int(len(ordered) * 0.99)], None, details)]


async def _probe(
    probe: Connection, seconds: float, until: asyncio.Future[Any] | None = None
) -> Sequence[float]:
    """Times of requests that cost nothing, for so long at most."""
    waits = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end and not (until and until.done()):
        begin = time.perf_counter()
        answer = await probe.request(_PROBE)
        waits.append(answer.at - begin)
        await asyncio.sleep(_PROBE_EVERY)
    return waits


def _loop_lag(gateway: Gateway) -> tuple[float, float]:
    """Samples of the gateway's gauge of its event loop so far: those in time, and all."""
    bucket = 'event_loop_lag_seconds_bucket{le="%s"}'
    return gateway.metric(bucket % _LATE), gateway.metric(bucket % "+Inf")


def _late(before: tuple[float, float], after: tuple[float, float]) -> float:
    """The share of samples that were late between two readings."""
    samples = after[1] - before[1]
    return round(1 - (after[0] - before[0]) / samples, 4) if samples else 0.0


# --- views -------------------------------------------------------------------------------------------------


async def views(stage: Stage) -> Sequence[Measured]:
    """KiB that the view of a mailbox of 10,000 messages takes: what this process grows by with many."""
    count = stage.scale.sizes[1]
    user = f"views{count}"
    await _copies(stage, user, count)
    server = on_dovecot(stage.dovecot, user)
    upstream = ImapUpstream(server.settings)
    mail = upstream.mailboxes(server.principal)
    await mail.view("INBOX")
    before = _trimmed()
    kept: list[MailboxView] = [await mail.view(f"copy{number}") for number in range(_VIEWS)]
    kib = (_trimmed() - before) / len(kept)
    assert all(len(view.uids) == count for view in kept)
    await upstream.aclose()
    return [Measured("view", kib, None, {"views": len(kept), "messages": count})]


async def _copies(stage: Stage, user: str, count: int) -> None:
    """Fill an INBOX with short messages, of which some are read, and copy it often.

    Of twice the messages every copy keeps half, by chance: UIDs in one row would take next to nothing.
    """
    chance = random.Random(count)
    async with stage.imap() as client:
        await client.log_in(user, stage.dovecot.password)
        if await client.count() == count:
            return
        short = corpus.note(user, "short")
        await client.fill(
            corpus.Message(short, message.received, message.seen) for message in corpus.produce(user, count)
        )
        await client.do("SELECT INBOX")
        for number in range(_VIEWS):
            await client.do(f"CREATE copy{number}")
            for _ in range(2):
                await client.do(f"COPY 1:* copy{number}")
            gone = sorted(chance.sample(range(1, 2 * count + 1), count))
            for at in range(0, count, 1000):  # lines have a longest length
                await client.expunge(gone[at : at + 1000], f"copy{number}")
            await client.do("SELECT INBOX")


def _trimmed() -> int:
    """Memory of this process in KiB, without what is free already."""
    ctypes.CDLL(None).malloc_trim(0)
    return meters.pss_kib([os.getpid()])
