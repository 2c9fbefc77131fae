"""Many at once: silent connections, many devices of one user, and phones that go while they wait."""

from __future__ import annotations

import asyncio
import imaplib
import resource
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from gateway.web.protocol import MAX_STRANGERS
from tests.bench.corpus import produce
from tests.bench.imap import ImapClient
from tests.bench.load import bounded
from tests.bench.phones import Answer, BenchPhone, Connection
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.dovecot_config import Options
from tests.support.gateway import Gateway
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import PATIENCE, eventually
from wbxml import Element, decode, element
from wbxml.pages import AirSync, Ping

HELD = 'eas_requests_open{command="Ping"}'
PER_USER = 4
EXPIRED, NEWS = "1", "2"


@pytest.fixture(scope="module")
def gateway(dovecot: Dovecot) -> Iterator[Gateway]:
    with SmtpSink(auth=True) as sink, Gateway(dovecot, sink, sections={"devices": {"limit": 0}}) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def files() -> Iterator[None]:
    """As many files may be open here as the system allows, for each connection of a phone is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
async def tidy() -> AsyncIterator[AsyncExitStack]:
    """Closes what a test opened."""
    async with AsyncExitStack() as stack:
        yield stack
    await asyncio.sleep(0.05)  # transports close in the next turns of the loop


def open_files(gateway: Gateway) -> int:
    return len(list(Path(f"/proc/{gateway.pid}/fd").iterdir()))


async def until_held(gateway: Gateway, count: int, name: str = HELD) -> None:
    async with asyncio.timeout(PATIENCE):
        while await asyncio.to_thread(gateway.metric, name) != count:
            await asyncio.sleep(0.05)


async def synced(
    gateway: Gateway, user: str, password: str, count: int, stack: AsyncExitStack
) -> Sequence[BenchPhone]:
    """Phones of one user that have synced."""
    address = (gateway.host, gateway.port)
    phones = [BenchPhone.make(address, user, password, str(number)) for number in range(count)]
    for phone in phones:
        stack.callback(phone.close)
    await bounded(8, [partial(begin, phone) for phone in phones])
    return phones


async def begin(phone: BenchPhone) -> None:
    await phone.connect()
    await phone.sync()
    await phone.sync()


@asynccontextmanager
async def waiting(
    gateway: Gateway, phones: Sequence[BenchPhone]
) -> AsyncIterator[Sequence[asyncio.Task[Answer]]]:
    """Pings of phones, held by the gateway."""
    pings = [asyncio.create_task(phone.ping(600)) for phone in phones]
    try:
        await until_held(gateway, len(phones))
        yield pings
    finally:
        for ping in pings:
            ping.cancel()
        await asyncio.gather(*pings, return_exceptions=True)


async def answers_to(pings: Sequence[asyncio.Task[Answer]], change: Callable[[], object]) -> Sequence[Answer]:
    """What Pings are answered to a change, which is made again until Dovecot tells of one."""
    async with asyncio.timeout(2 * PATIENCE):
        waiting: set[asyncio.Task[Answer]] = set(pings)
        while waiting:
            await asyncio.to_thread(change)
            _, waiting = await asyncio.wait(waiting, timeout=10)
        return [ping.result() for ping in pings]


async def test_many_devices_of_a_user_share_few_connections(
    gateway: Gateway, dovecot: Dovecot, user: str, tidy: AsyncExitStack
) -> None:
    phones = await synced(gateway, user, dovecot.password, 200, tidy)
    async with waiting(gateway, phones) as pings:
        assert gateway.metric("imap_connections") <= PER_USER
        answers = await answers_to(pings, lambda: dovecot.deliver(user, messages.plain("for all of them")))
        assert {decode(answer.body).child_text(Ping.Status) for answer in answers} == {NEWS}
        assert gateway.metric("imap_connections") <= PER_USER


class FromElsewhere(imaplib.IMAP4):
    """A mail program with another address than the gateway's."""

    def _create_socket(self, timeout: float | None) -> socket.socket:
        return socket.create_connection((self.host, self.port), timeout, ("127.0.0.2", 0))


def append_from_elsewhere(dovecot: Dovecot, user: str, message: bytes) -> None:
    with FromElsewhere(dovecot.host, dovecot.port, PATIENCE) as client:
        client.login(user, dovecot.password)
        assert client.append("INBOX", "", "", message)[0] == "OK"


async def test_a_server_that_allows_fewer_connections_than_we_would_open(
    user: str, tidy: AsyncExitStack
) -> None:
    with (
        Dovecot(Options(connections=2)) as dovecot,
        SmtpSink(auth=True) as sink,
        Gateway(dovecot, sink) as gateway,
    ):
        phones = await synced(gateway, user, dovecot.password, 8, tidy)
        async with waiting(gateway, phones[:4]) as pings:
            await asyncio.gather(*(phone.sync() for phone in phones[4:]))
            message = messages.plain("for all of them")
            answers = await answers_to(pings, lambda: append_from_elsewhere(dovecot, user, message))
            assert {decode(answer.body).child_text(Ping.Status) for answer in answers} == {NEWS}
        synced_again = await asyncio.gather(*(phone.sync() for phone in phones))
        assert all(b"for all of them" in answer.body for answer, _ in synced_again)


