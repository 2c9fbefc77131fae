"""How many mailboxes are shown, whatever a server lists."""

from __future__ import annotations

from dataclasses import replace

from gateway.types import Role
from gateway.upstream.imap.upstream import ImapUpstream
from tests.support.scripted_imap import PRINCIPAL, scripted

ABUSE = 100_000


async def test_of_too_many_mailboxes_the_first_are_shown() -> None:
    names = [f"a/b/deep {number:06}" for number in range(ABUSE)] + ["zzz", "Trash", "INBOX"]
    lines = b"".join(b'* LIST (\\HasNoChildren) "/" "%b"\r\n' % name.encode() for name in names)
    async with scripted({"LIST": lines + b"TAG OK done\r\n"}) as server:
        upstream = ImapUpstream(replace(server.settings, max_mailboxes=100, timeout=20))
        listed = await upstream.mailboxes(PRINCIPAL).list()
        await upstream.aclose()
    assert listed[0].name == "INBOX"
    assert {"INBOX", "Trash", "zzz"} <= {mailbox.name for mailbox in listed}
    assert {mailbox.role for mailbox in listed} == {None, Role.INBOX, Role.TRASH}
    assert len(listed) == 100
    assert "a/b/deep 000096" in {mailbox.name for mailbox in listed}
