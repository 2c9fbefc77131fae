"""Renaming and removing mailboxes, and their subscriptions with them."""

from __future__ import annotations

from gateway.errors import AlreadyExists, NotFound, UpstreamRefused
from gateway.upstream.imap import commands
from gateway.upstream.imap.listing import find
from gateway.upstream.imap.responses import List, StatusData
from gateway.upstream.imap.session import Session
from gateway.upstream.imap.snapshot import select

_INBOX = "INBOX"
_FIRST_UID = 1


async def rename(session: Session, mailbox: str, name: str) -> None:
    """Rename a mailbox with all below it. Raises `NotFound`, `AlreadyExists` and `UpstreamError`."""
    found = await find(session, mailbox)
    if found is None:
        raise NotFound("no mailbox to rename")
    # A server may rename onto a name that only stands for the mailboxes below it.
    if await find(session, name) is not None:
        raise AlreadyExists("there is a mailbox of the new name")
    subscribed = await _subscribed(session, mailbox, found.delimiter)
    await _leave(session, mailbox, found.delimiter)
    try:
        await session.execute(commands.rename(session.dialect, mailbox, name))
    except UpstreamRefused as error:
        if error.code == "ALREADYEXISTS":
            raise AlreadyExists(error.detail) from error
        if error.code == "NONEXISTENT":
            raise NotFound(error.detail) from error
        raise
    # A subscription that cannot be changed does not undo the renaming.
    for old in subscribed:
        await session.start(commands.on_mailbox(session.dialect, "SUBSCRIBE", name + old[len(mailbox) :]))
        await session.start(commands.on_mailbox(session.dialect, "UNSUBSCRIBE", old))


async def delete(session: Session, mailbox: str) -> None:
    """Remove a mailbox that has none below it. Raises `NotFound` and `UpstreamError`."""
    found = await find(session, mailbox)
    if found is None:
        raise NotFound("no mailbox to delete")
    await _leave(session, mailbox, found.delimiter)
    # Before, since some servers know no subscription to what is not there.
    await session.start(commands.on_mailbox(session.dialect, "UNSUBSCRIBE", mailbox))
    try:
        await session.execute(commands.on_mailbox(session.dialect, "DELETE", mailbox))
    except UpstreamRefused as error:
        if error.code == "NONEXISTENT":
            raise NotFound(error.detail) from error
        await session.start(commands.on_mailbox(session.dialect, "SUBSCRIBE", mailbox))
        raise


async def next_uid(session: Session, mailbox: str) -> tuple[int, int]:
    """(UIDVALIDITY, UIDNEXT); may select the mailbox. Raises `NotFound` and `UpstreamError`.

    Some servers (Courier) tell the time of day as UIDVALIDITY of a mailbox that nobody has opened yet.
    """
    uidvalidity, uidnext = await told_next_uid(session, mailbox)
    if uidnext <= _FIRST_UID:
        _, selected = await select(session, mailbox)
        uidvalidity = selected.uidvalidity
    return uidvalidity, uidnext


async def told_next_uid(session: Session, mailbox: str) -> tuple[int, int]:
    """UIDVALIDITY and UIDNEXT as STATUS tells them. Raises `NotFound` and `UpstreamError`."""
    try:
        reply = await session.execute(commands.status(session.dialect, mailbox, ["UIDVALIDITY", "UIDNEXT"]))
    except UpstreamRefused as error:
        if error.code == "NONEXISTENT" or await find(session, mailbox) is None:
            raise NotFound(f"mailbox: {error.detail}") from error
        raise
    for told in reply.of(StatusData):
        if told.mailbox == mailbox and told.values.keys() >= {"UIDVALIDITY", "UIDNEXT"}:
            return told.values["UIDVALIDITY"], told.values["UIDNEXT"]
    raise session.confused("STATUS did not tell what was asked for")


async def _subscribed(session: Session, mailbox: str, delimiter: str | None) -> list[str]:
    """Which of a mailbox and those below it are subscribed to."""
    reply = await session.execute(commands.subscribed_mailboxes(session.dialect))
    return [item.name for item in reply.of(List) if _within(item.name, mailbox, delimiter)]


async def _leave(session: Session, mailbox: str, delimiter: str | None) -> None:
    """Have something else selected: some servers do not touch a mailbox that is."""
    if session.selected is not None and _within(session.selected.mailbox, mailbox, delimiter):
        await session.select(_INBOX)


def _within(name: str, mailbox: str, delimiter: str | None) -> bool:
    return name == mailbox or (bool(delimiter) and name.startswith(f"{mailbox}{delimiter}"))
