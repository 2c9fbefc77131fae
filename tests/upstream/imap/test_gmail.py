"""Removing mail at Gmail, where an expunge takes a label away: on a server that speaks as it does."""

from __future__ import annotations

from gateway.types import VIRTUAL_ROLES, Role
from gateway.upstream.imap.upstream import ImapUpstream
from tests.support.scripted_imap import CAPABILITIES, PRINCIPAL, Answer, ScriptedServer, scripted

OFFERED = f"{CAPABILITIES} SPECIAL-USE LIST-EXTENDED X-GM-EXT-1".encode()
GMAIL: dict[str, Answer] = {
    "GREETING": b"* OK [CAPABILITY %b] hello\r\n" % OFFERED,
    "AUTHENTICATE": b"TAG OK [CAPABILITY %b] welcome\r\n" % OFFERED,
    "LIST": (
        b'* LIST (\\HasNoChildren) "/" INBOX\r\n'
        b'* LIST (\\HasChildren \\Noselect) "/" "[Gmail]"\r\n'
        b'* LIST (\\All \\HasNoChildren) "/" "[Gmail]/All Mail"\r\n'
        b'* LIST (\\HasNoChildren \\Trash) "/" "[Gmail]/Bin"\r\n'
        b'* LIST (\\HasNoChildren \\Important) "/" "[Gmail]/Important"\r\n'
        b'* LIST (\\HasNoChildren \\Junk) "/" "[Gmail]/Spam"\r\n'
        b'* LIST (\\Flagged \\HasNoChildren) "/" "[Gmail]/Starred"\r\n'
        b"TAG OK done\r\n"
    ),
    "UID EXPUNGE": b"TAG OK done\r\n",
}


async def expunge(server: ScriptedServer, mailbox: str) -> list[int]:
    upstream = ImapUpstream(server.settings)
    try:
        return list(await upstream.mailboxes(PRINCIPAL).expunge(mailbox, 7, [1, 3]))
    finally:
        await upstream.aclose()


def changes(server: ScriptedServer) -> list[str]:
    verbs = ("SELECT", "UID STORE", "UID MOVE", "UID EXPUNGE")
    return [command for command in server.commands if command.startswith(verbs)]


async def test_what_is_removed_for_good_goes_through_the_trash() -> None:
    moved = b"* OK [COPYUID 7 1,3 11:12] moved\r\n* VANISHED 1,3\r\nTAG OK done\r\n"
    found = b'* ESEARCH (tag "TAG") UID ALL 1:3,11:12 COUNT 5\r\nTAG OK done\r\n'
    async with scripted(GMAIL | {"UID MOVE": moved, "UID SEARCH": found}) as server:
        assert await expunge(server, "INBOX") == [1, 3]
    _, move, trash, mark, remove = changes(server)
    assert move == 'UID MOVE 1,3 "[Gmail]/Bin"'
    assert trash.startswith('SELECT "[Gmail]/Bin"')
    assert mark.startswith("UID STORE 11:12 +FLAGS")
    assert remove == "UID EXPUNGE 11:12"


async def test_in_the_trash_and_in_junk_an_expunge_is_enough() -> None:
    for mailbox in ("[Gmail]/Bin", "[Gmail]/Spam"):
        async with scripted(GMAIL) as server:
            assert await expunge(server, mailbox) == [1, 3]
        assert [command for command in changes(server) if "MOVE" in command] == []
        assert changes(server)[-1] == "UID EXPUNGE 1,3"


async def test_mailboxes_that_show_what_is_in_others_are_known_as_such() -> None:
    async with scripted(GMAIL) as server:
        upstream = ImapUpstream(server.settings)
        listed = {mailbox.name: mailbox.role for mailbox in await upstream.mailboxes(PRINCIPAL).list()}
        await upstream.aclose()
    virtual = {name for name, role in listed.items() if role in VIRTUAL_ROLES}
    assert virtual == {"[Gmail]/All Mail", "[Gmail]/Important", "[Gmail]/Starred"}
    assert listed["[Gmail]/Bin"] is Role.TRASH
