"""Logged-in connections, kept for use again: few per user, bounded in all, never with another password.

A connection is leased to one group of commands at a time, preferably one that has the wanted mailbox
selected already. Connections nobody used for a while are closed, as is the one longest unused when room is
needed. Where the server allows a user fewer connections than the settings do, or other programs have the
others, those he has are shared. After the server could not be reached, nobody asks it again for a moment that
doubles with every failure.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from gateway.errors import AuthenticationFailed, UpstreamCrowded, UpstreamError, UpstreamUnavailable
from gateway.types import Credentials
from gateway.upstream.fingerprint import Fingerprint, fingerprint
from gateway.upstream.imap.handshake import log_in, open_connection
from gateway.upstream.imap.session import Session
from gateway.upstream.imap.settings import ImapSettings

FIRST_PAUSE = 0.25
LONGEST_PAUSE = 8.0
"""Seconds without a new attempt after the second failure in a row, and at most."""
CROWDED_PAUSES = (0.1, 0.3, 1.0)
"""Seconds between attempts to open a connection in the place of one just closed: the server may still count
that one."""
CROWDED_SECONDS = 60.0
"""How long a server is believed that allows a user no more connections than he had."""


@dataclass(slots=True, eq=False)
class _Entry:
    """A connection of the pool."""

    session: Session
    login: str
    fingerprint: Fingerprint
    idle_since: float = 0.0
    spare: bool = False


@dataclass(slots=True)
class _User:
    """The connections of one login. `open` counts all of them: idle, leased and just being opened."""

    idle: list[_Entry] = field(default_factory=list)
    open: int = 0
    waiting: int = 0
    allowed: int = 0
    """How many the server allowed last, which is believed until `allowed_until`."""
    allowed_until: float = 0.0


class Pool:
    """Leases sessions. `on_refused` is called with the fingerprint of credentials the server turned down."""

    def __init__(
        self, settings: ImapSettings, on_refused: Callable[[Fingerprint], None] = lambda _: None
    ) -> None:
        self.settings = settings
        self._on_refused = on_refused
        self._users: dict[str, _User] = {}
        self._idle: dict[_Entry, None] = {}
        """All idle connections, the one longest unused first."""
        self._leased: set[_Entry] = set()
        self._open = 0
        self._checking = 0
        """Connections over which credentials are being tried."""
        self._waiters: set[asyncio.Future[None]] = set()
        self._reaper: asyncio.TimerHandle | None = None
        self._failures = 0
        self._pause_until = 0.0
        self._closed = False

    @asynccontextmanager
    async def lease(
        self,
        credentials: Credentials,
        mailbox: str | None = None,
        *,
        fresh: bool = False,
        spare: bool = False,
    ) -> AsyncIterator[Session]:
        """A session of one's own while the context lasts; `fresh` demands a new connection.

        A `spare` one is closed at any time when the server allows the user no other. An ailing session is
        closed at the end, and one with a command still under way. Raises `AuthenticationFailed` and
        `UpstreamError`.
        """
        entry = await self._acquire(credentials, mailbox, fresh=fresh)
        entry.session.uses += 1
        entry.spare = spare
        try:
            yield entry.session
        finally:
            entry.spare = False
            self._release(entry)

    async def check(self, credentials: Credentials) -> None:
        """Log in with credentials that proved nothing yet, beside the connections of the login.

        It neither waits for those nor closes one of them: whoever guesses passwords must not take them from
        the user. The connection stays if there is room. Raises `AuthenticationFailed` and `UpstreamError`.
        """
        mark = fingerprint(credentials)
        self._checking += 1
        try:
            session = await self._connect()
            await log_in(session, credentials)
        except AuthenticationFailed:
            self._refused(credentials.login, mark)
            raise
        finally:
            self._checking -= 1
        user = self._users.get(credentials.login)
        room = user is None or user.open < self.settings.max_connections_per_user
        if self._closed or session.closed or not room or self._open >= self.settings.max_connections:
            session.close()
            return
        session.uses += 1
        self._one_more(credentials.login)
        self._release(self._lease_of(session, credentials.login, mark))

    def allowed(self, login: str) -> int:
        """How many connections a login may have, as far as is known."""
        user, most = self._users.get(login), self.settings.max_connections_per_user
        if user is not None and asyncio.get_running_loop().time() < user.allowed_until:
            return min(most, user.allowed)
        return most

    async def aclose(self) -> None:
        """Close every connection; leased ones too, failing what runs on them."""
        self._closed = True
        if self._reaper is not None:
            self._reaper.cancel()
        for entry in (*self._idle, *self._leased):
            entry.session.close()
        self._wake()
        # Transports close in the next turn of the loop.
        await asyncio.sleep(0)

    @property
    def open_connections(self) -> int:
        """How many connections there are."""
        return self._open + self._checking

    # --- taking and giving back ----------------------------------------------------------------------------

    async def _acquire(self, credentials: Credentials, mailbox: str | None, *, fresh: bool) -> _Entry:
        mark = fingerprint(credentials)
        if not fresh and not self._closed and (entry := self._take(credentials.login, mark, mailbox)):
            return entry
        pauses = iter(CROWDED_PAUSES)
        while True:
            entry = await self._idle_or_room(credentials.login, mark, mailbox, fresh=fresh)
            if entry is not None:
                return entry
            try:
                return await self._open_for(credentials, mark)
            except UpstreamCrowded:
                pause = next(pauses, None)
                if pause is None or not self._make_do(credentials.login, fresh=fresh):
                    raise
                await asyncio.sleep(pause)

    async def _idle_or_room(
        self, login: str, mark: Fingerprint, mailbox: str | None, *, fresh: bool
    ) -> _Entry | None:
        """An idle connection, or None when there is room for a new one; waits for the one or the other."""
        user = self._users.setdefault(login, _User())
        user.waiting += 1
        try:
            async with asyncio.timeout(self.settings.timeout):
                while not self._closed:
                    if not fresh and (entry := self._take(login, mark, mailbox)) is not None:
                        return entry
                    if self._make_room(login, user):
                        break
                    await self._wait()
        except TimeoutError:
            detail = f"no free connection within {self.settings.timeout:g} s"
            raise UpstreamUnavailable(detail) from None
        finally:
            user.waiting -= 1
            self._forget_if_unused(login, user)
        if self._closed:
            raise UpstreamUnavailable("shutting down")
        return None

    def _make_do(self, login: str, *, fresh: bool) -> bool:
        """The server allows no further connection: whether one of ours may be shared or replaced."""
        user, now = self._users.get(login), asyncio.get_running_loop().time()
        if user is None or (not user.open and now >= user.allowed_until):
            return False  # others have them all
        leased = [entry for entry in self._leased if entry.login == login]
        there = len(user.idle) + len(leased)
        single = there == 1 and any(entry.spare for entry in leased)
        if (there > 1 or single) and now >= user.allowed_until:
            user.allowed, user.allowed_until = there, now + CROWDED_SECONDS
        if single:
            leased[0].session.close()
        elif fresh and user.idle:
            user.idle[0].session.close()
        return True

    def _make_room(self, login: str, user: _User) -> bool:
        """Whether one more connection may be opened now; closes unused ones for it."""
        if user.open >= self.allowed(login):
            if not user.idle:
                return False
            user.idle[0].session.close()
        elif self._open >= self.settings.max_connections:
            if not self._idle:
                return False
            next(iter(self._idle)).session.close()
        return True

    async def _open_for(self, credentials: Credentials, mark: Fingerprint) -> _Entry:
        login = credentials.login
        self._one_more(login)
        try:
            session = await self._connect()
            await log_in(session, credentials)
        except BaseException as error:
            self._one_less(login)
            if isinstance(error, AuthenticationFailed):
                self._refused(login, mark)
            raise
        entry = self._lease_of(session, login, mark)
        if session.closed or self._closed:
            # It died between the end of the login and here.
            session.close()
            self._gone(entry)
            raise UpstreamUnavailable("connection lost after the login")
        return entry

    def _lease_of(self, session: Session, login: str, mark: Fingerprint) -> _Entry:
        entry = _Entry(session, login, mark)
        session.on_close = lambda: self._gone(entry)
        self._leased.add(entry)
        return entry

    def _refused(self, login: str, mark: Fingerprint) -> None:
        """Connections made while these credentials were good prove nothing any more."""
        user = self._users.get(login)
        for entry in list(user.idle) if user else ():
            if entry.fingerprint == mark:
                entry.session.close()
        self._on_refused(mark)

    async def _connect(self) -> Session:
        loop = asyncio.get_running_loop()
        if loop.time() < self._pause_until:
            raise UpstreamUnavailable(f"{self.settings.host} did not answer a moment ago")
        try:
            session = await open_connection(self.settings)
        except UpstreamError:
            self._failures += 1
            if self._failures > 1:
                pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._failures - 2, 16))
                self._pause_until = loop.time() + pause * random.uniform(0.8, 1.2)  # noqa: S311  # no secret
            raise
        self._failures = 0
        return session

    def _take(self, login: str, mark: Fingerprint, mailbox: str | None) -> _Entry | None:
        """Lease an idle connection, if there is one."""
        user = self._users.get(login)
        entry = _best(user.idle, mark, mailbox) if user is not None else None
        if user is None or entry is None:
            return None
        user.idle.remove(entry)
        del self._idle[entry]
        self._leased.add(entry)
        return entry

    def _release(self, entry: _Entry) -> None:
        entry.session.listener = entry.session.on_lost = None
        if entry.session.busy or entry.session.ailing or self._closed:
            entry.session.close()
        if entry.session.closed:
            return
        self._leased.discard(entry)
        entry.idle_since = asyncio.get_running_loop().time()
        self._users[entry.login].idle.append(entry)
        self._idle[entry] = None
        self._reap_later(self.settings.idle_seconds)
        self._wake()

    def _gone(self, entry: _Entry) -> None:
        """A connection has closed, for whatever reason; called once for each."""
        if entry in self._idle:
            del self._idle[entry]
            self._users[entry.login].idle.remove(entry)
        elif entry in self._leased:
            self._leased.discard(entry)
        else:
            return
        self._one_less(entry.login)

    def _one_more(self, login: str) -> None:
        self._users.setdefault(login, _User()).open += 1
        self._open += 1

    def _one_less(self, login: str) -> None:
        user = self._users[login]
        user.open -= 1
        self._open -= 1
        self._forget_if_unused(login, user)
        self._wake()

    def _forget_if_unused(self, login: str, user: _User) -> None:
        # What a crowded server allows is remembered by few, and until they come again.
        crowded = asyncio.get_running_loop().time() < user.allowed_until
        if not user.open and not user.waiting and not crowded and self._users.get(login) is user:
            del self._users[login]

    # --- waiting and tidying -------------------------------------------------------------------------------

    async def _wait(self) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _reap_later(self, seconds: float) -> None:
        if self._reaper is None and not self._closed:
            self._reaper = asyncio.get_running_loop().call_later(seconds, self._reap)

    def _reap(self) -> None:
        self._reaper = None
        now = asyncio.get_running_loop().time()
        for entry in [entry for entry in self._idle if now - entry.idle_since >= self.settings.idle_seconds]:
            entry.session.close()
        if self._idle:
            oldest = next(iter(self._idle))
            self._reap_later(max(0.1, oldest.idle_since + self.settings.idle_seconds - now))


def _best(idle: list[_Entry], mark: Fingerprint, mailbox: str | None) -> _Entry | None:
    """The idle connection to use: with the mailbox selected, else with none, else the one longest unused.

    Of several with the mailbox selected, and for want of a preference, the one most recently used: it is the
    likeliest to be alive and has the least to learn, and the others may go when nobody needs them.
    """
    fitting = [entry for entry in idle if entry.fingerprint == mark and not entry.session.closed]
    if not fitting:
        return None
    if mailbox is None:
        return fitting[-1]
    unselected = None
    for entry in reversed(fitting):
        selected = entry.session.selected
        if selected is None:
            unselected = entry
        elif selected.mailbox == mailbox:
            return entry
    return unselected or fitting[0]
