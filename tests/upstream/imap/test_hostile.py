"""The whole mail port against a server that fails at any point: declared errors, soon, nothing left over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from dataclasses import replace

import pytest

from gateway.errors import (
    GatewayError,
    NotFound,
    Refused,
    UpstreamConfused,
    UpstreamRefused,
    UpstreamUnavailable,
)
from gateway.types import FLAGGED, SEEN, SectionRequest
from gateway.upstream.imap.source import ImapMailboxes
from gateway.upstream.imap.unreadable import MOST_HANG_UPS, PROOFS
from gateway.upstream.imap.upstream import ImapUpstream
from tests.support.scripted_imap import (
    CAPABILITIES,
    CREDENTIALS,
    POLITE,
    PRINCIPAL,
    Answer,
    Connection,
    Cut,
    ScriptedServer,
    cut,
    scripted,
    silence,
)

pytestmark = pytest.mark.usefixtures("steady_clock")


async def everything(mail: ImapMailboxes) -> list[object]:
    """Each call once; returns results and errors."""
    calls: Sequence[Callable[[], Awaitable[object]]] = (
        mail.list,
        lambda: mail.view("INBOX"),
        lambda: mail.fetch("INBOX", 7, [1], None),
        lambda: mail.fetch_sections("INBOX", 7, [SectionRequest(1, "HEADER")]),
        lambda: mail.set_flags("INBOX", 7, [1, 2], add=[SEEN], remove=[FLAGGED]),
        lambda: mail.move("INBOX", 7, [1, 2, 3], "Trash"),
        lambda: mail.append("INBOX", b"A: b\r\n\r\nhi\r\n"),
        lambda: mail.create("New"),
    )
    return [await _outcome(call()) for call in calls]


async def _outcome(call: Awaitable[object]) -> object:
    try:
        return await call
    except GatewayError as error:
        return error


def with_upstream(server: ScriptedServer, **changes: object) -> ImapUpstream:
    return ImapUpstream(replace(server.settings, **changes))  # type: ignore[arg-type]


async def test_a_polite_server_serves_everything() -> None:
    async with scripted() as server:
        upstream = with_upstream(server)
        results = await everything(upstream.mailboxes(PRINCIPAL))
        assert not [result for result in results if isinstance(result, BaseException)]
        assert results[5] == {1: 11, 2: 12, 3: 13}
        assert results[6] == (7, 4)
        await upstream.aclose()


async def test_the_connection_may_be_cut_at_any_octet(monkeypatch: pytest.MonkeyPatch) -> None:
    # The pauses after failures are tested elsewhere.
    monkeypatch.setattr("gateway.upstream.imap.pool.LONGEST_PAUSE", 0.0)
    async with scripted() as server:
        upstream = with_upstream(server)
        await everything(upstream.mailboxes(PRINCIPAL))
        await upstream.aclose()
        total = server.connections[0].sent
    for limit in range(0, total, 23):
        async with scripted(limit=limit) as server:
            upstream = with_upstream(server, timeout=30.0)
            async with asyncio.timeout(20):
                results = await everything(upstream.mailboxes(PRINCIPAL))
            failed = [result for result in results if isinstance(result, BaseException)]
            # What only reads is repeated on another connection, which gets further.
            assert failed or len(server.connections) > 1
            assert all(isinstance(error, UpstreamUnavailable) for error in failed)
            await upstream.aclose()
            assert upstream.open_connections == 0


STAGES = ("GREETING", "AUTHENTICATE", "ENABLE", "SELECT", "UID SEARCH", "UID FETCH", "UID STORE", "UID MOVE")
MISCHIEF: dict[str, Answer] = {
    "bye": b"* BYE going down\r\n",
    "cut": cut,
    "silence": silence,
    "garbage": b"\x00\x01\x02{{{((( garbage\r\n",
    "wrong tag": b"ZZZ9 OK done\r\n",
    "bomb": b"* 1 FETCH (BODY[] {4000000000}\r\n",
    "no": b"TAG NO [OVERQUOTA] over quota\r\n",
    "bad": b"TAG BAD syntax\r\n",
    "nothing told": b"TAG OK done\r\n",
    "half a line": b"* OK",
}
UNENDED = ("silence", "half a line")
"""What only a time-out ends."""


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("mischief", MISCHIEF)
async def test_mischief_at_every_stage(stage: str, mischief: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.upstream.imap.pool.LONGEST_PAUSE", 0.0)
    async with scripted({stage: MISCHIEF[mischief]}) as server:
        upstream = with_upstream(server, timeout=0.05 if mischief in UNENDED else 30.0)
        async with asyncio.timeout(20):
            results = await everything(upstream.mailboxes(PRINCIPAL))
        # Whatever was raised is declared; `_outcome` would have let anything else through.
        assert len(results) == 8
        server.answer(stage, ScriptedServer({}, None)._answers[stage])
        await asyncio.sleep(0.01)
        async with asyncio.timeout(20):
            while failed := await failures(upstream):
                # A machine that is busy takes longer than so short a time-out now and then.
                assert mischief in UNENDED, failed
        await upstream.aclose()
        assert upstream.open_connections == 0


async def failures(upstream: ImapUpstream) -> list[BaseException]:
    results = await everything(upstream.mailboxes(PRINCIPAL))
    return [result for result in results if isinstance(result, BaseException)]


# --- repeating ---------------------------------------------------------------------------------------------


def dying(name: str, times: int) -> tuple[list[str], Callable[[Connection, str, str], Awaitable[None]]]:
    """An answer that cuts the connection the first `times` times, and what came before that."""
    seen: list[str] = []

    async def act(connection: Connection, tag: str, command: str) -> None:
        seen.append(command)
        if len(seen) <= times:
            raise Cut
        answer = ScriptedServer({}, None)._answers[name]
        assert isinstance(answer, bytes)
        await connection.send(answer.replace(b"TAG ", tag.encode() + b" "))

    return seen, act


async def test_reading_is_repeated_once_on_a_new_connection() -> None:
    seen, act = dying("UID FETCH", 1)
    async with scripted({"UID FETCH": act}) as server:
        upstream = with_upstream(server)
        await upstream.authenticate(CREDENTIALS)
        fetched = await upstream.mailboxes(PRINCIPAL).fetch("INBOX", 7, [1], None)
        assert set(fetched) == {1}
        assert len(seen) == 2
        await upstream.aclose()


@pytest.mark.parametrize("name", ["UID STORE", "UID MOVE", "APPEND"])
async def test_changing_is_never_repeated(name: str) -> None:
    seen, act = dying(name, 1)
    async with scripted({name: act}) as server:
        upstream = with_upstream(server)
        await upstream.authenticate(CREDENTIALS)
        mail = upstream.mailboxes(PRINCIPAL)
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "UID STORE": lambda: mail.set_flags("INBOX", 7, [1], add=[SEEN]),
            "UID MOVE": lambda: mail.move("INBOX", 7, [1], "Trash"),
            "APPEND": lambda: mail.append("INBOX", b"A: b\r\n\r\n"),
        }
        with pytest.raises(UpstreamUnavailable):
            await calls[name]()
        assert len(seen) == 1
        await upstream.aclose()


async def test_a_dead_pooled_connection_does_not_stop_a_change() -> None:
    async def die_once(connection: Connection, tag: str, command: str) -> None:
        if connection is server.connections[0]:
            raise Cut
        await connection.send(f"{tag} OK\r\n".encode())

    async with scripted({"NOOP": die_once}) as server:
        upstream = with_upstream(server)
        await upstream.authenticate(CREDENTIALS)
        assert await upstream.mailboxes(PRINCIPAL).append("INBOX", b"A: b\r\n\r\n") == (7, 4)
        assert len(server.connections) == 2
        await upstream.aclose()


def stumbling(name: str) -> Answer:
    """An answer that is a fault of the server on the first connection that asks, and good on all others."""
    asked: list[Connection] = []
    _, usual = dying(name, 0)

    async def act(connection: Connection, tag: str, command: str) -> None:
        asked.append(connection)
        if connection is asked[0]:
            await connection.send(f"{tag} NO [SERVERBUG] duplicate transaction log sequence\r\n".encode())
        else:
            await usual(connection, tag, command)

    return act


@pytest.mark.parametrize("stage", ["NOOP", "SELECT"])
async def test_what_the_server_stumbled_over_is_asked_on_another_connection(stage: str) -> None:
    async with scripted({stage: stumbling(stage)}) as server:
        upstream = with_upstream(server)
        await upstream.authenticate(CREDENTIALS)
        mail = upstream.mailboxes(PRINCIPAL)
        await (mail.append("INBOX", b"A: b\r\n\r\n") if stage == "NOOP" else mail.view("INBOX"))
        await mail.set_flags("INBOX", 7, [1], add=[SEEN])
        assert (len(server.connections), upstream.open_connections) == (2, 1)
        await upstream.aclose()


async def test_a_change_the_server_stumbled_over_succeeds_when_it_is_tried_again() -> None:
    async with scripted({"APPEND": stumbling("APPEND")}) as server:
        upstream = with_upstream(server)
        await upstream.authenticate(CREDENTIALS)
        mail = upstream.mailboxes(PRINCIPAL)
        with pytest.raises(UpstreamRefused) as refused:
            await mail.append("INBOX", b"A: b\r\n\r\n")
        assert refused.value.kind == "ServerErrorRetryLater"
        assert await mail.append("INBOX", b"A: b\r\n\r\n") == (7, 4)
        await upstream.aclose()


# --- odd answers -------------------------------------------------------------------------------------------


async def test_quota_and_rights_are_told() -> None:
    async with scripted(
        {"APPEND": b"TAG NO [OVERQUOTA] full\r\n", "UID STORE": b"TAG NO [NOPERM] no\r\n"}
    ) as server:
        upstream = with_upstream(server)
        mail = upstream.mailboxes(PRINCIPAL)
        with pytest.raises(UpstreamRefused) as refused:
            await mail.append("INBOX", b"A: b\r\n\r\n")
        assert (refused.value.code, refused.value.kind) == ("OVERQUOTA", "MailboxQuotaExceeded")
        with pytest.raises(UpstreamRefused) as refused:
            await mail.set_flags("INBOX", 7, [1], add=[SEEN])
        assert refused.value.kind == "AccessDenied"
        await upstream.aclose()


async def test_a_message_that_cannot_be_shown_hides_no_other() -> None:
    good = (
        b'* %d FETCH (UID %d FLAGS () INTERNALDATE "01-Jan-2026 00:00:00 +0000" RFC822.SIZE 9 '
        b'BODYSTRUCTURE ("text" "plain" NIL NIL NIL "7bit" 2 1) BODY[HEADER] "A: b")\r\n'
    )

    async def fetch(connection: Connection, tag: str, command: str) -> None:
        uids = [uid for uid in (1, 2, 3) if _names(command, uid)]
        if 2 in uids and "BODYSTRUCTURE" in command:
            await connection.send(f"{tag} NO [SERVERBUG] cannot parse message\r\n".encode())
            return
        for uid in uids:
            told = good % (uid, uid)
            if "BODYSTRUCTURE" not in command:
                told = told.replace(b'BODYSTRUCTURE ("text" "plain" NIL NIL NIL "7bit" 2 1) ', b"")
            await connection.send(told)
        await connection.send(f"{tag} OK\r\n".encode())

    async with scripted({"UID FETCH": fetch}) as server:
        upstream = with_upstream(server)
        fetched = await upstream.mailboxes(PRINCIPAL).fetch("INBOX", 7, [1, 2, 3], None)
        assert set(fetched) == {1, 2, 3}
        assert fetched[2].structure.content_type == "text/plain"
        assert fetched[2].header == b"A: b"
        await upstream.aclose()


@pytest.mark.parametrize("limit", ["MAX_FETCH", "MAX_LITERAL", "MAX_REPLY"])
async def test_a_message_of_which_too_much_is_told_hides_no_other(
    limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who sends a message decides how long its header is, and what describes its parts."""
    monkeypatch.setattr(f"gateway.upstream.imap.inflow.{limit}", 4000)
    told = (
        b'* %d FETCH (UID %d FLAGS () INTERNALDATE "01-Jan-2026 00:00:00 +0000" RFC822.SIZE 9 '
        b'BODYSTRUCTURE ("text" "plain" ("name" "%b") NIL NIL "7bit" 2 1) BODY[HEADER] {%d}\r\n%b)\r\n'
    )

    async def fetch(connection: Connection, tag: str, command: str) -> None:
        for uid in (uid for uid in range(1, 9) if _names(command, uid)):
            much = 5000 if uid == 5 else 1
            header = b"A" * (1 if limit == "MAX_FETCH" else much)
            await connection.send(told % (uid, uid, b"n" * much, len(header), header))
        await connection.send(f"{tag} OK\r\n".encode())

    async with scripted({"UID FETCH": fetch}) as server:
        upstream = with_upstream(server)
        mail = upstream.mailboxes(PRINCIPAL)
        assert set(await mail.fetch("INBOX", 7, range(1, 9), None)) == {1, 2, 3, 4, 6, 7, 8}
        await upstream.aclose()


