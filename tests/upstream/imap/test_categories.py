"""Keywords as categories, where a server has many of them or says strange things of them."""

from __future__ import annotations

from gateway.types import CATEGORY
from gateway.upstream.imap.handshake import log_in, open_connection
from gateway.upstream.imap.snapshot import MAX_CATEGORIES, refresh
from tests.support.scripted_imap import CREDENTIALS, Answer, Connection, scripted

KEYWORDS = " ".join(f"word{number:04}" for number in range(2000))
STRANGE = "$MDNSent NonJunk cat-^a- cat-^ cat-=zz- \\Odd \xfc]"


def selecting(keywords: str, modseq: int) -> bytes:
    """An answer to SELECT of a mailbox with one message."""
    return (
        f"* FLAGS (\\Seen {keywords})\r\n* OK [PERMANENTFLAGS (\\Seen)] limited\r\n* 1 EXISTS\r\n"
        f"* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 2] ok\r\n* OK [HIGHESTMODSEQ {modseq}] ok\r\n"
        "TAG OK [READ-WRITE] done\r\n"
    ).encode("latin-1")


def searching() -> Answer:
    """The one message has everything that is asked for."""

    async def act(connection: Connection, tag: str, command: str) -> None:
        assert command
        await connection.send(f'* ESEARCH (TAG "{tag}") UID ALL 1 COUNT 1\r\n{tag} OK\r\n'.encode())

    return act


async def test_a_mailbox_full_of_keywords_costs_a_bounded_number_of_searches() -> None:
    async with scripted({"SELECT": selecting(KEYWORDS, 5), "UID SEARCH": searching()}) as server:
        session = await open_connection(server.settings)
        await log_in(session, CREDENTIALS)
        snapshot = await refresh(session, "INBOX", None)
        session.close()
        searched = [command for command in server.commands if " KEYWORD word" in command]
        assert len(searched) == MAX_CATEGORIES
        assert len(snapshot.flags) < 2 * MAX_CATEGORIES
        assert not snapshot.new_keywords


async def test_flags_that_are_no_keywords_are_no_categories() -> None:
    async with scripted({"SELECT": selecting(STRANGE, 5), "UID SEARCH": searching()}) as server:
        session = await open_connection(server.settings)
        await log_in(session, CREDENTIALS)
        view = (await refresh(session, "INBOX", None)).view
        session.close()
        # The message is marked \Deleted like everything else it is asked for, so nothing of it is shown.
        assert not view.uids
        searched = {command.rpartition(" ")[2] for command in server.commands if " KEYWORD " in command}
        assert searched == {"$Forwarded", "cat-^a-", "cat-^", "cat-=zz-"}
        assert not [name for name in view.flags if name.startswith(CATEGORY)]
