"""The ways to notice changes, best first: NOTIFY, IDLE with polling, polling on a borrowed connection.

NOTIFY (RFC 5465) tells of every mailbox; which ones there are, and the STATUS of those that are watched, is
asked at first and now and then all the same: a busy server may pass over a change. Else the connection idles
(RFC 2177) in one mailbox, INBOX if that is watched, and the others are asked for their STATUS once per
interval; without IDLE all of them are. A user who may have only one connection gets no watching one: STATUS
is then asked on a connection borrowed for a moment. NOTIFY is asked for the personal namespace, so it is not
used where shared mailboxes are shown. Of a mailbox that was deleted or renamed its subscribers are told like
of any change.

What STATUS does not show (a flag other than \\Seen on a server without CONDSTORE) is not noticed in polled
mailboxes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol

from gateway.errors import NotFound
from gateway.ports import NAMES
from gateway.types import Credentials
from gateway.upstream.imap import commands
from gateway.upstream.imap.exchange import Reply
from gateway.upstream.imap.listing import UNSELECTABLE
from gateway.upstream.imap.pool import Pool
from gateway.upstream.imap.responses import (
    Exists,
    Expunge,
    Fetch,
    List,
    Response,
    Status,
    StatusData,
    Tagged,
    Vanished,
)
from gateway.upstream.imap.session import Session
from gateway.upstream.imap.snapshot import select
from gateway.upstream.imap.syntax import Command

LONGEST_IDLE = 28 * 60.0
"""Most seconds of one IDLE: servers may log out whoever idles for 30 minutes (RFC 2177)."""
KEEP_ALIVE = 300.0
"""Seconds between signs of life under NOTIFY, about."""
ROUNDS_WITHOUT_NAMES = 10
"""Poll intervals between looks at which mailboxes there are under NOTIFY, which may not tell who went."""
LIST_STATUS_FROM = 8
"""From so many mailboxes on, one LIST with STATUS is cheaper than a STATUS for each, unless most mailboxes of
the user are not watched."""
EVENTS = ("MessageNew", "MessageExpunge", "FlagChange")
NAME_EVENT = "MailboxName"
"""Mailboxes made, renamed and deleted; some servers do not tell of those."""
_NUMBERS = ("MESSAGES", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "HIGHESTMODSEQ")
"""What of a STATUS tells of a change; the last one is asked where there is CONDSTORE."""


class Hub(Protocol):
    """Where the subscribers are and the notices go; see `watch.Watcher`."""

    @property
    def mailboxes(self) -> set[str]: ...

    def notice(self, mailboxes: Collection[str]) -> None: ...

    def begin_round(self) -> Callable[[], None]: ...

    def wake(self) -> None: ...

    async def pause(self, seconds: float) -> bool: ...


async def push(session: Session, hub: Hub) -> None:
    """Watch over a connection of one's own. Ends by raising `UpstreamError`."""
    session.on_lost = hub.wake
    if "NOTIFY" in session.capabilities and not session.settings.shared_mailboxes:
        notify = _Notify(session, hub)
        if await notify.start():
            await notify.keep()
    await _idle_and_poll(session, hub)


async def borrow(pool: Pool, credentials: Credentials, hub: Hub) -> None:
    """Poll over connections of the pool while the user may have only one.

    Raises `AuthenticationFailed` and `UpstreamError`.
    """
    known: dict[str, Mapping[str, int]] = {}
    while pool.allowed(credentials.login) == 1:
        stands = hub.begin_round()
        async with pool.lease(credentials) as session:
            await _poll(session, hub, hub.mailboxes, known)
        stands()
        await hub.pause(_jittered(pool.settings.poll_interval))


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(0.9, 1.1)  # noqa: S311  # no secret


# --- NOTIFY ------------------------------------------------------------------------------------------------