async def test_that_a_message_is_not_shown_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async with scripted({"UID FETCH": b"TAG NO cannot parse message\r\n"}) as server:
        upstream = with_upstream(server)
        mail = upstream.mailboxes(PRINCIPAL)
        for _ in range(3):
            assert not await mail.fetch("INBOX", 7, [1], None)
            assert not await mail.fetch_sections("INBOX", 7, [SectionRequest(1, "1")])
        assert [record.message for record in caplog.records if "show message" in record.message] == [
            "127.0.0.1 does not show message 1: NO cannot parse message"
        ]
        await upstream.aclose()


@pytest.mark.parametrize("code", ["UNAVAILABLE", "INUSE", "LIMIT"])
async def test_what_cannot_be_shown_for_now_is_no_fault_of_the_message(code: str) -> None:
    async with scripted({"UID FETCH": f"TAG NO [{code}] come again\r\n".encode()}) as server:
        upstream = with_upstream(server)
        with pytest.raises(UpstreamUnavailable, match="come again"):
            await upstream.mailboxes(PRINCIPAL).fetch("INBOX", 7, [1, 2, 3], None)
        await upstream.aclose()


def _names(command: str, uid: int) -> bool:
    for run in command.split(" ")[2].split(","):
        first, _, last = run.partition(":")
        if int(first) <= uid <= int(last or first):
            return True
    return False


