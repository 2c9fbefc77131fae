"""The IMAP side as a whole, as `app` makes it: mail of any user, checking logins, readiness."""

from __future__ import annotations

from weakref import WeakValueDictionary

from gateway.types import Credentials, Principal, UserId
from gateway.upstream.fingerprint import Fingerprint, fingerprint
from gateway.upstream.imap.handshake import open_connection
from gateway.upstream.imap.login import ImapAuthenticator
from gateway.upstream.imap.pool import Pool
from gateway.upstream.imap.settings import ImapSettings
from gateway.upstream.imap.source import ImapMailboxes
from gateway.upstream.imap.unreadable import Unreadable
from gateway.upstream.imap.views import SnapshotCache, Views
from gateway.upstream.imap.watch import Watcher


class ImapUpstream:
    """Connections, views and watchers of all users. End it with `aclose`."""

    def __init__(self, settings: ImapSettings) -> None:
        self._settings = settings
        self._pool = Pool(settings, on_refused=self._refused)
        self._logins = ImapAuthenticator(self._pool, settings.auth_cache_seconds)
        self._snapshots = SnapshotCache()
        self._unreadable = Unreadable()
        self._views: WeakValueDictionary[Fingerprint, Views] = WeakValueDictionary()
        self._watchers: dict[Fingerprint, Watcher] = {}

    @property
    def open_connections(self) -> int:
        """How many connections there are, for the metrics."""
        return self._pool.open_connections

    def mailboxes(self, principal: Principal) -> ImapMailboxes:
        """Implements `ports.MailboxesFactory`."""
        credentials = principal.credentials
        mark = fingerprint(credentials)
        if (watcher := self._watchers.get(mark)) is not None:
            watcher.credentials = credentials  # a renewed token, with which it connects anew
        return ImapMailboxes(
            self._pool,
            credentials,
            self._views_of(mark),
            lambda: self._watcher(mark, credentials),
            self._unreadable,
        )

    async def authenticate(self, credentials: Credentials) -> None:
        """Implements `ports.Authenticator`."""
        await self._logins.authenticate(credentials)

    def forget(self, user: UserId) -> None:
        """Implements `ports.Authenticator`."""
        self._logins.forget(user)

    async def check(self) -> None:
        """Whether the server answers, without logging in. Raises `UpstreamError`."""
        session = await open_connection(self._settings)
        session.close()

    async def aclose(self) -> None:
        """End everything that runs and close every connection."""
        for watcher in list(self._watchers.values()):
            await watcher.aclose()
        for views in list(self._views.values()):
            await views.aclose()
        await self._logins.aclose()
        await self._pool.aclose()

    def _views_of(self, mark: Fingerprint) -> Views:
        views = self._views.get(mark)
        if views is None:
            views = self._views[mark] = Views(self._snapshots, mark)
        return views

    def _watcher(self, mark: Fingerprint, credentials: Credentials) -> Watcher:
        watcher = self._watchers.get(mark)
        if watcher is None:
            watcher = Watcher(
                self._pool,
                credentials,
                on_end=lambda watcher: self._ended(mark, watcher),
                on_notice=lambda mailboxes: self._views_of(mark).told(mailboxes),
            )
            self._watchers[mark] = watcher
        return watcher

    def _ended(self, mark: Fingerprint, watcher: Watcher) -> None:
        if self._watchers.get(mark) is watcher:
            del self._watchers[mark]

    def _refused(self, mark: Fingerprint) -> None:
        self._logins.refused(mark)
