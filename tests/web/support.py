"""A real HTTP server around the endpoint, with a real store, small commands and raw connections."""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import uvicorn
from uvicorn.server import ServerState

from gateway.eas.addresslist import AddressList
from gateway.eas.certificates import CertificateChecks
from gateway.eas.commands.base import BodyRule, Command, Context, Limits, Reply, Services
from gateway.eas.identity import Identity
from gateway.eas.versions import Version
from gateway.errors import AuthenticationFailed
from gateway.mail.certificates import Authorities
from gateway.ports import Items, Mailboxes, Submission
from gateway.store.spool import FileSpool
from gateway.store.sqlite import Database, SqlitePeople, SqliteState
from gateway.sync.waiter import Signal, Waiter
from gateway.types import Credentials, Device, DeviceId, Password, UserId
from gateway.web.auth import Authentication
from gateway.web.brakes import Brakes, Budget
from gateway.web.client import Proxies
from gateway.web.eas import EasEndpoint, discovery
from gateway.web.loops import Loops
from gateway.web.metrics import Metrics
from gateway.web.protocol import BoundedProtocol
from gateway.web.spans import Spans
from gateway.web.timing import measured
from gateway.web.trace import Trace
from gateway.web.visits import Visits
from wbxml import Element, Tag, decode, element, encode
from wbxml.pages import AirSync, ComposeMail, FolderHierarchy, ItemOperations, Ping, Provision

PASSWORD = "pässwörd-hunter2"
LOGIN = "Basic " + base64.b64encode(f"Jo:{PASSWORD}".encode()).decode()
PATH = "/Microsoft-Server-ActiveSync"
WBXML = "application/vnd.ms-sync.wbxml"
KEY = 4711
NO_BOUND = Budget(0, 0)
LIMITS = Limits(max_body=100_000, max_elements=5_000)


@dataclass(slots=True)
class Users:
    """An upstream that knows some logins. `error` is raised instead of an answer, which takes `seconds`."""

    passwords: dict[str, str] = field(default_factory=lambda: {"Jo": PASSWORD})
    error: Exception | None = None
    seconds: float = 0.0
    asked: int = 0
    at_once: int = 0
    most_at_once: int = 0
    forgotten: list[UserId] = field(default_factory=list)

    def forget(self, user: UserId) -> None:
        self.forgotten.append(user)

    async def authenticate(self, credentials: Credentials) -> None:
        self.asked += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self.seconds)
        self.at_once -= 1
        if self.error is not None:
            raise self.error
        match credentials:
            case Password(login, password) if self.passwords.get(login) == password:
                return
        raise AuthenticationFailed


class Time:
    """A clock to set."""

    def __init__(self) -> None:
        self.value = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.value

    def forward(self, **amount: float) -> None:
        self.value += timedelta(**amount)


Handler = Callable[[Context, Element | None, bytes], Reply]


class Small:
    """A command whose handler is given; it remembers what it was asked."""

    needs_policy_key = True
    last: Version | None = None
    first = Version.V12_0

    def __init__(
        self, name: str, code: int, root: Tag, status: Tag, body: BodyRule = BodyRule.REQUIRED
    ) -> None:
        self.name, self.code, self.root, self.status, self.body = name, code, root, status, body
        self.asked: list[tuple[Context, Element | None, bytes]] = []
        self.reply: Handler = lambda _context, _root, _body: element(root, element(status, 1))

    async def handle(self, context: Context, root: Element | None, body: bytes) -> Reply:
        self.asked.append((context, root, body))
        return self.reply(context, root, body)


class Held(Small):
    """A command that holds its answer until it is told to give one."""

    needs_policy_key = False

    def __init__(self) -> None:
        super().__init__("Ping", 18, Ping.Ping, Ping.Status, BodyRule.OPTIONAL)
        self.begun = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def handle(self, context: Context, root: Element | None, body: bytes) -> Reply:
        self.asked.append((context, root, body))
        self.begun.set()
        try:
            async with Waiter(context.mailboxes, (), (context.stopping, context.superseded)) as waiter:
                await waiter.news(60)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return element(Ping.Ping, element(Ping.Status, 1))


@dataclass(slots=True)
class Answer:
    """A response as it came. `headers` by lower-case name."""

    code: int
    headers: dict[str, str]
    body: bytes

    @property
    def status(self) -> str | None:
        """The text of the first child of the document."""
        return decode(self.body).children[0].text()