def searching(
    all_messages: str, plain: str = "", *, every_key: bool = False
) -> Callable[[Connection, str, str], Awaitable[None]]:
    """Answers what is asked of ALL messages, by ESEARCH or SEARCH; other keys find nothing, or the same."""

    async def act(connection: Connection, tag: str, command: str) -> None:
        found = all_messages if every_key or command.endswith(" ALL") else "COUNT 0"
        extended = f'* ESEARCH (TAG "{tag}") UID {found}'
        await connection.send(f"{extended if 'RETURN' in command else plain}\r\n{tag} OK\r\n".encode())

    return act


async def test_sets_that_span_missing_uids_are_not_believed() -> None:
    async with scripted({"UID SEARCH": searching("ALL 1:9 COUNT 3", "* SEARCH 1 5 9")}) as server:
        upstream = with_upstream(server)
        assert list((await upstream.mailboxes(PRINCIPAL).view("INBOX")).uids) == [1, 5, 9]
        await upstream.aclose()


async def test_too_many_messages_are_not_believed() -> None:
    async with scripted({"UID SEARCH": searching("ALL 1:4000000000 COUNT 4000000000")}) as server:
        upstream = with_upstream(server)
        with pytest.raises(UpstreamConfused):
            await upstream.mailboxes(PRINCIPAL).view("INBOX")
        await upstream.aclose()


