"""Searching on servers that no test machine has: FUZZY, MULTISEARCH, no UTF-8, refusals, silence."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.errors import UpstreamRefused
from gateway.query import EVERYTHING, And, Contains, Found, Not, Place, Query, Received
from gateway.upstream.imap import finder
from gateway.upstream.imap.upstream import ImapUpstream
from tests.support.scripted_imap import (
    CAPABILITIES,
    PRINCIPAL,
    Answer,
    Connection,
    ScriptedServer,
    scripted,
    silence,
)

pytestmark = pytest.mark.usefixtures("steady_clock")

DATES = b"".join(
    b'* %d FETCH (UID %d INTERNALDATE "0%d-Jan-2026 00:00:00 +0000")\r\n' % (uid, uid, uid)
    for uid in (3, 2, 1)
)
FETCH = DATES + b"TAG OK done\r\n"
REFUSED = b"TAG NO [BADCHARSET (US-ASCII)] speak ASCII\r\n"


def offering(*more: str) -> dict[str, Answer]:
    """A server that has these capabilities besides."""
    offered = " ".join((CAPABILITIES, *more)).encode()
    return {
        "GREETING": b"* OK [CAPABILITY %b] hello\r\n" % offered,
        "AUTHENTICATE": b"TAG OK [CAPABILITY %b] welcome\r\n" % offered,
        "UID FETCH": FETCH,
    }


async def search(
    server: ScriptedServer, query: Query, *mailboxes: str, limit: int = 10, seconds: float = 5
) -> Found:
    upstream = ImapUpstream(server.settings)
    try:
        mail = upstream.mailboxes(PRINCIPAL)
        return await mail.search(mailboxes or ("INBOX",), query, limit=limit, seconds=seconds)
    finally:
        await upstream.aclose()


def asked(server: ScriptedServer, name: str) -> list[str]:
    return [command for command in server.commands if command.startswith(name)]


async def test_words_are_fuzzy_where_the_server_can() -> None:
    words = Contains(Place.BODY, "plan", fuzzy=True)
    query = And((words, Contains(Place.SUBJECT, "x", fuzzy=False), Not(words)))
    async with scripted(offering("SEARCH=FUZZY")) as server:
        found = await search(server, query)
    assert [hit.uid for hit in found.hits] == [3, 2, 1]
    fuzzily, literally = asked(server, "UID SEARCH")
    assert fuzzily.endswith('UNDELETED (FUZZY BODY "plan" SUBJECT "x" NOT BODY "plan")')
    assert literally.endswith('UNDELETED (BODY "plan" SUBJECT "x" NOT BODY "plan")')


async def test_without_fuzzy_words_are_as_they_are() -> None:
    async with scripted(offering()) as server:
        await search(server, Contains(Place.BODY, "plan", fuzzy=True))
    (command,) = asked(server, "UID SEARCH")
    assert command.endswith('UNDELETED BODY "plan"')


async def test_one_search_for_all_mailboxes() -> None:
    told = (
        b'* ESEARCH (tag "TAG" MAILBOX INBOX UIDVALIDITY 7) UID ALL 2:3 COUNT 2\r\n'
        b'* ESEARCH (tag "TAG" MAILBOX "Entw&APw-rfe" UIDVALIDITY 9) UID COUNT 0\r\nTAG OK done\r\n'
    )
    async with scripted(offering("MULTISEARCH") | {"ESEARCH": told}) as server:
        found = await search(server, Contains(Place.BODY, "plan"), "INBOX", "Entwürfe", "Old")
    assert [(hit.mailbox, hit.uid) for hit in found.hits if hit.uid > 1] == [("INBOX", 3), ("INBOX", 2)]
    (command,) = asked(server, "ESEARCH")
    assert command == (
        'ESEARCH IN (mailboxes ("INBOX" "Entw&APw-rfe" "Old")) RETURN (ALL COUNT) UNDELETED BODY "plan"'
    )
    assert len(asked(server, "SELECT")) == 1
    assert asked(server, "UID SEARCH") == []


async def test_the_search_for_all_mailboxes_may_fail() -> None:
    async with scripted(offering("MULTISEARCH") | {"ESEARCH": b"TAG NO not today\r\n"}) as server:
        found = await search(server, EVERYTHING, "INBOX", "Old")
    assert found.total == 6
    assert len(asked(server, "UID SEARCH")) == 2


def ascii_only(headers: Mapping[int, str]) -> dict[str, Answer]:
    """A server that refuses UTF-8, finds everything, and has messages with these Subjects."""

    async def find(connection: Connection, tag: str, command: str) -> None:
        if "CHARSET" in command:
            await connection.send(REFUSED.replace(b"TAG", tag.encode()))
        else:
            await connection.send(f'* ESEARCH (tag "{tag}") UID ALL 1:3 COUNT 3\r\n{tag} OK\r\n'.encode())

    async def fetch(connection: Connection, tag: str, _command: str) -> None:
        for uid, subject in headers.items():
            header = f"Subject: {subject}\r\n\r\n".encode()
            line = (
                f'* {uid} FETCH (UID {uid} INTERNALDATE "0{uid}-Jan-2026 00:00:00 +0000" BODY[HEADER.FIELDS'
            )
            await connection.send(f"{line} (SUBJECT)] {{{len(header)}}}\r\n".encode() + header + b")\r\n")
        await connection.send(f"{tag} OK done\r\n".encode())

    return offering() | {"UID SEARCH": find, "UID FETCH": fetch}


async def test_a_server_without_utf_8() -> None:
    subjects = {1: "=?utf-8?q?Gr=C3=BC=C3=9Fe?=", 2: "plain", 3: "Grüße"}
    async with scripted(ascii_only(subjects)) as server:
        found = await search(server, Contains(Place.SUBJECT, "GRÜSSE"), "INBOX", "Old")
    assert [hit.uid for hit in found.hits] == [3, 3, 1, 1]
    assert len([command for command in asked(server, "UID SEARCH") if "CHARSET" in command]) == 1


async def test_a_server_without_utf_8_is_asked_for_the_ascii_part_of_a_word() -> None:
    async with scripted(ascii_only({1: "a", 2: "b", 3: "c"})) as server:
        await search(server, Contains(Place.BODY, "Müller"))
        assert (await search(server, Contains(Place.BODY, "Grün"))).hits != ()
    assert [command.partition("UNDELETED ")[2] for command in asked(server, "UID SEARCH")][1::2] == [
        'BODY "ller"',
        "NOT ALL",
    ]


async def test_refused_everywhere() -> None:
    async with scripted(offering() | {"UID SEARCH": b"TAG NO [LIMIT] too broad\r\n"}) as server:
        with pytest.raises(UpstreamRefused):
            await search(server, EVERYTHING, "INBOX", "Old")


async def test_refused_somewhere() -> None:
    async def find(connection: Connection, tag: str, _command: str) -> None:
        refused = len(asked(server, "UID SEARCH")) == 1
        told = "NO not here" if refused else "OK"
        await connection.send(f'* ESEARCH (tag "{tag}") UID ALL 1:3 COUNT 3\r\n{tag} {told}\r\n'.encode())

    async with scripted(offering() | {"UID SEARCH": find}) as server:
        found = await search(server, EVERYTHING, "INBOX", "Old")
    assert {hit.mailbox for hit in found.hits} == {"Old"}


async def test_what_was_found_before_the_time_ran_out() -> None:
    async def find(connection: Connection, tag: str, command: str) -> None:
        if len(asked(server, "UID SEARCH")) == 2:
            await silence(connection, tag, command)
        await connection.send(f'* ESEARCH (tag "{tag}") UID ALL 1:3 COUNT 3\r\n{tag} OK\r\n'.encode())

    async with scripted(offering() | {"UID SEARCH": find}, patience=30) as server:
        async with asyncio.timeout(20):  # and not the half minute until it counts as lost
            found = await search(server, EVERYTHING, "INBOX", "Old", seconds=1)
    assert not found.complete
    assert [hit.uid for hit in found.hits] == [3, 2, 1]


async def test_searches_of_a_user_take_turns() -> None:
    async def slowly(connection: Connection, tag: str, _command: str) -> None:
        await asyncio.sleep(0.05)
        await connection.send(f'* ESEARCH (tag "{tag}") UID ALL 1:3 COUNT 3\r\n{tag} OK\r\n'.encode())

    async with scripted(offering() | {"UID SEARCH": slowly}) as server:
        upstream = ImapUpstream(server.settings)
        mail = [upstream.mailboxes(PRINCIPAL) for _ in range(5)]
        found = await asyncio.gather(
            *(one.search(["INBOX"], EVERYTHING, limit=10, seconds=30) for one in mail)
        )
        assert upstream.open_connections == 1
        await upstream.aclose()
    assert [len(one.hits) for one in found] == [3] * 5


async def test_a_search_leaves_the_only_connection_to_others_in_between() -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def slowly(connection: Connection, tag: str, _command: str) -> None:
        begun.set()
        await go.wait()
        await asyncio.sleep(0.05)
        await connection.send(f'* ESEARCH (tag "{tag}") UID ALL 1:3 COUNT 3\r\n{tag} OK\r\n'.encode())

    async with scripted(offering() | {"UID SEARCH": slowly}) as server:
        upstream = ImapUpstream(replace(server.settings, max_connections_per_user=1))
        mail = upstream.mailboxes(PRINCIPAL)
        names = [f"Folder {number}" for number in range(10)]
        searching = asyncio.create_task(mail.search(names, EVERYTHING, limit=100, seconds=40))
        await begun.wait()
        listing = asyncio.create_task(mail.list())
        await asyncio.sleep(0)
        go.set()
        await listing
        assert not searching.done()
        assert len(asked(server, "UID SEARCH")) < 5
        assert len((await searching).hits) == 30
        await upstream.aclose()


async def test_only_the_newest_are_kept() -> None:
    async with scripted(offering()) as server:
        found = await search(server, EVERYTHING, "INBOX", "Old", limit=2)
    assert [(hit.mailbox, hit.uid) for hit in found.hits] == [("INBOX", 3), ("Old", 3)]
    assert found.total == 6


async def test_what_is_not_looked_at_is_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "ENOUGH_LOOKED_AT", 2)
    monkeypatch.setattr(finder, "_STRETCH", 2)
    later = Received(since=datetime(2026, 1, 2, 12, tzinfo=UTC))
    async with scripted(offering()) as server:
        found = await search(server, EVERYTHING, limit=1)
        assert ([hit.uid for hit in found.hits], found.total) == ([3], 3)
        found = await search(server, later, limit=2)
        assert ([hit.uid for hit in found.hits], found.total) == ([3], 1)
        assert [command.split(" ")[2] for command in asked(server, "UID FETCH")] == ["2:3", "2:3", "1"]
