"""The pages of administrators, put together."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.routing import Route

from gateway.eas.commands.base import Services
from gateway.ports.sessions import Session
from gateway.types import Principal
from gateway.web.admin.devices import DevicePages
from gateway.web.admin.looking import LookingPages
from gateway.web.admin.samples import Samples
from gateway.web.admin.users import UserPages
from gateway.web.pages.door import Door
from gateway.web.pages.rendering import Renderer
from gateway.web.pages.site import Site, Tab

__all__ = ["admin_routes"]

_TABS = (
    Tab("", "Overview"),
    Tab("/devices", "Devices", "/device"),
    Tab("/rules", "Rules and policies"),
    Tab("/poison", "Poison items"),
    Tab("/audit", "Audit log"),
)
_SAID = {
    "decided-allow": "The device is allowed, whatever the rules say.",
    "decided-block": "The device is blocked, whatever the rules say.",
    "decided-quarantine": "The device waits for a decision, and is shown a message that says so.",
    "decided-undecide": "The rules say again what the device may do.",
    "wipe-asked": "The device will be told the next time it asks for anything.",
    "wipe-taken-back": "The wipe was taken back.",
    "resync": "The device begins anew the next time it asks for anything.",
    "removed": "The device was removed.",
    "user-signed-out": "The user was signed out. Devices with the right password go on.",
}


def admin_routes(
    services: Services,
    samples: Samples,
    checks: Callable[[], Awaitable[Mapping[str, str]]],
    door: Door,
    renderer: Renderer,
    *,
    users: Sequence[str],
    networks: Sequence[str],
) -> list[Route]:
    """The routes below /admin, for these users (logins) at these networks; none: wherever they are."""
    allowed = {services.identity.principal(user, "").user for user in users}
    ranges = [ipaddress.ip_network(one, strict=False) for one in networks]

    def admits(who: Principal | Session) -> bool:
        return who.user in allowed

    def reached_from(address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return not ranges
        return not ranges or any((getattr(found, "ipv4_mapped", None) or found) in one for one in ranges)

    site = Site(
        "/admin",
        "ActiveSync administration",
        door,
        renderer,
        tabs=_TABS,
        said=_SAID,
        admits=admits,
        reached_from=reached_from,
    )
    looking = LookingPages(services, samples, checks, services.clock.now())
    return site.routes([*looking.pages(), *DevicePages(services).pages(), *UserPages(services).pages()])
