"""What the tests of the mail port share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.ports import Mailboxes
from tests.support import messages


async def fill(mail: Mailboxes, count: int, mailbox: str = "INBOX", **options: object) -> list[int]:
    """Appends messages and returns the UIDs of everything in the mailbox."""
    for number in range(count):
        await mail.append(mailbox, messages.plain(f"message {number}"), **options)  # type: ignore[arg-type]
    return list((await mail.view(mailbox)).uids)


async def eventually(check: Callable[[], bool], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not check():
            await asyncio.sleep(0.01)
