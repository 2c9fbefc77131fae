"""The first minute of a phone, and mail it sends."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence

from tests.bench import corpus, meters
from tests.bench.figures import Measured
from tests.bench.load import rate, spread
from tests.bench.stage import Stage

__all__ = ["connect", "empty", "sendmail"]

_SENDERS = 8


async def connect(stage: Stage) -> Sequence[Measured]:
    """Milliseconds of Provision, twice, and FolderSync, by devices of different users; beside it a LOGIN."""
    users = await stage.small_mailboxes(min(20, stage.scale.users))
    times, raw = [], []
    for user in users:
        phone = stage.new_phone(user)
        await phone.connection.open()
        start = time.perf_counter()
        times.append(await phone.connect() - start)
        phone.close()
        start = time.perf_counter()
        async with stage.imap() as client:
            await client.log_in(user, stage.dovecot.password)
            raw.append(time.perf_counter() - start)
    return [
        Measured("connect", 1000 * statistics.median(times), 1000 * statistics.median(raw), spread(times))
    ]


async def sendmail(stage: Stage) -> Sequence[Measured]:
    """Messages sent per second, of 8 users at once, each copied to Sent; beside it SMTP alone."""
    scale = stage.scale
    users = [f"sender-{number}" for number in range(_SENDERS)]
    phones = [stage.new_phone(user) for user in users]
    for phone in phones:
        await phone.connect()
    before, own = meters.cpu_seconds([stage.gateway.pid]), meters.own_cpu_seconds()
    number = itertools.count()

    def sends(user: str, send: Callable[[str, bytes], Awaitable[object]]) -> Callable[[], Awaitable[object]]:
        def one() -> Awaitable[object]:
            subject = f"sent-{next(number)}-{time.time_ns():x}"
            return send(subject, corpus.note(user, subject))

        return one

    sent = await rate([sends(phone.user, phone.send_mail) for phone in phones], scale.seconds)
    details = {
        "cpu ms per message": round(
            1000 * (meters.cpu_seconds([stage.gateway.pid]) - before) / (sent * scale.seconds), 2
        ),
        "client cpu share": round((meters.own_cpu_seconds() - own) / scale.seconds, 2),
    }
    straight = _straight(stage)
    raw = await rate([sends(user, straight) for user in users], scale.seconds / 2)
    for user in users:
        await empty(stage, user)
    return [Measured("sendmail", sent, raw, details)]


def _straight(stage: Stage) -> Callable[[str, bytes], Awaitable[object]]:
    """What sends one message straight to the SMTP server, over a connection of its own."""

    async def send(_subject: str, message: bytes) -> None:
        reader, writer = await asyncio.open_connection(stage.sink.host, stage.sink.port)
        await reader.readline()
        for line in (b"EHLO bench", b"MAIL FROM:<a@example.test>", b"RCPT TO:<b@example.test>", b"DATA"):
            writer.write(line + b"\r\n")
            while (await reader.readline())[3:4] == b"-":
                pass
        writer.write(message + b"\r\n.\r\n")
        await reader.readline()
        writer.close()

    return send


async def empty(stage: Stage, user: str) -> None:
    """Remove the copies of what a user sent."""
    async with stage.imap() as client:
        await client.log_in(user, stage.dovecot.password)
        if await client.count("Sent"):
            await client.do("SELECT Sent")
            await client.do("STORE 1:* +FLAGS.SILENT (\\Deleted)")
            await client.do("EXPUNGE")
