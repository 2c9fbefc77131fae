"""The watcher: reconnecting, never too many connections, never silent about what it may have missed."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from gateway.errors import AuthenticationFailed, UpstreamUnavailable
from gateway.ports import NAMES
from gateway.types import Principal, UserId
from gateway.upstream.imap import push
from gateway.upstream.imap.session import Session
from gateway.upstream.imap.upstream import ImapUpstream
from tests.support.dovecot import Dovecot
from tests.support.dovecot_config import Options
from tests.support.imap_servers import MailServer, mail_program, on_dovecot
from tests.support.messages import plain
from tests.support.scripted_imap import CAPABILITIES, PRINCIPAL, Answer, Connection, cut, scripted

pytestmark = pytest.mark.usefixtures("steady_clock")

NOTIFYING: dict[str, Answer] = {
    "GREETING": f"* OK [CAPABILITY {CAPABILITIES} NOTIFY] hello\r\n".encode(),
    "AUTHENTICATE": f"TAG OK [CAPABILITY {CAPABILITIES} NOTIFY] hello\r\n".encode(),
    "NOTIFY": b"TAG OK done\r\n",
}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnects fast, so that tests need not wait."""
    monkeypatch.setattr("gateway.upstream.imap.watch.SHORTEST_PAUSE", 0.02)
    monkeypatch.setattr("gateway.upstream.imap.watch.GRACE", 0.1)
    monkeypatch.setattr("gateway.upstream.imap.pool.LONGEST_PAUSE", 0.0)


