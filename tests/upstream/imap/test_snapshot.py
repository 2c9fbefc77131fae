"""Bringing a mailbox up to date: with servers whose modseqs are missing, equal, or go back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.types import FLAGGED, SEEN, Uids
from gateway.upstream.imap import commands, snapshot
from gateway.upstream.imap.changes import set_flags
from gateway.upstream.imap.handshake import log_in, open_connection
from gateway.upstream.imap.session import Session
from gateway.upstream.imap.snapshot import refresh
from tests.support.dovecot import Dovecot
from tests.support.imap_servers import MASKED, mail_program, on_dovecot
from tests.support.messages import plain
from tests.support.scripted_imap import CREDENTIALS, Answer, Connection, ScriptedServer, scripted

MANY = 1200


@asynccontextmanager
async def session_on(server: ScriptedServer) -> AsyncIterator[Session]:
    session = await open_connection(server.settings)
    await log_in(session, CREDENTIALS)
    yield session
    session.close()


def selecting(exists: int, modseq: str, uidvalidity: int = 7, told: bytes = b"") -> bytes:
    """An answer to SELECT."""
    return (
        b"* %d EXISTS\r\n* OK [UIDVALIDITY %d] ok\r\n* OK [UIDNEXT %d] ok\r\n"
        b"* OK [%b] ok\r\n%bTAG OK done\r\n" % (exists, uidvalidity, exists + 1, modseq.encode(), told)
    )


def searching(count: int) -> Answer:
    """All messages are there and have no flags; counts how often that is asked."""

    async def act(connection: Connection, tag: str, command: str) -> None:
        found = f"ALL 1:{count} COUNT {count}" if command.endswith(" ALL") else "COUNT 0"
        await connection.send(f'* ESEARCH (TAG "{tag}") UID {found}\r\n{tag} OK\r\n'.encode())

    return act


def listings(server: ScriptedServer) -> int:
    """How often everything was listed."""
    return sum(command.endswith(" ALL") for command in server.commands)


@pytest.mark.parametrize("modseq", ["NOMODSEQ", "HIGHESTMODSEQ 0", "UNSEEN 1"])
async def test_a_mailbox_without_modseqs_is_listed_again_after_a_while(
    modseq: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        scripted({"SELECT": selecting(3, modseq), "UID SEARCH": searching(3)}) as server,
        session_on(server) as session,
    ):
        first = await refresh(session, "INBOX", None)
        assert await refresh(session, "INBOX", first) is first
        assert listings(server) == 1
        monkeypatch.setattr(snapshot, "RESELECT_AFTER", 0.0)
        second = await refresh(session, "INBOX", first)
        assert list(first.all) == list(second.all) == [1, 2, 3]
        assert first.modseq is None
        assert first.view.version == second.view.version
        assert listings(server) == 2


@pytest.mark.parametrize(
    "news",
    [
        b"* 4 EXISTS\r\n",
        b"* 3 EXPUNGE\r\n* 3 EXISTS\r\n",
        b"* 1 FETCH (FLAGS (\\Seen))\r\n",
        b"* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n",
    ],
)
async def test_without_modseqs_any_change_leads_to_a_listing(news: bytes) -> None:
    async with (
        scripted({"SELECT": selecting(3, "NOMODSEQ"), "UID SEARCH": searching(3)}) as server,
        session_on(server) as session,
    ):
        first = await refresh(session, "INBOX", None)
        server.answer("NOOP", news + b"TAG OK done\r\n")
        second = await refresh(session, "INBOX", first)
        assert listings(server) == 2
        server.answer("NOOP", b"TAG OK done\r\n")
        assert await refresh(session, "INBOX", second) is second
        assert listings(server) == 2


@pytest.mark.parametrize(
    "status",
    [
        b"* STATUS INBOX (MESSAGES 3 UIDNEXT 4 UIDVALIDITY 8)\r\nTAG OK done\r\n",
        b"* STATUS INBOX (MESSAGES 3 UIDNEXT 5 UIDVALIDITY 7)\r\nTAG OK done\r\n",
        b"TAG NO there is none\r\n",
    ],
)
async def test_without_modseqs_another_mailbox_of_the_name_leads_to_a_listing(status: bytes) -> None:
    async with (
        scripted(
            {"SELECT": selecting(3, "NOMODSEQ"), "UID SEARCH": searching(3), "STATUS": status}
        ) as server,
        session_on(server) as session,
    ):
        await refresh(session, "INBOX", await refresh(session, "INBOX", None))
        assert listings(server) == 2


async def test_without_modseqs_a_change_told_between_is_not_forgotten() -> None:
    async with (
        scripted({"SELECT": selecting(3, "NOMODSEQ"), "UID SEARCH": searching(3)}) as server,
        session_on(server) as session,
    ):
        first = await refresh(session, "INBOX", None)
        server.answer("CHECK", b"* 2 FETCH (FLAGS (\\Flagged))\r\nTAG OK done\r\n")
        await session.execute(commands.simple("CHECK"))
        await refresh(session, "INBOX", first)
        assert listings(server) == 2


STATUS = b"* STATUS INBOX (MESSAGES 3 UIDNEXT 4 UIDVALIDITY 7 UNSEEN 3)\r\nTAG OK done\r\n"


async def elsewhere(session: Session) -> None:
    """Go to another mailbox."""
    await snapshot.select(session, "Archive")


async def test_without_modseqs_who_comes_back_lists_only_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script = {"SELECT": selecting(3, "NOMODSEQ"), "UID SEARCH": searching(3), "STATUS": STATUS}
    async with scripted(script) as server, session_on(server) as session, session_on(server) as other:
        first = await refresh(session, "INBOX", None)
        await elsewhere(session)
        for each in (session, other):
            assert await refresh(each, "INBOX", first) is first
        assert server.commands.count('STATUS "INBOX" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)') == 2
        assert listings(server) == 1
        monkeypatch.setattr(snapshot, "RESELECT_AFTER", 0.0)
        assert await refresh(session, "INBOX", first) == first
        assert listings(server) == 2


@pytest.mark.parametrize(
    "status",
    [
        b"* STATUS INBOX (MESSAGES 2 UIDNEXT 4 UIDVALIDITY 7 UNSEEN 3)\r\nTAG OK done\r\n",
        b"* STATUS INBOX (MESSAGES 3 UIDNEXT 5 UIDVALIDITY 7 UNSEEN 3)\r\nTAG OK done\r\n",
        b"* STATUS INBOX (MESSAGES 3 UIDNEXT 4 UIDVALIDITY 8 UNSEEN 3)\r\nTAG OK done\r\n",
        b"* STATUS INBOX (MESSAGES 3 UIDNEXT 4 UIDVALIDITY 7 UNSEEN 2)\r\nTAG OK done\r\n",
        b"* STATUS INBOX (MESSAGES 3 UIDVALIDITY 7 UNSEEN 3)\r\nTAG OK done\r\n",
        b"TAG OK done\r\n",
        b"TAG NO there is none\r\n",
    ],
    ids=["fewer", "one came and one went", "another mailbox", "read", "no UIDNEXT", "nothing", "refused"],
)
async def test_without_modseqs_who_comes_back_lists_when_the_status_is_another(status: bytes) -> None:
    script = {"SELECT": selecting(3, "NOMODSEQ"), "UID SEARCH": searching(3), "STATUS": status}
    async with scripted(script) as server, session_on(server) as session:
        first = await refresh(session, "INBOX", None)
        await elsewhere(session)
        second = await refresh(session, "INBOX", first)
        assert listings(server) == 2
        assert second.taken > first.taken


@pytest.mark.parametrize("returns", [True, False])
@pytest.mark.parametrize(
    ("told", "flagged", "listed"),
    [
        (b"* 2 FETCH (UID 2 FLAGS ())\r\nTAG OK done\r\n", [], 1),
        (b"* 2 FETCH (UID 2 FLAGS (\\Flagged))\r\nTAG OK done\r\n", [2], 1),
        (b"TAG OK done\r\n", [], 2),
    ],
    ids=["unchanged", "changed", "gone"],
)
async def test_without_modseqs_the_flags_of_some_messages_are_those_of_now(
    told: bytes, flagged: list[int], listed: int, *, returns: bool
) -> None:
    script = {"SELECT": selecting(3, "NOMODSEQ"), "UID SEARCH": searching(3), "STATUS": STATUS}
    async with scripted(script | {"UID FETCH": told}) as server, session_on(server) as session:
        first = await refresh(session, "INBOX", None)
        if returns:
            await elsewhere(session)
        now = await refresh(session, "INBOX", first, Uids([2, 9]))
        assert server.commands[-1].startswith("UID FETCH 2 (FLAGS)") or listed == 2
        assert listings(server) == listed
        assert list(now.view.flags[FLAGGED]) == flagged
        assert (now is first) is (not flagged and listed == 1)
        if listed == 1:
            assert now.taken == first.taken
            assert await refresh(session, "INBOX", now) is now
            assert listings(server) == 1


async def test_a_server_that_tells_no_uidnext_is_not_believed_by_its_status() -> None:
    """One message that came and one that went leave no trace in the STATUS then."""
    selected = selecting(3, "NOMODSEQ").replace(b"* OK [UIDNEXT 4] ok\r\n", b"")
    status = b"* STATUS INBOX (MESSAGES 3 UIDVALIDITY 7 UNSEEN 3)\r\nTAG OK done\r\n"
    script = {"SELECT": selected, "UID SEARCH": searching(3), "STATUS": status}
    async with scripted(script) as server, session_on(server) as session:
        first = await refresh(session, "INBOX", None)
        await elsewhere(session)
        await refresh(session, "INBOX", first)
        assert listings(server) == 2


async def test_messages_that_all_have_one_modseq_are_all_seen() -> None:
    async with (
        scripted({"SELECT": selecting(50, "HIGHESTMODSEQ 1"), "UID SEARCH": searching(50)}) as server,
        session_on(server) as session,
    ):
        first = await refresh(session, "INBOX", None)
        assert len(first.view.uids) == 50
        assert await refresh(session, "INBOX", first) is first
        assert listings(server) == 1


async def test_modseqs_that_begin_later_are_taken_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "RESELECT_AFTER", 0.0)
    async with (
        scripted({"SELECT": selecting(3, "NOMODSEQ"), "UID SEARCH": searching(3)}) as server,
        session_on(server) as session,
    ):
        first = await refresh(session, "INBOX", None)
        server.answer("SELECT", selecting(3, "HIGHESTMODSEQ 4"))
        second = await refresh(session, "INBOX", first)
        third = await refresh(session, "INBOX", second)
        assert (second.modseq, third is second) == (4, True)


@pytest.mark.parametrize(
    "answer",
    [
        selecting(3, "HIGHESTMODSEQ 4"),
        selecting(3, "HIGHESTMODSEQ 9", uidvalidity=8),
        selecting(4, "HIGHESTMODSEQ 10"),
        selecting(3, "HIGHESTMODSEQ 10", told=b"* VANISHED (EARLIER) 2\r\n"),
        selecting(2, "HIGHESTMODSEQ 10"),
    ],
    ids=["modseq goes back", "uidvalidity", "one too few", "one too many gone", "one too many"],
)
async def test_what_does_not_add_up_is_listed_anew(answer: bytes) -> None:
    async with (
        scripted({"SELECT": selecting(3, "HIGHESTMODSEQ 9"), "UID SEARCH": searching(3)}) as server,
        session_on(server) as session,
    ):
        first = await refresh(session, "INBOX", None)
        server.answer("SELECT", answer)
        session.selected = None
        second = await refresh(session, "INBOX", first)
        assert second is not first
        assert listings(server) >= 2


async def test_changes_are_taken_from_select() -> None:
    told = (
        b"* VANISHED (EARLIER) 1,4000:5000\r\n"
        b"* 1 FETCH (UID 2 FLAGS (\\Seen \\Flagged) MODSEQ (10))\r\n"
        b"* 3 FETCH (UID 4 FLAGS () MODSEQ (11))\r\n"
    )
    async with (
        scripted({"SELECT": selecting(3, "HIGHESTMODSEQ 9"), "UID SEARCH": searching(3)}) as server,
        session_on(server) as session,
    ):
        first = await refresh(session, "INBOX", None)
        server.answer("SELECT", selecting(3, "HIGHESTMODSEQ 11", told=told))
        session.selected = None
        second = await refresh(session, "INBOX", first)
        assert list(second.all) == [2, 3, 4]
        assert list(second.flags[SEEN]) == list(second.flags[FLAGGED]) == [2]
        assert listings(server) == 1
        assert 'SELECT "INBOX" (QRESYNC (7 9))' in server.commands


NEWS = (
    b"* 1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ (12))\r\n"
    b"* 2 FETCH (UID 2 FLAGS (\\Flagged) MODSEQ (11))\r\n"
    b"* VANISHED 1\r\n* 4 EXISTS\r\n"
)
ARRIVED = b"* 3 FETCH (UID 4 FLAGS (\\Seen) MODSEQ (15))\r\n* 4 FETCH (UID 7 FLAGS ())\r\n"


def selections(server: ScriptedServer) -> int:
    return sum(command.startswith("SELECT") for command in server.commands)


async def test_of_a_selected_mailbox_only_the_news_are_asked() -> None:
    script = {
        "SELECT": selecting(3, "HIGHESTMODSEQ 9"),
        "UID SEARCH": searching(3),
        "UID FETCH": ARRIVED + b"TAG OK\r\n",
    }
    async with scripted(script) as server, session_on(server) as session:
        first = await refresh(session, "INBOX", None)
        assert await refresh(session, "INBOX", first) is first
        server.answer("NOOP", NEWS + b"TAG OK\r\n")
        second = await refresh(session, "INBOX", first)
        assert list(second.all) == [2, 3, 4, 7]
        assert (list(second.flags[SEEN]), list(second.flags[FLAGGED])) == ([4], [2])
        assert (second.uidnext, second.exists) == (8, 4)
        assert second.modseq == 12, "a message may have got a modseq after others that nobody told yet"
        assert "UID FETCH 4:4294967295 (FLAGS)" in server.commands
        server.answer("NOOP", b"* 2 FETCH (UID 3 FLAGS (\\Seen) MODSEQ (14))\r\nTAG OK\r\n")
        third = await refresh(session, "INBOX", second)
        assert list(third.flags[SEEN]) == [3, 4]
        assert len({first.version, second.version, third.version}) == 3
        assert (selections(server), listings(server)) == (1, 1)


async def test_flags_of_ones_own_lead_to_no_new_selection() -> None:
    async def store(connection: Connection, tag: str, command: str) -> None:
        flags = "" if "SILENT" in command else "FLAGS (\\Seen) "
        await connection.send(f"* 2 FETCH (UID 2 {flags}MODSEQ (10))\r\n{tag} OK\r\n".encode())

    script = {"SELECT": selecting(3, "HIGHESTMODSEQ 9"), "UID SEARCH": searching(3), "UID STORE": store}
    async with scripted(script) as server, session_on(server) as session:
        first = await refresh(session, "INBOX", None)
        await set_flags(session, Uids([2]), add=[SEEN], remove=())
        second = await refresh(session, "INBOX", first)
        assert (list(second.flags[SEEN]), selections(server)) == ([2], 1)
        assert second.version != first.version


async def test_news_that_came_with_another_command_count() -> None:
    script = {"SELECT": selecting(3, "HIGHESTMODSEQ 9"), "UID SEARCH": searching(3)}
    async with scripted(script) as server, session_on(server) as session:
        first = await refresh(session, "INBOX", None)
        server.answer("STATUS", b"* VANISHED 2\r\nTAG OK\r\n")
        await session.execute(commands.status(session.dialect, "other", ["MESSAGES"]))
        second = await refresh(session, "INBOX", first)
        assert (list(second.all), selections(server)) == ([1, 3], 1)


@pytest.mark.parametrize(
    "told",
    [
        b"* 2 EXPUNGE\r\n",
        b"* 2 FETCH (FLAGS (\\Seen) MODSEQ (12))\r\n",
        b"* VANISHED 2:9\r\n",
        b"* 2 EXISTS\r\n",
        b"* 5 EXISTS\r\n",
        b"* VANISHED 1:3\r\n",
        b"* NO it was deleted\r\n",
    ],
    ids=[
        "by number",
        "without UID",
        "more than there were",
        "fewer",
        "more than are shown",
        "all",
        "refused",
    ],
)
async def test_news_that_do_not_say_all_lead_to_a_new_selection(told: bytes) -> None:
    script = {
        "SELECT": selecting(3, "HIGHESTMODSEQ 9"),
        "UID SEARCH": searching(3),
        "UID FETCH": b"* 4 FETCH (UID 4 FLAGS ())\r\nTAG OK\r\n",
    }
    async with scripted(script) as server, session_on(server) as session:
        first = await refresh(session, "INBOX", None)
        server.answer("NOOP", told + b"TAG OK\r\n")
        second = await refresh(session, "INBOX", first)
        assert (list(second.all), selections(server)) == ([1, 2, 3], 2)


async def test_a_selection_does_not_last_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    script = {"SELECT": selecting(3, "HIGHESTMODSEQ 9"), "UID SEARCH": searching(3)}
    async with scripted(script) as server, session_on(server) as session:
        first = await refresh(session, "INBOX", None)
        monkeypatch.setattr(snapshot, "RESELECT_AFTER", 0.0)
        assert await refresh(session, "INBOX", first) is first
        assert selections(server) == 2


async def test_a_view_of_another_connection_is_caught_up_with_by_selecting() -> None:
    script = {"SELECT": selecting(3, "HIGHESTMODSEQ 9"), "UID SEARCH": searching(3)}
    async with scripted(script) as server, session_on(server) as one, session_on(server) as other:
        first = await refresh(one, "INBOX", None)
        await refresh(other, "INBOX", first)
        server.answer("NOOP", b"* VANISHED 2\r\nTAG OK\r\n")
        server.answer("SELECT", selecting(2, "HIGHESTMODSEQ 10", told=b"* VANISHED (EARLIER) 2\r\n"))
        second = await refresh(one, "INBOX", first)
        before = selections(server)
        third = await refresh(other, "INBOX", second)
        assert (list(third.all), selections(server) - before) == ([1, 3], 1)


async def test_a_change_during_the_listing_is_not_missed() -> None:
    """The listing may show more than its modseq says, so it is brought up to date before it is shown."""
    seen = b"* 2 FETCH (UID 2 FLAGS (\\Seen) MODSEQ (10))\r\n"

    async def search(connection: Connection, tag: str, command: str) -> None:
        if command.endswith("DELETED"):
            server.answer("SELECT", selecting(3, "HIGHESTMODSEQ 10", told=seen))
            await connection.send(seen)
        act = searching(3)
        assert callable(act)
        await act(connection, tag, command)

    async with (
        scripted({"SELECT": selecting(3, "HIGHESTMODSEQ 9"), "UID SEARCH": search}) as server,
        session_on(server) as session,
    ):
        current = await refresh(session, "INBOX", None)
        assert current.modseq == 10
        assert list(current.view.flags[SEEN]) == [2]


@pytest.mark.parametrize("kind", ["full", "condstore", "idle"])
async def test_many_messages(dovecot: Dovecot, user: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = on_dovecot(dovecot, user, MASKED.get(kind, frozenset()))
    monkeypatch.setattr(Session, "learn_capabilities", server.mask())
    async with mail_program(server) as program, mail_program(server) as other:
        await other.append("INBOX", *(plain() for _ in range(MANY)))
        await other.store("INBOX", list(range(1, MANY, 3)), "+", SEEN)
        first = await refresh(program.session, "INBOX", None)
        assert list(first.all) == list(range(1, MANY + 1))
        assert list(first.view.flags[SEEN]) == list(range(1, MANY, 3))
        await other.store("INBOX", [5], "+", FLAGGED)
        await other.expunge("INBOX", list(range(100, 200)))
        await other.append("INBOX", plain())
        second = await refresh(program.session, "INBOX", first)
        assert set(second.all) == {*range(1, 100), *range(200, MANY + 2)}
        assert list(second.flags[FLAGGED]) == [5]
