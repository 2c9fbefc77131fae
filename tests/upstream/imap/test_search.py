"""Searches: several at once, and answers that cannot be relied on."""

from __future__ import annotations

import pytest

from gateway.types import Uids
from gateway.upstream.imap.handshake import log_in, open_connection
from gateway.upstream.imap.search import search_many
from gateway.upstream.imap.search_keys import key
from tests.support.scripted_imap import CREDENTIALS, Connection, scripted

QUESTIONS = [(key("ALL"),), (key("SEEN"),), (key("FLAGGED"),)]


async def _found(told: list[bytes]) -> tuple[list[Uids], list[str]]:
    """What three searches find whose ESEARCHs are all told before the first ends; and the commands sent."""
    tags: list[bytes] = []

    async def answer(connection: Connection, tag: str, command: str) -> None:
        if "RETURN" not in command:
            await connection.send(b"* SEARCH 2\r\n%b OK done\r\n" % tag.encode())
            return
        tags.append(tag.encode())
        if len(tags) == len(QUESTIONS):
            lines = [b'* ESEARCH (TAG "%b") UID %b\r\n' % pair for pair in zip(tags, told, strict=True)]
            await connection.send(b"".join(lines + [b"%b OK done\r\n" % each for each in tags]))

    async with scripted({"UID SEARCH": answer}) as server:
        session = await open_connection(server.settings)
        await log_in(session, CREDENTIALS)
        found = await search_many(session, QUESTIONS)
        session.close()
        return found, [each for each in server.commands if each.startswith("UID SEARCH")]


async def test_what_is_told_before_the_first_search_ends_goes_by_its_tag() -> None:
    found, asked = await _found([b"ALL 1:3 COUNT 3", b"COUNT 0", b"ALL 2 COUNT 1"])
    assert found == [Uids([1, 2, 3]), Uids(), Uids([2])]
    assert len(asked) == 3


@pytest.mark.parametrize("doubtful", [b"ALL 1:9 COUNT 3", b"ALL 1:3"])
async def test_a_set_that_does_not_fit_its_count_is_asked_for_again(doubtful: bytes) -> None:
    found, asked = await _found([doubtful, b"COUNT 0", b"COUNT 0"])
    assert found == [Uids([2]), Uids(), Uids()]
    assert asked[3:] == ["UID SEARCH ALL"]
