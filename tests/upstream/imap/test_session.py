"""One connection against servers that break the rules: each failure is told at once, as declared."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.errors import UpstreamConfused, UpstreamError, UpstreamRefused, UpstreamUnavailable
from gateway.upstream.imap import commands
from gateway.upstream.imap.handshake import log_in, open_connection
from gateway.upstream.imap.responses import Exists, Fetch, StatusData
from gateway.upstream.imap.session import Session
from gateway.upstream.imap.turns import Turns
from tests.support.dovecot import Dovecot
from tests.support.imap_servers import mail_program, on_dovecot
from tests.support.messages import plain
from tests.support.scripted_imap import (
    CREDENTIALS,
    POLITE,
    Answer,
    Connection,
    Cut,
    ScriptedServer,
    cut,
    scripted,
    silence,
)

pytestmark = pytest.mark.usefixtures("steady_clock")

NOOP = commands.simple("NOOP")


@asynccontextmanager
async def connected(server: ScriptedServer) -> AsyncIterator[Session]:
    session = await open_connection(server.settings)
    await log_in(session, CREDENTIALS)
    try:
        yield session
    finally:
        session.close()
        await asyncio.sleep(0)


# --- pairing commands and responses ------------------------------------------------------------------------


async def test_pipelined_commands_get_their_own_answers() -> None:
    async def status(connection: Connection, tag: str, command: str) -> None:
        name = command.split('"')[1]
        await connection.send(f"* STATUS {name} (MESSAGES {len(name)})\r\n{tag} OK\r\n".encode())

    async with scripted({"STATUS": status}) as server, connected(server) as session:
        asked = [commands.status(session.dialect, "x" * length, ["MESSAGES"]) for length in range(1, 50)]
        replies = await session.pipeline(*asked)
        assert [[data.values["MESSAGES"] for data in reply.of(StatusData)] for reply in replies] == [
            [length] for length in range(1, 50)
        ]
        assert not session.busy


async def test_two_appends_at_once_do_not_mix(dovecot: Dovecot, user: str) -> None:
    server = on_dovecot(dovecot, user, frozenset({"LITERAL+"}))
    async with mail_program(server) as program:
        # The literals must be asked for, one after the other.
        program.session.learn_capabilities(program.session.capabilities - {"LITERAL+"})
        await program.append("INBOX", plain("one"), plain("two"), plain("six"))
        await program.select("INBOX")
        [reply] = await program.do(*commands.uid_fetch([1, 2, 3], [commands.header_fields(["Subject"])]))
        subjects = [data for told in reply.of(Fetch) for data in told.sections.values()]
        assert [data.split()[1] for data in subjects if data] == [b"one", b"two", b"six"]


async def test_a_refused_literal_is_not_sent() -> None:
    async with scripted({"GREETING": b"* OK [CAPABILITY IMAP4rev1] hello\r\n"}) as server:
        session = await open_connection(server.settings)
        server.connections[0].refuse_literals = True
        append = commands.append(session.dialect, "INBOX", b"NOOP\r\n" * 1000)
        results = await asyncio.gather(session.execute(append), session.execute(NOOP), return_exceptions=True)
        assert isinstance(results[0], UpstreamRefused)
        assert results[0].code == "OVERQUOTA"
        assert not isinstance(results[1], BaseException)
        assert server.commands[-1] == "NOOP"
        session.close()


async def test_no_is_refused_and_the_connection_stays() -> None:
    async with (
        scripted({"CREATE": b"TAG NO [OVERQUOTA] too much\r\n"}) as server,
        connected(server) as session,
    ):
        with pytest.raises(UpstreamRefused, match="too much") as refused:
            await session.execute(commands.on_mailbox(session.dialect, "CREATE", "x"))
        assert refused.value.code == "OVERQUOTA"
        await session.execute(NOOP)


async def test_a_cancelled_command_leaves_the_connection_in_step() -> None:
    release = asyncio.Event()

    async def slow(connection: Connection, tag: str, command: str) -> None:
        await release.wait()
        await connection.send(f"* STATUS slow (MESSAGES 1)\r\n{tag} OK\r\n".encode())

    async with scripted({"STATUS": slow}) as server, connected(server) as session:
        task = asyncio.create_task(session.execute(commands.status(session.dialect, "slow", ["MESSAGES"])))
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert session.busy
        release.set()
        reply = await session.execute(NOOP)
        assert reply.responses == ()
        assert not session.busy


@pytest.mark.parametrize(
    "unasked",
    [
        b"* 5 EXISTS\r\n",
        b"* 2 EXPUNGE\r\n",
        b"* VANISHED 2\r\n",
        b"* VANISHED (EARLIER) 1:4000000000\r\n",
        b"* 1 FETCH (FLAGS (\\Seen))\r\n",
        b"* 1 FETCH (UID 77 FLAGS (\\Seen) MODSEQ (12))\r\n",
        b"* OK [ALERT] the disk is nearly full\r\n",
        b"* OK [HIGHESTMODSEQ 10] new\r\n",
        b"* FLAGS (\\Seen new)\r\n",
        b"* X-UNKNOWN (thing {3}\r\nabc)\r\n",
        b"* STATUS other (MESSAGES 4)\r\n",
        b"+ what?\r\n",
        b"* 0 RECENT\r\n",
    ],
)
async def test_unasked_responses_are_taken_anywhere(unasked: bytes) -> None:
    def before_and_amid(name: str) -> bytes:
        polite = POLITE[name]
        assert isinstance(polite, bytes)
        return unasked + polite.replace(b"TAG OK", unasked + b"TAG OK")

    names = ("CAPABILITY", "AUTHENTICATE", "ENABLE", "NAMESPACE", "NOOP", "SELECT", "UID FETCH", "UID SEARCH")
    script = scripted({name: before_and_amid(name) for name in names})
    async with script as server, connected(server) as session:
        await session.select("INBOX")
        await session.execute(NOOP)
        [fetch] = commands.uid_fetch([1], ["FLAGS"])
        reply = await session.execute(fetch)
        assert any(told.uid == 1 and told.size == 12 for told in reply.of(Fetch))
        assert session.selected is not None
        assert session.selected.uidvalidity == 7


async def test_selected_keeps_count() -> None:
    changes = b"* 4 EXISTS\r\n* 1 EXPUNGE\r\n* VANISHED 2:3\r\n* FLAGS (a b)\r\n"
    async with scripted({"NOOP": changes + b"TAG OK\r\n"}) as server, connected(server) as session:
        await session.select("INBOX")
        assert session.selected is not None
        assert (session.selected.exists, session.selected.modseq, session.selected.changes) == (3, 9, 0)
        await session.execute(NOOP)
        assert (session.selected.exists, session.selected.changes) == (1, 3)
        assert session.selected.flags == {"a", "b"}


async def test_a_failed_select_leaves_nothing_selected() -> None:
    async with scripted() as server, connected(server) as session:
        await session.select("INBOX")
        server.answer("SELECT", b"* 9 EXISTS\r\nTAG NO no\r\n")
        with pytest.raises(UpstreamRefused):
            await session.select("other")
        assert session.selected is None


async def test_idle_hands_over_what_comes() -> None:
    async def idle(connection: Connection, tag: str, command: str) -> None:
        await connection.send(b"+ idling\r\n* 5 EXISTS\r\n")
        await connection.command()
        await connection.send(f"{tag} OK\r\n".encode())

    heard: list[object] = []
    async with scripted({"IDLE": idle}, patience=0.3) as server, connected(server) as session:
        session.listener = heard.append
        await session.idle()
        await asyncio.sleep(server.settings.timeout * 2)
        assert heard == [Exists(5)]
        await session.done()
        await session.execute(NOOP)


# --- failing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"* BYE going down\r\n", UpstreamUnavailable),
        (cut, UpstreamUnavailable),
        (silence, UpstreamUnavailable),
        (b"WRONG OK done\r\n", UpstreamConfused),
        (b"TAG WHAT done\r\n", UpstreamConfused),
        (b"TAG BAD never\r\n", UpstreamConfused),
        (b"\x00\xff\xfe garbage\r\n" * 10, UpstreamConfused),
        (b"* 1 FETCH (BODY[] {999999999999}\r\n", UpstreamConfused),
        (b"* LIST () NIL {99999999}\r\n" + b"x" * 100, UpstreamError),
        (b"* " + b"(" * 100_000 + b"\r\nTAG BAD deep\r\n", UpstreamConfused),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", UpstreamConfused),
    ],
)
async def test_every_pending_command_fails_at_once(answer: Answer, error: type[UpstreamError]) -> None:
    async with scripted({"NOOP": answer}, patience=0.3) as server, connected(server) as session:
        begin = asyncio.get_running_loop().time()
        tasks = [asyncio.create_task(session.execute(NOOP)) for _ in range(5)]
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert asyncio.get_running_loop().time() - begin < 3 * server.settings.timeout
        assert isinstance(results[0], error)
        assert all(isinstance(result, UpstreamError) for result in results)
        assert session.closed
        with pytest.raises(UpstreamError):
            await session.execute(NOOP)


async def test_a_line_without_end_is_given_up() -> None:
    async def endless(connection: Connection, tag: str, command: str) -> None:
        for _ in range(100):
            await connection.send(b"* OK " + b"x" * 1_000_000)
        raise Cut

    async with scripted({"NOOP": endless}) as server, connected(server) as session:
        with pytest.raises(UpstreamConfused):
            await session.execute(NOOP)


async def test_a_flood_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def flood(connection: Connection, tag: str, command: str) -> None:
        while True:
            await connection.send(b"* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n" * 1000)

    monkeypatch.setattr("gateway.upstream.imap.inflow.MAX_REPLY", 1_000_000)
    async with scripted({"NOOP": flood}) as server, connected(server) as session:
        with pytest.raises(UpstreamConfused, match="too much"):
            await session.execute(NOOP)


async def test_idle_that_ends_before_it_begins_is_confusion() -> None:
    async with scripted({"IDLE": b"TAG OK already done\r\n"}) as server, connected(server) as session:
        with pytest.raises(UpstreamConfused):
            await session.idle()
        assert session.closed


async def test_death_while_idling_is_noticed_at_once() -> None:
    async def dying(connection: Connection, tag: str, command: str) -> None:
        await connection.send(b"+ idling\r\n")
        await asyncio.sleep(0.05)
        raise Cut

    lost = asyncio.Event()
    async with scripted({"IDLE": dying}) as server, connected(server) as session:
        session.on_lost = lost.set
        await session.idle()
        async with asyncio.timeout(20):
            await lost.wait()
        with pytest.raises(UpstreamUnavailable):
            await session.done()


async def test_idle_that_is_not_answered_is_given_up() -> None:
    async with scripted({"IDLE": silence}, patience=0.3) as server, connected(server) as session:
        async with asyncio.timeout(20):
            with pytest.raises(UpstreamUnavailable):
                await session.idle()
        assert session.closed


async def test_idle_may_be_refused() -> None:
    async with scripted({"IDLE": b"TAG NO no\r\n"}) as server, connected(server) as session:
        with pytest.raises(UpstreamRefused):
            await session.idle()
        await session.execute(NOOP)


async def test_a_server_that_keeps_talking_is_waited_for() -> None:
    async def slow(connection: Connection, tag: str, command: str) -> None:
        for _ in range(5):
            await asyncio.sleep(0.25)
            await connection.send(b"* OK still here\r\n")
        await connection.send(f"{tag} OK\r\n".encode())

    async with scripted({"NOOP": slow}, patience=1) as server, connected(server) as session:
        assert (await session.execute(NOOP)).succeeded


async def test_a_server_that_only_keeps_talking_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def chatter(connection: Connection, tag: str, command: str) -> None:
        while True:
            await asyncio.sleep(0.05)
            await connection.send(b"* OK still here\r\n")

    monkeypatch.setattr("gateway.upstream.imap.watchdog.PATIENCE", 2)
    async with scripted({"NOOP": chatter}, patience=0.3) as server, connected(server) as session:
        with pytest.raises(UpstreamUnavailable):
            await session.execute(NOOP)


async def test_nothing_secret_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with scripted({"AUTHENTICATE": b"TAG NO secret is wrong\r\n"}) as server:
        session = await open_connection(server.settings)
        pending = session.start(commands.login(session.dialect, "user", "secret"))
        shown = repr(session) + repr(session.__dict__)
        await asyncio.gather(pending, return_exceptions=True)
        with pytest.raises(Exception, match="refused") as refused:
            await log_in(session, CREDENTIALS)
    assert "secret" not in shown + repr(refused.value) + caplog.text


# --- much at once ------------------------------------------------------------------------------------------


async def test_what_arrives_at_once_is_read_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost or out of order, and others have their turn in between: a literal is read in one."""
    monkeypatch.setattr("gateway.upstream.imap.inflow.SLICE", 100)
    monkeypatch.setattr("gateway.upstream.imap.turns.TURN", 0.0)
    body = b"x" * 990 + b"\r\n* 7 EXISTS\r\n"

    async def fetch(connection: Connection, tag: str, command: str) -> None:
        told = [b"* %d FETCH (BODY[1] {%d}\r\n%b)\r\n" % (seq, len(body), body) for seq in range(1, 31)]
        await connection.send(b"".join(told) + f"{tag} OK\r\n".encode())

    async with scripted({"UID FETCH": fetch}) as server, connected(server) as session:
        [command] = commands.uid_fetch([1], ["BODY.PEEK[1]"])
        asked = session.start(command)
        turns = 0
        while not asked.done():
            await asyncio.sleep(0)
            turns += bool(session.busy and not session.closed)
        told = [*(await asked).of(Fetch)]
        assert [fetch.seq for fetch in told] == [*range(1, 31)]
        assert all(fetch.sections["BODY[1]"] == body for fetch in told)
        assert turns > len(told) // 2
        await session.execute(NOOP)


