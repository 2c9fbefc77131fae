"""The user's mailboxes: LIST with its extensions, the personal namespace, and what each mailbox is for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gateway.types import Mailbox
from gateway.upstream.imap import commands, utf7
from gateway.upstream.imap.responses import List, NamespaceEntry, StatusData
from gateway.upstream.imap.roles import assign_roles
from gateway.upstream.imap.session import Session

UNSELECTABLE = frozenset({"\\Noselect", "\\NonExistent"})


async def list_mailboxes(session: Session) -> list[Mailbox]:
    """The user's mailboxes, INBOX first, parents before children. Raises `UpstreamError`.

    They are those of his personal namespace, with `shared_mailboxes` of all namespaces, and no more than
    `max_mailboxes`: of too many INBOX, those with a role, and the first by depth and name. UIDVALIDITY and
    MAILBOXID (RFC 8474) are told only where LIST can return them (RFC 5819).
    """
    offered = session.capabilities
    returns = ["SPECIAL-USE"] if "SPECIAL-USE" in offered else []
    status: list[str] = []
    if "LIST-STATUS" in offered:
        status = ["UIDVALIDITY", "MAILBOXID"] if "OBJECTID" in offered else ["UIDVALIDITY"]
    if not offered & {"LIST-EXTENDED", "LIST-STATUS"}:
        # Servers with the first edition of SPECIAL-USE show the attributes unasked.
        returns = []
    command = commands.list_mailboxes(session.dialect, "*", returns=returns, status=status)
    reply = await session.execute(command)
    told = {data.mailbox: data for data in reply.of(StatusData)}
    listed = {item.name: item for item in reply.of(List)}
    if "INBOX" not in listed:
        # A namespace may leave it out of "*", but it always exists (RFC 3501 5.1).
        reply = await session.execute(commands.list_mailboxes(session.dialect, "INBOX"))
        listed |= {item.name: item for item in reply.of(List)}
    personal = _Personal(session)
    own = [item for item in listed.values() if personal.includes(item.name)]
    described = [(_mailbox(item, told.get(item.name), session), item.attributes) for item in own]
    described = [
        (replace(mailbox, prefix=personal.prefix if mailbox.name == "INBOX" else ""), attributes)
        for mailbox, attributes in described
    ]
    mailboxes = _ordered(_fewer(assign_roles(described, personal.prefix), session.settings.max_mailboxes))
    if session.settings.shared_mailboxes:
        foreign = [item for item in listed.values() if not personal.includes(item.name)]
        shared = _ordered(
            replace(_mailbox(item, told.get(item.name), session), shared=True) for item in foreign
        )
        mailboxes += shared[: session.settings.max_mailboxes - len(mailboxes)]
    return mailboxes


async def find(session: Session, mailbox: str) -> List | None:
    """What LIST says of a mailbox, which may be one that cannot be selected. Raises `UpstreamError`."""
    # Cyrus 3.6 ends the connection at a brace in a pattern.
    pattern = "*" if any(special in mailbox for special in "*%{}") else mailbox
    reply = await session.execute(commands.list_mailboxes(session.dialect, pattern))
    there = (item for item in reply.of(List) if "\\NonExistent" not in item.attributes)
    return next((item for item in there if item.name == mailbox), None)


async def exists(session: Session, mailbox: str) -> bool:
    """Whether there is a mailbox of that name that can be selected. Raises `UpstreamError`."""
    item = await find(session, mailbox)
    return item is not None and not item.attributes & UNSELECTABLE


class _Personal:
    """Which names are in the user's own namespace (RFC 2342)."""

    def __init__(self, session: Session) -> None:
        namespace = session.namespace
        personal = namespace.personal if namespace else ()
        foreign: Sequence[NamespaceEntry] = (*namespace.other, *namespace.shared) if namespace else ()
        self.prefix = personal[0].prefix if personal else ""
        self._foreign = [entry for entry in foreign if entry.prefix]

    def includes(self, name: str) -> bool:
        """Whether the mailbox is the user's own; the root of a foreign namespace is not."""
        return not any(
            name.startswith(entry.prefix) or name + (entry.delimiter or "") == entry.prefix
            for entry in self._foreign
        )


def _mailbox(item: List, status: StatusData | None, session: Session) -> Mailbox:
    selectable = not item.attributes & UNSELECTABLE and _can_be_named(item, session)
    return Mailbox(
        _text(item.name),
        item.delimiter,
        selectable=selectable,
        uidvalidity=status.values.get("UIDVALIDITY") if status else None,
        mailbox_id=status.mailbox_id if status else None,
    )


def _text(name: str) -> str:
    """A name as proper Unicode: octets that are none, which some servers let into names, stand as escapes."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _can_be_named(item: List, session: Session) -> bool:
    """Whether the decoded name leads back to the mailbox: not if it is no proper UTF-7 (RFC 3501 5.1.3)."""
    if item.name == "INBOX" or session.dialect.utf8:
        return True
    try:
        return utf7.encode(item.name) == item.raw_name
    except UnicodeEncodeError:
        return False


def _fewer(mailboxes: Sequence[Mailbox], most: int) -> Sequence[Mailbox]:
    if len(mailboxes) <= most:
        return mailboxes

    def rank(mailbox: Mailbox) -> tuple[bool, int, str]:
        return mailbox.role is None, mailbox.name.count(mailbox.delimiter or "\0"), mailbox.name

    return sorted(mailboxes, key=rank)[:most]


def _ordered(mailboxes: Iterable[Mailbox]) -> list[Mailbox]:
    def place(mailbox: Mailbox) -> tuple[bool, list[str]]:
        parts = mailbox.name.split(mailbox.delimiter) if mailbox.delimiter else [mailbox.name]
        return mailbox.name != "INBOX", parts

    return sorted(mailboxes, key=place)
