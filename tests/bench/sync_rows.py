"""Sync: from nothing, with nothing new, and with one new message."""

from __future__ import annotations

import asyncio
import re
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

from tests.bench import corpus, meters
from tests.bench.figures import Measured
from tests.bench.imap import ImapClient
from tests.bench.load import bounded, rate, spread
from tests.bench.phones import WINDOW, BenchPhone, Failed, subjects
from tests.bench.stage import Stage

__all__ = ["initial", "many", "nochange", "nochange_16", "onechange"]

SIZES = ("1k", "10k", "50k")
_SECONDS = 900.0
_ITEMS = (
    "UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER] BODY.PEEK[TEXT]<0.32768>"
)
_AT_ONCE = 16


# --- from nothing ------------------------------------------------------------------------------------------


async def initial(stage: Stage, size: str) -> Sequence[Measured]:
    """Messages per second of one user's first Sync, and processor time for each message."""
    count = stage.scale.sizes[SIZES.index(size)]
    user = await stage.mailbox(count)
    raw = await _fetch_all(stage, user)
    rates, costs, clients, upstreams = [], [], [], []
    for _ in range(stage.scale.rounds):
        phone = stage.new_phone(user)
        await phone.connect()
        before = _times(stage)
        start = time.perf_counter()
        end, tally = await phone.first_sync(count, _SECONDS)
        gateway, client, upstream = (now - then for now, then in zip(_times(stage), before, strict=True))
        phone.close()
        rates.append(count / (end - start))
        costs.append(1000 * gateway / count)
        clients.append(client / (end - start))
        upstreams.append(1000 * upstream / count)
        if not tally.with_body:
            raise Failed("no bodies came")
    details = {
        "rounds": [round(speed) for speed in rates],
        "cpu ms per message": round(statistics.median(costs), 3),
        "Dovecot cpu ms per message": round(statistics.median(upstreams), 3),
        "client cpu share": round(statistics.median(clients), 2),
    }
    measured = [Measured(f"initial-{size}", statistics.median(rates), raw, details)]
    if size == "10k":
        measured.append(Measured("cpu", statistics.median(costs)))
    return measured


def _times(stage: Stage) -> tuple[float, float, float]:
    """Processor seconds of the gateway, of this client, and of Dovecot."""
    return meters.cpu_seconds([stage.gateway.pid]), meters.own_cpu_seconds(), stage.upstream_cpu()


async def _fetch_all(stage: Stage, user: str) -> float:
    """Messages per second straight over IMAP; the second of two times, as phones come to a warm server."""
    speed = 0.0
    for _ in range(2):
        async with stage.imap() as client:
            await client.log_in(user, stage.dovecot.password)
            start = time.perf_counter()
            await client.do("SELECT INBOX")
            uids = (await client.do("UID SEARCH ALL")).split(b"\r\n")[0].split()[2:]
            for at in range(0, len(uids), WINDOW):
                window = uids[at : at + WINDOW]
                await client.do(f"UID FETCH {window[0].decode()}:{window[-1].decode()} ({_ITEMS})")
            speed = len(uids) / (time.perf_counter() - start)
    return speed


async def many(stage: Stage) -> Sequence[Measured]:
    """Messages per second of many users' first Syncs, of which so many at once."""
    scale = stage.scale
    users = await stage.small_mailboxes(scale.users)
    rates, clients, costs = [], [], []
    for _ in range(scale.rounds):
        phones = [stage.new_phone(user) for user in users]
        before = _times(stage)
        start = time.perf_counter()
        await bounded(_AT_ONCE, [_sync_all(phone, scale.small) for phone in phones])
        seconds = time.perf_counter() - start
        gateway, client, _ = (now - then for now, then in zip(_times(stage), before, strict=True))
        rates.append(len(users) * scale.small / seconds)
        costs.append(1000 * gateway / (len(users) * scale.small))
        clients.append(client / seconds)
        for phone in phones:
            phone.close()
    details = {
        "rounds": [round(speed) for speed in rates],
        "cpu ms per message": round(statistics.median(costs), 3),
        "client cpu share": round(statistics.median(clients), 2),
    }
    return [Measured("many", statistics.median(rates), None, details)]


def _sync_all(phone: BenchPhone, count: int) -> Callable[[], Awaitable[object]]:
    async def run() -> None:
        await phone.connect()
        await phone.first_sync(count, _SECONDS)

    return run


# --- nothing new -------------------------------------------------------------------------------------------