async def test_a_phone_that_goes_while_it_waits_frees_its_place_at_once(
    gateway: Gateway, dovecot: Dovecot, user: str, tidy: AsyncExitStack
) -> None:
    phones = await synced(gateway, user, dovecot.password, 50, tidy)
    files = open_files(gateway)
    async with waiting(gateway, phones):
        for phone in phones:
            phone.close()
        await until_held(gateway, 0)
    # All connections of phones are gone; the watch of the user's mail may stay a little longer,
    # and so may the connections that asked for the numbers.
    await asyncio.to_thread(eventually, lambda: open_files(gateway) <= files - len(phones) + 1)


async def test_whatever_is_held_is_answered_when_the_gateway_stops(
    dovecot: Dovecot, user: str, tidy: AsyncExitStack
) -> None:
    with SmtpSink(auth=True) as sink, Gateway(dovecot, sink) as gateway:
        phones = await synced(gateway, user, dovecot.password, 30, tidy)
        syncing, pinging = phones[:15], phones[15:]
        syncs = [asyncio.create_task(phone.post("Sync", held_sync(phone))) for phone in syncing]
        async with waiting(gateway, pinging) as pings:
            await until_held(gateway, len(phones), "eas_requests_held")
            assert await asyncio.to_thread(gateway.terminate) == 0
            answers = await asyncio.wait_for(asyncio.gather(*pings, *syncs), PATIENCE)
    assert [answer.body for answer in answers[15:]] == [b""] * 15  # nothing new
    assert {decode(answer.body).child_text(Ping.Status) for answer in answers[:15]} == {EXPIRED}


def held_sync(phone: BenchPhone) -> Element:
    """A Sync that waits for changes."""
    named = (element(AirSync.SyncKey, phone.key), element(AirSync.CollectionId, phone.folder))
    collections = element(AirSync.Collections, element(AirSync.Collection, *named))
    return element(AirSync.Sync, collections, element(AirSync.HeartbeatInterval, 600))


async def test_more_phones_may_come_at_once_than_strangers_may_stay(
    gateway: Gateway, dovecot: Dovecot, user: str, tidy: AsyncExitStack
) -> None:
    """As they do after a restart."""
    [phone] = await synced(gateway, user, dovecot.password, 1, tidy)
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    connections = [Connection(gateway.host, gateway.port) for _ in range(MAX_STRANGERS + 500)]
    for connection in connections:
        tidy.callback(connection.close)
    answers = await asyncio.gather(*(connection.request(request) for connection in connections))
    assert {answer.code for answer in answers} == {200}
    await phone.sync()


async def test_silent_connections_are_bounded_and_phones_served(
    dovecot: Dovecot, user: str, tidy: AsyncExitStack
) -> None:
    allowed, opened = 400, 1500
    with SmtpSink(auth=True) as sink, Gateway(dovecot, sink) as gateway:
        [phone] = await synced(gateway, user, dovecot.password, 1, tidy)
        resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, (allowed, allowed))
        silent = asyncio.create_task(open_silent(gateway, opened, tidy))
        served = 0
        while not silent.done() or served < 3:
            answer, _ = await asyncio.wait_for(phone.sync(), PATIENCE)
            assert answer.body == b""
            served += 1
        await silent
        await asyncio.to_thread(eventually, lambda: open_files(gateway) <= allowed / 2 + 50)
        dovecot.deliver(user, messages.plain("still served"))
        [another] = await synced(gateway, user, dovecot.password, 1, tidy)
        assert another.key.endswith("2")
        assert "Traceback" not in gateway.log()


async def open_silent(gateway: Gateway, count: int, stack: AsyncExitStack) -> None:
    """Open connections that say nothing, as fast as they are taken."""
    loop = asyncio.get_running_loop()

    async def one() -> None:
        transport, _ = await loop.create_connection(asyncio.Protocol, gateway.host, gateway.port)
        stack.callback(transport.close)

    await bounded(50, [one] * count)


async def test_as_many_files_may_be_open_as_the_system_allows(gateway: Gateway) -> None:
    soft, hard = resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE)
    assert soft == hard


async def test_a_large_mailbox_on_a_server_without_extensions(
    dovecot_bare: Dovecot, user: str, tidy: AsyncExitStack
) -> None:
    count = 1000
    async with ImapClient(dovecot_bare.host, dovecot_bare.port) as imap:
        await imap.log_in(user, dovecot_bare.password)
        await imap.fill(produce(user, count))
    with SmtpSink(auth=True) as sink, Gateway(dovecot_bare, sink) as gateway:
        phone = BenchPhone.make((gateway.host, gateway.port), user, dovecot_bare.password, "0")
        tidy.callback(phone.close)
        await phone.connect()
        _, tally = await phone.first_sync(count, 30)
        assert len(tally.ids) == count
        dovecot_bare.deliver(user, messages.plain("one more"))
        answer, _ = await phone.sync()
        assert b"one more" in answer.body
