"""The ASGI application: its parts opened and connected at its start, its connections dispatched."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from functools import partial

import structlog
from starlette.applications import Starlette

from gateway.app.logins import preparing, ways_of
from gateway.app.pages import page_routes
from gateway.app.parts import brakes_of, imap_settings, servers_of, smtp_settings
from gateway.app.release import RELEASE
from gateway.app.rounds import Stored, counting, hourly, keep_house, obeying, running
from gateway.app.services import services_of, show
from gateway.app.stores import serve_store
from gateway.app.telemetry import spans_of
from gateway.config import Settings
from gateway.eas.commands import COMMANDS
from gateway.errors import GatewayError
from gateway.ports import Mailboxes, MailboxesFactory, Submission
from gateway.sync.waiter import Signal
from gateway.types import Principal
from gateway.upstream.imap.upstream import ImapUpstream
from gateway.upstream.smtp import SmtpSubmission
from gateway.web.auth import Authentication
from gateway.web.autodiscover import Autodiscover, is_autodiscover_path
from gateway.web.client import Proxies
from gateway.web.eas import EasEndpoint, is_eas_path
from gateway.web.fleet import Fleet
from gateway.web.health import Health
from gateway.web.http import Receive, Scope, Send
from gateway.web.lag import watch_lag
from gateway.web.metrics import Metrics
from gateway.web.timing import measured
from gateway.web.trace import Trace
from gateway.web.visits import Visits


def create_app(settings: Settings, fleet: Fleet | None = None) -> App:
    """Return the gateway as an ASGI application; it opens and closes what it needs with its lifespan.

    `fleet` are the processes that serve as one with it.
    """
    return App(settings, fleet)


class App:
    """The ASGI application. It starts whether or not the upstream servers can be reached."""

    def __init__(self, settings: Settings, fleet: Fleet | None = None) -> None:
        self._settings = settings
        self._fleet = fleet
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
        imap = ImapUpstream(imap_settings(settings, self._fleet.size if self._fleet else 1))
        parts.push_async_callback(imap.aclose)
        smtp = SmtpSubmission(smtp_settings(settings))
        parts.push_async_callback(smtp.aclose)
        mailboxes: MailboxesFactory = imap.mailboxes
        submission: Submission = smtp
        spans = spans_of(settings)
        if spans is not None:
            parts.push_async_callback(asyncio.to_thread, spans.close)
            stores = replace(
                stores, state=measured(stores.state, "store"), items=measured(stores.items, "store")
            )
            submission = measured(smtp, "upstream")
            mailboxes = partial(_measured_mailboxes, imap)
        services = await services_of(settings, stores, submission, parts)
        metrics = Metrics()
        brakes = brakes_of(settings, stores.bus)
        stored = Stored()
        show(metrics, services.tally, imap=imap, smtp=smtp, stores=stores, stored=stored, brakes=brakes)
        ways = ways_of(settings, services.state, services.clock)
        authentication = Authentication(
            imap,
            services.identity,
            max_delay=settings.auth.max_delay,
            ways=ways,
            bus=stores.bus,
        )
        proxies = Proxies(settings.server.trusted_proxies)
        trace = Trace(settings.log.trace, services.state, services.clock)
        visits = Visits(services.state, services.clock)
        parts.push_async_callback(visits.flush)
        self._eas = EasEndpoint(
            COMMANDS,
            services,
            authentication,
            mailboxes,
            proxies=proxies,
            metrics=metrics,
            trace=trace,
            brakes=brakes,
            visits=visits,
            spans=spans,
            stopping=self._stopping,
            grace=settings.server.shutdown_grace,
        )
        servers = servers_of(settings, services.identity)
        self._autodiscover = Autodiscover(servers, authentication, proxies, brakes, services.clock)
        health = Health({"store": services.state.check_writable, "imap": imap.check, "smtp": smtp.check})
        pages = await page_routes(
            settings,
            services,
            servers,
            authentication=authentication,
            proxies=proxies,
            metrics=metrics,
            health=health,
            fleet=self._fleet,
            turns=stores.turns,
            parts=parts,
        )
        self._pages = Starlette(routes=[*health.routes(), metrics.route(self._fleet), *pages])
        house = partial(
            keep_house,
            services,
            expiry=timedelta(days=settings.devices.expire_days),
            remembering=timedelta(days=settings.devices.audit_days),
        )
        for work in (
            hourly(stores.turns, "housekeeping", house),
            watch_lag(metrics.late),
            preparing(ways),
            trace.run(),
            visits.run(),
            obeying(services.state, self._eas),
        ):
            await parts.enter_async_context(running(work))
        if self._fleet is None or self._fleet.leads:
            await parts.enter_async_context(running(counting(services.state, stored)))
        if self._fleet is not None:
            await parts.enter_async_context(running(self._fleet.publish(metrics.page)))
        self._log.info("started", release=RELEASE, imap=settings.imap.host, smtp=settings.smtp.host)


def _measured_mailboxes(imap: ImapUpstream, principal: Principal) -> Mailboxes:
    return measured(imap.mailboxes(principal), "upstream")
