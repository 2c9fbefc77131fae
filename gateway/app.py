"""The composition root: the one place that knows which concrete parts the gateway is made of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import structlog
from starlette.applications import Starlette

from gateway.config import LdapSection, Settings, SieveSection
from gateway.eas.addressbooks import AddressBooks, OwnBooks, SharedBook
from gateway.eas.admission import AccessRule, Admission
from gateway.eas.certificates import CertificateChecks
from gateway.eas.commands import COMMANDS
from gateway.eas.commands.base import Limits, Services
from gateway.eas.directory import AddressList, Reach
from gateway.eas.identity import Identity
from gateway.eas.tally import Tally
from gateway.errors import ConfigError, GatewayError
from gateway.policies import Policies, read_policy
from gateway.ports import Directory, Items, State
from gateway.ports.examining import Finding
from gateway.store.spool import FileSpool
from gateway.store.sqlite import Database, SqliteItems, SqlitePeople, SqliteState, parse_url, serving
from gateway.store.sqlite.copies import back_up, put_back
from gateway.store.sqlite.examine import examine as examine_store
from gateway.sync.recipients import Recipients, forget_recipients
from gateway.sync.waiter import Signal
from gateway.types import Access, Credentials, UserId
from gateway.upstream.authorities import read_authorities
from gateway.upstream.directoryfile import FileDirectory
from gateway.upstream.fetching import WebFetcher
from gateway.upstream.imap.examine import examine as examine_imap
from gateway.upstream.imap.settings import ImapSettings
from gateway.upstream.imap.upstream import ImapUpstream
from gateway.upstream.sieve import SieveFilters, SieveSettings
from gateway.upstream.sieve.examine import examine as examine_sieve
from gateway.upstream.smtp import SmtpSettings, SmtpSubmission
from gateway.upstream.smtp.examine import examine as examine_smtp
from gateway.web.auth import Authentication
from gateway.web.autodiscover import Autodiscover, Servers, is_autodiscover_path, public, reached
from gateway.web.brakes import Brakes, Budget
from gateway.web.client import Proxies
from gateway.web.eas import EasEndpoint, discovery, is_eas_path
from gateway.web.health import Health
from gateway.web.http import Receive, Scope, Send
from gateway.web.lag import watch_lag
from gateway.web.metrics import Metrics
from gateway.web.trace import Trace

if TYPE_CHECKING:
    from gateway.upstream.ldap import LdapSettings

__all__ = [
    "RELEASE",
    "App",
    "SystemClock",
    "admission_of",
    "back_up_store",
    "check_files",
    "create_app",
    "examinations",
    "identity_of",
    "open_store",
    "put_back_store",
]

_HOUR = 3600
_ATTENDING = 5
"""Seconds from one look for what other processes changed in the store to the next."""
_UNPROVISIONED = timedelta(days=1)
"""How long a device is remembered that asks but is never provisioned: anybody with a login can invent ids."""
_GONE = timedelta(days=1)
"""How long what is known of a message outlives it, for a move that is noted later."""
_MOVED = timedelta(days=7)
"""How long it is remembered where messages went that a device moved, in case it asks again."""
_UNUSED = timedelta(days=1)
"""How long a file is kept that no item refers to, and known what was mailed because of an item."""
_AWAY = timedelta(days=90)
"""How long a user is found by others who does not come any more."""
RELEASE = version("activesync-gateway")


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def create_app(settings: Settings) -> App:
    """Return the gateway as an ASGI application; it opens and closes what it needs with its lifespan."""
    return App(settings)


def check_files(settings: Settings) -> None:
    """Read the files that the configuration names and the gateway reads at its start. Raises ConfigError."""
    if settings.directory.file is not None:
        FileDirectory(settings.directory.file)


def examinations(settings: Settings, credentials: Credentials | None) -> Mapping[str, AsyncIterator[Finding]]:
    """What there is to be found of each server behind and of the store, as a user where there is one."""
    found = {
        "store": examine_store(parse_url(settings.store.url)),
        "imap": examine_imap(_imap(settings), credentials),
        "smtp": examine_smtp(_smtp(settings), credentials, settings.eas.max_body),
    }
    if settings.sieve is not None:
        found["sieve"] = examine_sieve(_sieve(settings.sieve), credentials)
    if settings.ldap is not None:
        ldap_settings = _ldap_settings(settings.ldap)
        from gateway.upstream.ldap.examine import examine as examine_ldap  # noqa: PLC0415 (an extra)

        found["ldap"] = examine_ldap(ldap_settings, credentials)
    return found


def identity_of(settings: Settings) -> Identity:
    """How a configuration makes logins and addresses of what phones send."""
    return Identity(
        login=settings.imap.login,
        email=settings.identity.email,
        name=settings.identity.name,
        allow_from=settings.identity.allow_from,
    )


async def back_up_store(settings: Settings, target: Path) -> int:
    """Copy the store to a file, checked, while a gateway may serve from it; returns its octets.

    Raises `GatewayError`.
    """
    return await back_up(parse_url(settings.store.url), target)


async def put_back_store(settings: Settings, source: Path) -> Path | None:
    """Put a backup in the place of the store; returns where what was there is kept. Raises `GatewayError`."""
    return await put_back(source, parse_url(settings.store.url))


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[tuple[State, Items]]:
    """Open the store for as long as the context lasts. Raises GatewayError."""
    async with _open_ports(settings) as (state, items, _):
        yield state, items


@asynccontextmanager
async def _open_ports(settings: Settings) -> AsyncIterator[tuple[SqliteState, SqliteItems, SqlitePeople]]:
    async with await Database.open(parse_url(settings.store.url)) as database:
        items = SqliteItems(database, SystemClock())
        async with _running(_attending(items)):
            yield SqliteState(database), items, SqlitePeople(database)


class App:
    """The ASGI application. It starts whether or not the upstream servers can be reached."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stopping = Signal()
        self._eas: EasEndpoint | None = None
        self._autodiscover: Autodiscover | None = None
        self._pages = Starlette()
        self._log = structlog.get_logger("gateway.app")

    def stop(self) -> None:
        """Have held requests answered now: the server is about to shut down."""
        self._stopping.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Dispatch one ASGI connection."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif self._eas is not None and scope["type"] == "http" and is_eas_path(scope["path"]):
            await self._eas(scope, receive, send)
        elif (
            self._autodiscover is not None and scope["type"] == "http" and is_autodiscover_path(scope["path"])
        ):
            await self._autodiscover(scope, receive, send)
        else:
            await self._pages(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        async with AsyncExitStack() as parts:
            try:
                await self._start(parts)
            except GatewayError as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
            self.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _start(self, parts: AsyncExitStack) -> None:
        """Open every part, and connect them; `parts` closes them in reverse."""
        settings = self._settings
        await parts.enter_async_context(serving(parse_url(settings.store.url)))
        state, items, people = await parts.enter_async_context(_open_ports(settings))
        imap = ImapUpstream(_imap(settings))
        parts.push_async_callback(imap.aclose)
        smtp = SmtpSubmission(_smtp(settings))
        parts.push_async_callback(smtp.aclose)
        identity = identity_of(settings)
        metrics = Metrics()
        metrics.watch(
            "imap_connections", "Open connections to the IMAP server.", lambda: imap.open_connections
        )
        services = Services(
            state=state,
            items=items,
            submission=smtp,
            clock=SystemClock(),
            limits=_limits(settings),
            identity=identity,
            directory=_address_list(settings, [*_directories(settings, items, parts)], people, items),
            certificates=_certificates(settings),
            release=RELEASE,
            spool=FileSpool,
            discovery=discovery(COMMANDS),
            tentative=settings.calendar.invitations == "tentative",
            zone=ZoneInfo(settings.calendar.timezone),
            patience=timedelta(days=settings.calendar.retry_days),
            filters=_filters(settings),
            admission=admission_of(settings),
            recipients=Recipients(items, SystemClock()) if settings.eas.recipients else None,
        )
        if services.recipients is None:
            await forget_recipients(items)
        parts.push_async_callback(services.background.aclose, settings.server.shutdown_grace)
        expiry = timedelta(days=settings.devices.expire_days)
        await parts.enter_async_context(_running(_housekeeping(services, expiry)))
        await parts.enter_async_context(_running(watch_lag(metrics.late)))
        _count(metrics, services.tally, smtp, state)
        authentication = Authentication(imap, identity, max_delay=settings.auth.max_delay)
        proxies = Proxies(settings.server.trusted_proxies)
        brakes = _brakes(settings)
        metrics.watch(
            "eas_requests_slowed", "Requests put off since their device asks too much.", lambda: brakes.slowed
        )
        self._eas = EasEndpoint(
            COMMANDS,
            services,
            authentication,
            imap.mailboxes,
            proxies=proxies,
            metrics=metrics,
            trace=Trace(settings.log.trace),
            brakes=brakes,
            stopping=self._stopping,
            grace=settings.server.shutdown_grace,
        )
        await parts.enter_async_context(_running(_obeying(state, self._eas)))
        self._autodiscover = Autodiscover(
            _servers(settings, identity), authentication, proxies, services.clock
        )
        health = Health({"store": state.check_writable, "imap": imap.check, "smtp": smtp.check})
        self._pages = Starlette(routes=[*health.routes(), metrics.route()])
        self._log.info("started", release=RELEASE, imap=settings.imap.host, smtp=settings.smtp.host)


def _count(metrics: Metrics, tally: Tally, smtp: SmtpSubmission, state: SqliteState) -> None:
    """Show the counts that the parts keep."""
    for name, documentation, read in (
        (
            "eas_replays",
            "Syncs of a collection answered again, as the answer got lost.",
            lambda: tally.replays,
        ),
        ("eas_conflicts", "Operations refused since the server's version wins.", lambda: tally.conflicts),
        ("eas_stubs", "Items that could not be shown and are told as stubs.", lambda: tally.stubs),
        ("smtp_messages_sent", "Messages that the SMTP server took.", lambda: smtp.sent),
        ("smtp_messages_failed", "Attempts at which it took none.", lambda: smtp.failed),
        ("store_transactions", "Writes to the store.", lambda: state.transactions),
        ("store_commits", "Commits of the store, each of one or more writes.", lambda: state.commits),
    ):
        metrics.count(name, documentation, read)


@asynccontextmanager
async def _running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run endless work beside what is in the context."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _attending(items: SqliteItems) -> None:
    """Have waiting phones told of what the command line changes meanwhile."""
    log = structlog.get_logger("gateway.app")
    while True:
        try:
            await items.tell_of_others()
        except GatewayError as error:
            log.warning("cannot see what others change", reason=error.detail)
        await asyncio.sleep(_ATTENDING)


async def _obeying(state: State, eas: EasEndpoint) -> None:
    """Have devices that wait learn at once what was decided of them, perhaps by another process."""
    log = structlog.get_logger("gateway.app")
    newest = 0
    while True:
        try:
            newest, devices = await state.decided_devices(newest)
        except GatewayError as error:
            log.warning("cannot see what was decided of devices", reason=error.detail)
        else:
            for user, device in devices:
                eas.interrupt(user, device)
        await asyncio.sleep(_ATTENDING)


async def _housekeeping(services: Services, expiry: timedelta) -> None:
    """Forget what is of no use any more: old messages sent, ids that became no devices, files unused.

    And devices that did not come for the time of `expiry`, unless that is none.
    """
    log = structlog.get_logger("gateway.app")
    while True:
        try:
            now = services.clock.now()
            await services.state.prune_sends(now - services.limits.duplicate_window)
            await services.state.prune_devices(now - _UNPROVISIONED)
            if expiry and (forgotten := await services.state.expire_devices(now - expiry)):
                log.info("devices forgotten that did not come any more", count=forgotten)
            await services.state.prune_moves(now - _MOVED)
            await services.state.prune_annotations(now - _GONE)
            await services.items.prune_items(now - _UNUSED)
            await services.directory.people.prune_people(now - _AWAY, services.identity.rules)
        except GatewayError as error:
            log.warning("housekeeping failed", reason=error.detail)
        await asyncio.sleep(_HOUR)


def _imap(settings: Settings) -> ImapSettings:
    imap = settings.imap
    return ImapSettings(
        host=imap.host,
        port=imap.port_number,
        security=imap.security,
        ca_file=imap.ca_file,
        verify=imap.verify,
        timeout=imap.timeout,
        max_connections_per_user=imap.max_connections_per_user,
        max_connections=imap.max_connections,
        idle_seconds=imap.idle_seconds,
        max_mailboxes=imap.max_mailboxes,
        shared_mailboxes=imap.shared_mailboxes,
        poll_interval=imap.poll_interval,
        auth_cache_seconds=settings.auth.cache_seconds,
    )


def _smtp(settings: Settings) -> SmtpSettings:
    smtp = settings.smtp
    return SmtpSettings(
        host=smtp.host,
        port=smtp.port_number,
        security=smtp.security,
        auth=smtp.auth,
        ca_file=smtp.ca_file,
        verify=smtp.verify,
        timeout=smtp.timeout,
    )


def _certificates(settings: Settings) -> CertificateChecks:
    section = settings.certificates
    fetcher = WebFetcher(private=section.hosts, timeout=section.timeout) if section.revocation else None
    return CertificateChecks(partial(read_authorities, section.ca_file), fetcher, SystemClock())


def _filters(settings: Settings) -> SieveFilters | None:
    return None if settings.sieve is None else SieveFilters(_sieve(settings.sieve))


def _sieve(sieve: SieveSection) -> SieveSettings:
    return SieveSettings(
        host=sieve.host,
        port=sieve.port,
        security=sieve.security,
        ca_file=sieve.ca_file,
        verify=sieve.verify,
        timeout=sieve.timeout,
    )


def _directories(settings: Settings, items: Items, parts: AsyncExitStack) -> Iterator[Directory]:
    """Where people are looked up besides the users of the gateway. Raises `ConfigError`."""
    if settings.ldap is not None:
        yield _ldap(settings.ldap, parts)
    if settings.directory.file is not None:
        yield FileDirectory(settings.directory.file)
    books = AddressBooks(items)
    for book in settings.directory.address_books:
        owner, _, name = book.partition("/")
        yield SharedBook(books, UserId(owner.strip().lower()), name.strip())


def _ldap(section: LdapSection, parts: AsyncExitStack) -> Directory:
    settings = _ldap_settings(section)
    from gateway.upstream.ldap import LdapDirectory  # noqa: PLC0415 (an extra)

    directory = LdapDirectory(settings)
    parts.push_async_callback(directory.aclose)
    return directory


def _ldap_settings(section: LdapSection) -> LdapSettings:
    try:
        from gateway.upstream import ldap  # noqa: PLC0415 (an extra)
    except ImportError:
        raise ConfigError("[ldap] needs the extra ldap: pip install 'activesync-gateway[ldap]'") from None
    values = section.model_dump(exclude={"url", "server", "people", "groups", "attributes"})
    schema = ldap.adapted(ldap.SCHEMAS[section.server], section.people, section.groups, section.attributes)
    return ldap.LdapSettings(
        urls=tuple(map(ldap.Url.parse, section.url)),
        schema=schema,
        **values | {"password": section.password.get_secret_value()},
    )


def _address_list(
    settings: Settings, directories: Sequence[Directory], people: SqlitePeople, items: Items
) -> AddressList:
    return AddressList(
        directories=(*directories, people),
        own=(OwnBooks(AddressBooks(items)),),
        people=people,
        listed=Reach(settings.directory.users),
        free_busy=Reach(settings.calendar.free_busy),
        min_query=settings.directory.min_query,
    )


def _brakes(settings: Settings) -> Brakes:
    rates = settings.brakes
    device = Budget(rates.device_burst, rates.device_per_hour)
    return Brakes(device, Budget(rates.user_burst, rates.user_per_hour))


def admission_of(settings: Settings) -> Admission:
    """Who is let in by a configuration."""
    devices = settings.devices
    rules = (one.model_dump() | {"access": Access(one.access)} for one in devices.rules)
    policies = tuple(read_policy(name, values) for name, values in settings.policies.items())
    return Admission(
        policies=Policies(policies),
        access=Access(devices.access),
        rules=tuple(AccessRule(**rule) for rule in rules),
        barred=devices.barred,
        limit=devices.limit,
        notice=devices.notice,
    )


def _servers(settings: Settings, identity: Identity) -> Servers:
    told, imap, smtp = settings.autodiscover, settings.imap, settings.smtp
    return Servers(
        identity=identity,
        url=settings.server.public_url,
        imap=reached(told.imap) or public(imap.host, imap.port_number, imap.security),
        smtp=reached(told.smtp) or public(smtp.host, smtp.port_number, smtp.security),
        moved=dict(pair.split("=", 1) for pair in told.moved),
    )


def _limits(settings: Settings) -> Limits:
    values = settings.eas.model_dump(exclude={"recipients"})
    return Limits(**values | {"duplicate_window": timedelta(seconds=settings.eas.duplicate_window)})
