"""The ASGI application: its parts opened and connected at its start, its connections dispatched."""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial

import structlog
from starlette.applications import Starlette

from gateway.app.behind import open_behind
from gateway.app.logins import preparing, ways_of
from gateway.app.pages import page_routes
from gateway.app.parts import brakes_of, servers_of
from gateway.app.release import RELEASE
from gateway.app.rounds import Stored, counting, hourly, keep_house, obeying, running
from gateway.app.services import services_of, show
from gateway.config import Settings
from gateway.eas.commands import COMMANDS
from gateway.errors import GatewayError
from gateway.sync.waiter import Signal
from gateway.web.auth import Authentication
from gateway.web.autodiscover import Autodiscover, is_autodiscover_path
from gateway.web.client import Proxies
from gateway.web.eas import EasEndpoint, is_eas_path
from gateway.web.fleet import Fleet
from gateway.web.health import Health
from gateway.web.http import Receive, Scope, Send
from gateway.web.lag import watch_lag
from gateway.web.metrics import Metrics
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
        settings, fleet = self._settings, self._fleet
        behind = await open_behind(settings, fleet.size if fleet else 1, parts)
        imap, smtp, stores = behind.imap, behind.smtp, behind.stores
        services = await services_of(settings, stores, behind.submission, parts)
        metrics, brakes, stored = Metrics(), brakes_of(settings, stores.bus), Stored()
        show(metrics, services.tally, imap=imap, smtp=smtp, stores=stores, stored=stored, brakes=brakes)
        ways = ways_of(settings, services.state, services.clock)
        authentication = Authentication(
            imap, services.identity, max_delay=settings.auth.max_delay, ways=ways, bus=stores.bus
        )
        proxies = Proxies(settings.server.trusted_proxies)
        trace = Trace(settings.log.trace, services.state, services.clock)
        visits = Visits(services.state, services.clock)
        parts.push_async_callback(visits.flush)
        self._eas = EasEndpoint(
            COMMANDS,
            services,
            authentication,
            behind.mailboxes,
            proxies=proxies,
            metrics=metrics,
            trace=trace,
            brakes=brakes,
            visits=visits,
            spans=behind.spans,
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
            fleet=fleet,
            turns=stores.turns,
            parts=parts,
        )
        self._pages = Starlette(routes=[*health.routes(), metrics.route(fleet), *pages])
        beside = [
            hourly(stores.turns, "housekeeping", partial(keep_house, services, settings.devices)),
            watch_lag(metrics.late),
            preparing(ways),
            trace.run(),
            visits.run(),
            obeying(services.state, self._eas),
        ]
        if fleet is None or fleet.leads:
            beside.append(counting(services.state, stored))
        if fleet is not None:
            beside.append(fleet.publish(metrics.page))
        for work in beside:
            await parts.enter_async_context(running(work))
        self._log.info("started", release=RELEASE, imap=settings.imap.host, smtp=settings.smtp.host)
