"""Sessions with LDAP servers: in threads, a few at a time, on the next server when one fails, in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import structlog

from gateway.errors import ConfigError, UpstreamError
from gateway.upstream.ldap.session import Identity, Session, SessionLost
from gateway.upstream.ldap.settings import LdapSettings, Url
from gateway.upstream.tls import client_context

__all__ = ["Pool"]

_Result = TypeVar("_Result")


@dataclass(slots=True, eq=False)
class _Work(Generic[_Result]):
    """One question to one server. `ask` runs in a thread, `stop` makes it end early from outside."""

    work: Callable[[Session], _Result]
    session: Session
    fresh: Session | None
    """Instead of one that was kept, in case that is dead by now."""
    stopped: bool = field(default=False, init=False)

    def ask(self) -> _Result:
        if self.fresh is not None:
            try:
                return self.work(self.session)
            except SessionLost:
                self.session.close()
                self.session, self.fresh = self.fresh, None
        if not self.stopped:
            self.session.open()
        if self.stopped:
            raise SessionLost("there is no time left")
        return self.work(self.session)

    def stop(self, running: Future[_Result]) -> None:
        self.stopped = True
        self.session.hang_up()
        running.add_done_callback(lambda _: self.session.close())


class Pool:
    """Sessions that are kept for the next question, all from the event loop."""

    def __init__(self, settings: LdapSettings) -> None:
        """Raises `ConfigError` for certificates that cannot be used."""
        self._settings = settings
        try:
            self._context = client_context(settings.ca_file, settings.verify)
        except OSError as error:
            raise ConfigError(f"ldap.ca_file: {settings.ca_file} cannot be used: {error}") from None
        self._servers = list(settings.urls)
        self._threads = ThreadPoolExecutor(settings.max_connections, thread_name_prefix="ldap")
        self._idle: list[tuple[float, Session]] = []
        self._busy: dict[_Work[Any], Future[Any]] = {}
        self._closed = False
        self._log = structlog.get_logger("gateway.ldap")

    async def run(self, identity: Identity, work: Callable[[Session], _Result]) -> _Result:
        """Do something in a session of somebody's. Raises `UpstreamError`.

        It may be begun on one server and done on another, so it must change nothing.
        """
        reason = "the gateway stops"
        for url in () if self._closed else tuple(self._servers):
            try:
                return await self._on(url, identity, work)
            except SessionLost as error:
                reason = str(error)
                self._log.warning("an LDAP server cannot be asked", reason=reason)
                self._distrust(url)
        raise UpstreamError(f"no LDAP server can be asked: {reason}")

    async def aclose(self) -> None:
        """End all sessions, also those in use."""
        self._closed = True
        for asked, running in self._busy.items():
            asked.stop(running)
        idle, self._idle = self._idle, []
        for _, session in idle:
            session.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _on(self, url: Url, identity: Identity, work: Callable[[Session], _Result]) -> _Result:
        """Ask one server. Raises `SessionLost` when the time is over, too."""
        kept = self._take(url, identity)
        fresh = Session(url, identity, self._settings, self._context)
        asked = _Work(work, kept or fresh, fresh if kept else None)
        self._busy[asked] = running = self._threads.submit(asked.ask)
        try:
            async with asyncio.timeout(self._settings.timeout):
                result = await asyncio.wrap_future(running)
        except TimeoutError:
            asked.stop(running)
            if running.cancelled():
                raise UpstreamError("all connections to LDAP servers are in use") from None
            raise SessionLost(f"{url} did not answer within {self._settings.timeout:g} s") from None
        except BaseException:  # whoever asked may be gone: then the thread need not go on
            asked.stop(running)
            raise
        finally:
            del self._busy[asked]
        self._idle.append((time.monotonic(), asked.session))
        return result

    def _take(self, url: Url, identity: Identity) -> Session | None:
        """The session used last of those that are kept; the ones kept for too long or too many end."""
        oldest = time.monotonic() - self._settings.idle_seconds
        kept = [one for one in self._idle if one[0] >= oldest][-self._settings.max_connections :]
        for one in self._idle:
            if one not in kept:
                one[1].close()
        fitting = [one for one in kept if (one[1].url, one[1].identity) == (url, identity)]
        self._idle = [one for one in kept if one not in fitting[-1:]]
        return fitting[-1][1] if fitting else None

    def _distrust(self, url: Url) -> None:
        """Ask a server last that failed, and forget its sessions."""
        self._servers.remove(url)
        self._servers.append(url)
        for _, session in self._idle:
            if session.url == url:
                session.close()
        self._idle = [one for one in self._idle if one[1].url != url]