async def eventually(check: Callable[[], bool], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not check():
            await asyncio.sleep(0.005)


def with_upstream(server: MailServer, **changes: object) -> ImapUpstream:
    return ImapUpstream(replace(server.settings, **changes))  # type: ignore[arg-type]


async def test_new_mail_is_told_without_a_poll(dovecot: Dovecot, user: str) -> None:
    """What Dovecot tells reaches who subscribed, in one mailbox as in the other, again and again."""
    server = on_dovecot(dovecot, user)
    upstream = with_upstream(server, poll_interval=600.0)
    told: list[str] = []
    await upstream.mailboxes(server.principal).subscribe(["INBOX", "Archive"], told.append)
    async with mail_program(server) as other:
        for mailbox in ("INBOX", "Archive", "INBOX", "Archive"):
            told.clear()
            append = partial(other.append, mailbox, plain())
            await other.until(lambda mailbox=mailbox: mailbox in told, append)  # type: ignore[misc]
    await upstream.aclose()


async def test_changes_are_told_together(monkeypatch: pytest.MonkeyPatch) -> None:
    async def burst(connection: Connection, tag: str, command: str) -> None:
        await connection.send(f"{tag} OK done\r\n".encode())
        await asyncio.sleep(0.05)
        for number in range(50):
            await connection.send(f"* STATUS INBOX (MESSAGES {number} UIDNEXT {number + 1})\r\n".encode())

    monkeypatch.setattr("gateway.upstream.imap.watch.COALESCE", 0.5)
    async with scripted({**NOTIFYING, "NOTIFY": burst}) as server:
        upstream = ImapUpstream(replace(server.settings, poll_interval=3600))
        told: list[str] = []
        await upstream.mailboxes(PRINCIPAL).subscribe(["INBOX", "Other"], told.append)
        await asyncio.sleep(1.2)
        # The first at once, the others together a moment later.
        assert set(told) == {"INBOX"}
        assert 1 <= len(told) <= 2
        await upstream.aclose()


async def test_the_first_change_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.upstream.imap.watch.COALESCE", 1.0)
    news = b"* STATUS INBOX (MESSAGES 4 UIDNEXT 5)\r\n"
    async with scripted(NOTIFYING) as server:
        upstream = ImapUpstream(replace(server.settings, poll_interval=3600))
        told: list[str] = []
        await upstream.mailboxes(PRINCIPAL).subscribe(["INBOX"], told.append)
        await server.connections[0].send(news)
        await eventually(lambda: told == ["INBOX"])
        for _ in range(2):
            await server.connections[0].send(news)
            await asyncio.sleep(0.01)
        assert told == ["INBOX"]
        await eventually(lambda: told == ["INBOX", "INBOX"])
        await asyncio.sleep(1.2)
        assert told == ["INBOX", "INBOX"]
        await upstream.aclose()


async def test_a_server_restart_is_survived(user: str) -> None:
    with Dovecot() as dovecot:
        server = on_dovecot(dovecot, user)
        upstream = ImapUpstream(server.settings)
        told: list[str] = []
        await upstream.mailboxes(server.principal).subscribe(["INBOX"], told.append)
        await asyncio.to_thread(dovecot.stop)
        await eventually(lambda: bool(told))
        # Nobody saw this one come.
        await asyncio.sleep(0.1)
        told.clear()
        await asyncio.to_thread(dovecot.restart)
        await eventually(lambda: bool(told))
        await asyncio.sleep(0.2)
        told.clear()
        async with mail_program(server) as other:
            await other.until(lambda: bool(told), partial(other.append, "INBOX", plain()))
        await upstream.aclose()


async def test_a_lost_connection_counts_as_a_change() -> None:
    async with scripted(NOTIFYING) as server:
        upstream = ImapUpstream(server.settings)
        told: list[str] = []
        await upstream.mailboxes(PRINCIPAL).subscribe(["INBOX", "Other"], told.append)
        server.connections[0].writer.transport.abort()
        await eventually(lambda: len(server.connections) == 2 and len(told) >= 2)
        assert set(told) == {"INBOX", "Other"}
        assert upstream.open_connections <= 1
        await upstream.aclose()


async def test_after_a_lost_connection_the_names_are_to_be_checked() -> None:
    async with scripted(NOTIFYING) as server:
        upstream = ImapUpstream(server.settings)
        told: list[str] = []
        await upstream.mailboxes(PRINCIPAL).subscribe([NAMES, "INBOX"], told.append)
        server.connections[0].writer.transport.abort()
        await eventually(lambda: len(server.connections) == 2 and told.count(NAMES) == 2)
        await upstream.aclose()


async def test_a_watch_that_fails_for_no_known_reason_begins_anew(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = iter((True,))

    def check(self: Session) -> None:
        if next(broken, False):
            raise RuntimeError("a bug")

    async with scripted(NOTIFYING) as server:
        upstream = ImapUpstream(server.settings)
        mail = upstream.mailboxes(PRINCIPAL)
        told: list[str] = []
        await mail.subscribe(["INBOX"], told.append)
        with monkeypatch.context() as patched:
            patched.setattr(Session, "check", check)
            with pytest.raises(UpstreamUnavailable):
                await mail.subscribe(["INBOX"], lambda _: None)
            await eventually(lambda: bool(told) and len(server.connections) == 2)
        assert "a bug" in caplog.text
        told.clear()
        await asyncio.sleep(0.1)
        await server.connections[1].send(b"* STATUS INBOX (MESSAGES 4 UIDNEXT 5)\r\n")
        await eventually(lambda: "INBOX" in told)
        await upstream.aclose()


async def test_overflow_counts_as_a_change() -> None:
    async with scripted(NOTIFYING) as server:
        upstream = ImapUpstream(server.settings)
        told: list[str] = []
        await upstream.mailboxes(PRINCIPAL).subscribe(["INBOX"], told.append)
        await server.connections[0].send(b"* OK [NOTIFICATIONOVERFLOW] too much\r\n")
        await eventually(lambda: bool(told) and len(server.connections) == 2)
        await upstream.aclose()


async def test_a_changed_password_ends_the_watch() -> None:
    async with scripted(NOTIFYING) as server:
        upstream = ImapUpstream(server.settings)
        mail = upstream.mailboxes(PRINCIPAL)
        told: list[str] = []
        await mail.subscribe(["INBOX"], told.append)
        server.answer("AUTHENTICATE", b"TAG NO [AUTHENTICATIONFAILED] changed\r\n")
        server.connections[0].writer.transport.abort()
        await eventually(lambda: bool(told) and len(server.connections) == 2)
        await asyncio.sleep(0.2)
        assert len(server.connections) == 2
        with pytest.raises(AuthenticationFailed):
            await mail.subscribe(["INBOX"], told.append)
        await upstream.aclose()


async def test_subscribing_fails_when_nobody_is_there() -> None:
    async with scripted({"GREETING": cut}) as server:
        upstream = ImapUpstream(server.settings)
        with pytest.raises(UpstreamUnavailable):
            await upstream.mailboxes(PRINCIPAL).subscribe(["INBOX"], lambda _: None)
        # Without subscribers it does not try for ever.
        await asyncio.sleep(0.2)
        attempts = len(server.connections)
        await asyncio.sleep(0.2)
        assert len(server.connections) == attempts
        await upstream.aclose()


async def test_subscribing_fails_at_once_when_the_first_look_does() -> None:
    async with scripted({"STATUS": cut}, patience=600.0) as server:
        upstream = ImapUpstream(server.settings)
        async with asyncio.timeout(60):
            with pytest.raises(UpstreamUnavailable):
                await upstream.mailboxes(PRINCIPAL).subscribe(["INBOX", "Other"], lambda _: None)
        await upstream.aclose()


async def test_the_watch_ends_with_its_last_subscriber() -> None:
    async with scripted(NOTIFYING) as server:
        upstream = ImapUpstream(server.settings)
        mail = upstream.mailboxes(PRINCIPAL)
        first = await mail.subscribe(["INBOX"], lambda _: None)
        second = await mail.subscribe(["INBOX"], lambda _: None)
        first()
        second()
        third = await mail.subscribe(["INBOX"], lambda _: None)
        await asyncio.sleep(0.2)
        assert upstream.open_connections == len(server.connections) == 1
        third()
        third()
        await eventually(lambda: upstream.open_connections == 0)
        # And begins anew.
        await mail.subscribe(["INBOX"], lambda _: None)
        assert upstream.open_connections == 1
        await upstream.aclose()


async def test_who_comes_as_the_watch_ends_begins_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.upstream.imap.watch.GRACE", 0.0)
    async with scripted(NOTIFYING) as server:
        upstream = ImapUpstream(server.settings)
        mail = upstream.mailboxes(PRINCIPAL)
        for turns in range(8):
            unsubscribe = await mail.subscribe(["INBOX"], lambda _: None)
            unsubscribe()
            for _ in range(turns):
                await asyncio.sleep(0)
            async with asyncio.timeout(20):
                (await mail.subscribe(["INBOX"], lambda _: None))()
        await eventually(lambda: upstream.open_connections == 0)
        await upstream.aclose()


async def test_notify_refused_falls_back_to_idle() -> None:
    async with scripted({**NOTIFYING, "NOTIFY": b"TAG NO [BADEVENT (MessageNew)] no\r\n"}) as server:
        upstream = ImapUpstream(server.settings)
        told: list[str] = []
        await upstream.mailboxes(PRINCIPAL).subscribe(["INBOX"], told.append)
        await eventually(lambda: "IDLE" in server.commands)
        await server.connections[0].send(b"* 9 EXISTS\r\n")
        await eventually(lambda: told == ["INBOX"])
        await upstream.aclose()


async def test_keep_alive_notices_a_dead_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.upstream.imap.push.KEEP_ALIVE", 0.1)
    async with scripted({**NOTIFYING, "LIST": b""}, patience=0.3) as server:
        upstream = ImapUpstream(server.settings)
        told: list[str] = []
        await upstream.mailboxes(PRINCIPAL).subscribe(["INBOX"], told.append)
        await eventually(lambda: bool(told))
        await upstream.aclose()


async def test_keep_alive_keeps_the_watch_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.upstream.imap.push.KEEP_ALIVE", 0.02)
    async with scripted(NOTIFYING) as server:
        upstream = ImapUpstream(server.settings)
        told: list[str] = []
        await upstream.mailboxes(PRINCIPAL).subscribe(["INBOX"], told.append)
        await eventually(lambda: server.commands.count('LIST "" "*"') >= 3)
        assert told == []
        await server.connections[0].send(b"* STATUS INBOX (MESSAGES 4 UIDNEXT 5)\r\n")
        await eventually(lambda: "INBOX" in told)
        assert len(server.connections) == 1
        await upstream.aclose()


async def test_a_server_that_tells_no_names_is_asked_for_them() -> None:
    async def notify(connection: Connection, tag: str, command: str) -> None:
        known = "MailboxName" not in command
        await connection.send(f"{tag} {'OK' if known else 'NO [BADEVENT (MessageNew)]'} done\r\n".encode())

    both = b'* LIST () "/" INBOX\r\n* LIST () "/" Box\r\nTAG OK done\r\n'
    async with scripted({**NOTIFYING, "NOTIFY": notify, "LIST": both}) as server:
        upstream = ImapUpstream(replace(server.settings, poll_interval=0.005))
        told: list[str] = []
        await upstream.mailboxes(PRINCIPAL).subscribe(["INBOX", "Box"], told.append)
        await eventually(lambda: server.commands.count('LIST "" "*"') >= 2)
        assert told == []
        server.answer("LIST", b'* LIST () "/" INBOX\r\n* LIST (\\NonExistent) "/" Box\r\nTAG OK done\r\n')
        await eventually(lambda: bool(told))
        assert set(told) == {"Box"}
        await upstream.aclose()


async def test_idle_is_begun_anew_before_the_server_loses_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    assert push.LONGEST_IDLE < 29 * 60
    monkeypatch.setattr(push, "LONGEST_IDLE", 0.02)
    async with scripted({}) as server:
        upstream = ImapUpstream(replace(server.settings, poll_interval=3600))
        told: list[str] = []
        await upstream.mailboxes(PRINCIPAL).subscribe(["INBOX"], told.append)
        await eventually(lambda: server.commands.count("IDLE") >= 3)
        assert (len(server.connections), told) == (1, [])
        await server.connections[0].send(b"* 9 EXISTS\r\n")
        await eventually(lambda: told == ["INBOX"])
        await upstream.aclose()


async def test_watches_that_begin_together_do_not_poll_together() -> None:
    polls: list[float] = []

    async def status(connection: Connection, tag: str, command: str) -> None:
        polls.append(time.monotonic())
        await connection.send(f"* STATUS Other (MESSAGES 1 UIDNEXT 2)\r\n{tag} OK done\r\n".encode())

    async with scripted({"STATUS": status}) as server:
        upstream = ImapUpstream(replace(server.settings, poll_interval=0.1))
        await upstream.mailboxes(PRINCIPAL).subscribe(["INBOX", "Other"], lambda _: None)
        await eventually(lambda: len(polls) > 8)
        await upstream.aclose()
    between = [after - before for before, after in itertools.pairwise(polls)]
    assert min(between) > 0.08
    assert max(between) - min(between) > 0.002


async def test_a_server_that_is_gone_is_asked_less_and_less_often() -> None:
    async with scripted(NOTIFYING) as server:
        upstream = ImapUpstream(server.settings)
        await upstream.mailboxes(PRINCIPAL).subscribe(["INBOX"], lambda _: None)
        server.answer("GREETING", cut)
        server.connections[0].writer.transport.abort()
        await asyncio.sleep(1)
        # After 0.02, 0.04, ... 0.64 s, each a quarter more or less; without pauses there were hundreds.
        assert 3 <= len(server.connections) - 1 <= 7
        await upstream.aclose()


@pytest.mark.parametrize("capabilities", ["IMAP4rev1 AUTH=PLAIN", "IMAP4rev1 AUTH=PLAIN IDLE LIST-STATUS"])
async def test_polling_notices_what_others_do(dovecot: Dovecot, user: str, capabilities: str) -> None:
    offered = capabilities.split()
    masked = frozenset({"NOTIFY", "IDLE", "LIST-STATUS"} - set(offered))
    server = on_dovecot(dovecot, user, masked)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.upstream.imap.session.Session.learn_capabilities", server.mask())
        upstream = with_upstream(server, poll_interval=0.1)
        told: list[str] = []
        names = ["INBOX", "Archive", "Sent", "Trash", "Drafts", "Junk", "x1", "x2", "x3"]
        await upstream.mailboxes(server.principal).subscribe(names, told.append)
        async with mail_program(server) as other:
            await other.append("Archive", plain())
            await eventually(lambda: "Archive" in told)
            await other.on("CREATE", "x2")
            await eventually(lambda: "x2" in told)
            await other.append("INBOX", plain())
            await eventually(lambda: "INBOX" in told)
            assert set(told) == {"Archive", "x2", "INBOX"}
            assert upstream.open_connections == 1
        await upstream.aclose()


@pytest.mark.parametrize("others", [8, 9])
async def test_the_status_of_all_is_asked_only_where_most_are_watched(others: int) -> None:
    capabilities = "IMAP4rev1 AUTH=PLAIN LIST-EXTENDED LIST-STATUS"
    names = [f"Box{number}" for number in range(8 + others)]
    listed = "".join(f'* LIST () "/" {name}\r\n' for name in names).encode()
    script: dict[str, Answer] = {
        "GREETING": f"* OK [CAPABILITY {capabilities}] hello\r\n".encode(),
        "AUTHENTICATE": f"TAG OK [CAPABILITY {capabilities}] hello\r\n".encode(),
        "LIST": listed + b"TAG OK done\r\n",
    }
    async with scripted(script) as server:
        upstream = ImapUpstream(server.settings)
        await upstream.mailboxes(PRINCIPAL).subscribe(names[:8], lambda _: None)
        each = sum(command.startswith("STATUS") for command in server.commands)
        every = sum("RETURN (STATUS" in command for command in server.commands)
        assert (each, every) == ((0, 1) if others == 8 else (8, 0))
        await upstream.aclose()


async def test_with_one_connection_per_user_it_is_borrowed(dovecot: Dovecot, user: str) -> None:
    server = on_dovecot(dovecot, user)
    upstream = with_upstream(server, poll_interval=0.1, max_connections_per_user=1)
    mail = upstream.mailboxes(server.principal)
    told: list[str] = []
    await mail.subscribe(["INBOX", "Sent"], told.append)
    async with mail_program(server) as other:
        # Selected on the only connection, STATUS must be true all the same.
        await mail.view("INBOX")
        await other.append("INBOX", plain())
        await eventually(lambda: "INBOX" in told)
        assert len((await mail.view("INBOX")).uids) == 1
    assert upstream.open_connections == 1
    await upstream.aclose()


async def test_where_one_connection_is_allowed_the_watch_gives_way(
    user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.upstream.imap.pool.CROWDED_SECONDS", 1.5)
    monkeypatch.setattr("gateway.upstream.imap.pool.CROWDED_PAUSES", (0.1, 0.3, 1.0, 3.0, 6.0))
    with Dovecot(Options(connections=1)) as dovecot:
        server = on_dovecot(dovecot, user)
        upstream = with_upstream(server, poll_interval=0.1)
        mail = upstream.mailboxes(server.principal)
        told: list[str] = []
        await mail.subscribe(["INBOX"], told.append)
        for count in (1, 2, 3):  # as long as it is known what is allowed, and when that is tried again
            async with asyncio.timeout(20):
                await mail.append("INBOX", plain())
                assert len((await mail.view("INBOX")).uids) == count
            await eventually(lambda: "INBOX" in told)
            await asyncio.sleep(0.8)
            told.clear()
        await upstream.aclose()


async def test_two_users_do_not_hear_of_each_other(dovecot: Dovecot, user: str) -> None:
    one, two = on_dovecot(dovecot, user), on_dovecot(dovecot, user + "-two")
    upstream = ImapUpstream(one.settings)
    told: list[str] = []
    for server in (one, two):
        name = server.credentials.login
        mail = upstream.mailboxes(Principal(UserId(name), name, server.credentials))
        await mail.view("INBOX")  # Dovecot makes it now, which the watch would tell
        await mail.subscribe(["INBOX"], lambda _, name=name: told.append(name))  # type: ignore[misc]
    async with mail_program(two) as other:
        await other.until(lambda: bool(told), partial(other.append, "INBOX", plain()))
    assert set(told) == {user + "-two"}
    await upstream.aclose()


@pytest.mark.parametrize("others", [0, 9])
async def test_what_notify_passes_over_is_found_all_the_same(
    others: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.upstream.imap.push.KEEP_ALIVE", 0.02)
    names = ["INBOX", *(f"Box {number}" for number in range(others))]
    messages = 3

    async def told_of(connection: Connection, tag: str, command: str) -> None:
        for name in names:
            if command.startswith("LIST"):
                await connection.send(f'* LIST () "/" "{name}"\r\n'.encode())
            if name in command or "STATUS (" in command:
                await connection.send(f'* STATUS "{name}" (MESSAGES {messages})\r\n'.encode())
        await connection.send(f"{tag} OK done\r\n".encode())

    offered = f"* OK [CAPABILITY {CAPABILITIES} NOTIFY LIST-STATUS] hello\r\n".encode()
    script = {**NOTIFYING, "GREETING": offered, "AUTHENTICATE": b"TAG" + offered[1:]}
    async with scripted({**script, "LIST": told_of, "STATUS": told_of}) as server:
        upstream = ImapUpstream(server.settings)
        told: list[str] = []
        await upstream.mailboxes(PRINCIPAL).subscribe(names, told.append)

        def looks() -> int:
            return sum(command.startswith("STATUS") for command in server.commands) // len(names)

        await eventually(lambda: looks() >= 3)
        assert told == []
        messages = 4
        await eventually(lambda: set(told) == set(names))
        before = looks()
        await eventually(lambda: looks() >= before + 3)
        assert len(told) == len(names)
        await upstream.aclose()


async def test_it_is_known_from_the_beginning_what_notify_may_pass_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.upstream.imap.push.KEEP_ALIVE", 3600.0)
    async with scripted(NOTIFYING) as server:
        upstream = ImapUpstream(replace(server.settings, poll_interval=3600.0))
        mail, told = upstream.mailboxes(PRINCIPAL), list[str]()
        for mailboxes in (["INBOX", "Box"], ["INBOX"], ["Box", "New"]):
            await mail.subscribe(mailboxes, told.append)
        asked = [command.split()[1] for command in server.commands if command.startswith("STATUS")]
        assert asked == ['"Box"', '"INBOX"', '"New"']
        assert told == []
        await upstream.aclose()
