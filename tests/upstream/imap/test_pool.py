"""Connections are few, used again, never with another password, and replaced when they die."""

from __future__ import annotations

import asyncio
import base64
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace

import pytest

from gateway.errors import AuthenticationFailed, UpstreamCrowded, UpstreamUnavailable
from gateway.types import Password
from gateway.upstream.fingerprint import Fingerprint, fingerprint
from gateway.upstream.imap import commands
from gateway.upstream.imap.login import MOST_WAITING, ImapAuthenticator
from gateway.upstream.imap.pool import Pool
from gateway.upstream.imap.session import Session
from gateway.upstream.imap.settings import ImapSettings
from tests.support.dovecot import Dovecot
from tests.support.dovecot_config import Options
from tests.support.ports import free_ports
from tests.support.scripted_imap import CREDENTIALS, Connection, cut, scripted

pytestmark = pytest.mark.usefixtures("steady_clock")

NOOP = commands.simple("NOOP")


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Dovecot that has little time may count a connection for long after it was closed."""
    monkeypatch.setattr("gateway.upstream.imap.pool.CROWDED_PAUSES", (0.1, 0.3, 1.0, 3.0, 6.0))


@asynccontextmanager
async def pooled(settings: ImapSettings, **changes: object) -> AsyncIterator[Pool]:
    pool = Pool(replace(settings, **changes))  # type: ignore[arg-type]
    try:
        yield pool
    finally:
        await pool.aclose()
        assert pool.open_connections == 0


def of(dovecot: Dovecot) -> ImapSettings:
    return ImapSettings(dovecot.host, dovecot.port, "none")


async def test_a_connection_is_used_again(dovecot: Dovecot, user: str) -> None:
    credentials = Password(user, dovecot.password)
    async with pooled(of(dovecot)) as pool:
        async with pool.lease(credentials) as first:
            await first.execute(NOOP)
        async with pool.lease(credentials) as second:
            assert second is first
            assert second.uses == 2
        async with pool.lease(credentials, fresh=True) as third:
            assert third is not first


async def test_the_one_with_the_mailbox_selected_is_preferred(dovecot: Dovecot, user: str) -> None:
    credentials = Password(user, dovecot.password)
    async with pooled(of(dovecot)) as pool:
        async with pool.lease(credentials) as one, pool.lease(credentials) as two:
            await one.select("Sent")
            await two.select("Trash")
        for mailbox, expected in (("Trash", two), ("Sent", one), ("Trash", two)):
            async with pool.lease(credentials, mailbox) as session:
                assert session is expected
        assert pool.open_connections == 2


async def test_connections_do_not_take_turns_in_a_mailbox(dovecot: Dovecot, user: str) -> None:
    credentials = Password(user, dovecot.password)
    async with pooled(of(dovecot)) as pool:
        async with AsyncExitStack() as stack:
            for _ in range(3):
                session = await stack.enter_async_context(pool.lease(credentials))
                await session.select("INBOX")
        async with pool.lease(credentials, "INBOX") as first:
            pass
        for _ in range(4):
            async with pool.lease(credentials, "INBOX") as next_one:
                assert next_one is first


async def test_a_user_has_no_more_than_his_share(dovecot: Dovecot, user: str) -> None:
    credentials = Password(user, dovecot.password)
    most = 0
    async with pooled(of(dovecot), max_connections_per_user=2) as pool:

        async def work() -> None:
            nonlocal most
            async with pool.lease(credentials) as session:
                most = max(most, pool.open_connections)
                await session.execute(NOOP)

        await asyncio.gather(*(work() for _ in range(20)))
        assert most == 2


async def test_all_users_together_have_no_more_than_all(dovecot: Dovecot, user: str) -> None:
    async with pooled(of(dovecot), max_connections=3) as pool:

        async def work(number: int) -> None:
            async with pool.lease(Password(f"{user}-{number}", dovecot.password)) as session:
                assert pool.open_connections <= 3
                await session.execute(NOOP)

        await asyncio.gather(*(work(number) for number in range(8)))


async def test_waiting_has_an_end(dovecot: Dovecot, user: str) -> None:
    credentials = Password(user, dovecot.password)
    async with (
        pooled(of(dovecot), max_connections_per_user=1) as pool,
        pool.lease(credentials) as session,
    ):
        pool.settings = replace(pool.settings, timeout=0.3)
        with pytest.raises(UpstreamUnavailable, match="no free connection"):
            async with pool.lease(credentials):
                pass
        await session.execute(NOOP)


async def test_a_waiter_who_leaves_harms_nobody(dovecot: Dovecot, user: str) -> None:
    credentials = Password(user, dovecot.password)
    async with pooled(of(dovecot), max_connections_per_user=1) as pool:

        async def wait() -> Session:
            async with pool.lease(credentials) as session:
                return session

        async with pool.lease(credentials) as held:
            leaving, staying = asyncio.create_task(wait()), asyncio.create_task(wait())
            await asyncio.sleep(0.01)
            leaving.cancel()
        assert await staying is held


@pytest.mark.parametrize("allowed", [2, 3])
async def test_what_the_server_allows_is_shared(user: str, allowed: int) -> None:
    with Dovecot(Options(connections=allowed)) as dovecot:
        credentials = Password(user, dovecot.password)
        async with pooled(of(dovecot), max_connections_per_user=4) as pool:

            async def work() -> None:
                async with pool.lease(credentials) as session:
                    await session.execute(NOOP)

            async with AsyncExitStack() as held:
                for _ in range(allowed):
                    await held.enter_async_context(pool.lease(credentials))
                works = [asyncio.create_task(work()) for _ in range(20)]
                await asyncio.sleep(0.2)
            await asyncio.gather(*works)
            assert pool.open_connections == allowed
            async with pool.lease(credentials, fresh=True) as watching:
                await asyncio.gather(*(work() for _ in range(20)))
                await watching.execute(NOOP)
                assert pool.open_connections == allowed
            logins = dovecot.log().count("Maximum number of connections")
            assert 1 <= logins <= 8  # what it allows is not asked for again and again


async def test_a_single_connection_is_replaced(user: str) -> None:
    with Dovecot(Options(connections=1)) as dovecot:
        credentials = Password(user, dovecot.password)
        async with pooled(of(dovecot), max_connections_per_user=4) as pool:
            async with pool.lease(credentials) as first:
                await first.execute(NOOP)
            async with pool.lease(credentials, fresh=True) as second:
                await second.execute(NOOP)
                assert first.closed


async def test_a_server_that_others_crowd_is_no_wrong_password(user: str) -> None:
    with Dovecot(Options(connections=1)) as dovecot:
        credentials = Password(user, dovecot.password)
        async with pooled(of(dovecot)) as pool:

            async def work() -> None:
                async with pool.lease(credentials) as session:
                    await session.execute(NOOP)

            with dovecot.imap(user), pytest.raises(UpstreamCrowded):
                await work()
            async with asyncio.timeout(20):
                while True:  # the server counts a connection for a moment after it said good-bye
                    with suppress(UpstreamCrowded):
                        await work()
                        break
                    await asyncio.sleep(0.05)


async def test_another_password_gets_another_connection(dovecot: Dovecot, user: str) -> None:
    async with pooled(of(dovecot), max_connections_per_user=1) as pool:
        async with pool.lease(Password(user, dovecot.password)):
            pass
        with pytest.raises(AuthenticationFailed):
            async with pool.lease(Password(user, "wrong")):
                pytest.fail("a lease for a wrong password")
        assert pool.open_connections == 0


async def test_a_command_under_way_closes_the_connection() -> None:
    asked = asyncio.Event()
    left: list[Session] = []

    async def slow(connection: Connection, tag: str, command: str) -> None:
        asked.set()
        await asyncio.sleep(0.2)
        await connection.send(f"{tag} OK\r\n".encode())

    async with scripted({"STATUS": slow}) as server, pooled(server.settings) as pool:

        async def ask() -> None:
            async with pool.lease(CREDENTIALS) as first:
                left.append(first)
                await first.execute(commands.status(first.dialect, "INBOX", ["MESSAGES"]))

        asking = asyncio.create_task(ask())
        async with asyncio.timeout(20):
            await asked.wait()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        async with pool.lease(CREDENTIALS) as second:
            assert left
            assert second is not left[0]
            await second.execute(NOOP)


async def test_dead_connections_are_dropped(user: str) -> None:
    with Dovecot() as dovecot:
        credentials = Password(user, dovecot.password)
        async with pooled(of(dovecot)) as pool:
            async with pool.lease(credentials), pool.lease(credentials):
                assert pool.open_connections == 2
            await asyncio.to_thread(dovecot.restart)
            async with asyncio.timeout(20):
                while pool.open_connections:
                    await asyncio.sleep(0.01)
            async with pool.lease(credentials) as session:
                await session.execute(NOOP)


async def test_unused_connections_are_closed(dovecot: Dovecot, user: str) -> None:
    async with pooled(of(dovecot), idle_seconds=1) as pool:
        for number in range(3):
            async with pool.lease(Password(f"{user}-{number}", dovecot.password)):
                pass
        assert pool.open_connections == 3
        async with asyncio.timeout(20):
            while pool.open_connections:
                await asyncio.sleep(0.01)


async def test_a_server_that_is_down_is_left_alone_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.upstream.imap.pool.FIRST_PAUSE", 1.0)
    async with scripted({"GREETING": cut}) as server, pooled(server.settings) as pool:
        for _ in range(20):
            with pytest.raises(UpstreamUnavailable):
                async with pool.lease(CREDENTIALS):
                    pass
        assert len(server.connections) == 2
        server.answer("GREETING", b"* OK [CAPABILITY IMAP4rev1] hello\r\n")
        await asyncio.sleep(1.3)  # a fifth more or less
        async with pool.lease(CREDENTIALS) as session:
            await session.execute(NOOP)


async def test_nobody_there_is_said_at_once() -> None:
    settings = ImapSettings("127.0.0.1", free_ports(1)[0], "none", timeout=60)
    async with pooled(settings) as pool:
        async with asyncio.timeout(20):
            with pytest.raises(UpstreamUnavailable):
                async with pool.lease(CREDENTIALS):
                    pass


async def test_closing_fails_what_runs() -> None:
    async with scripted({"NOOP": b""}) as server:
        pool = Pool(replace(server.settings, timeout=5))

        async def work() -> None:
            async with pool.lease(CREDENTIALS) as session:
                await session.execute(NOOP)

        tasks = [asyncio.create_task(work()) for _ in range(6)]
        await asyncio.sleep(0.05)
        await pool.aclose()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(result) for result in results} == {UpstreamUnavailable}
        assert pool.open_connections == 0


# --- checking credentials ----------------------------------------------------------------------------------


async def test_a_check_is_believed_for_a_while_and_its_connection_kept() -> None:
    async with scripted() as server, pooled(server.settings) as pool:
        authenticator = ImapAuthenticator(pool, 1.5)
        await asyncio.gather(*(authenticator.authenticate(CREDENTIALS) for _ in range(5)))
        await authenticator.authenticate(CREDENTIALS)
        assert len(server.connections) == 1
        async with pool.lease(CREDENTIALS) as session:
            assert session.uses == 2
            session.close()
        await authenticator.authenticate(CREDENTIALS)
        assert len(server.connections) == 1
        await asyncio.sleep(1.6)
        await authenticator.authenticate(CREDENTIALS)
        assert len(server.connections) == 2


async def test_a_refused_login_is_forgotten() -> None:
    async with scripted() as server:
        refused: list[Fingerprint] = []
        pool = Pool(server.settings, refused.append)
        authenticator = ImapAuthenticator(pool, 300)
        await authenticator.authenticate(CREDENTIALS)
        server.answer("AUTHENTICATE", b"TAG NO [AUTHENTICATIONFAILED] changed\r\n")
        await authenticator.authenticate(CREDENTIALS)
        with pytest.raises(AuthenticationFailed):
            async with pool.lease(CREDENTIALS, fresh=True):
                pass
        assert refused == [fingerprint(CREDENTIALS)]
        authenticator.refused(refused[0])
        # Not even the connection that was made while the password was good is used any more.
        with pytest.raises(AuthenticationFailed):
            await authenticator.authenticate(CREDENTIALS)
        await pool.aclose()


async def test_guesses_take_nothing_from_the_user() -> None:
    trying = most = 0
    refuse = asyncio.Event()

    async def slowly(connection: Connection, tag: str, command: str) -> None:
        nonlocal trying, most
        good = base64.b64decode(command.rsplit(maxsplit=1)[-1]).decode().endswith(f"\0{CREDENTIALS.password}")
        if not good:
            trying += 1
            most = max(most, trying)
            await refuse.wait()
            trying -= 1
        await connection.send(f"{tag} {'OK' if good else 'NO [AUTHENTICATIONFAILED]'} so\r\n".encode())

    guesses = [Password(f"{CREDENTIALS.login[:-1]}{'rR'[n % 2]}", f"guess {n}") for n in range(100)]
    async with (
        scripted({"AUTHENTICATE": slowly}) as server,
        pooled(server.settings, timeout=40, max_connections_per_user=2) as pool,
    ):
        authenticator = ImapAuthenticator(pool, 0.1)
        await authenticator.authenticate(CREDENTIALS)
        async with pool.lease(CREDENTIALS) as kept:
            pass
        attacks = [asyncio.create_task(authenticator.authenticate(guess)) for guess in guesses]
        await asyncio.sleep(0.15)  # what was believed has to be asked again by now
        async with asyncio.timeout(20):
            await authenticator.authenticate(CREDENTIALS)
            async with pool.lease(CREDENTIALS) as one, pool.lease(CREDENTIALS) as two:
                assert kept in (one, two)
                assert pool.open_connections == 3  # two of the user, and one for the guesses
        refuse.set()
        outcomes = Counter(type(each) for each in await asyncio.gather(*attacks, return_exceptions=True))
        assert outcomes == {AuthenticationFailed: MOST_WAITING + 1, UpstreamUnavailable: 95}
        assert most == 1


async def test_strangers_of_all_logins_have_a_tenth_of_the_connections() -> None:
    async with (
        scripted({"AUTHENTICATE": b""}) as server,
        pooled(server.settings, timeout=30, max_connections=30) as pool,
    ):
        authenticator = ImapAuthenticator(pool, 300)
        attacks = [
            asyncio.create_task(authenticator.authenticate(Password(f"user {n}", "guess"))) for n in range(20)
        ]
        async with asyncio.timeout(20):
            while pool.open_connections < 3:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert pool.open_connections == 3
        await authenticator.aclose()
        await asyncio.gather(*attacks, return_exceptions=True)


async def test_an_asker_who_leaves_does_not_take_the_answer_away() -> None:
    async with scripted() as server, pooled(server.settings) as pool:
        authenticator = ImapAuthenticator(pool, 300)
        leaving = asyncio.create_task(authenticator.authenticate(CREDENTIALS))
        staying = asyncio.create_task(authenticator.authenticate(CREDENTIALS))
        await asyncio.sleep(0)
        leaving.cancel()
        await staying
        await authenticator.aclose()


def test_fingerprints_tell_logins_and_passwords_apart() -> None:
    pairs = [("a", "bc"), ("ab", "c"), ("abc", ""), ("", "abc"), ("a", "bd"), ("ä", "\udcff")]
    assert len({fingerprint(Password(login, password)) for login, password in pairs}) == len(pairs)
    assert fingerprint(Password("a", "b")) == fingerprint(Password("a", "b"))
    assert bytes(fingerprint(Password("a", "bc"))).find(b"bc") == -1