async def test_no_without_code_is_looked_into() -> None:
    """Servers without RFC 5530 do not say why SELECT fails."""
    greeting = f"* OK [CAPABILITY {CAPABILITIES}] hello\r\n".encode()
    async with scripted({"GREETING": greeting, "SELECT": b"TAG NO no\r\n"}) as server:
        upstream = with_upstream(server)
        mail = upstream.mailboxes(PRINCIPAL)
        with pytest.raises(UpstreamRefused):
            await mail.view("INBOX")
        with pytest.raises(NotFound):
            await mail.view("Nowhere")
        server.answer("LIST", b'* LIST (\\Noselect) "/" Nowhere\r\nTAG OK\r\n')
        with pytest.raises(NotFound):
            await mail.view("Nowhere")
        await upstream.aclose()


async def _moved(answers: Mapping[str, Answer]) -> tuple[Mapping[int, int | None], list[str]]:
    """What is told of a move of messages 1 to 3, and what was said for it."""
    async with scripted(answers) as server:
        upstream = with_upstream(server)
        told = await upstream.mailboxes(PRINCIPAL).move("INBOX", 7, [1, 2, 3], "INBOX.Other")
        await upstream.aclose()
        return told, server.commands


STATUS_OF_TARGET = b"* STATUS INBOX.Other (UIDNEXT 4 UIDVALIDITY 7)\r\nTAG OK done\r\n"


