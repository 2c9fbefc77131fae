"""Subscribers hear of changes."""

from __future__ import annotations

import asyncio
import itertools
from functools import partial

import pytest

from gateway.errors import NotFound
from gateway.ports import Mailboxes
from gateway.types import SEEN
from gateway.upstream.imap import commands
from gateway.upstream.imap.upstream import ImapUpstream
from tests.ports.mailboxes.helpers import eventually, fill
from tests.support import messages
from tests.support.imap_servers import MailProgram, MailServer


async def test_subscribers_are_told_of_changes(
    mail: Mailboxes, other: MailProgram, server: MailServer
) -> None:
    box = server.name("Watched")
    await mail.create(box)
    [uid], boxed = await fill(mail, 1), iter(await fill(mail, 12, box))
    told: list[str] = []
    unsubscribe = await mail.subscribe(["INBOX", box], told.append)
    for mailbox in ("INBOX", box):
        append = partial(other.append, mailbox, messages.plain())
        await other.until(lambda mailbox=mailbox: mailbox in told, append)  # type: ignore[misc]
    told.clear()
    actions = itertools.cycle("+-")
    await other.until(lambda: "INBOX" in told, lambda: other.store("INBOX", [uid], next(actions), SEEN))
    await other.until(lambda: box in told, lambda: other.expunge(box, [next(boxed)]))
    unsubscribe()
    await asyncio.sleep(0.1)
    told.clear()
    await other.append("INBOX", messages.plain())
    await asyncio.sleep(0.6)
    assert told == []


async def test_all_subscribers_share_a_watcher(
    mail: Mailboxes, other: MailProgram, upstream: ImapUpstream, server: MailServer
) -> None:
    box = server.name("Late")
    await mail.create(box)
    told: list[tuple[int, str]] = []
    first = await mail.subscribe(["INBOX"], lambda mailbox: told.append((1, mailbox)))
    before = upstream.open_connections
    others = [
        await upstream.mailboxes(server.principal).subscribe(
            ["INBOX", box],
            lambda mailbox, number=number: told.append((number, mailbox)),  # type: ignore[misc]
        )
        for number in (2, 3)
    ]
    assert upstream.open_connections == before
    append = partial(other.append, box, messages.plain())
    await other.until(lambda: {(2, box), (3, box)} <= set(told), append)
    first()
    told.clear()
    append = partial(other.append, "INBOX", messages.plain())
    await other.until(lambda: {(2, "INBOX"), (3, "INBOX")} <= set(told), append)
    assert (1, "INBOX") not in told
    assert (1, box) not in told
    for unsubscribe in others:
        unsubscribe()


@pytest.mark.parametrize("beside", [(), ("INBOX",)], ids=["alone", "beside INBOX"])
@pytest.mark.parametrize("fate", ["deleted", "renamed"])
async def test_subscribers_are_told_when_a_mailbox_goes(
    mail: Mailboxes, other: MailProgram, server: MailServer, beside: tuple[str, ...], fate: str
) -> None:
    box, target = server.name(f"{fate}{len(beside)}"), server.name(f"target{len(beside)}")
    await mail.create(box)
    told: list[str] = []
    unsubscribe = await mail.subscribe([*beside, box], told.append)
    await mail.view(box)
    await asyncio.sleep(0.4)
    told.clear()
    if fate == "deleted":
        await other.on("DELETE", box)
    else:
        await other.do(commands.rename(other.session.dialect, box, target))
    await eventually(lambda: box in told)
    with pytest.raises(NotFound):
        await mail.view(box)
    unsubscribe()
