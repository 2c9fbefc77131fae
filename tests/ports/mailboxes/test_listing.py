"""Which mailboxes there are, and what their names may be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from gateway.errors import NotFound, UpstreamRefused
from gateway.ports import Mailboxes
from gateway.types import SEEN, Role, SectionRequest
from tests.ports.mailboxes.conftest import FILED_BY_ID
from tests.ports.mailboxes.helpers import fill
from tests.support import messages
from tests.support.imap_servers import MailProgram, MailServer

ODD_NAMES = (
    'say "hi"',
    "back\\slash",
    "Entwürfe & Müll",
    "日本語",
    "a b) (c",
    "100%",
    "{3}",
    "&",
    "per*cent",
)


async def test_list_begins_with_inbox_and_has_parents_before_children(
    mail: Mailboxes, server: MailServer
) -> None:
    child = server.name("Projects", "Alpha")
    await mail.create(server.name("Projects"))
    await mail.create(child)
    listed = await mail.list()
    names = [mailbox.name for mailbox in listed]
    assert names[0] == "INBOX"
    assert listed[0].role is Role.INBOX
    assert names.index(server.name("Projects")) < names.index(child)
    assert {mailbox.delimiter for mailbox in listed} == {server.delimiter}
    assert all(mailbox.selectable for mailbox in listed)


async def test_no_role_is_given_twice(mail: Mailboxes, server: MailServer) -> None:
    for name in ("Sent", "Sent Items", "Gesendet", "Papierkorb", "Trash", "送信済み", "Entwürfe"):
        await mail.create(server.name(name))
    roles = [mailbox.role for mailbox in await mail.list() if mailbox.role]
    assert len(roles) == len(set(roles))
    assert {Role.INBOX, Role.DRAFTS, Role.SENT, Role.TRASH} <= set(roles)
    by_name = {mailbox.name: mailbox.role for mailbox in await mail.list()}
    assert by_name[server.name("Sent")] is Role.SENT


async def test_names_keep_every_character(mail: Mailboxes, server: MailServer) -> None:
    allowed = [odd for odd in ODD_NAMES if server.allows(odd)]
    for odd in allowed:
        name = server.name(odd)
        await mail.create(name)
        await mail.append(name, messages.plain(odd))
        view = await mail.view(name)
        assert len(view.uids) == 1
        fetched = await mail.fetch(name, view.uidvalidity, view.uids, None)
        assert len(fetched) == 1
    assert {server.name(odd) for odd in allowed} <= {mailbox.name for mailbox in await mail.list()}


async def test_a_name_that_is_not_allowed_is_refused(mail: Mailboxes, server: MailServer) -> None:
    """And neither ends the connection nor leaves anything behind."""
    for odd in ODD_NAMES:
        if not server.allows(odd):
            with pytest.raises(UpstreamRefused):
                await mail.create(server.name(odd))
    assert not {server.name(odd) for odd in ODD_NAMES} & {mailbox.name for mailbox in await mail.list()}


async def test_creating_twice_is_no_error(mail: Mailboxes, server: MailServer) -> None:
    await mail.create(server.name("Twice"))
    await mail.create(server.name("Twice"))
    assert [m.name for m in await mail.list()].count(server.name("Twice")) == 1


async def test_what_is_not_there_is_not_found(mail: Mailboxes, server: MailServer) -> None:
    nowhere = server.name("Nowhere")
    uidvalidity = (await mail.view("INBOX")).uidvalidity
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: mail.view(nowhere),
        lambda: mail.fetch(nowhere, 1, [1], None),
        lambda: mail.append(nowhere, messages.plain()),
        lambda: mail.find_message_id(nowhere, "<x@example.test>"),
        lambda: mail.received_since(nowhere, 1, datetime(2026, 1, 1, tzinfo=UTC)),
        lambda: anext(mail.stream_section("INBOX", uidvalidity, SectionRequest(4711, "1"))),
    ]
    for call in calls:
        with pytest.raises(NotFound):
            await call()


async def test_another_uidvalidity_is_not_found(mail: Mailboxes) -> None:
    [uid] = await fill(mail, 1)
    wrong = (await mail.view("INBOX")).uidvalidity + 1
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: mail.fetch("INBOX", wrong, [uid], None),
        lambda: mail.fetch_sections("INBOX", wrong, [SectionRequest(uid, "1")]),
        lambda: anext(mail.stream_section("INBOX", wrong, SectionRequest(uid, "1"))),
        lambda: mail.received_since("INBOX", wrong, datetime(2026, 1, 1, tzinfo=UTC)),
        lambda: mail.set_flags("INBOX", wrong, [uid], add=[SEEN]),
        lambda: mail.move("INBOX", wrong, [uid], "INBOX"),
        lambda: mail.expunge("INBOX", wrong, [uid]),
    ]
    for call in calls:
        with pytest.raises(NotFound):
            await call()
    view = await mail.view("INBOX")
    assert list(view.uids) == [uid]
    assert not view.flags[SEEN]


@FILED_BY_ID
async def test_a_mailbox_made_anew_has_a_new_view(
    mail: Mailboxes, other: MailProgram, server: MailServer
) -> None:
    name = server.name("Reborn")
    await mail.create(name)
    await fill(mail, 3, name)
    before = await mail.view(name)
    await other.on("DELETE", name)
    await other.on("CREATE", name)
    after = await mail.view(name)
    assert after.uidvalidity != before.uidvalidity
    assert not after.uids
    await other.append(name, messages.plain("new"))
    assert len((await mail.view(name)).uids) == 1
    assert after.version != before.version
    with pytest.raises(NotFound):
        await mail.fetch(name, before.uidvalidity, before.uids, None)


async def test_a_deleted_mailbox_is_not_found(
    mail: Mailboxes, other: MailProgram, server: MailServer
) -> None:
    name = server.name("Doomed")
    await mail.create(name)
    await fill(mail, 1, name)
    await other.on("DELETE", name)
    with pytest.raises(NotFound):
        await mail.view(name)
