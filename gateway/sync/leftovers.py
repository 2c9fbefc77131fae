"""Moves that were cut off: without MOVE there is a copy first, then an expunge, and a moment between the two.

The copy is known by its Message-ID. A message without one cannot be told from another, and is copied again.
"""

from __future__ import annotations

import re

from gateway.errors import NotFound
from gateway.ports import Mailboxes
from gateway.types import Uids

_MESSAGE_ID = re.compile(rb"(?im)^message-id:\s*(<[^<>\s]+>)")


async def copied(mailboxes: Mailboxes, mailbox: str, uidvalidity: int, uids: Uids, target: str) -> Uids:
    """Which of these messages, whose move to `target` was begun before, have arrived there already.

    Raises `NotFound` and `UpstreamError`.
    """
    arrived: list[int] = []
    found = await mailboxes.fetch(mailbox, uidvalidity, uids, ["Message-ID"])
    for uid, message in found.items():
        named = _MESSAGE_ID.search(message.header)
        if named is not None and await _is_there(mailboxes, target, named[1].decode("ascii", "replace")):
            arrived.append(uid)
    return Uids(arrived)


async def _is_there(mailboxes: Mailboxes, target: str, message_id: str) -> bool:
    try:
        return bool(await mailboxes.find_message_id(target, message_id))
    except NotFound:
        return False
