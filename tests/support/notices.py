"""The notices that wait, for tests that ask what would be mailed."""

from __future__ import annotations

from gateway.items import Notice
from gateway.ports import Items
from gateway.types import UserId

__all__ = ["pending_notices"]


async def pending_notices(items: Items, user: UserId) -> list[Notice]:
    """Those of a user that could be mailed now, in this order."""
    found: dict[str, Notice] = {}
    while (pending := await items.next_notice(user, list(found))) is not None:
        found[pending.notice.key] = pending.notice
    return list(found.values())