@pytest.mark.parametrize(
    ("status", "expected"),
    [(STATUS_OF_TARGET, {}), (b"TAG NO [NOPERM] not yours\r\n", dict.fromkeys((1, 2, 3)))],
    ids=["would have told", "may not tell"],
)
async def test_a_move_that_moved_nothing(status: bytes, expected: dict[int, int | None]) -> None:
    told, _ = await _moved({"UID MOVE": b"TAG OK nothing\r\n", "STATUS": status})
    assert told == expected


async def test_a_move_where_servers_never_tell() -> None:
    capabilities = CAPABILITIES.replace(" UIDPLUS", "").encode()
    greeting = b"* OK [CAPABILITY %b] hello\r\n" % capabilities
    login = b"TAG OK [CAPABILITY %b] welcome\r\n" % capabilities
    told, _ = await _moved({"GREETING": greeting, "AUTHENTICATE": login, "UID MOVE": b"TAG OK\r\n"})
    assert told == dict.fromkeys((1, 2, 3))


@pytest.mark.parametrize("copied", [b"", b"[COPYUID 8 2 11] "])
async def test_what_vanished_during_a_copy_is_not_claimed(copied: bytes) -> None:
    capabilities = CAPABILITIES.replace(" MOVE", "").encode()
    searches: list[str] = []

    async def search(connection: Connection, tag: str, command: str) -> None:
        searches.append(command)
        there = "ALL 1:3 COUNT 3" if len(searches) == 1 else "ALL 2 COUNT 1"
        await connection.send(f'* ESEARCH (TAG "{tag}") UID {there}\r\n{tag} OK\r\n'.encode())

    told, said = await _moved(
        {
            "GREETING": b"* OK [CAPABILITY %b] hello\r\n" % capabilities,
            "AUTHENTICATE": b"TAG OK [CAPABILITY %b] welcome\r\n" % capabilities,
            "UID COPY": b"TAG OK %bdone\r\n" % copied,
            "UID EXPUNGE": b"TAG OK done\r\n",
            "UID SEARCH": search,
        }
    )
    assert told == {2: 11 if copied else None}
    assert [command for command in said if "EXPUNGE" in command] == ["UID EXPUNGE 2"]


async def test_what_cannot_be_said_is_refused() -> None:
    async with scripted() as server:
        upstream = with_upstream(server)
        mail = upstream.mailboxes(PRINCIPAL)
        calls: Sequence[Callable[[], Awaitable[object]]] = (
            lambda: mail.create("nul\0"),
            lambda: mail.append("INBOX", b"A: b\r\n\r\nnul\0"),
            lambda: mail.find_message_id("INBOX", "nul\0"),
            lambda: mail.set_flags("INBOX", 7, [1], add=["two words"]),
            lambda: mail.move("INBOX", 7, [1], "lone \ud800"),
        )
        for call in calls:
            with pytest.raises(Refused) as refused:
                await call()
            assert refused.value.kind == "InvalidContent"
        assert not [command for command in server.commands if "nul" in command]
        await upstream.aclose()


async def test_a_mailbox_that_cannot_be_named_is_not_offered() -> None:
    listed = (
        b'* LIST () "/" INBOX\r\n* LIST () "/" "Entw&APw-rfe"\r\n* LIST () "/" "Entw\xc3\xbcrfe 2"\r\n'
        b'* LIST () "/" "Broken \xff"\r\n* LIST () "/" "not & utf7"\r\nTAG OK\r\n'
    )
    async with scripted({"LIST": listed}) as server:
        upstream = with_upstream(server)
        mailboxes = await upstream.mailboxes(PRINCIPAL).list()
        selectable = {mailbox.name for mailbox in mailboxes if mailbox.selectable}
        assert selectable == {"INBOX", "Entwürfe"}
        for mailbox in mailboxes:
            mailbox.name.encode()  # fit for the store and the wire
        assert len(mailboxes) == 5
        await upstream.aclose()