async def nochange(stage: Stage, size: str) -> Sequence[Measured]:
    """Milliseconds of a Sync with nothing new; beside it a NOOP in the selected mailbox."""
    count = stage.scale.small if size == "50" else stage.scale.sizes[SIZES.index(size)]
    user = await stage.mailbox(count)
    phone = await stage.synced_phone(user, count)

    async def sync() -> float:
        answer, _ = await phone.sync()
        if answer.body:
            raise Failed("a Sync with nothing new has an answer")
        return answer.at

    async with stage.imap() as client:
        await client.log_in(user, stage.dovecot.password)
        await client.do("SELECT INBOX")
        times, raw = [], []
        for _ in range(stage.scale.requests):
            start = time.perf_counter()
            times.append(await sync() - start)
            start = time.perf_counter()
            await client.do("NOOP")
            raw.append(time.perf_counter() - start)
    return [
        Measured(
            f"nochange-{size}", 1000 * statistics.median(times), 1000 * statistics.median(raw), spread(times)
        )
    ]


async def nochange_16(stage: Stage) -> Sequence[Measured]:
    """Syncs with nothing new per second, of 16 users who each ask again and again."""
    scale = stage.scale
    users = await stage.small_mailboxes(_AT_ONCE)
    phones = [await stage.synced_phone(user, scale.small) for user in users]
    before = _times(stage)
    syncs = await rate([phone.sync for phone in phones], scale.seconds)
    gateway, client, upstream = (now - then for now, then in zip(_times(stage), before, strict=True))
    async with AsyncExitStack() as stack:
        noops = []
        for user in users:
            imap = await stack.enter_async_context(stage.imap())
            await imap.log_in(user, stage.dovecot.password)
            await imap.do("SELECT INBOX")
            noops.append(_noop(imap))
        raw = await rate(noops, scale.seconds / 2)
    details = {
        "cpu ms per Sync": round(1000 * gateway / (syncs * scale.seconds), 3),
        "Dovecot cpu ms per Sync": round(1000 * upstream / (syncs * scale.seconds), 3),
        "client cpu share": round(client / scale.seconds, 2),
    }
    return [Measured("nochange-16", syncs, raw, details)]


def _noop(client: ImapClient) -> Callable[[], Awaitable[object]]:
    return lambda: client.do("NOOP")


# --- one new message ---------------------------------------------------------------------------------------


async def onechange(stage: Stage, size: str, *, by_agent: bool = False) -> Sequence[Measured]:
    """Milliseconds of a Sync that brings the one message that has just arrived.

    It arrives by APPEND, or by Dovecot's delivery agent. What is fetched straight over IMAP is another
    message, since Dovecot has more to do for who sees one first.
    """
    count = stage.scale.sizes[SIZES.index(size)]
    user = await stage.mailbox(count)
    phone = await stage.synced_phone(user, count)
    times, raw = [], []
    async with stage.imap() as writer, stage.imap() as reader:
        for client in (writer, reader):
            await client.log_in(user, stage.dovecot.password)

        async def deliver(name: str) -> str:
            subject = f"{name}-{time.time_ns():x}"
            message = corpus.note(user, subject)
            if by_agent:
                await asyncio.to_thread(stage.dovecot.hand_in, user, f"ann@{corpus.DOMAIN}", message)
            else:
                await writer.append(message)
            return subject

        selected = await reader.do("SELECT INBOX (CONDSTORE)")
        first, modseq = _number(rb"UIDNEXT (\d+)", selected), _number(rb"HIGHESTMODSEQ (\d+)", selected)
        for number in range(max(5, stage.scale.requests // 10)):
            subject = await deliver(f"news-{number}")
            start = time.perf_counter()
            answer, _ = await phone.sync()
            times.append(answer.at - start)
            if list(subjects(answer)) != [subject]:
                raise Failed(f"one message was new, {list(subjects(answer))} came")
            modseq = await _fetch_new(reader, modseq)
            await deliver(f"raw-{number}")
            start = time.perf_counter()
            modseq = await _fetch_new(reader, modseq)
            raw.append(time.perf_counter() - start)
            await stage.synced_phone(user, count)
        await writer.expunge(range(first, first + 2 * len(times)))
    await phone.sync()
    return [
        Measured(
            f"onechange-{size}",
            1000 * statistics.median(times),
            1000 * statistics.median(raw),
            spread(times),
        )
    ]


def _number(pattern: bytes, answer: bytes) -> int:
    found = re.search(pattern, answer)
    assert found is not None
    return int(found[1])


async def _fetch_new(client: ImapClient, modseq: int) -> int:
    """What is new since a modseq, asked for straight over IMAP; returns the newest modseq."""
    await client.do("NOOP")
    answer = await client.do(f"UID FETCH 1:* ({_ITEMS}) (CHANGEDSINCE {modseq})")
    if b"ENVELOPE" not in answer:
        raise Failed("the new message does not show over IMAP")
    return max(int(found) for found in re.findall(rb"MODSEQ \((\d+)\)", answer))