async def test_a_server_is_not_silent_whose_answer_waits_for_its_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.upstream.imap.inflow.SLICE", 10)
    monkeypatch.setattr("gateway.upstream.imap.turns.TURN", 0.0)
    lines = b"* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n" * 150

    def busy() -> bool:
        time.sleep(0.002)
        return not told.done()

    async with (
        scripted({"NOOP": lines + b"TAG OK done\r\n"}, patience=0.3) as server,
        connected(server) as session,
    ):
        began = time.monotonic()
        told = session.start(NOOP)
        Turns.of(asyncio.get_running_loop()).take(busy)
        assert len([*(await told).of(Fetch)]) == 150
        assert time.monotonic() - began > 2 * server.settings.timeout


async def test_what_follows_a_turn_that_ends_with_leave_for_tls_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def starttls(connection: Connection, tag: str, command: str) -> None:
        told = b"* 1 EXISTS\r\n" * 50 + f"{tag} OK\r\n".encode()
        monkeypatch.setattr("gateway.upstream.imap.inflow.SLICE", len(told))
        await connection.send(told + b"* CAPABILITY IMAP4rev1 INJECTED\r\n")

    async with scripted({"STARTTLS": starttls}) as server:
        session = await open_connection(server.settings)
        with pytest.raises(UpstreamConfused, match="in the clear"):
            await session.starttls()
