"""The port `Filters` on ManageSieve: one script of our own beside the user's.

While a user is away, the gateway's script is the active one and includes his. There is no transaction over
storing and activating, so what is active says whether replies are sent: a script stored and not activated,
because the process died in between, changes nothing, and repeating the request ends what was begun.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from weakref import WeakValueDictionary

from gateway.errors import Kind, Refused, UpstreamUnavailable
from gateway.ports.filters import AwayState, OutOfOffice
from gateway.types import Credentials, Principal, UserId
from gateway.upstream.sieve import script
from gateway.upstream.sieve.script import NAME, Stored
from gateway.upstream.sieve.session import Session
from gateway.upstream.sieve.settings import SieveSettings
from gateway.upstream.tls import client_context

__all__ = ["SieveFilters"]

_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class _Found:
    """What is on the server: all names, the active one ("": none), and the gateway's script if it is one."""

    names: frozenset[str]
    active: str
    stored: Stored | None
    text: str
    """Of the script with the gateway's name, whoever wrote it."""

    @property
    def away(self) -> OutOfOffice:
        """What holds: nobody is answered unless the gateway's script is active."""
        if self.stored is None:
            return OutOfOffice()
        return self.stored.away if self.active == NAME else replace(self.stored.away, state=AwayState.OFF)

    @property
    def own(self) -> str:
        """The script that the user has active, but for the gateway; "" without one."""
        if self.active != NAME:
            return self.active
        included = self.stored.included if self.stored else ""
        return included if included in self.names else ""


class SieveFilters:
    """Out-of-office replies of users, by connections that last for one request."""

    def __init__(self, settings: SieveSettings) -> None:
        self._settings = settings
        self._slots = asyncio.Semaphore(settings.max_connections)
        self._turns: WeakValueDictionary[UserId, asyncio.Lock] = WeakValueDictionary()

    async def out_of_office(self, principal: Principal) -> OutOfOffice:
        """See `ports.Filters`."""
        async with self._session(principal) as session:
            return (await _look(session)).away

    async def change_out_of_office(
        self,
        principal: Principal,
        addresses: tuple[str, ...],
        change: Callable[[OutOfOffice], Awaitable[OutOfOffice]],
    ) -> None:
        """See `ports.Filters`."""
        async with self._session(principal) as session:
            for _ in range(_ATTEMPTS):
                if await _change(session, addresses, change):
                    return
        raise UpstreamUnavailable("somebody else goes on changing which Sieve script is active")

    async def connect(self, credentials: Credentials | None) -> Session:
        """Open a connection, with a login or without one; whoever uses it bounds the time and closes it.

        Raises `AuthenticationFailed` and `UpstreamError`.
        """
        return await Session.connect(self._settings, await self._tls(), credentials)

    @asynccontextmanager
    async def _session(self, principal: Principal) -> AsyncIterator[Session]:
        """A connection for one request, within the time-out; requests of one user take turns."""
        settings = self._settings
        turn = self._turns.setdefault(principal.user, asyncio.Lock())
        try:
            async with asyncio.timeout(settings.timeout), turn, self._slots:
                session = await self.connect(principal.credentials)
                try:
                    yield session
                finally:
                    session.close()
        except TimeoutError as error:
            raise UpstreamUnavailable(f"{settings.host}:{settings.port} does not answer in time") from error

    async def _tls(self) -> ssl.SSLContext | None:
        settings = self._settings
        if settings.security == "none":
            return None
        try:
            return await asyncio.to_thread(client_context, settings.ca_file, settings.verify)
        except OSError as error:
            raise UpstreamUnavailable(f"sieve.ca_file {settings.ca_file} cannot be used: {error}") from error


async def _look(session: Session) -> _Found:
    scripts = await session.scripts()
    text = await session.read(NAME) if NAME in scripts else ""
    active = next((name for name, active in scripts.items() if active), "")
    return _Found(frozenset(scripts), active, script.parse(text), text)


async def _change(
    session: Session, addresses: tuple[str, ...], change: Callable[[OutOfOffice], Awaitable[OutOfOffice]]
) -> bool:
    """Do it; False when somebody activated another script meanwhile, so that all is to be looked at anew."""
    found = await _look(session)
    if NAME in found.names and found.stored is None:
        raise Refused(Kind.CONFLICT, f"the Sieve script {NAME} was not made by the gateway, or was changed")
    away = await change(found.away)
    if away.state is AwayState.OFF:
        if found.active == NAME and not await _activate(session, found, found.own):
            return False
        await _store(session, found, Stored(away), addresses)
        return True
    wanted = Stored(away, found.own)
    await _check(session, wanted)
    await _store(session, found, wanted, addresses)
    return found.active == NAME or await _activate(session, found, NAME)


async def _store(session: Session, found: _Found, wanted: Stored, addresses: tuple[str, ...]) -> None:
    """Store the script; for a user who never set anything, and sets nothing, there is none to store."""
    if found.text or wanted.away != OutOfOffice():
        await session.store(NAME, await asyncio.to_thread(script.render, wanted, addresses))


async def _activate(session: Session, found: _Found, name: str) -> bool:
    """Activate a script, unless the active one is not the one found any more."""
    scripts = await session.scripts()
    if next((one for one, active in scripts.items() if active), "") != found.active:
        return False
    await session.activate(name)
    return True


async def _check(session: Session, wanted: Stored) -> None:
    """Raises `Refused` for what the server cannot do, or would do wrong."""
    missing = script.needs(wanted) - session.extensions
    if missing:
        raise Refused(Kind.ACCESS_DENIED, f"the Sieve server has no {', '.join(sorted(missing))}")
    if wanted.included:
        own = await session.read(wanted.included)
        if await asyncio.to_thread(script.answers_by_itself, own):
            raise Refused(Kind.CONFLICT, "the user's own Sieve script answers mail by a vacation of its own")
