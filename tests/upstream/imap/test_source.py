"""What is asked before messages are read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.errors import NotFound
from gateway.ports import Mailboxes
from gateway.types import Password, Principal, SectionRequest, UserId
from gateway.upstream.imap import source
from gateway.upstream.imap.settings import ImapSettings
from gateway.upstream.imap.upstream import ImapUpstream
from tests.support.dovecot import Dovecot
from tests.support.scripted_imap import PRINCIPAL, ScriptedServer, scripted

pytestmark = pytest.mark.usefixtures("steady_clock")

TEXT = SectionRequest(1, "1", 0, 100)


@asynccontextmanager
async def reading() -> AsyncIterator[tuple[ScriptedServer, Mailboxes]]:
    async with scripted({}) as server:
        upstream = ImapUpstream(server.settings)
        yield server, upstream.mailboxes(PRINCIPAL)
        await upstream.aclose()


def asked(server: ScriptedServer) -> list[str]:
    """The commands that look at the mailbox or read from it, by their names."""
    names = ("SELECT", "NOOP", "UID FETCH", "UID SEARCH")
    return [name for command in server.commands for name in names if command.startswith(name)]


async def test_what_was_just_looked_at_is_read_without_another_look() -> None:
    async with reading() as (server, mail):
        await mail.view("INBOX")
        before = len(asked(server))
        await mail.fetch("INBOX", 7, [1], None)
        await mail.fetch_sections("INBOX", 7, [TEXT])
        assert asked(server)[before:] == ["UID FETCH", "UID FETCH"]


async def test_a_message_the_connection_cannot_know_is_looked_for() -> None:
    async with reading() as (server, mail):
        await mail.view("INBOX")
        before = len(asked(server))
        await mail.fetch("INBOX", 7, [1, 4], None)
        assert asked(server)[before:] == ["NOOP", "UID FETCH"]


async def test_what_was_looked_at_long_ago_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "LOOK_AFTER", 0.0)
    async with reading() as (server, mail):
        await mail.view("INBOX")
        before = len(asked(server))
        await mail.fetch("INBOX", 7, [1], None)
        assert asked(server)[before:] == ["NOOP", "UID FETCH"]


async def test_another_mailbox_of_the_name_is_not_read_from() -> None:
    async with reading() as (server, mail):
        await mail.view("INBOX")
        before = len(asked(server))
        assert await mail.fetch("INBOX", 7, [1], None)
        with pytest.raises(NotFound, match="UIDVALIDITY"):
            await mail.fetch("INBOX", 8, [1], None)
        assert asked(server)[before:] == ["UID FETCH", "SELECT"]


async def test_a_message_expunged_right_after_the_look_is_not_shown(dovecot: Dovecot, user: str) -> None:
    principal = Principal(UserId(user), user, Password(user, dovecot.password))
    settings = ImapSettings(dovecot.host, dovecot.port, "none")
    reader, writer = ImapUpstream(settings), ImapUpstream(settings)
    mail, other = reader.mailboxes(principal), writer.mailboxes(principal)
    for _ in range(2):
        await other.append("INBOX", b"Subject: words\r\n\r\ntext\r\n")
    view = await mail.view("INBOX")
    first, second = view.uids
    await other.expunge("INBOX", view.uidvalidity, [first])
    # The connection knows both: without a look the server has to say that one of them is gone.
    found = await mail.fetch("INBOX", view.uidvalidity, view.uids, ["Subject"])
    assert {uid: message.header.strip() for uid, message in found.items()} == {second: b"Subject: words"}
    assert list((await mail.view("INBOX")).uids) == [second]
    for upstream in (reader, writer):
        await upstream.aclose()


@pytest.mark.parametrize(("code", "found"), [("", {1: b""}), ("[EXPUNGEISSUED] ", {})])
async def test_a_header_that_is_not_told_does_not_mean_that_the_message_is_gone(
    code: str, found: dict[int, bytes]
) -> None:
    told = (
        '* 1 FETCH (UID 1 FLAGS () INTERNALDATE "01-Jan-2026 00:00:00 +0000" RFC822.SIZE 12 BODYSTRUCTURE'
        f' ("text" "plain" NIL NIL NIL "7bit" 2 1) BODY[HEADER] NIL)\r\nTAG OK {code}done\r\n'
    )
    async with reading() as (server, mail):
        server.answer("UID FETCH", told.encode())
        messages = await mail.fetch("INBOX", 7, [1], None)
        assert {uid: message.header for uid, message in messages.items()} == found