class _Notify:
    """What a server under NOTIFY tells unasked, and a look at what it may have left out."""

    def __init__(self, session: Session, hub: Hub) -> None:
        self._session = session
        self._hub = hub
        self._asking = False
        self._names_changed = False
        self._names: int | None = None
        """The hash of the names that were there when they were last looked at."""
        self._asked: set[str] = set()
        """Mailboxes whose STATUS is being asked for."""
        self._known: dict[str, tuple[int | None, ...]] = {}
        """`_NUMBERS` of each mailbox as of the last look, and as told since; () when it was not told."""

    async def start(self) -> bool:
        """Whether the server tells of everything from now on."""
        session = self._session
        session.listener = self._listen
        for events in ((*EVENTS, NAME_EVENT), EVENTS):
            reply = await session.start(commands.notify_personal(events))
            if reply.succeeded:
                return True
        return False

    async def keep(self) -> None:
        """Ends by raising `UpstreamError`."""
        session = self._session
        quiet = min(KEEP_ALIVE, session.settings.poll_interval * ROUNDS_WITHOUT_NAMES)
        while True:
            while unknown := self._hub.mailboxes - self._known.keys():
                await self._look_at(unknown)
            self._hub.begin_round()()
            if await self._hub.pause(_jittered(quiet)) or self._names_changed:
                self._names_changed = False
                await self._look_for_names()
                wanted = self._hub.mailboxes
                self._known = {mailbox: self._known[mailbox] for mailbox in self._known.keys() & wanted}
                await self._look_at(wanted)
            session.check()

    def _listen(self, response: Response) -> None:
        if isinstance(response, StatusData):
            self._told(response.mailbox, response.values)
        elif isinstance(response, List) and not self._asking:
            self._hub.notice([NAMES, response.name, response.old_name or response.name])
            self._names_changed = True
            self._hub.wake()
        elif isinstance(response, Status) and response.code and response.code.name == "NOTIFICATIONOVERFLOW":
            # The server gives up; so does this connection.
            self._session.close()

    def _told(self, mailbox: str, numbers: Mapping[str, int]) -> None:
        """A STATUS came: unasked, which tells of a change, or as an answer, which may show one."""
        known, asked = self._known.get(mailbox), mailbox in self._asked
        before = known or (None,) * len(_NUMBERS)
        now = tuple(numbers.get(name, number) for name, number in zip(_NUMBERS, before, strict=True))
        # Dovecot also tells of a mailbox that it opened for the first time, to say its STATUS.
        if known == now and (asked or _NUMBERS[-1] in numbers):
            return
        # Who asked for what is not known yet will see for himself once he was told that the watch stands.
        if not asked or known is not None:
            self._hub.notice([mailbox])
        if asked or known is not None:
            self._known[mailbox] = now

    async def _look_at(self, mailboxes: set[str]) -> None:
        """See whether mailboxes are as they are known, and know those that are not known yet."""
        self._asked = set(mailboxes)
        try:
            await _ask(self._session, _each(self._session, mailboxes))
        finally:
            self._asked = set()
        for mailbox in mailboxes:
            self._known.setdefault(mailbox, ())

    async def _look_for_names(self) -> None:
        """Give a sign of life, and tell of mailboxes that came and went.

        Of a renamed one Dovecot 2.3 may tell nothing.
        """

        def ended(_tagged: Tagged, _responses: object) -> None:
            self._asking = False

        session = self._session
        command = commands.list_mailboxes(session.dialect, "*")
        self._asking = True
        reply = session.accept(command, await session.start(command, ended))
        there = {item.name for item in reply.of(List) if not item.attributes & UNSELECTABLE}
        self._hub.notice(self._hub.mailboxes - there - {"INBOX"})
        names = hash(frozenset(there))
        if self._names not in {None, names}:
            self._hub.notice([NAMES])
        self._names = names


# --- IDLE and STATUS ---------------------------------------------------------------------------------------


async def _idle_and_poll(session: Session, hub: Hub) -> None:
    known: dict[str, Mapping[str, int]] = {}
    while True:
        stands = hub.begin_round()
        wanted = hub.mailboxes
        idling = await _select_for_idle(session, hub, wanted) if "IDLE" in session.capabilities else None
        # INBOX cannot go; that another one went not every server tells those who idle in it.
        await _poll(session, hub, wanted - ({idling} & {"INBOX"}), known)
        if idling is not None:
            await session.idle()
        stands()
        await hub.pause(min(_jittered(session.settings.poll_interval), LONGEST_IDLE))
        if idling is not None:
            await session.done()
        session.check()


async def _select_for_idle(session: Session, hub: Hub, wanted: set[str]) -> str | None:
    """Select the mailbox to idle in, and listen for it; None when there is none."""
    mailbox = "INBOX" if "INBOX" in wanted else min(wanted, default="INBOX")
    if session.selected is not None and session.selected.mailbox == mailbox:
        return mailbox

    def listen(response: Response) -> None:
        if isinstance(response, Exists | Expunge | Vanished | Fetch):
            hub.notice([mailbox])

    session.listener = None
    try:
        await select(session, mailbox)
    except NotFound:
        hub.notice([mailbox])
        return None
    session.listener = listen
    return mailbox


async def _poll(session: Session, hub: Hub, wanted: set[str], known: dict[str, Mapping[str, int]]) -> None:
    """Ask for the STATUS of mailboxes and tell of those in which it is another than in `known`."""
    now = await _status(session, wanted)
    for mailbox in wanted:
        if mailbox in known and known[mailbox] != now.get(mailbox, {}):
            hub.notice([mailbox])
    known.clear()
    known.update({mailbox: now.get(mailbox, {}) for mailbox in wanted})


async def _status(session: Session, wanted: set[str]) -> dict[str, Mapping[str, int]]:
    """The numbers of each mailbox that is there."""
    if not wanted:
        return {}
    dialect, asked = session.dialect, _each(session, wanted)
    if "LIST-STATUS" in session.capabilities and len(wanted) >= LIST_STATUS_FROM:
        there = await session.execute(commands.list_mailboxes(dialect, "*"))
        if sum(1 for _ in there.of(List)) <= 2 * len(wanted):
            asked = [commands.list_mailboxes(dialect, "*", status=_numbers(session))]
    # A selected mailbox may show its STATUS as of the last time the session looked: NOOP looks.
    replies = await _ask(session, [commands.simple("NOOP"), *asked])
    return {data.mailbox: data.values for reply in replies for data in reply.of(StatusData)}


def _each(session: Session, wanted: set[str]) -> list[Command]:
    """A STATUS for each mailbox."""
    return [commands.status(session.dialect, mailbox, _numbers(session)) for mailbox in sorted(wanted)]


def _numbers(session: Session) -> Sequence[str]:
    return _NUMBERS if "CONDSTORE" in session.capabilities else _NUMBERS[:-1]


async def _ask(session: Session, several: Iterable[Command]) -> list[Reply]:
    """Send commands at once; the replies, also of those that were refused."""
    with session.together():
        futures = [session.start(command) for command in several]
    return [await future for future in futures]