async def test_foreign_namespaces_are_left_out() -> None:
    answers: dict[str, Answer] = {
        "NAMESPACE": b'* NAMESPACE (("" "/")) (("user/" "/")) (("shared/" "/"))\r\nTAG OK\r\n',
        "LIST": b"".join(
            b'* LIST () "/" %b\r\n' % name
            for name in (b"Own", b"user", b"user/ann", b"shared/all", b"shared", b"sharedly", b"INBOX")
        )
        + b"TAG OK\r\n",
    }
    async with scripted(answers) as server:
        upstream = with_upstream(server)
        listed = await upstream.mailboxes(PRINCIPAL).list()
        assert [mailbox.name for mailbox in listed] == ["INBOX", "Own", "sharedly"]
        await upstream.aclose()


async def test_a_move_refused_half_way_tells_what_has_gone() -> None:
    async def move(connection: Connection, tag: str, command: str) -> None:
        if "1:500" in command:
            await connection.send(f"* OK [COPYUID 8 1:500 1:500] moved\r\n{tag} OK\r\n".encode())
        else:
            await connection.send(
                f"* OK [COPYUID 8 501:600 501:600] moved\r\n{tag} NO [OVERQUOTA] full\r\n".encode()
            )

    found = b'* ESEARCH (tag "TAG") UID ALL 1:900 COUNT 900\r\nTAG OK\r\n'
    async with scripted({"UID MOVE": move, "UID SEARCH": found}) as server:
        upstream = with_upstream(server)
        moved = await upstream.mailboxes(PRINCIPAL).move("INBOX", 7, range(1, 901), "Trash")
        assert set(moved) == set(range(1, 601))
        await upstream.aclose()


async def test_fewer_uids_than_messages_are_no_error_of_ours() -> None:
    answers: dict[str, Answer] = {
        "GREETING": b"* OK [CAPABILITY IMAP4rev1] hello\r\n",
        "SELECT": b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 1] ok\r\nTAG OK\r\n",
        "CAPABILITY": b"* CAPABILITY IMAP4rev1\r\nTAG OK\r\n",
    }
    async with scripted(answers) as server:
        upstream = with_upstream(server)
        assert list((await upstream.mailboxes(PRINCIPAL).view("INBOX")).uids) == [1]
        await upstream.aclose()


async def test_a_message_that_vanishes_before_the_move_stops_no_other() -> None:
    async def move(connection: Connection, tag: str, command: str) -> None:
        if " 1:3 " in command:
            server.answer("UID SEARCH", searching("ALL 1,3 COUNT 2", every_key=True))
            await connection.send(f"{tag} NO [EXPUNGEISSUED] some are gone\r\n".encode())
        else:
            await connection.send(f"* OK [COPYUID 8 1,3 11:12] moved\r\n{tag} OK\r\n".encode())

    async with scripted({"UID MOVE": move}) as server:
        upstream = with_upstream(server)
        moved = await upstream.mailboxes(PRINCIPAL).move("INBOX", 7, [1, 2, 3], "Trash")
        assert moved == {1: 11, 3: 12}
        await upstream.aclose()


def hanging_up_over(
    uids: Container[int], farewell: bytes
) -> Callable[[Connection, str, str], Awaitable[None]]:
    """Shows eight messages, but hangs up when it comes to some of them."""

    async def fetch(connection: Connection, tag: str, command: str) -> None:
        words = command.split(" ")
        for uid in [uid for part in words[2].split(",") for uid in span(part)]:
            if uid in uids:
                await connection.send(farewell)
                raise Cut
            shown = b'BODYSTRUCTURE ("text" "plain" NIL NIL NIL "7bit" 2 1) BODY[HEADER] {2}\r\n\r\n'
            shown = b"BODY[1] {1}\r\nx" if "BODY.PEEK[1]" in command else shown
            told = b"* %d FETCH (UID %d FLAGS () RFC822.SIZE 12 %b)\r\n" % (uid, uid, shown)
            await connection.send(told)
        await connection.send(f"{tag} OK\r\n".encode())

    return fetch


def span(part: str) -> range:
    first, _, last = part.partition(":")
    return range(int(first), int(last or first) + 1)


