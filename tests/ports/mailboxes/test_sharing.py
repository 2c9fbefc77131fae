"""Mailboxes of other users, which a server shows to those who may read them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.ports import Mailboxes
from gateway.upstream.imap.syntax import Atom, build
from gateway.upstream.imap.upstream import ImapUpstream
from tests.ports.mailboxes.helpers import eventually, fill
from tests.support import messages
from tests.support.cyrus import Cyrus
from tests.support.imap_servers import MailProgram, mail_program, on_cyrus


@pytest.fixture
async def ann(cyrus: Cyrus, user: str) -> AsyncIterator[MailProgram]:
    """Somebody who lets `user` read her mailbox "Plans" and put mail there."""
    async with mail_program(on_cyrus(cyrus, f"ann-{user}")) as program:
        await program.on("CREATE", "Plans")
        await program.append("Plans", messages.plain("The plan"))
        words = (Atom("Plans"), Atom(user), Atom("lrswi"))
        await program.do(build(program.session.dialect, "SETACL", words))
        yield program


async def mail_of(cyrus: Cyrus, user: str, *, shared: bool) -> AsyncIterator[Mailboxes]:
    server = on_cyrus(cyrus, user, shared=shared)
    upstream = ImapUpstream(server.settings)
    yield upstream.mailboxes(server.principal)
    await upstream.aclose()


@pytest.fixture
async def mail(cyrus: Cyrus, user: str) -> AsyncIterator[Mailboxes]:
    async for mail in mail_of(cyrus, user, shared=True):
        yield mail


async def test_shared_mailboxes_come_after_ones_own(mail: Mailboxes, user: str, ann: MailProgram) -> None:
    await mail.create("Plans")
    listed = await mail.list()
    [shared] = [mailbox.name for mailbox in listed if mailbox.shared and mailbox.selectable]
    assert shared == f"Other Users/ann-{user}/Plans"
    assert [mailbox.name for mailbox in listed if not mailbox.shared] == ["INBOX", "Plans"]
    assert [mailbox.role for mailbox in listed if mailbox.shared and mailbox.role] == []


async def test_their_mail_is_read_and_changes_are_noticed(
    mail: Mailboxes, user: str, ann: MailProgram
) -> None:
    shared = f"Other Users/ann-{user}/Plans"
    view = await mail.view(shared)
    assert len(view.uids) == 1
    told: list[str] = []
    unsubscribe = await mail.subscribe(["INBOX", shared], told.append)
    told.clear()
    await ann.append("Plans", messages.plain("Another plan"))
    await eventually(lambda: shared in told)
    unsubscribe()
    assert len((await mail.view(shared)).uids) == 2
    await fill(mail, 1, shared)
    assert len(await ann.flags("Plans")) == 3


async def test_they_are_not_shown_unless_asked_for(cyrus: Cyrus, user: str, ann: MailProgram) -> None:
    async for mail in mail_of(cyrus, user, shared=False):
        assert [mailbox.name for mailbox in await mail.list()] == ["INBOX"]
