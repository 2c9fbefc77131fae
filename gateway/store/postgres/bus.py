"""What processes tell each other of changes: LISTEN and NOTIFY, and looking for oneself when that is lost.

A notification is sent in the transaction that makes the change, so that it is told if and when that is
committed. It carries ids alone: who is told looks into the store. While the connection that listens is lost,
nobody knows what changed, so all that watch are told to look, now and then and when it is there again.

What processes tell each other and nobody stores goes the same way, on the connection that listens.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

import asyncpg
import structlog

from gateway.ports import Subject, Unsubscribe
from gateway.store.postgres.failures import FAILURES, explain
from gateway.store.postgres.transaction import Connection, quoted
from gateway.store.transactions import Topic
from gateway.store.watchers import Told, Watchers
from gateway.types import CollectionId, UserId

__all__ = ["Bus", "common_secret"]

_CHANNEL = "activesync_gateway"
_COMMON = "SELECT value FROM secret"
_MAKE_COMMON = """
    INSERT INTO secret (id, value) VALUES (1, $1)
    ON CONFLICT (id) DO UPDATE SET value = secret.value RETURNING value
"""
_NOTIFY = "SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload"
_LARGEST = 7000
"""Octets of a notification; PostgreSQL takes less than 8,000."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
"""Seconds from one attempt to listen to the next; after each those who watch look for themselves."""
_PROBE_SECONDS = 5.0
"""How often it is asked whether the connection is still there, and how long it may take to say so."""
_POLL_SECONDS = 10.0
_MOST_WAITING = 1000
"""Texts that wait to be told; of more, the others only hear that they missed some."""
_DOUBT_SECONDS = 60.0
"""How long what this process itself tells of changes is heard here, after a COMMIT that nobody answered."""
_START_SECONDS = 10.0
_CLOSE_SECONDS = 5.0


async def common_secret(connection: Connection) -> bytes:
    """What all processes of this database know: made by the first one. Raises `FAILURES`."""
    known: bytes | None = await connection.fetchval(_COMMON)
    if known is None:
        known = await connection.fetchval(_MAKE_COMMON, secrets.token_bytes(32))
        assert known is not None
    return known


