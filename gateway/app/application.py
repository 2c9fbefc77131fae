"""The ASGI application: its parts opened and connected at its start, its connections dispatched."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from zoneinfo import ZoneInfo

import structlog
from starlette.applications import Starlette

from gateway.app.logins import preparing, ways_of
from gateway.app.pages import page_routes
from gateway.app.parts import (
    admission_of,
    brakes_of,
    certificates_of,
    filters_of,
    identity_of,
    imap_settings,
    limits_of,
    servers_of,
    smtp_settings,
)
from gateway.app.people import address_list_of, directories_of
from gateway.app.release import RELEASE, SystemClock
from gateway.app.rounds import housekeeping, obeying, running
from gateway.app.stores import Stores, serve_store
from gateway.app.telemetry import spans_of
from gateway.config import Settings
from gateway.eas.commands import COMMANDS
from gateway.eas.commands.base import Services
from gateway.eas.tally import Tally
from gateway.errors import GatewayError
from gateway.store.spool import FileSpool
from gateway.sync.background import computing
from gateway.sync.recipients import Recipients, forget_recipients
from gateway.sync.waiter import Signal
from gateway.upstream.imap.upstream import ImapUpstream
from gateway.upstream.smtp import SmtpSubmission
from gateway.web.auth import Authentication
from gateway.web.autodiscover import Autodiscover, is_autodiscover_path
from gateway.web.client import Proxies
from gateway.web.eas import EasEndpoint, discovery, is_eas_path
from gateway.web.health import Health
from gateway.web.http import Receive, Scope, Send
from gateway.web.lag import watch_lag
from gateway.web.metrics import Metrics
from gateway.web.timing import measured
from gateway.web.trace import Trace
from gateway.web.visits import Visits


def create_app(settings: Settings) -> App:
    """Return the gateway as an ASGI application; it opens and closes what it needs with its lifespan."""
    return App(settings)


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
        stores = await parts.enter_async_context(serve_store(settings))
        state, items, people = stores.state, stores.items, stores.people
        spans = spans_of(settings)
        if spans is not None:
            parts.push_async_callback(asyncio.to_thread, spans.close)
            state, items = measured(state, "store"), measured(items, "store")
        imap = ImapUpstream(imap_settings(settings))
        parts.push_async_callback(imap.aclose)
        smtp = SmtpSubmission(smtp_settings(settings))
        parts.push_async_callback(smtp.aclose)
        identity = identity_of(settings)
        metrics = Metrics()
        metrics.watch("computing_queue", "Work that is computed beside the event loop, or waits.", computing)
        metrics.watch(
            "imap_connections", "Open connections to the IMAP server.", lambda: imap.open_connections
        )
        services = Services(
            state=state,
            items=items,
            submission=smtp if spans is None else measured(smtp, "upstream"),
            clock=SystemClock(),
            limits=limits_of(settings),
            identity=identity,
            directory=address_list_of(settings, [*directories_of(settings, items, parts)], people, items),
            certificates=certificates_of(settings),
            release=RELEASE,
            spool=FileSpool,
            discovery=discovery(COMMANDS),
            tentative=settings.calendar.invitations == "tentative",
            zone=ZoneInfo(settings.calendar.timezone),
            patience=timedelta(days=settings.calendar.retry_days),
            filters=filters_of(settings),
            admission=admission_of(settings),
            recipients=Recipients(items, SystemClock()) if settings.eas.recipients else None,
        )
        if services.recipients is None:
            await forget_recipients(items)
        parts.push_async_callback(services.background.aclose, settings.server.shutdown_grace)
        expiry = timedelta(days=settings.devices.expire_days)
        remembering = timedelta(days=settings.devices.audit_days)
        await parts.enter_async_context(running(housekeeping(services, expiry, remembering)))
        await parts.enter_async_context(running(watch_lag(metrics.late)))
        _count(metrics, services.tally, smtp, stores)
        tally = services.tally
        metrics.watch("eas_requests_held", "Pings and Syncs that wait for news.", lambda: tally.held)
        ways = ways_of(settings, state, services.clock)
        await parts.enter_async_context(running(preparing(ways)))
        authentication = Authentication(imap, identity, max_delay=settings.auth.max_delay, ways=ways)
        proxies = Proxies(settings.server.trusted_proxies)
        brakes = brakes_of(settings)
        metrics.count(
            "eas_requests_slowed", "Requests put off since their device asks too much.", lambda: brakes.slowed
        )
        trace = Trace(settings.log.trace, state, services.clock)
        await parts.enter_async_context(running(trace.run()))
        visits = Visits(state, services.clock)
        parts.push_async_callback(visits.flush)
        await parts.enter_async_context(running(visits.run()))
        self._eas = EasEndpoint(
            COMMANDS,
            services,
            authentication,
            imap.mailboxes if spans is None else lambda user: measured(imap.mailboxes(user), "upstream"),
            proxies=proxies,
            metrics=metrics,
            trace=trace,
            brakes=brakes,
            visits=visits,
            spans=spans,
            stopping=self._stopping,
            grace=settings.server.shutdown_grace,
        )
        await parts.enter_async_context(running(obeying(state, self._eas)))
        servers = servers_of(settings, identity)
        self._autodiscover = Autodiscover(servers, authentication, proxies, brakes, services.clock)
        health = Health({"store": state.check_writable, "imap": imap.check, "smtp": smtp.check})
        pages = await page_routes(
            settings,
            services,
            servers,
            authentication=authentication,
            proxies=proxies,
            metrics=metrics,
            health=health,
            parts=parts,
        )
        self._pages = Starlette(routes=[*health.routes(), metrics.route(), *pages])
        self._log.info("started", release=RELEASE, imap=settings.imap.host, smtp=settings.smtp.host)


def _count(metrics: Metrics, tally: Tally, smtp: SmtpSubmission, stores: Stores) -> None:
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
        ("store_transactions", "Writes to the store.", stores.transactions),
        ("store_commits", "Commits of the store, each of one or more writes.", stores.commits),
    ):
        metrics.count(name, documentation, read)
