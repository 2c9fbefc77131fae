"""Renaming and removing mailboxes, and the UID that comes next."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest

from gateway.errors import AlreadyExists, NotFound, UpstreamRefused
from gateway.ports import Mailboxes
from gateway.types import SEEN
from gateway.upstream.imap import commands
from gateway.upstream.imap.responses import List
from tests.ports.mailboxes.helpers import fill
from tests.ports.mailboxes.test_listing import ODD_NAMES
from tests.support import messages
from tests.support.imap_servers import MailProgram, MailServer


async def names(mail: Mailboxes) -> list[str]:
    return [mailbox.name for mailbox in await mail.list() if mailbox.selectable]


async def each_share(
    server: MailServer,
    work: Callable[[int, Sequence[str]], Coroutine[Any, Any, None]],
    all_names: Sequence[str],
) -> None:
    """Work with shares of the names, each with its number, as many at once as the server bears."""
    async with asyncio.TaskGroup() as group:
        for share in range(server.names_at_once):
            group.create_task(work(share, all_names[share :: server.names_at_once]))


async def subscribed(other: MailProgram) -> set[str]:
    [reply] = await other.do(commands.subscribed_mailboxes(other.session.dialect))
    return {item.name for item in reply.of(List)}


async def test_rename_keeps_messages_and_takes_those_below_along(
    mail: Mailboxes, other: MailProgram, server: MailServer
) -> None:
    old, below, new = server.name("Old"), server.name("Old", "Below"), server.name("New & Näme")
    moved = server.name("New & Näme", "Below")
    await mail.create(old)
    await mail.create(below)
    await other.on("UNSUBSCRIBE", below)
    uids = await fill(mail, 3, old, flags=[SEEN])
    await fill(mail, 1, below)
    before = await mail.view(old)
    await mail.rename(old, new)
    after = await mail.view(new)
    assert list(after.uids) == uids
    assert (after.uidvalidity == before.uidvalidity) is server.renaming_keeps_uidvalidity
    assert list(after.flags[SEEN]) == uids
    assert len((await mail.view(moved)).uids) == 1
    assert {new, moved} <= set(await names(mail))
    assert not {old, below} & set(await names(mail))
    for gone in (old, below):
        with pytest.raises(NotFound):
            await mail.view(gone)
    # Subscriptions go along: as they were.
    assert await subscribed(other) & {old, below, new, moved} == {new}


async def test_rename_to_another_parent_and_back(mail: Mailboxes, server: MailServer) -> None:
    one, parent, below = server.name("One"), server.name("Parent"), server.name("Parent", "One")
    await mail.create(one)
    await mail.create(parent)
    await fill(mail, 1, one)
    await mail.rename(one, below)
    assert {parent, below} <= set(await names(mail))
    await mail.rename(below, one)
    assert len((await mail.view(one)).uids) == 1
    assert below not in await names(mail)


async def test_rename_with_every_character(mail: Mailboxes, server: MailServer) -> None:
    async def rename(share: int, odds: Sequence[str]) -> None:
        """From each to the next."""
        name = f"plain {share}"
        await mail.create(server.name(name))
        for odd in odds:
            if server.allows(odd):
                await mail.rename(server.name(name), server.name(odd))
                assert server.name(name) not in await names(mail)
                name = odd
            else:
                with pytest.raises(UpstreamRefused):
                    await mail.rename(server.name(name), server.name(odd))
            assert server.name(name) in await names(mail)

    await each_share(server, rename, ODD_NAMES)


async def test_delete_with_every_character(mail: Mailboxes, server: MailServer) -> None:
    async def delete(_: int, odds: Sequence[str]) -> None:
        for odd in filter(server.allows, odds):
            await mail.create(server.name(odd))
            await mail.delete(server.name(odd))
            assert server.name(odd) not in await names(mail)

    await each_share(server, delete, ODD_NAMES)


async def test_rename_onto_a_mailbox_changes_nothing(mail: Mailboxes, server: MailServer) -> None:
    one, two = server.name("One"), server.name("Two")
    await mail.create(one)
    await mail.create(two)
    await fill(mail, 1, one)
    with pytest.raises(AlreadyExists):
        await mail.rename(one, two)
    assert len((await mail.view(one)).uids) == 1
    assert not (await mail.view(two)).uids


async def test_what_is_not_there_can_be_neither_renamed_nor_deleted(
    mail: Mailboxes, server: MailServer
) -> None:
    with pytest.raises(NotFound):
        await mail.rename(server.name("Nowhere"), server.name("Somewhere"))
    with pytest.raises(NotFound):
        await mail.delete(server.name("Nowhere"))
    with pytest.raises(NotFound):
        await mail.next_uid(server.name("Nowhere"))
    assert server.name("Somewhere") not in await names(mail)


async def test_a_mailbox_in_use_can_be_deleted_and_renamed(mail: Mailboxes, server: MailServer) -> None:
    for name in ("Doomed", "Restless"):
        await mail.create(server.name(name))
        await fill(mail, 2, server.name(name))  # leaves it selected on a pooled connection
    await mail.delete(server.name("Doomed"))
    with pytest.raises(NotFound):
        await mail.view(server.name("Doomed"))
    await mail.view(server.name("Restless"))
    await mail.rename(server.name("Restless"), server.name("Calm"))
    assert len((await mail.view(server.name("Calm"))).uids) == 2


async def test_delete_from_below(mail: Mailboxes, other: MailProgram, server: MailServer) -> None:
    parent, below = server.name("Parent"), server.name("Parent", "Below")
    for name in (parent, below):
        await mail.create(name)
        await fill(mail, 1, name)
    await mail.delete(below)
    assert len((await mail.view(parent)).uids) == 1
    await mail.delete(parent)
    assert not {parent, below} & set(await names(mail))
    assert not {parent, below} & await subscribed(other)


async def test_the_uidvalidity_of_a_mailbox_nobody_opened_stays(mail: Mailboxes, server: MailServer) -> None:
    new = server.name("New")
    await mail.create(new)
    told = {mailbox: await mail.next_uid(mailbox) for mailbox in ("INBOX", new)}
    second = int(time.time())
    while int(time.time()) == second:  # some servers make one of the time of day
        await asyncio.sleep(0.02)
    for mailbox, end in told.items():
        assert await mail.next_uid(mailbox) == end
        assert await mail.append(mailbox, messages.plain("first")) in (None, end)
        assert (await mail.view(mailbox)).uidvalidity == end[0]


async def test_next_uid_is_below_whatever_comes_later(mail: Mailboxes) -> None:
    uidvalidity, first = await mail.next_uid("INBOX")
    uids = await fill(mail, 3)
    assert min(uids) >= first
    assert (await mail.view("INBOX")).uidvalidity == uidvalidity
    again = await mail.next_uid("INBOX")
    assert again[0] == uidvalidity
    assert again[1] > max(uids)
    await mail.append("INBOX", messages.plain("one more"))
    assert max((await mail.view("INBOX")).uids) >= again[1]
