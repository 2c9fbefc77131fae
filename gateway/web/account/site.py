"""The pages of the account, put together."""

from __future__ import annotations

from starlette.routing import Route

from gateway.eas.commands.base import Services
from gateway.web.account.devices import DevicePages
from gateway.web.account.folders import FolderPages
from gateway.web.account.passwords import PasswordPages
from gateway.web.account.setup import SetupPages
from gateway.web.autodiscover.servers import Servers
from gateway.web.pages.door import Door
from gateway.web.pages.rendering import Renderer
from gateway.web.pages.site import Site, Tab

__all__ = ["account_routes"]

_SAID = {
    "wipe-asked": "The device will be told the next time it asks for anything.",
    "wipe-taken-back": "The wipe was taken back.",
    "removed": "The device was removed from the list.",
    "shared": "Shared. It appears on their phones within a minute, if they use this server.",
    "unshared": "They do not see it any more.",
    "left": "You do not see it any more.",
    "revoked": "The app password was revoked.",
}


def account_routes(services: Services, servers: Servers, door: Door, renderer: Renderer) -> list[Route]:
    """The routes below /account: with a page about app passwords where phones may log in with such."""
    ways = door.authentication.ways
    tabs = [
        Tab("", "Devices", "/device"),
        Tab("/folders", "Calendars and more", "/folder"),
        Tab("/set-up", "Set up a phone"),
    ]
    pages = [
        *DevicePages(services).pages(),
        *FolderPages(services).pages(),
        *SetupPages(servers, ways).pages(),
    ]
    if ways.app_passwords is not None:
        tabs.insert(2, Tab("/app-passwords", "App passwords", "/app-passwords"))
        pages += PasswordPages(services).pages()
    return Site("/account", "Your account", door, renderer, tabs=tabs, said=_SAID).routes(pages)
