"""Fetching messages and parts of them, and finding messages."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest

from gateway.errors import NotFound
from gateway.ports import Mailboxes
from gateway.types import FLAGGED, SEEN, SectionRequest, Uids
from tests.ports.mailboxes.helpers import fill
from tests.support import messages
from tests.support.imap_servers import MailProgram


async def test_fetch_tells_everything(mail: Mailboxes) -> None:
    received = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    message = messages.alternative("Grüße")
    await mail.append("INBOX", message, flags=[SEEN, FLAGGED], date=received)
    view = await mail.view("INBOX")
    [data] = (await mail.fetch("INBOX", view.uidvalidity, view.uids, None)).values()
    assert data.uid in view.uids
    assert data.flags - {"\\Recent"} == {SEEN, FLAGGED}
    assert data.internal_date == received
    assert data.size == len(message)
    assert data.header == message[: message.index(b"\r\n\r\n") + 4]
    assert data.structure.content_type == "multipart/alternative"
    assert [part.content_type for part in data.structure.children] == ["text/plain", "text/html"]
    assert [part.section for part in data.structure.children] == ["1", "2"]


async def test_fetch_of_some_header_fields(mail: Mailboxes) -> None:
    [uid] = await fill(mail, 1)
    uidvalidity = (await mail.view("INBOX")).uidvalidity
    data = (await mail.fetch("INBOX", uidvalidity, [uid], ["Subject", "From"]))[uid]
    lines = data.header.lower()
    assert b"subject: message 0\r\n" in lines
    assert b"from:" in lines
    assert b"\r\ndate:" not in lines


async def test_fetch_leaves_out_what_is_gone(mail: Mailboxes, other: MailProgram) -> None:
    one, two, three = await fill(mail, 3)
    uidvalidity = (await mail.view("INBOX")).uidvalidity
    await other.expunge("INBOX", [two])
    assert set(await mail.fetch("INBOX", uidvalidity, [one, two, three, 4711], None)) == {one, three}
    assert await mail.fetch("INBOX", uidvalidity, [], None) == {}
    assert await mail.fetch("INBOX", uidvalidity, [4711], ["Subject"]) == {}


async def test_fetch_sees_what_another_connection_saw(mail: Mailboxes, other: MailProgram) -> None:
    [first] = await fill(mail, 1)
    uidvalidity = (await mail.view("INBOX")).uidvalidity
    # Several connections of the pool have the mailbox selected from now on.
    await asyncio.gather(*(mail.fetch("INBOX", uidvalidity, [first], None) for _ in range(4)))
    await other.append("INBOX", messages.plain("second"))
    view = await mail.view("INBOX")
    [second] = view.uids - Uids([first])
    results = await asyncio.gather(
        *(mail.fetch("INBOX", uidvalidity, [second], ["Subject"]) for _ in range(4))
    )
    assert [set(result) for result in results] == [{second}] * 4


async def test_more_sections_than_one_command_can_name(mail: Mailboxes) -> None:
    """Of a message with that many texts all are wanted; Dovecot takes no longer line than 64 kB."""
    texts = b"".join(b"--b\r\n\r\ntext %d\r\n" % number for number in range(1, 4001))
    head = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    await mail.append("INBOX", head + texts + b"--b--\r\n")
    view = await mail.view("INBOX")
    [uid] = view.uids
    structure = (await mail.fetch("INBOX", view.uidvalidity, [uid], None))[uid].structure
    # Courier makes out 300 parts, of which the last is what is left.
    sections = [part.section for part in structure.children][:-1]
    assert len(sections) in {299, 3999}
    wanted = [SectionRequest(uid, section, limit=100) for section in sections]
    found = await mail.fetch_sections("INBOX", view.uidvalidity, wanted)
    assert [found[request].strip() for request in wanted] == [f"text {each}".encode() for each in sections]


async def test_fetch_sections_in_bulk(mail: Mailboxes) -> None:
    for number in range(5):
        await mail.append("INBOX", messages.alternative(f"number {number}", f"text {number}\r\n"))
    view = await mail.view("INBOX")
    uids = list(view.uids)
    wanted = [
        *(SectionRequest(uid, "1") for uid in uids),
        *(SectionRequest(uid, "HEADER") for uid in uids),
        *(SectionRequest(uid, "1", 2, 4) for uid in uids),
        SectionRequest(uids[0], ""),
        SectionRequest(uids[0], "1", 3),
        SectionRequest(4711, "1"),
    ]
    found = await mail.fetch_sections("INBOX", view.uidvalidity, wanted)
    assert set(found) == set(wanted[:-1])
    for number, uid in enumerate(uids):
        text = found[SectionRequest(uid, "1")]
        assert f"text {number}".encode() in text
        assert found[SectionRequest(uid, "1", 2, 4)] == text[2:6]
        assert found[SectionRequest(uid, "HEADER")].endswith(b"\r\n\r\n")
    assert found[SectionRequest(uids[0], "1", 3)] == found[SectionRequest(uids[0], "1")][3:]
    whole = found[SectionRequest(uids[0], "")]
    assert whole.startswith(found[SectionRequest(uids[0], "HEADER")])
    assert await mail.fetch_sections("INBOX", view.uidvalidity, []) == {}


@pytest.mark.parametrize("chunk", [1000, 4096, 1_000_000])
async def test_stream_section_in_pieces(mail: Mailboxes, chunk: int) -> None:
    text = "".join(f"line {number} of a long text\r\n" for number in range(1000))
    await mail.append("INBOX", messages.plain("long", text))
    view = await mail.view("INBOX")
    [uid] = view.uids
    whole = (await mail.fetch_sections("INBOX", view.uidvalidity, [SectionRequest(uid, "1")]))[
        SectionRequest(uid, "1")
    ]

    async def stream(request: SectionRequest) -> list[bytes]:
        return [piece async for piece in mail.stream_section("INBOX", view.uidvalidity, request, chunk)]

    pieces = await stream(SectionRequest(uid, "1"))
    assert b"".join(pieces) == whole
    assert max(map(len, pieces)) <= chunk
    assert b"".join(await stream(SectionRequest(uid, "1", 500, 2500))) == whole[500:3000]


async def test_find_message_id(mail: Mailboxes) -> None:
    for number in range(2):
        text = f"From: a@example.test\r\nMessage-ID: <{number}.x@example.test>\r\n\r\nhi\r\n"
        await mail.append("INBOX", text.encode())
    uids = list((await mail.view("INBOX")).uids)
    assert list(await mail.find_message_id("INBOX", "<1.x@example.test>")) == [uids[1]]
    assert not await mail.find_message_id("INBOX", "<2.x@example.test>")


async def test_received_since(mail: Mailboxes) -> None:
    far_east, far_west = timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))
    dates = [
        datetime(2026, 3, 1, 12, tzinfo=UTC),
        datetime(2026, 3, 5, 11, 59, 59, tzinfo=UTC),
        datetime(2026, 3, 6, 1, 59, 59, tzinfo=far_east),  # the same instant, a day later by its calendar
        datetime(2026, 3, 5, 0, 0, 0, tzinfo=far_west),  # just in time, by no other calendar
        datetime(2026, 3, 5, 12, 0, 0, tzinfo=UTC),
        datetime(2026, 3, 9, 12, tzinfo=UTC),
    ]
    for date in dates:
        await mail.append("INBOX", messages.plain(), date=date)
    view = await mail.view("INBOX")
    uids = list(view.uids)
    for since, expected in (
        (datetime(2026, 3, 5, 12, tzinfo=UTC), uids[3:]),
        (datetime(2026, 2, 1, tzinfo=UTC), uids),
        (datetime(2026, 4, 1, tzinfo=UTC), []),
    ):
        assert list(await mail.received_since("INBOX", view.uidvalidity, since)) == expected


async def test_a_conversation_is_found_as_a_whole(mail: Mailboxes) -> None:
    async def append(name: str, *fields: str) -> int:
        known = (await mail.view("INBOX")).uids
        lines = ("From: a@example.test", f"Message-ID: <{name}@example.test>", *fields, "", "hi", "")
        await mail.append("INBOX", "\r\n".join(lines).encode())
        [uid] = (await mail.view("INBOX")).uids - known
        return uid

    async def whole(*uids: int) -> list[int]:
        return list(await mail.in_conversations("INBOX", uidvalidity, Uids(uids)))

    uidvalidity = (await mail.view("INBOX")).uidvalidity
    first, other = await append("first"), await append("other")
    answer = await append("answer", "In-Reply-To: <first@example.test>")
    last = await append("last", "References: <first@example.test>", " <answer@example.test>")
    alone = await append("alone", "References: <nowhere@example.test>")
    assert await whole(last) == [first, answer, last]
    assert await whole(first) == [first, answer, last]
    assert await whole(other, alone) == [other, alone]
    assert await whole() == []
    late = await append("late", "References: <first@example.test>")
    assert await whole(last) == [first, answer, last, late]
    await mail.expunge("INBOX", uidvalidity, [answer])
    present = (await mail.view("INBOX")).uids
    assert Uids(await whole(late)) & present == Uids([first, last, late])
    with pytest.raises(NotFound):
        await mail.in_conversations("INBOX", uidvalidity + 1, Uids([first]))
