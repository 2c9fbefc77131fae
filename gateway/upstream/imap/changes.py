"""Changing mailboxes: flags, moving, expunging, appending. The mailbox concerned is selected."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from gateway.errors import NotFound, UpstreamRefused
from gateway.ports import Pieces
from gateway.types import DELETED, Uids
from gateway.upstream.imap import commands, search_keys
from gateway.upstream.imap.exchange import Reply
from gateway.upstream.imap.listing import exists as mailbox_exists
from gateway.upstream.imap.naming import told_next_uid
from gateway.upstream.imap.responses import AppendUid, CopyUid
from gateway.upstream.imap.search import search
from gateway.upstream.imap.session import Session
from gateway.upstream.imap.syntax import Command

NAMED_AT_ONCE = 500
"""Messages named one by one in a command: their UIDs fit into a line."""


async def set_flags(session: Session, uids: Uids, *, add: Iterable[str], remove: Iterable[str]) -> Uids:
    """Set and clear flags; returns which messages are there. Raises `UpstreamError`."""
    stores: list[Command] = []
    # With modseqs the answer tells of each change in any case; only with its flags is it all that is to know,
    # and the mailbox need not be selected anew.
    silent = session.selected is None or session.selected.modseq is None
    for action, flags in (("+", _settable(session, add)), ("-", _clearable(session, remove))):
        if flags and uids:
            stores += commands.uid_store(uids, action, flags, silent=silent)
    await session.pipeline(*stores)
    return await _present(session, uids)


def _settable(session: Session, flags: Iterable[str]) -> list[str]:
    """Without keywords the mailbox cannot keep: a mark that is lost is better than a command that fails."""
    allowed = session.selected.permanent_flags if session.selected else None
    if allowed is None or "\\*" in allowed:
        return list(flags)
    lower = {flag.lower() for flag in allowed}
    return [flag for flag in flags if flag.startswith("\\") or flag.lower() in lower]


def _clearable(session: Session, flags: Iterable[str]) -> list[str]:
    """Without keywords that no message has: naming one would make it known to the mailbox for good."""
    selected = session.selected
    named = selected.flags | (selected.permanent_flags or frozenset()) if selected else frozenset()
    known = {flag.lower() for flag in named}
    return [flag for flag in flags if flag.startswith("\\") or flag.lower() in known]


async def _present(session: Session, uids: Uids) -> Uids:
    if not uids:
        return Uids()
    # Which of them are there is asked by range when they are many: a short question, and the rest is
    # arithmetic.
    asked = uids if len(uids) <= NAMED_AT_ONCE else range(uids.min(), uids.max() + 1)
    return await search(session, search_keys.key_uids(asked)) & uids


async def move(session: Session, uids: Uids, target: str) -> dict[int, int | None]:
    """Move messages to another mailbox; maps each to its new UID (None: not told).

    Without MOVE (RFC 6851) by COPY and expunge. When the server refuses after some have gone, those are
    told and the others can be tried again. Raises `NotFound` when there is no such target, and
    `UpstreamError`.
    """
    _check_removable(session)
    moved: dict[int, int | None] = {}
    present = list(await _present(session, uids))
    for at in range(0, len(present), NAMED_AT_ONCE):
        some = Uids(present[at : at + NAMED_AT_ONCE])
        try:
            moved |= await _move_some(session, some, target)
        except UpstreamRefused as error:
            if error.code == "EXPUNGEISSUED":
                # Somebody was faster with one of them.
                moved |= await _move_some(session, await _present(session, some), target)
                continue
            if moved:
                break
            await _explain(session, target, error)
            raise
    return moved


async def _move_some(session: Session, uids: Uids, target: str) -> dict[int, int | None]:
    """What of these messages went, though the server may say OK without having found any."""
    if not uids:
        return {}
    if "MOVE" in session.capabilities:
        [command] = commands.uid_move(session.dialect, uids, target)
        reply = await session.start(command)
        pairs = _pairs(reply, uids)
        if pairs:  # a refusal after COPYUID means that only these have gone
            return pairs
        session.accept(command, reply)
        silent = reply.code("COPYUID") is None  # what it says may also be beyond belief
        return {} if silent and await _would_tell(session, target) else dict.fromkeys(uids)
    [command] = commands.uid_copy(session.dialect, uids, target)
    pairs = _pairs(await session.execute(command), uids)
    # What is there still was there to be copied; of what somebody removed meanwhile that is not known.
    copied = Uids(pairs) or await _present(session, uids)
    await _remove(session, copied)
    return {uid: pairs.get(uid) for uid in copied}


async def _would_tell(session: Session, target: str) -> bool:
    """Whether a server that says nothing of a move did not move anything: the messages were gone before.

    It has to tell (RFC 4315 3) but for a mailbox that the user may not look at.
    """
    if "UIDPLUS" not in session.capabilities:
        return False
    try:
        await told_next_uid(session, target)
    except (NotFound, UpstreamRefused):
        return False
    return True


def _pairs(reply: Reply, asked: Uids) -> dict[int, int | None]:
    """Old to new UIDs, as COPYUID tells (RFC 4315, untagged with MOVE).

    One that names more than was asked for is not believed, nor is what it says of others.
    """
    code = reply.code("COPYUID")
    if code is None or not isinstance(code.value, CopyUid) or len(code.value) > len(asked):
        return {}
    return {old: new for old, new in code.value.pairs() if old in asked}


async def expunge(session: Session, uids: Uids) -> Uids:
    """Remove messages for good; returns those that were there. Raises `UpstreamError`."""
    _check_removable(session)
    present = await _present(session, uids)
    if present:
        await _remove(session, present)
    return present


def _check_removable(session: Session) -> None:
    """Refuse to remove messages where the user may not (RFC 4314 5.2).

    Servers do not do so reliably: some say OK and remove nothing, and a move leaves a copy.
    """
    selected = session.selected
    if selected is None:
        return
    kept = selected.permanent_flags
    if selected.read_only or (kept is not None and DELETED.lower() not in {flag.lower() for flag in kept}):
        raise UpstreamRefused("messages of this mailbox cannot be removed", code="NOPERM")


async def _remove(session: Session, uids: Uids) -> None:
    """Mark and expunge just these messages.

    EXPUNGE without UIDPLUS removes everything marked \\Deleted. Other messages so marked lose the mark for
    that moment and get it back. If the connection dies in between they stay unmarked, so nothing is lost
    that somebody else did not expunge.
    """
    mark = commands.uid_store(uids, "+", [DELETED], silent=True)
    if "UIDPLUS" in session.capabilities:
        await session.pipeline(*mark, *commands.uid_expunge(uids))
        return
    others = await search(session, search_keys.key("DELETED")) - uids
    spare = commands.uid_store(others, "-", [DELETED], silent=True) if others else []
    restore = commands.uid_store(others, "+", [DELETED], silent=True) if others else []
    await session.pipeline(*spare)
    await session.pipeline(*mark, commands.simple("EXPUNGE"), *restore)


async def append(
    session: Session, mailbox: str, message: bytes | Pieces, flags: Iterable[str], date: datetime | None
) -> tuple[int, int] | None:
    """Store a message; returns (uidvalidity, uid) where told. Raises `NotFound` and `UpstreamError`."""
    command = commands.append(session.dialect, mailbox, message, flags=list(flags), date=date)
    try:
        reply = await session.execute(command)
    except UpstreamRefused as error:
        await _explain(session, mailbox, error)
        raise
    code = reply.code("APPENDUID")
    if code is None or not isinstance(code.value, AppendUid) or len(code.value.uids) != 1:
        return None
    return code.value.uidvalidity, code.value.uids[0]


async def create(session: Session, mailbox: str) -> None:
    """Create a mailbox and subscribe to it. Raises `UpstreamError`."""
    try:
        await session.execute(commands.on_mailbox(session.dialect, "CREATE", mailbox))
    except UpstreamRefused as error:
        if error.code != "ALREADYEXISTS" and not await mailbox_exists(session, mailbox):
            raise
    # A mailbox that cannot be subscribed to is still a mailbox.
    await session.start(commands.on_mailbox(session.dialect, "SUBSCRIBE", mailbox))


async def _explain(session: Session, mailbox: str, error: UpstreamRefused) -> None:
    """Raise `NotFound` when a command was refused because there is no such mailbox."""
    if error.code in ("TRYCREATE", "NONEXISTENT") or (
        not error.code and not await mailbox_exists(session, mailbox)
    ):
        raise NotFound(f"mailbox: {error.detail}") from error
