"""A browser without a screen for the pages, over ASGI, with a real store behind them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import cast

import httpx
from starlette.applications import Starlette

from gateway.eas.addresslist import AddressList, Reach
from gateway.eas.admission import Admission
from gateway.eas.certificates import CertificateChecks
from gateway.eas.commands.base import Limits, Services
from gateway.eas.identity import Identity
from gateway.mail.certificates import Authorities
from gateway.ports import Clock, Submission
from gateway.store.spool import FileSpool
from gateway.store.sqlite import Database, SqliteItems, SqlitePeople, SqliteState
from gateway.types import Device, DeviceId, UserId
from gateway.web.account import account_routes
from gateway.web.admin import Samples, admin_routes
from gateway.web.auth import Authentication
from gateway.web.autodiscover import Servers
from gateway.web.client import Proxies
from gateway.web.metrics import Metrics
from gateway.web.pages.door import Door
from gateway.web.pages.rendering import Renderer
from gateway.web.pages.sessions import SignedIn
from gateway.web.ways import AppPasswordWay, Master, TokenWay, Ways
from tests.web.support import Time, Users

ANNA, BERT, ROOT = (UserId(f"{name}@example.com") for name in ("anna", "bert", "root"))
PASSWORD = "pässwörd-hunter2"
URL = "https://sync.example.com"
COOKIE = "__Host-activesync"


class _Now:
    """The clock of the world that is looked at."""

    clock: Clock

    def now(self) -> datetime:
        return self.clock.now()


_MASTER = Master("master", "secret")
_NOW = _Now()
_RENDERER = Renderer(_NOW, UTC)
"""One for all tests: it takes longer to read the templates than to test what is made of them."""


@dataclass(slots=True)
class World:
    """What the pages are over, and settings to be changed before a browser is opened."""

    state: SqliteState
    items: SqliteItems
    people: SqlitePeople
    clock: Time = field(default_factory=Time)
    users: Users = field(default_factory=lambda: Users(dict.fromkeys((ANNA, BERT, ROOT), PASSWORD)))
    admission: Admission = field(default_factory=Admission)
    reach: Reach = Reach.DOMAIN
    url: str | None = URL
    admins: Sequence[str] = (ROOT,)
    networks: Sequence[str] = ()
    app_passwords: bool = True
    app_password_required: bool = False
    tokens: TokenWay | None = None
    max_delay: float = 0.0
    metrics: Metrics = field(default_factory=Metrics)
    _application: Starlette | None = None

    def application(self) -> Starlette:
        """The pages as the gateway has them."""
        identity = Identity()
        services = Services(
            state=self.state,
            items=self.items,
            submission=cast("Submission", None),
            clock=self.clock,
            limits=Limits(),
            identity=identity,
            directory=AddressList([self.people], self.people, listed=self.reach),
            certificates=CertificateChecks(Authorities, None, self.clock),
            release="1.2.3",
            spool=FileSpool,
            admission=self.admission,
        )
        sessions = SignedIn(self.state, self.clock, idle=timedelta(minutes=30), longest=timedelta(hours=12))
        way = AppPasswordWay(self.state, self.clock, _MASTER, required=self.app_password_required)
        ways = Ways(app_passwords=way if self.app_passwords else None, tokens=self.tokens)
        authentication = Authentication(self.users, identity, max_delay=self.max_delay, ways=ways)
        door = Door(sessions, authentication, Proxies(["127.0.0.1"]), self.url)
        _NOW.clock = self.clock
        servers = Servers(identity, self.url)

        async def checks() -> Mapping[str, str]:
            return {"store": "ok", "imap": "failing"}

        samples = Samples(lambda: self.metrics.totals(services.tally.held))
        return Starlette(
            routes=[
                *account_routes(services, servers, door, _RENDERER),
                *admin_routes(
                    services, samples, checks, door, _RENDERER, users=self.admins, networks=self.networks
                ),
            ]
        )

    def restart(self) -> None:
        """Have later browsers meet the settings as they are now."""
        self._application = None

    def browser(self, *, client: str = "192.0.2.7", base: str = URL) -> Browser:
        """A browser without cookies, at an address."""
        self._application = self._application or self.application()
        transport = httpx.ASGITransport(self._application, client=(client, 4711))
        return Browser(httpx.AsyncClient(transport=transport, base_url=base))

    async def device(self, name: str = "PHONE1", user: UserId = ANNA, **more: object) -> Device:
        """Store a device that was here just now."""
        made = Device(
            user=user, id=DeviceId(name), type="iPhone", version="16.1", agent="Apple-iPhone15C2/2101.1"
        ).replace(first_seen=self.clock.now(), last_seen=self.clock.now(), **more)
        return await self.state.save_device(made)


class Browser:
    """Keeps cookies, fills in forms as they are on the pages, and follows no redirect by itself."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers=_named(headers))

    async def post(self, path: str, fields: Mapping[str, str], **headers: str) -> httpx.Response:
        """Post a form as a page of the same site does."""
        named = {"origin": str(self.client.base_url).rstrip("/"), "sec-fetch-site": "same-origin"}
        return await self.client.post(path, data=dict(fields), headers=named | _named(headers))

    async def sign_in(self, user: str, password: str = PASSWORD, *, at: str = "/account") -> httpx.Response:
        page = await self.get(f"{at}/sign-in")
        return await self.post(
            f"{at}/sign-in", fields_of(page.text, "/sign-in") | {"user": user, "password": password}
        )

    async def submit(self, path: str, action: str, **fields: str) -> httpx.Response:
        """Fill in the form with this action on a page, and post it."""
        page = await self.get(path)
        assert page.status_code == 200, page.text
        return await self.post(action, fields_of(page.text, action, **fields))


def fields_of(page: str, action: str, **known: str) -> dict[str, str]:
    """The hidden fields of the first form with this action that has the known ones with it."""
    for form in re.findall(r"<form[^>]*action=\"([^\"]*)\"[^>]*>(.*?)</form>", page, re.DOTALL):
        if not form[0].endswith(action):
            continue
        hidden = re.findall(r"type=\"hidden\" name=\"([^\"]*)\" value=\"([^\"]*)\"", form[1])
        fields = {unescape(name): unescape(value) for name, value in hidden}
        if all(fields.get(name, value) == value for name, value in known.items()):
            return fields | known
    raise AssertionError(f"no form for {action} with {known}")


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[World]:
    """An empty store, and pages over it."""
    async with await Database.open(folder / "gateway.db") as database:
        clock = Time()
        clock.value = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
        yield World(SqliteState(database), SqliteItems(database, clock), SqlitePeople(database), clock)
