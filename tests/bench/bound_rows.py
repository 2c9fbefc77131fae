"""What is bounded: connections that say nothing, and a large mailbox on a server without extensions."""

from __future__ import annotations

import asyncio
import re
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from tests.bench import meters
from tests.bench.figures import Measured
from tests.bench.load import spread
from tests.bench.phones import Failed
from tests.bench.stage import Stage, log_as_administrators_do
from tests.support.dovecot import Dovecot
from tests.support.dovecot_config import Options
from tests.support.gateway import Gateway

__all__ = ["bare", "strangers"]

_SECONDS = 900.0
_OPENING = 100
"""Connections being opened at once."""


class _Silent(asyncio.Protocol):
    """A connection that says nothing; those that are open are in `alive`."""

    def __init__(self, alive: set[_Silent]) -> None:
        self._alive = alive
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not derived from it
        self._alive.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._alive.discard(self)

    def close(self) -> None:
        """Hang up."""
        assert self._transport is not None
        self._transport.close()


async def strangers(stage: Stage) -> Sequence[Measured]:
    """Milliseconds of a Sync with nothing new while thousands of connections are opened and say nothing."""
    count = stage.scale.strangers
    user = await stage.mailbox(stage.scale.small)
    alive: set[_Silent] = set()
    with stage.own_gateway() as gateway:
        phone = stage.new_phone(user, gateway)
        await phone.connect()
        await phone.first_sync(stage.scale.small, _SECONDS)
        before = meters.pss_kib([gateway.pid])
        opening = asyncio.create_task(_open(gateway, count, alive))
        times: list[float] = []
        most = 0
        while not opening.done() or len(times) < stage.scale.requests:
            start = time.perf_counter()
            answer, _ = await phone.sync()
            times.append(answer.at - start)
            most = max(most, meters.file_descriptors(gateway.pid))
            await asyncio.sleep(0.01)
        await opening
        grown = meters.pss_kib([gateway.pid]) - before
        details: dict[str, object] = {
            "opened": count,
            "alive at the end": len(alive),
            "most files of the gateway": most,
            "MiB more": round(grown / 1024, 1),
            **spread(times),
        }
        for connection in list(alive):
            connection.close()
    return [Measured("strangers", 1000 * statistics.median(times), None, details)]


async def _open(gateway: Gateway, count: int, alive: set[_Silent]) -> None:
    loop = asyncio.get_running_loop()
    room = asyncio.Semaphore(_OPENING)

    async def one() -> None:
        async with room:
            await loop.create_connection(lambda: _Silent(alive), gateway.host, gateway.port)

    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(one())


async def bare(stage: Stage) -> Sequence[Measured]:
    """Messages per second of a first Sync of the largest mailbox, where the server has IMAP4rev1 alone.

    The server is a second Dovecot with the same mail, which announces no extension.
    """
    count = stage.scale.sizes[2]
    user = await stage.mailbox(count)
    with (
        Dovecot(Options(profile="bare"), mail=stage.dovecot.place.mail) as poor,
        Gateway(poor, stage.sink, sections=log_as_administrators_do()) as gateway,
    ):
        phone = stage.new_phone(user, gateway)
        await phone.connect()
        before = _peak_mib(gateway.pid)
        start = time.perf_counter()
        end, _ = await phone.first_sync(count, _SECONDS)
        times = []
        for _ in range(10):
            begin = time.perf_counter()
            answer, _ = await phone.sync()
            times.append(answer.at - begin)
            if answer.body:
                raise Failed("a Sync with nothing new has an answer")
        details: dict[str, object] = {
            "messages": count,
            "MiB before": round(before, 1),
            "MiB at most": round(_peak_mib(gateway.pid), 1),
            "nothing new p50 ms": round(1000 * statistics.median(times), 1),
        }
        phone.close()
    return [Measured("bare", count / (end - start), None, details)]


def _peak_mib(pid: int) -> float:
    """The most memory a process ever had, in MiB."""
    found = re.search(r"^VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024
