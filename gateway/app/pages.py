"""The pages for people that a configuration has: the account page, and that of administrators."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import timedelta

from starlette.routing import Route

from gateway.app.rounds import hourly, running
from gateway.config import Settings
from gateway.eas.commands.base import Services
from gateway.ports import Turns
from gateway.web.account import account_routes
from gateway.web.admin import Samples, admin_routes
from gateway.web.auth import Authentication
from gateway.web.autodiscover import Servers
from gateway.web.client import Proxies
from gateway.web.fleet import Fleet
from gateway.web.health import Health
from gateway.web.metrics import Metrics
from gateway.web.pages.door import Door
from gateway.web.pages.rendering import Renderer
from gateway.web.pages.sessions import SignedIn

__all__ = ["page_routes"]


async def page_routes(
    settings: Settings,
    services: Services,
    servers: Servers,
    *,
    authentication: Authentication,
    proxies: Proxies,
    metrics: Metrics,
    health: Health,
    fleet: Fleet | None,
    turns: Turns,
    parts: AsyncExitStack,
) -> list[Route]:
    """The routes of the pages, none where there are none; `parts` ends what runs beside them.

    The charts are of all processes of the `fleet`.
    """
    account, admin = settings.account, settings.admin
    if not (account.enabled or admin.users):
        return []
    sessions = SignedIn(
        services.state,
        services.clock,
        idle=timedelta(minutes=account.idle_minutes),
        longest=timedelta(hours=account.session_hours),
    )
    await parts.enter_async_context(running(hourly(turns, "ending sessions", sessions.prune)))
    door = Door(sessions, authentication, proxies, settings.server.public_url)
    renderer = Renderer(services.clock, services.zone)
    routes: list[Route] = []
    if account.enabled:
        routes += account_routes(services, servers, door, renderer)
    if admin.users:
        samples = Samples(lambda: metrics.totals(services.tally.held, fleet))
        await parts.enter_async_context(running(samples.run()))
        users, networks = admin.users, admin.networks
        routes += admin_routes(
            services, samples, health.outcome, door, renderer, users=users, networks=networks
        )
    return routes
