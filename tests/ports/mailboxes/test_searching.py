"""Searching mail: every condition, several mailboxes, order, limits, time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from gateway.errors import Refused
from gateway.mail.conversations import conversation
from gateway.mail.headers import Headers
from gateway.mail.kql import MAX_LENGTH, MAX_TERMS, parse
from gateway.ports import Mailboxes
from gateway.query import (
    EVERYTHING,
    NOTHING,
    And,
    Contains,
    Found,
    HasAttachment,
    HasFlag,
    HeaderContains,
    InConversation,
    Larger,
    Not,
    Or,
    Place,
    Query,
    Received,
)
from gateway.types import FLAGGED, SEEN
from tests.ports.mailboxes.helpers import fill
from tests.ports.mailboxes.query_model import KNOWN, holds, random_tree
from tests.support import messages
from tests.support.imap_servers import MailProgram, MailServer

NOON = datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC)


def note(subject: str, text: str = "hello\n", **fields: str) -> bytes:
    """A plain message; `fields` replace those it has, Date and Message-ID are left out."""
    header = {"From": "Ann Archer <ann@example.test>", "To": "Ben <ben@example.test>", "Subject": subject}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in (header | fields).items()]
    head = "\r\n".join([*lines, "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8"])
    return (
        f"{head}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}".replace("\r\n", "\n")
        .replace("\n", "\r\n")
        .encode()
    )


async def search(
    mail: Mailboxes, query: Query, mailboxes: Sequence[str] = ("INBOX",), *, limit: int = 100
) -> Found:
    return await mail.search(mailboxes, query, limit=limit, seconds=20)


async def subjects(
    mail: Mailboxes, query: Query, mailboxes: Sequence[str] = ("INBOX",), *, limit: int = 100
) -> list[str]:
    """The subjects of what is found, newest first."""
    found = await search(mail, query, mailboxes, limit=limit)
    assert found.complete
    named = []
    for hit in found.hits:
        data = await mail.fetch(hit.mailbox, hit.uidvalidity, [hit.uid], ["Subject"])
        named.append(Headers(data[hit.uid].header).text("subject"))
    return named


async def keep(mail: Mailboxes, *several: bytes, mailbox: str = "INBOX", at: datetime = NOON) -> None:
    """Store messages, each a minute newer than the one before."""
    for number, message in enumerate(several):
        await mail.append(mailbox, message, date=at + timedelta(minutes=number))


async def test_texts_in_their_places(mail: Mailboxes) -> None:
    await keep(
        mail,
        note("plan one", "the harbour is closed\n"),
        note("lunch", "bring the plan\n", From="Carl Plan <carl@example.test>"),
        note("sums", "numbers\n", Cc="Dora <dora@plan.test>", To="eve@example.test"),
    )
    assert await subjects(mail, Contains(Place.SUBJECT, "PLAN")) == ["plan one"]
    assert await subjects(mail, Contains(Place.FROM, "carl")) == ["lunch"]
    assert await subjects(mail, Contains(Place.TO, "eve@")) == ["sums"]
    assert await subjects(mail, Contains(Place.CC, "dora")) == ["sums"]
    assert await subjects(mail, Contains(Place.BCC, "dora")) == []
    assert await subjects(mail, Contains(Place.BODY, "Harbour")) == ["plan one"]
    assert await subjects(mail, Contains(Place.ANYWHERE, "plan")) == ["sums", "lunch", "plan one"]
    assert await subjects(mail, Contains(Place.ANYWHERE, "numbers", fuzzy=True)) == ["sums"]
    assert await subjects(mail, HeaderContains("Cc", "plan.test")) == ["sums"]


async def test_texts_beyond_ascii(mail: Mailboxes, server: MailServer) -> None:
    await keep(
        mail,
        messages.plain("Grüße aus Köln", "nichts\n"),
        messages.plain("plain", "Viele Grüße\n"),
        messages.legacy("Привет", "до встречи\n", "koi8-r"),
        messages.plain("nothing", "here\n"),
    )
    cologne, hello = ("KÖLN", "ПРИВЕТ") if server.folds_case else ("Köln", "Привет")
    assert await subjects(mail, Contains(Place.SUBJECT, cologne)) == ["Grüße aus Köln"]
    assert await subjects(mail, Contains(Place.ANYWHERE, "Köln")) == ["Grüße aus Köln"]
    assert await subjects(mail, Contains(Place.ANYWHERE, hello)) == ["Привет"]
    everything_else = Not(Contains(Place.SUBJECT, "Grüße"))
    assert await subjects(mail, everything_else) == ["nothing", "Привет", "plain"]


@pytest.mark.parametrize(
    "text", ['say "hi"', "C:\\temp\\", "a) OR ALL (", "100%* {5}", "x" * 1500], ids=lambda text: text[:8]
)
async def test_texts_are_never_syntax(mail: Mailboxes, text: str) -> None:
    await keep(mail, note("one", f"they {text} said\n"), note("two"))
    assert await subjects(mail, Contains(Place.BODY, text)) == ["one"]
    assert await subjects(mail, Contains(Place.SUBJECT, text)) == []


async def test_the_longest_query_there_is(mail: Mailboxes) -> None:
    words = [f"{number:02}" + "x" * ((MAX_LENGTH - 100) // MAX_TERMS - 3) for number in range(MAX_TERMS)]
    await keep(mail, note("all", "\n".join(words)), note("one", words[0]))
    for text in (" ".join(words), " ".join(words).replace("x", "ü")):
        query = parse(text, NOON)
        assert query is not None
        assert await subjects(mail, query) == (["all"] if text.isascii() else [])


async def test_text_that_cannot_be_sent_is_refused(mail: Mailboxes) -> None:
    with pytest.raises(Refused):
        await search(mail, Contains(Place.BODY, "a\0b"))


async def test_and_or_not(mail: Mailboxes) -> None:
    await keep(mail, note("red apple"), note("red pear"), note("green apple"), note("green plum"))
    red, green = Contains(Place.SUBJECT, "red"), Contains(Place.SUBJECT, "green")
    apple, pear = Contains(Place.SUBJECT, "apple"), Contains(Place.SUBJECT, "pear")
    assert await subjects(mail, And((red, apple))) == ["red apple"]
    assert await subjects(mail, Or((pear, green))) == ["green plum", "green apple", "red pear"]
    assert await subjects(mail, And((Not(red), Not(apple)))) == ["green plum"]
    assert await subjects(mail, Not(Or((red, And((green, apple)))))) == ["green plum"]
    assert await subjects(mail, NOTHING) == []
    assert len(await subjects(mail, EVERYTHING)) == 4
    assert await subjects(mail, And((green, NOTHING))) == []
    assert await subjects(mail, Or((pear, EVERYTHING)), limit=1) == ["green plum"]


async def test_flags_and_sizes(mail: Mailboxes, server: MailServer) -> None:
    await mail.append("INBOX", note("read"), flags=[SEEN], date=NOON)
    await mail.append("INBOX", note("flagged"), flags=[FLAGGED], date=NOON)
    await mail.append("INBOX", note("large", "x\n" * 5000), date=NOON + timedelta(seconds=1))
    assert await subjects(mail, HasFlag(SEEN)) == ["read"]
    assert await subjects(mail, HasFlag("\\flagged")) == ["flagged"]
    assert await subjects(mail, Larger(5000)) == ["large"]
    assert await subjects(mail, HasFlag("$Nothing")) == []
    if "$Forwarded" in server.flags:
        [uid] = [hit.uid for hit in (await search(mail, Larger(5000))).hits]
        uidvalidity = (await mail.view("INBOX")).uidvalidity
        await mail.set_flags("INBOX", uidvalidity, [uid], add=["$Forwarded"])
        assert await subjects(mail, HasFlag("$Forwarded")) == ["large"]


async def test_times_to_the_second(mail: Mailboxes) -> None:
    for hours, name in ((-30, "before"), (-1, "hour ago"), (0, "noon"), (30, "after")):
        await mail.append("INBOX", note(name), date=NOON + timedelta(hours=hours))
    assert await subjects(mail, Received(since=NOON)) == ["after", "noon"]
    assert await subjects(mail, Received(before=NOON)) == ["hour ago", "before"]
    hour = Received(NOON - timedelta(hours=1), NOON)
    assert await subjects(mail, hour) == ["hour ago"]
    assert await subjects(mail, Not(hour)) == ["after", "noon", "before"]
    assert await subjects(mail, Or((hour, Contains(Place.SUBJECT, "after")))) == ["after", "hour ago"]
    ends = Received(datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, tzinfo=UTC))
    assert len(await subjects(mail, ends)) == 4


async def test_attachments(mail: Mailboxes) -> None:
    await keep(
        mail, note("none"), messages.with_attachments("files"), messages.inline_image("picture"), note("also")
    )
    assert await subjects(mail, HasAttachment()) == ["files"]
    assert await subjects(mail, Not(HasAttachment())) == ["also", "picture", "none"]
    assert await subjects(mail, Contains(Place.ATTACHMENT, "MÄRZ")) == ["files"]
    assert await subjects(mail, Contains(Place.ATTACHMENT, "nowhere")) == []
    either = Or((HasAttachment(), Contains(Place.SUBJECT, "also")))
    assert await subjects(mail, either) == ["also", "files"]
    both = And((HasAttachment(), Contains(Place.SUBJECT, "also")))
    assert await subjects(mail, both) == []


async def test_a_conversation(mail: Mailboxes, server: MailServer) -> None:
    work = server.name("Work")
    root = note("question", Message_ID="<root@example.test>")
    await mail.create(work)
    await keep(mail, root, note("other", Message_ID="<x@example.test>"))
    answer = note("Re: question", Message_ID="<a@example.test>", References="<root@example.test>")
    await keep(mail, answer, mailbox=work, at=NOON + timedelta(hours=1))
    await keep(mail, note("Re: question too", In_Reply_To="<root@example.test>"), at=NOON - timedelta(1))
    asked = InConversation(conversation(Headers(root), b"").id)
    found = await subjects(mail, asked, ("INBOX", work))
    assert found == ["Re: question", "question", "Re: question too"]
    assert await subjects(mail, InConversation(bytes(16)), ("INBOX", work)) == []


async def test_several_mailboxes_newest_first(mail: Mailboxes, server: MailServer) -> None:
    names = ["INBOX", server.name("Work"), server.name("Old")]
    for name in names[1:]:
        await mail.create(name)
    for number in range(9):
        moment = NOON + timedelta(minutes=number)
        await mail.append(names[number % 3], note(f"number {number}"), date=moment)
    await mail.append("INBOX", note("unlike"), date=NOON)
    query = Contains(Place.SUBJECT, "number")
    assert await subjects(mail, query, names) == [f"number {n}" for n in range(8, -1, -1)]
    found = await search(mail, query, names, limit=4)
    assert [hit.mailbox for hit in found.hits] == [names[2], names[1], names[0], names[2]]
    assert found.total == 9
    assert [hit.received for hit in found.hits] == [NOON + timedelta(minutes=n) for n in (8, 7, 6, 5)]


async def test_mailboxes_that_are_gone_are_left_out(mail: Mailboxes, server: MailServer) -> None:
    await keep(mail, note("here"))
    assert await subjects(mail, EVERYTHING, [server.name("Nowhere"), "INBOX"]) == ["here"]
    assert await search(mail, EVERYTHING, []) == Found((), 0)


async def test_deleted_messages_are_not_found(mail: Mailboxes, other: MailProgram) -> None:
    one, _, three = await fill(mail, 3)
    await other.store("INBOX", [one], "+", "\\Deleted")
    await other.expunge("INBOX", [three])
    assert len((await search(mail, EVERYTHING)).hits) == 1


async def test_no_time_at_all(mail: Mailboxes) -> None:
    await keep(mail, note("here"))
    assert await mail.search(["INBOX"], EVERYTHING, limit=10, seconds=0) == Found((), 0, complete=False)
    assert await subjects(mail, EVERYTHING) == ["here"]


async def test_any_tree_finds_what_it_says(mail: Mailboxes) -> None:
    """Trees made at random, over messages of which everything is known."""
    chance = Random(7)
    for known in KNOWN:
        name = known.subject
        message = messages.with_attachments(name) if known.files else messages.plain(name)
        await mail.append("INBOX", message, flags=[SEEN] if known.seen else [], date=known.received)
    for _ in range(40):
        query = random_tree(chance, 3)
        expected = [known.subject for known in reversed(KNOWN) if holds(query, known)]
        assert await subjects(mail, query) == expected, query
