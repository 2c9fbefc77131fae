"""The servers of a run, and the mailboxes and phones that several measurements use."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench import corpus, meters
from tests.bench.corpus import Message
from tests.bench.database import SETTINGS
from tests.bench.imap import ImapClient
from tests.bench.phones import BenchPhone
from tests.bench.sink import Sink
from tests.support.dovecot import Dovecot
from tests.support.dovecot_config import Options
from tests.support.gateway import Gateway, Section
from tests.support.postgres import Postgres

__all__ = ["FULL", "QUICK", "Scale", "Stage", "log_as_administrators_do"]

_FIRST_SYNC_SECONDS = 600.0
_HANG_UP_SECONDS = 0.1
_PROCESSES = 4096
"""Connections Dovecot may serve: some for each phone that waits."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured: sizes in messages, times in seconds."""

    name: str
    sizes: tuple[int, int, int]
    """What stands for 1,000, 10,000 and 50,000 messages."""
    users: int
    """Users who sync at once, with `small` messages each."""
    small: int
    rounds: int
    """Repetitions of what takes long, of which the median counts."""
    requests: int
    """Repetitions of what takes a moment."""
    seconds: float
    """How long a rate is measured."""
    pings: int
    """Phones that wait, each with a connection to Dovecot."""
    crowd: int
    """Phones that wait without one."""
    idle_seconds: float
    """How long they are watched waiting."""
    watched: int
    """Users who get new mail while their phones wait."""
    deliveries: int
    """How often."""
    strangers: int
    """Connections that say nothing."""
    commit_seconds: int
    """How long PostgreSQL is to commit as fast as it can."""


FULL = Scale(
    "full",
    (1_000, 10_000, 50_000),
    users=97,
    small=50,
    rounds=3,
    requests=200,
    seconds=10,
    pings=1_000,
    crowd=10_000,
    idle_seconds=30,
    watched=10,
    deliveries=20,
    strangers=20_000,
    commit_seconds=5,
)
QUICK = Scale(
    "quick",
    (100, 300, 600),
    users=10,
    small=20,
    rounds=1,
    requests=20,
    seconds=1,
    pings=20,
    crowd=100,
    idle_seconds=1,
    watched=2,
    deliveries=2,
    strangers=3_000,
    commit_seconds=1,
)


class Stage:
    """A Dovecot, an SMTP server and a gateway; a context manager. `mail` keeps the mailboxes between runs."""

    def __init__(self, scale: Scale, mail: Path | None = None, options: Options | None = None) -> None:
        self.scale = scale
        self.dovecot = Dovecot(options or Options(processes=_PROCESSES), mail=mail)
        self.sink = Sink()
        self._gateway: Gateway | None = None
        self._postgres: Postgres | None = None
        self._all_phones: list[BenchPhone] = []
        self._phones: dict[str, BenchPhone] = {}
        self._tags = iter(range(10**9))

    def __enter__(self) -> Stage:
        self.dovecot.start()
        self.sink.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        if self._gateway is not None:
            self._gateway.close()
        if self._postgres is not None:
            self._postgres.__exit__(None, None, None)
        self.sink.__exit__(None, None, None)
        self.dovecot.close()

    # --- servers -------------------------------------------------------------------------------------------

    @property
    def gateway(self) -> Gateway:
        """The gateway that measurements share, started when it is first asked for."""
        if self._gateway is None:
            self._gateway = Gateway(self.dovecot, self.sink, sections=log_as_administrators_do())
            self._gateway.start()
        return self._gateway

    @contextmanager
    def own_gateway(self, workers: int = 1, **sections: Section) -> Iterator[Gateway]:
        """A gateway for one measurement, where the work before it would be in the way."""
        said = log_as_administrators_do() | sections
        with Gateway(self.dovecot, self.sink, sections=said, workers=workers) as gateway:
            yield gateway

    @property
    def postgres(self) -> Postgres:
        """The PostgreSQL that measurements share, started when it is first asked for."""
        if self._postgres is None:
            self._postgres = Postgres(None, **SETTINGS)
            self._postgres.start()
        return self._postgres

    def upstream_cpu(self) -> float:
        """Processor seconds of Dovecot so far."""
        return meters.cpu_seconds(meters.tree(self.dovecot.pid))

    # --- mailboxes -----------------------------------------------------------------------------------------

    def imap(self) -> ImapClient:
        """A client, not logged in yet."""
        return ImapClient(self.dovecot.host, self.dovecot.port)

    async def mailbox(
        self, count: int, number: int = 0, messages: Iterable[Message] | None = None, together: int = 1
    ) -> str:
        """Return a user with so many messages in his INBOX, filled now if need be: see `ImapClient.fill`."""
        user = f"box{count}-{number}"
        async with self.imap() as client:
            await client.log_in(user, self.dovecot.password)
            there = await client.count()
            if there != count:
                if there:
                    await client.do("SELECT INBOX")
                    await client.do("STORE 1:* +FLAGS.SILENT (\\Deleted)")
                    await client.do("EXPUNGE")
                await client.fill(messages or corpus.produce(user, count), together=together)
        return user

    async def small_mailboxes(self, users: int) -> Sequence[str]:
        """Return users with few messages."""
        return [await self.mailbox(self.scale.small, number) for number in range(users)]

    # --- phones --------------------------------------------------------------------------------------------

    def new_phone(self, user: str, gateway: Gateway | None = None, source: str | None = None) -> BenchPhone:
        """A device nobody has seen yet."""
        at = gateway or self.gateway
        tag = str(next(self._tags))
        phone = BenchPhone.make((at.host, at.port), user, self.dovecot.password, tag, source)
        self._all_phones.append(phone)
        return phone

    async def hang_up(self) -> None:
        """Close the connections of all phones."""
        for phone in self._all_phones:
            phone.close()
        self._all_phones.clear()
        self._phones.clear()
        await asyncio.sleep(_HANG_UP_SECONDS)

    async def synced_phone(self, user: str, count: int) -> BenchPhone:
        """A phone at the shared gateway that has all of a mailbox, and has asked once more."""
        if user not in self._phones:
            phone = self.new_phone(user)
            await phone.connect()
            await phone.first_sync(count, _FIRST_SYNC_SECONDS)
            self._phones[user] = phone
        phone = self._phones[user]
        while (await phone.sync())[1]:
            await asyncio.sleep(0)
        return phone


def log_as_administrators_do() -> dict[str, Section]:
    """The one setting of a gateway that is measured which tests have otherwise."""
    return {"log": {"level": "info"}}
