"""UTF8=ACCEPT (RFC 6855): turned on where it is offered, and what is said differently then."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.mail.pieces import Joined
from gateway.upstream.imap import commands
from gateway.upstream.imap.syntax import Dialect
from gateway.upstream.imap.upstream import ImapUpstream
from tests.support.scripted_imap import CAPABILITIES, PRINCIPAL, Answer, Connection, ScriptedServer, scripted

NAME = "Entwürfe &APw-"
MESSAGE = "Subject: Grüße\r\n\r\nüber".encode()
OLD_MESSAGE = "Subject: Grüße\r\n\r\nx".encode("latin-1")
BODY_ONLY = "Subject: x\r\n\r\nGrüße".encode()


async def enable(connection: Connection, tag: str, command: str) -> None:
    words = command.partition(" ")[2]
    await connection.send(f"* ENABLED {words}\r\n{tag} OK done\r\n".encode())


@asynccontextmanager
async def offering(
    *names: str, enabled: Answer = enable
) -> AsyncIterator[tuple[ScriptedServer, ImapUpstream]]:
    """A server that offers more than the usual, with a mailbox whose name is in UTF-8."""
    offered = f"{CAPABILITIES} {' '.join(names)}"
    answers: dict[str, Answer] = {
        "GREETING": f"* OK [CAPABILITY {offered}] hello\r\n".encode(),
        "AUTHENTICATE": f"TAG OK [CAPABILITY {offered}] welcome\r\n".encode(),
        "ENABLE": enabled,
        "LIST": f'* LIST () "/" INBOX\r\n* LIST () "/" "{NAME}"\r\nTAG OK done\r\n'.encode(),
    }
    async with scripted(answers) as server:
        upstream = ImapUpstream(server.settings)
        try:
            yield server, upstream
        finally:
            await upstream.aclose()


@pytest.mark.parametrize("offer", ["UTF8=ACCEPT", "UTF8=ONLY"])
async def test_it_is_enabled_and_names_go_both_ways_in_utf8(offer: str) -> None:
    async with offering(offer) as (server, upstream):
        mail = upstream.mailboxes(PRINCIPAL)
        found = {mailbox.name: mailbox for mailbox in await mail.list()}
        assert found[NAME].selectable
        await mail.view(NAME)
        await mail.append(NAME, MESSAGE)
        await mail.append(NAME, BODY_ONLY)
        await mail.find_message_id(NAME, "ü@example.test")
        assert "ENABLE QRESYNC UTF8=ACCEPT" in server.commands
        assert any(command.startswith(f'SELECT "{NAME}"') for command in server.commands)
        first, second = (command for command in server.commands if command.startswith("APPEND"))
        text = MESSAGE.decode()
        assert first == f'APPEND "{NAME}" UTF8 (~{{{len(MESSAGE)}+}}\r\n{text})'
        assert second == f'APPEND "{NAME}" {{{len(BODY_ONLY)}+}}\r\n{BODY_ONLY.decode()}'
        searches = [command for command in server.commands if command.startswith("UID SEARCH")]
        assert 'HEADER "MESSAGE-ID" "ü@example.test"' in searches[-1]
        assert not any("CHARSET" in command for command in searches)


@pytest.mark.parametrize("enabled", [b"TAG NO not now\r\n", b"* ENABLED QRESYNC\r\nTAG OK done\r\n"])
async def test_modified_utf7_is_spoken_until_the_server_says_it_is_enabled(enabled: bytes) -> None:
    async with offering("UTF8=ACCEPT", enabled=enabled) as (server, upstream):
        await upstream.mailboxes(PRINCIPAL).append("Entwürfe", MESSAGE)
        [command] = [command for command in server.commands if command.startswith("APPEND")]
        assert command.startswith('APPEND "Entw&APw-rfe" {')


async def test_it_is_not_asked_for_where_it_is_not_offered() -> None:
    async with offering() as (server, upstream):
        await upstream.mailboxes(PRINCIPAL).list()
        assert "ENABLE QRESYNC" in server.commands


@pytest.mark.parametrize(
    ("message", "marked"),
    [
        (MESSAGE, True),
        (MESSAGE.replace(b"\r\n", b"\n"), True),
        ("Subject: Grüße".encode(), True),
        (OLD_MESSAGE, False),
        (BODY_ONLY, False),
        (b"", False),
    ],
)
def test_messages_with_a_header_in_utf8_are_marked(message: bytes, marked: bool) -> None:
    for utf8 in (True, False):
        command = commands.append(Dialect(utf8=utf8), "INBOX", message)
        sent = b"".join(bytes(Joined(tuple(step))) for step in command.steps("a"))
        assert (b" UTF8 (~{" in sent) is (marked and utf8)
        assert sent.endswith(message + (b")\r\n" if marked and utf8 else b"\r\n"))
