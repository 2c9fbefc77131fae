"""Many calls at once, and calls that are given up."""

from __future__ import annotations

import asyncio

from gateway.ports import Mailboxes
from gateway.upstream.imap.upstream import ImapUpstream
from tests.ports.mailboxes.helpers import fill
from tests.support.imap_servers import MailServer


async def test_many_calls_at_once(mail: Mailboxes, upstream: ImapUpstream, server: MailServer) -> None:
    names = [server.name(name) for name in ("One", "Two", "Three")]
    for name in names:
        await mail.create(name)
        await fill(mail, 3, name)

    async def work(number: int) -> None:
        name = names[number % 3]
        view = await mail.view(name)
        fetched = await mail.fetch(name, view.uidvalidity, view.uids, ["Subject"])
        assert set(fetched) == set(view.uids)
        await mail.set_flags(
            name, view.uidvalidity, view.uids, add=[server.flags[number // 3 % len(server.flags)]]
        )

    await asyncio.gather(*(work(number) for number in range(24)))
    assert upstream.open_connections <= server.settings.max_connections_per_user
    for name in names:
        view = await mail.view(name)
        assert all(view.flags[flag] == view.uids for flag in server.flags)


async def test_a_cancelled_call_confuses_no_other(mail: Mailboxes) -> None:
    uids = await fill(mail, 20)
    uidvalidity = (await mail.view("INBOX")).uidvalidity
    for turns in range(12):
        task = asyncio.create_task(mail.fetch("INBOX", uidvalidity, uids, None))
        for _ in range(turns):
            await asyncio.sleep(0.0005)
        task.cancel()
        found = await mail.fetch("INBOX", uidvalidity, uids[:3], ["Subject"])
        assert set(found) == set(uids[:3])