class Bus:
    """Tells the watches of this process what others changed, and others what this one did."""

    def __init__(
        self,
        connect: Callable[..., Awaitable[asyncpg.Connection[asyncpg.Record]]] | None,
        name: str,
        node: str,
        watchers: Mapping[Topic, Watchers],
        secret: bytes,
    ) -> None:
        self.secret = secret
        self._connect = connect
        self._name = name
        self._node = node
        self._watchers = watchers
        self._task: asyncio.Task[None] | None = None
        self._listening = asyncio.Event()
        self._waiting: list[tuple[Subject, str]] = []
        """What is to be told next."""
        self._awake = asyncio.Event()
        self._connected = self._closing = False
        self._doubtful_until = 0.0
        self._hearers: dict[Subject, dict[object, Callable[[str], None]]] = {each: {} for each in Subject}
        self._log = structlog.get_logger("gateway.store")

    async def start(self) -> None:
        """Listen from now on, or if that cannot be, as soon as it can."""
        if self._connect is None:
            self._task = asyncio.create_task(self._poll())
            return
        self._task = asyncio.create_task(self._listen(self._connect))
        with suppress(TimeoutError):
            async with asyncio.timeout(_START_SECONDS):
                await self._listening.wait()

    async def aclose(self) -> None:
        """Tell what waits to be told, and listen no more."""
        task, self._task = self._task, None
        self._closing = True
        self._awake.set()
        if task is not None:
            if self._connected:
                await asyncio.wait([task], timeout=_CLOSE_SECONDS)
            task.cancel()
            await asyncio.wait([task])

    def notifying(self, told: Iterable[tuple[Topic, Told]]) -> Sequence[str]:
        """Statements that have the other processes told, once the transaction of them is committed."""
        return [
            f"SELECT pg_notify({quoted(_CHANNEL)}, {quoted(message)})"
            for topic, changes in told
            for message in self._messages(topic, changes)
        ]

    def doubt(self) -> None:
        """Have this process hear what it tells of changes itself: one may be committed yet."""
        self._doubtful_until = asyncio.get_running_loop().time() + _DOUBT_SECONDS

    def announce(self, subject: Subject, text: str) -> None:
        """Have the others hear a text soon. One that is too long for that they hear as missed."""
        if len(self._waiting) >= _MOST_WAITING:
            self._waiting = _missed(self._waiting)
        self._waiting.append((subject, "" if len(text) * 6 > _LARGEST else text))
        self._awake.set()

    def listen(self, subject: Subject, hear: Callable[[str], None]) -> Unsubscribe:
        """Call `hear` with what others tell, "" when some of it may have been missed."""
        hearer = object()
        self._hearers[subject][hearer] = hear

        def unsubscribe() -> None:
            self._hearers[subject].pop(hearer, None)

        return unsubscribe

    def _messages(self, topic: Topic, changes: Told) -> Iterator[str]:
        """What is told of changes, in notifications that are not too long."""
        for folder, users in changes.items():
            some: list[UserId] = []
            size = 0
            for user in users:
                if some and size + len(user) * 6 > _LARGEST:  # six octets for a letter at most, in JSON
                    yield json.dumps([self._node, topic, folder, some])
                    some, size = [], 0
                some.append(user)
                size += len(user) * 6 + 4
            if some:
                yield json.dumps([self._node, topic, folder, some])

    async def _poll(self) -> None:
        """Have all look for themselves again and again: through a pooler nothing is heard."""
        self._log.warning("nobody tells what others change", reason="store.direct_url is not set")
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            self._waiting.clear()
            self._look()

    async def _listen(self, connect: Callable[..., Awaitable[asyncpg.Connection[asyncpg.Record]]]) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                connection = await connect(seconds=_PROBE_SECONDS)
            except FAILURES as error:
                self._log.warning("nobody tells what others change", reason=explain(error, self._name).detail)
                pause = min(pause * 2, _LONGEST_PAUSE)
                self._waiting = _missed(self._waiting)
            else:
                pause = _FIRST_PAUSE if await self._hear(connection) else min(pause * 2, _LONGEST_PAUSE)
            if self._closing:
                return
            self._look()
            await asyncio.sleep(pause)

    async def _hear(self, connection: asyncpg.Connection[asyncpg.Record]) -> bool:
        """Tell what is heard on a connection, until it is lost; returns whether anything could be heard."""
        listened = False
        connection.add_termination_listener(lambda *_: self._awake.set())
        try:
            await connection.add_listener(_CHANNEL, lambda *heard: self._heard(heard[3]))
            self._connected = listened = True
            self._listening.set()
            self._look()  # for what changed before
            while not connection.is_closed() and (self._waiting or not self._closing):
                with suppress(TimeoutError):
                    async with asyncio.timeout(_PROBE_SECONDS):
                        await self._awake.wait()
                self._awake.clear()
                if not connection.is_closed():
                    await self._speak(connection)
        except FAILURES as error:
            self._log.warning("nobody tells what others change", reason=explain(error, self._name).detail)
        finally:
            self._connected = False
            try:
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await connection.close()
            except (*FAILURES, asyncio.CancelledError):
                connection.terminate()
        return listened

    async def _speak(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        """Tell what waits; where nothing does, see whether the connection is still there."""
        if not self._waiting:
            await connection.execute("SELECT 1")
            return
        told, self._waiting = self._waiting, []
        # Numbered: of equal ones in a transaction PostgreSQL tells one.
        messages = [json.dumps([self._node, one, text, at]) for at, (one, text) in enumerate(told)]
        try:
            await connection.execute(_NOTIFY, _CHANNEL, messages)
        except BaseException:
            self._waiting = _missed(told) + self._waiting
            raise

    def _heard(self, payload: object) -> None:
        try:
            node, what, told, more = json.loads(str(payload))
            watchers = None if what in self._hearers else self._watchers[Topic(what)]
        except (ValueError, TypeError):
            self._log.warning(
                "a notification that no gateway of this release sends", payload=str(payload)[:100]
            )
            return
        own = node == self._node
        if watchers is None:
            if not own:
                self._hear_of(Subject(what), told)
        elif not own or asyncio.get_running_loop().time() < self._doubtful_until:
            watchers.tell({CollectionId(told): [UserId(user) for user in more]})

    def _hear_of(self, subject: Subject, text: str) -> None:
        for hear in tuple(self._hearers[subject].values()):
            hear(text)

    def _look(self) -> None:
        """Have all that watch look for themselves."""
        for watchers in self._watchers.values():
            watchers.tell_all()
        for subject in self._hearers:
            self._hear_of(subject, "")


def _missed(waiting: Iterable[tuple[Subject, str]]) -> list[tuple[Subject, str]]:
    """What is told instead of texts that are of no use later: that the others missed some."""
    return [(subject, "") for subject in sorted({subject for subject, _ in waiting})]