class Site:
    """What a test sees: the server, its parts, and ways to talk to it."""

    def __init__(self, database: Database, port: int) -> None:
        self.state, self.people = SqliteState(database), SqlitePeople(database)
        self.port = port
        self.users = Users()
        self.clock = Time()
        self.metrics = Metrics()
        self.stopping = Signal()
        self.budget = NO_BOUND
        self.turns = 0
        self.spans: Spans | None = None
        self.sync = Small("Sync", 0, AirSync.Sync, AirSync.Status, BodyRule.OPTIONAL)
        self.folder_sync = Small("FolderSync", 9, FolderHierarchy.FolderSync, FolderHierarchy.Status)
        self.provision = Small("Provision", 20, Provision.Provision, Provision.Status)
        self.provision.needs_policy_key = False
        self.send_mail = Small("SendMail", 1, ComposeMail.SendMail, ComposeMail.Status, BodyRule.MIME)
        self.items = Small("ItemOperations", 19, ItemOperations.ItemOperations, ItemOperations.Status)
        self.items.first = Version.V14_0
        self.ping = Held()
        self.commands: Sequence[Command] = (
            self.sync, self.send_mail, self.folder_sync, self.ping, self.items, self.provision,
        )  # fmt: skip

    def endpoint(self, traced: Iterable[str], max_delay: float) -> EasEndpoint:
        identity = Identity(email="{local}@example.com")
        services = Services(
            state=self.state if self.spans is None else measured(self.state, "store"),
            items=cast("Items", None),
            submission=cast("Submission", None),
            clock=self.clock,
            limits=LIMITS,
            identity=identity,
            directory=AddressList([self.people], self.people),
            certificates=CertificateChecks(Authorities, None, self.clock),
            release="1",
            spool=FileSpool,
            discovery=discovery(self.commands),
        )
        return EasEndpoint(
            self.commands,
            services,
            Authentication(self.users, identity, max_delay=max_delay),
            lambda _principal: cast("Mailboxes", None),
            proxies=Proxies(["127.0.0.1"]),
            metrics=self.metrics,
            trace=Trace(traced, self.state, self.clock),
            brakes=Brakes(self.budget, Budget(0, 0), Loops(self.turns, 0)),
            visits=Visits(self.state, self.clock),
            spans=self.spans,
            stopping=self.stopping,
            grace=0.3,
        )

    async def provisioned(self, device: str = "d1") -> None:
        """Give a device its policy key."""
        await self.state.save_device(
            Device(user=UserId("jo"), id=DeviceId(device), type="iPhone", policy_key=KEY)
        )

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def raw(self, data: bytes) -> Answer:
        """Send bytes on a connection of their own and read one response."""
        reader, writer = await self.connect()
        try:
            writer.write(data)
            return await read_answer(reader)
        finally:
            writer.close()

    async def post(
        self,
        command: str,
        body: Element | bytes | None = None,
        *,
        version: str = "16.1",
        device: str = "d1",
        key: int | None = KEY,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        return await self.raw(
            self.request(command, body, version=version, device=device, key=key, headers=headers)
        )

    def request(
        self,
        command: str,
        body: Element | bytes | None = None,
        *,
        version: str = "16.1",
        device: str = "d1",
        key: int | None = KEY,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """Write a request; `headers` come over the usual ones, and "" leaves one out."""
        data = encode(body) if isinstance(body, Element) else body or b""
        fields = {
            "Authorization": LOGIN,
            "MS-ASProtocolVersion": version,
            "Content-Length": str(len(data)),
            "Content-Type": WBXML,
        }
        if key is not None:
            fields["X-MS-PolicyKey"] = str(key)
        fields |= headers or {}
        target = f"{PATH}?Cmd={command}&User=jo&DeviceId={device}&DeviceType=iPhone"
        return http_request("POST", target, fields) + data


def http_request(method: str, target: str, fields: dict[str, str]) -> bytes:
    """Write the head of a request; a field without value is left out."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in fields.items() if value]
    return "\r\n".join((*lines, "", "")).encode("latin-1")


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    """Read one response that has a Content-Length."""
    async with asyncio.timeout(15):
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers: dict[str, str] = {}
        for line in filter(None, lines[1:]):
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        code = int(lines[0].split()[1])
        body = b"" if code == 100 else await reader.readexactly(int(headers["content-length"]))
    return Answer(code, headers, body)


@asynccontextmanager
async def serving(
    folder: Path,
    *,
    traced: Iterable[str] = (),
    max_delay: float = 0.0,
    budget: Budget = NO_BOUND,
    spans: Spans | None = None,
) -> AsyncIterator[Site]:
    """Speak HTTP for the endpoint as uvicorn does, until the context ends."""
    async with await Database.open(folder / "state.db") as database:
        listening = socket.create_server(("127.0.0.1", 0))
        site = Site(database, listening.getsockname()[1])
        site.budget, site.spans = budget, spans
        # The protocol without uvicorn.Server, which takes a quarter of a second to start and stop.
        config = uvicorn.Config(
            site.endpoint(traced, max_delay), http="httptools", lifespan="off", log_config=None
        )
        config.load()
        connections = ServerState()

        def protocol() -> asyncio.Protocol:
            return BoundedProtocol(config, connections, {})

        server = await asyncio.get_running_loop().create_server(protocol, sock=listening)
        try:
            yield site
        finally:
            server.close()
            for task in list(connections.tasks):
                task.cancel()
            for connection in list(connections.connections):
                connection.shutdown()
            async with asyncio.timeout(20):
                await asyncio.gather(*connections.tasks, return_exceptions=True)
