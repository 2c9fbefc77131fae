"""What is different at Gmail (X-GM-EXT-1): mailboxes are labels, and All Mail has every message."""

from __future__ import annotations

from gateway.types import Role, Uids
from gateway.upstream.imap import changes, listing
from gateway.upstream.imap.session import Session
from gateway.upstream.imap.snapshot import select

CAPABILITY = "X-GM-EXT-1"
_REMOVES_FOR_GOOD = (Role.TRASH, Role.JUNK)


async def expunge(session: Session, uids: Uids) -> Uids:
    """Remove messages for good; returns those that were there. Raises `UpstreamError`.

    An expunge elsewhere takes one label away, so they go to the trash first and are expunged there. Should
    the connection die in between, they stay in the trash. Leaves another mailbox selected.
    """
    assert session.selected is not None
    mailbox = session.selected.mailbox
    roles = {listed.role: listed.name for listed in await listing.list_mailboxes(session)}
    trash = roles.get(Role.TRASH)
    if trash is None or mailbox in (roles.get(role) for role in _REMOVES_FOR_GOOD):
        return await changes.expunge(session, uids)
    moved = await changes.move(session, uids, trash)
    await select(session, trash)
    await changes.expunge(session, Uids(uid for uid in moved.values() if uid is not None))
    return Uids(moved)
