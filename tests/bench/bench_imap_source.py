"""How fast mail is read over IMAP: `python -m tests.bench.bench_imap_source`; the last line is JSON.

A real Dovecot on loopback and a mailbox of 10,000 messages (another number may be given as argument). Rates
are messages per second through a session, the server's share included; times are the best of several
rounds, in milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from dataclasses import replace

from gateway.types import FLAGGED, SectionRequest
from gateway.upstream.imap import commands
from gateway.upstream.imap.responses import Fetch
from gateway.upstream.imap.snapshot import Snapshot, refresh
from gateway.upstream.imap.source import ImapMailboxes
from gateway.upstream.imap.upstream import ImapUpstream
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.imap_servers import MASKED, MailProgram, MailServer, mail_program, on_dovecot

MESSAGES = 10_000
ROUNDS = 5
LITERAL = 30 * 1024 * 1024
STALL_STEP = 0.001


async def best(work: Callable[[], Awaitable[object]], rounds: int = ROUNDS) -> float:
    """Seconds of the fastest round."""
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        await work()
        times.append(time.perf_counter() - begin)
    return min(times)


async def longest_stall(work: Callable[[], Awaitable[object]]) -> float:
    """Seconds for which the event loop did nothing else, at worst."""
    worst = 0.0

    async def beat() -> None:
        nonlocal worst
        while True:
            begin = time.perf_counter()
            await asyncio.sleep(STALL_STEP)
            worst = max(worst, time.perf_counter() - begin - STALL_STEP)

    beating = asyncio.create_task(beat())
    await asyncio.sleep(0)
    await work()
    beating.cancel()
    return worst


async def fill(program: MailProgram, count: int) -> None:
    """Messages of two shapes in INBOX."""
    shapes = (messages.plain("minutes of the meeting :)"), messages.alternative("Grüße aus (Köln"))
    for at in range(0, count, 500):
        await program.append("INBOX", *(shapes[n % 2] for n in range(min(500, count - at))))


async def measure_session(program: MailProgram, count: int) -> dict[str, float]:
    """Messages per second of plain FETCHes."""
    await program.select("INBOX")
    uids = range(1, count + 1)

    async def fetch(*items: str) -> None:
        [reply] = await program.do(*commands.uid_fetch(uids, items))
        assert sum(1 for _ in reply.of(Fetch)) == count

    rates = {}
    for item in ("FLAGS", "ENVELOPE", "BODYSTRUCTURE"):
        rates[f"{item} per second"] = count / await best(lambda item=item: fetch(item))  # type: ignore[misc]
        rates[f"{item} longest stall ms"] = 1000 * await longest_stall(lambda item=item: fetch(item))  # type: ignore[misc]
    return rates


async def measure_views(server: MailServer, program: MailProgram, count: int) -> dict[str, float]:
    """Milliseconds of views: the first, with nothing new, with one change."""
    await program.select("INBOX")
    known: Snapshot | None = None

    async def first() -> None:
        nonlocal known
        known = await refresh(program.session, "INBOX", None)
        assert len(known.all) == count

    times = {"view initial ms": 1000 * await best(first)}
    upstream = ImapUpstream(server.settings)
    mail = upstream.mailboxes(server.principal)
    uidvalidity = (await mail.view("INBOX")).uidvalidity
    times["view unchanged ms"] = 1000 * await best(lambda: mail.view("INBOX"), 50)
    changed = []
    for number in range(20):
        await program.store("INBOX", [number * 7 + 1], "+", FLAGGED)
        changed.append(await best(lambda: mail.view("INBOX"), 1))
    times["view one change ms"] = 1000 * min(changed)
    times["structures and headers per second"] = 1000 / await best(
        lambda: mail.fetch("INBOX", uidvalidity, range(1, 1001), None)
    )
    await measure_large(mail, times)
    await upstream.aclose()
    return times


async def measure_large(mail: ImapMailboxes, times: dict[str, float]) -> None:
    """A message of 30 MB, as one section and in pieces."""
    where = await mail.append("Archive", b"Subject: large\r\n\r\n" + b"0123456789" * 7 * (LITERAL // 70))
    assert where is not None
    uidvalidity, uid = where
    request = SectionRequest(uid, "1")

    async def in_pieces() -> None:
        octets = 0
        async for piece in mail.stream_section("Archive", uidvalidity, request):
            octets += len(piece)
        assert octets > LITERAL - 100

    async def at_once() -> None:
        assert await mail.fetch_sections("Archive", uidvalidity, [request])

    for name, work in (("30 MB in pieces", in_pieces), ("30 MB at once", at_once)):
        times[f"{name}, MB per second"] = 30 / await best(work, 3)
        times[f"{name}, peak memory MB"] = await peak_memory(work)


async def peak_memory(work: Callable[[], Awaitable[object]]) -> float:
    """Megabytes allocated beyond what there was, at worst."""
    tracemalloc.start()
    await work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 2**20


async def main(count: int) -> dict[str, float]:
    """All figures."""
    with Dovecot() as dovecot:
        server = on_dovecot(dovecot, "bench")
        async with mail_program(server) as program:
            await fill(program, count)
            figures = await measure_session(program, count)
            figures |= await measure_views(server, program, count)
        poor = replace(server, masked=MASKED["idle"])
        async with mail_program(server) as program:
            program.session.learn_capabilities(program.session.capabilities - poor.masked)
            program.session.enabled = frozenset()
            poor_view = await best(lambda: refresh(program.session, "INBOX", None))
            figures["view without CONDSTORE and ESEARCH ms"] = 1000 * poor_view
    return figures


if __name__ == "__main__":
    results = asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else MESSAGES))
    for name, figure in results.items():
        print(f"{name:45} {figure:12,.1f}")
    print(json.dumps({name: round(figure, 2) for name, figure in results.items()}))