@pytest.mark.parametrize(
    "farewell", [b"* BYE FETCH failed\r\n", b"", b"* 3 FETCH (UID 3 FLAGS () BODY[1] {900}\r\nab"]
)
async def test_a_message_over_which_the_server_hangs_up_hides_no_other(farewell: bytes) -> None:
    async with scripted({"UID FETCH": hanging_up_over({3, 6}, farewell)}) as server:
        upstream = with_upstream(server)
        mailboxes = upstream.mailboxes(PRINCIPAL)
        counts: list[int] = []
        for _ in range(2):
            found = await mailboxes.fetch("INBOX", 7, range(1, 9), None)
            assert sorted(found) == [1, 2, 4, 5, 7, 8]
            wanted = [SectionRequest(uid, "1") for uid in range(1, 9)]
            sections = await mailboxes.fetch_sections("INBOX", 7, wanted)
            assert sorted(request.uid for request in sections) == [1, 2, 4, 5, 7, 8]
            counts.append(len(server.connections))
            alone = [command for command in server.commands if command.startswith("UID FETCH 3 ")]
            assert len([command for command in alone if "STRUCTURE" in command]) >= PROOFS
        assert counts[0] == counts[1], "what was proven is not proven again"
        server.answer("UID FETCH", hanging_up_over((), b""))
        later = await upstream.mailboxes(PRINCIPAL).fetch("INBOX", 7, range(1, 9), None)
        assert sorted(later) == [1, 2, 4, 5, 7, 8], "asked for again only after a while"
        await upstream.aclose()


async def test_a_server_that_hangs_up_over_everything_is_not_asked_for_ever() -> None:
    async with scripted({"UID FETCH": hanging_up_over(range(1000), b"")}) as server:
        upstream = with_upstream(server)
        with pytest.raises(UpstreamUnavailable):
            await upstream.mailboxes(PRINCIPAL).fetch("INBOX", 7, range(1, 900), None)
        assert len(server.connections) <= 2 * MOST_HANG_UPS
        await upstream.aclose()


async def test_a_connection_lost_twice_over_a_message_says_nothing_about_it() -> None:
    left = 2

    async def fetch(connection: Connection, tag: str, command: str) -> None:
        nonlocal left
        left -= 1
        await (hanging_up_over((), b"") if left < 0 else cut)(connection, tag, command)

    async with scripted({"UID FETCH": fetch}) as server:
        upstream = with_upstream(server)
        assert 3 in await upstream.mailboxes(PRINCIPAL).fetch("INBOX", 7, [3], None)
        await upstream.aclose()


async def test_a_connection_that_stayed_in_a_mailbox_made_anew_reads_the_new_one() -> None:
    async with scripted() as server:
        upstream = with_upstream(server)
        mailboxes = upstream.mailboxes(PRINCIPAL)
        assert await mailboxes.fetch("INBOX", 7, [1], None)
        old = POLITE["SELECT"]
        assert isinstance(old, bytes)
        server.answer("SELECT", old.replace(b"UIDVALIDITY 7", b"UIDVALIDITY 8"))
        assert await mailboxes.fetch("INBOX", 8, [1], None)
        with pytest.raises(NotFound):
            await mailboxes.fetch("INBOX", 7, [1], None)
        await upstream.aclose()


@pytest.mark.parametrize("told", ["8 1:4294967295 1:4294967295", "8 900:902 77:79", "8 2,900,901 12:14"])
async def test_what_copyuid_says_of_messages_never_asked_for_is_not_believed(told: str) -> None:
    answer = f"* OK [COPYUID {told}] moved\r\nTAG OK done\r\n".encode()
    async with scripted({"UID MOVE": answer}) as server:
        upstream = with_upstream(server)
        moved = await upstream.mailboxes(PRINCIPAL).move("INBOX", 7, [1, 2, 3], "Trash")
        assert set(moved) <= {1, 2, 3}
        assert set(moved.values()) <= {None, 12}
        await upstream.aclose()


async def test_a_structure_that_cannot_be_understood_is_replaced() -> None:
    told = (
        b'* 1 FETCH (UID 1 FLAGS () INTERNALDATE "01-Jan-2026 00:00:00 +0000" RFC822.SIZE 9 '
        b'BODYSTRUCTURE ("text" 5 (((NIL) BODY[HEADER] "A: b")\r\nTAG OK\r\n'
    )
    usual = told.replace(b'("text" 5 (((NIL)', b'"nothing"')
    for answer in (told, usual):
        async with scripted({"UID FETCH": answer}) as server:
            upstream = with_upstream(server)
            fetched = await upstream.mailboxes(PRINCIPAL).fetch("INBOX", 7, [1], None)
            assert fetched[1].structure.content_type == "text/plain"
            assert fetched[1].size == 9
            await upstream.aclose()
