"""A phone's whole session for a user, by the way phones go. Its device is forgotten afterwards."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Callable

from gateway.app import open_store
from gateway.cli.check.bounded import beside
from gateway.cli.check.products import Product
from gateway.cli.check.web import Site, product_at
from gateway.config import Settings
from gateway.demo.client import Account, Client, PhoneError
from gateway.demo.phone import INBOX, Phone
from gateway.errors import GatewayError
from gateway.ports.examining import Finding, bad, doubtful, good
from gateway.types import DeviceId, UserId

__all__ = ["phone"]

_SECONDS = 60.0
_UPLOAD = 4 << 20
_SLACK = 5.0
"""Seconds by which the answer to a Ping may be early or late."""
_TYPE = "ActiveSyncCheck"


async def phone(
    settings: Settings, site: Site, login: tuple[str, str], owner: UserId, hold: int
) -> AsyncIterator[Finding]:
    """Play the session; `login` is what a phone sends.

    A Ping is held for `hold` seconds, as far as the configuration allows; 0: not at all.
    """
    device = f"CHECK{secrets.token_hex(8)}"
    account = Account(site.host, site.port, *login, device, _TYPE, site.tls)
    try:
        async for finding in _play(settings, site, Phone(Client(account)), hold):
            yield finding
    finally:
        removal = await _forget(settings, owner, DeviceId(device))
    if removal is not None:
        yield removal


async def _play(settings: Settings, site: Site, one: Phone, hold: int) -> AsyncIterator[Finding]:
    size = min(_UPLOAD, settings.eas.max_body // 2)
    steps: tuple[tuple[str, Callable[[], str]], ...] = (
        ("login", lambda: _options(one)),
        ("Provision", lambda: f"policy key {'' if one.provision() else 'not '}given"),
        ("FolderSync", lambda: f"{one.folder_sync()} folders"),
        ("Sync", lambda: f"{len(one.first_window(one.folder(INBOX)).added)} mails of the INBOX"),
        ("upload", lambda: f"{one.upload(size):,} bytes"),
    )
    for name, step in steps:
        try:
            yield good(f"{name}: {await beside(step, _SECONDS)}")
        except PhoneError as error:
            yield bad(f"{name}: {error}", _remedy(error.code, await product_at(site)))
            return
        except TimeoutError:
            yield bad(
                f"{name}: not done within {_SECONDS:g} s", "see the log of the gateway and of the proxy"
            )
            return
    if hold:
        yield await _held(settings, site, one, hold)


def _options(one: Phone) -> str:
    versions, commands = one.client.options()
    if not versions or not commands:
        raise PhoneError(
            "MS-ASProtocolVersions and MS-ASProtocolCommands are missing in the answer to OPTIONS"
        )
    return f"versions {versions}"


async def _held(settings: Settings, site: Site, one: Phone, hold: int) -> Finding:
    """Have a Ping wait, as phones do for most of their time."""
    seconds = min(max(hold, settings.eas.heartbeat_min), settings.eas.heartbeat_max)
    inbox = one.folder(INBOX)
    began = time.monotonic()
    try:
        news = await beside(lambda: one.ping(inbox, heartbeat=seconds), seconds + _SECONDS)
    except PhoneError as error:
        return bad(
            f"a Ping of {seconds} s was cut off after {time.monotonic() - began:.0f} s: {error}",
            _longer(error.code, await product_at(site)),
        )
    except TimeoutError:
        return bad(
            f"a Ping of {seconds} s was not answered in time", "see that the proxy does not buffer answers"
        )
    lasted = time.monotonic() - began
    if news:
        return good(f"a Ping was held for {lasted:.0f} s, until mail came")
    if lasted < seconds - _SLACK:
        return bad(
            f"a Ping of {seconds} s was answered after {lasted:.0f} s", _longer(0, await product_at(site))
        )
    if lasted > seconds + _SLACK:
        return doubtful(
            f"the answer to a Ping came {lasted - seconds:.0f} s late",
            "see that the proxy does not buffer answers",
        )
    return good(f"a Ping was held for {seconds} s, and answered then")


def _longer(code: int, proxy: Product) -> str:
    """How a Ping can be held: by the proxy if it is that which gave up, and by what else is in between."""
    names = f"{proxy.name}: {proxy.waiting}" if proxy.name else proxy.waiting
    if code:
        return f"raise the time-out of the proxy ({names}) above eas.heartbeat_max, or lower that"
    return (
        "have firewalls, load balancers and the proxy keep silent connections for longer than"
        f" eas.heartbeat_max ({names}), or lower that"
    )


def _remedy(code: int, proxy: Product) -> str:
    match code:
        case 401:
            return (
                "look at the password; if the login at the IMAP server succeeded, at the reason in the"
                " gateway's log, and whether the proxy hands on the Authorization header"
            )
        case 413:
            return f"have the proxy take requests of eas.max_body ({proxy.size})"
        case 403:
            return "look at [devices] and [policies]: the user or the device is not let in"
        case 449:
            return "have the proxy hand on X-MS-PolicyKey and MS-ASProtocolVersion"
        case 502 | 504:
            return "have the proxy lead to server.listen, and wait long enough"
        case 503:
            return "see what is said of the servers; after wrong passwords the gateway takes its time"
        case _:
            return "see the log of the gateway, and that of the proxy"


async def _forget(settings: Settings, owner: UserId, device: DeviceId) -> Finding | None:
    """Leave nothing behind."""
    try:
        async with open_store(settings) as (state, _):
            await state.forget_device(owner, device)
    except GatewayError as error:
        return doubtful(
            f"the device {device} could not be removed: {error}",
            f"activesync-gateway devices remove {owner} {device}",
        )
    return None
