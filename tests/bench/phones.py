"""Phones that measure: one device of one user each, at 16.1, over connections that stay open.

A phone's own work must not be what is measured. Replies to a Sync are therefore only skimmed for the key
before the next request leaves; `Tally` reads them afterwards, and fails when skimming saw something else.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlencode

import httptools

from wbxml import Element, decode, element, encode
from wbxml.pages import AirSync, AirSyncBase, ComposeMail, Email, FolderHierarchy, Ping, Provision, Settings

__all__ = ["CALENDAR_TYPE", "Answer", "BenchPhone", "Connection", "Failed", "Tally"]

VERSION = "16.1"
WINDOW = 100
INBOX_TYPE = "2"
CALENDAR_TYPE = "8"
_TYPE = "BenchPhone"
_SECONDS = 300.0
_POLICY = "MS-EAS-Provisioning-WBXML"

# SyncKey, CollectionId, Status and perhaps MoreAvailable, as WBXML writes them at the head of a Collection.
_KEY = re.compile(rb"\x4b\x03([^\0]+)\0\x01")
_STATUS = re.compile(rb"\x4e\x03([^\0]+)\0\x01(\x14)?")
_HEAD = 300


class Failed(Exception):
    """The gateway answered with something that makes the measurement worthless."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply; `at` is when its last octet came, by `time.perf_counter`."""

    code: int
    body: bytes
    at: float


class Connection(asyncio.Protocol):
    """An HTTP connection on which one request follows the other; it is opened when it is needed."""

    def __init__(self, host: str, port: int, source: str | None = None) -> None:
        self._address = (host, port)
        self._source = (source, 0) if source else None
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._body: list[bytes] = []
        self._answer: asyncio.Future[Answer] | None = None

    async def open(self) -> None:
        """Connect, unless that is done."""
        if self._transport is None:
            loop = asyncio.get_running_loop()
            await loop.create_connection(lambda: self, *self._address, local_addr=self._source)

    async def request(self, data: bytes, seconds: float = _SECONDS) -> Answer:
        """Send a request as it is. Raises `Failed` when the connection ends, and TimeoutError."""
        await self.open()
        assert self._transport is not None
        self._body, self._parser = [], httptools.HttpResponseParser(self)
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(data)
        async with asyncio.timeout(seconds):
            return await self._answer

    def close(self) -> None:
        """Cut the connection."""
        if self._transport is not None:
            self._transport.close()

    # --- what asyncio and httptools call -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not derived from it

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Failed("the connection was closed"))

    def data_received(self, data: bytes) -> None:
        if self._parser is not None:
            self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        parser, self._parser = self._parser, None
        assert parser is not None
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(
                Answer(parser.get_status_code(), b"".join(self._body), time.perf_counter())
            )


@dataclass(slots=True)
class Tally:
    """What the replies to the Syncs of one mailbox brought, read after they were timed."""

    ids: set[str] = field(default_factory=set)
    adds: int = 0
    with_body: int = 0
    octets: int = 0

    def read(self, answer: Answer, key: str) -> None:
        """Count what a reply holds. Raises `Failed` when its key is another one than was skimmed."""
        self.octets += len(answer.body)
        if not answer.body:
            return
        collection = _collection(decode(answer.body))
        if collection.child_text(AirSync.SyncKey) != key:
            raise Failed("the SyncKey was misread")
        commands = collection.find(AirSync.Commands)
        for add in commands.findall(AirSync.Add) if commands else ():
            self.adds += 1
            self.ids.add(add.child_text(AirSync.ServerId) or "")
            data = add.find(AirSync.ApplicationData)
            body = data.find(AirSyncBase.Body) if data else None
            self.with_body += bool(body and body.child_text(AirSyncBase.Data))

    def check(self, expected: int) -> None:
        """Raises `Failed` unless every message came, once."""
        if not self.adds == len(self.ids) == expected:
            raise Failed(f"{expected} messages, {self.adds} Adds of {len(self.ids)} different ones")


@dataclass(slots=True)
class BenchPhone:
    """One device, which syncs one folder. `body` are Type and TruncationSize of the bodies it wants."""

    connection: Connection
    user: str
    password: str
    name: str
    body: tuple[int, int] = (2, 32768)
    policy: str = "0"
    folder: str = ""
    key: str = "0"
    _head: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def make(
        cls, address: tuple[str, int], user: str, password: str, tag: str, source: str | None = None
    ) -> BenchPhone:
        """A phone with an id of its own for each `tag`."""
        name = hashlib.sha256(f"{user} {tag}".encode()).hexdigest()[:24]
        return cls(Connection(*address, source), user, password, name)

    async def post(self, command: str, document: Element | bytes, seconds: float = _SECONDS) -> Answer:
        """Send a command. Raises `Failed` for any code but 200."""
        body = document if isinstance(document, bytes) else encode(document)
        request = self._headers(command) + b"%d\r\n\r\n" % len(body) + body
        answer = await self.connection.request(request, seconds)
        if answer.code != 200:
            raise Failed(f"{command}: HTTP {answer.code}")
        return answer

    def _headers(self, command: str) -> bytes:
        if command not in self._head:
            known = {"Cmd": command, "User": self.user, "DeviceId": self.name, "DeviceType": _TYPE}
            token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            self._head[command] = (
                f"POST /Microsoft-Server-ActiveSync?{urlencode(known)} HTTP/1.1\r\nHost: localhost\r\n"
                f"Authorization: Basic {token}\r\nMS-ASProtocolVersion: {VERSION}\r\n"
                f"X-MS-PolicyKey: {self.policy}\r\nUser-Agent: BenchPhone/1.0\r\n"
                "Content-Type: application/vnd.ms-sync.wbxml\r\nContent-Length: "
            ).encode()
        return self._head[command]

    # --- the beginning -------------------------------------------------------------------------------------

    async def connect(self, folder_type: str = INBOX_TYPE) -> float:
        """Both phases of Provision, and FolderSync with key 0; returns when the last reply had come."""
        information = element(Settings.Set, element(Settings.Model, "Bench phone"))
        first = element(Provision.Policy, element(Provision.PolicyType, _POLICY))
        await self._provision(element(Settings.DeviceInformation, information), first)
        second = element(
            Provision.Policy,
            element(Provision.PolicyType, _POLICY),
            element(Provision.PolicyKey, self.policy),
            element(Provision.Status, 1),
        )
        await self._provision(second)
        answer = await self.post(
            "FolderSync", element(FolderHierarchy.FolderSync, element(FolderHierarchy.SyncKey, 0))
        )
        changes = decode(answer.body).find(FolderHierarchy.Changes)
        for folder in changes.findall(FolderHierarchy.Add) if changes else ():
            if folder.child_text(FolderHierarchy.Type) == folder_type:
                self.folder = folder.child_text(FolderHierarchy.ServerId) or ""
        if not self.folder:
            raise Failed(f"FolderSync shows no folder of type {folder_type}")
        return answer.at

    async def _provision(self, *children: Element) -> None:
        """The last child is the Policy, which belongs inside of Policies."""
        policies = element(Provision.Policies, children[-1])
        document = element(Provision.Provision, *children[:-1], policies)
        root = decode((await self.post("Provision", document)).body)
        policy = next((each for each in root.iter() if each.tag is Provision.PolicyKey), None)
        if policy is None:
            raise Failed("Provision gives no key")
        self.policy = policy.text()
        self._head.clear()

    # --- Sync ----------------------------------------------------------------------------------------------

    async def sync(self, *commands: Element, window: int = WINDOW) -> tuple[Answer, bool]:
        """Sync the folder with the key this phone has; returns the reply and whether there is more."""
        answer = await self.post("Sync", self._sync_request(commands, window))
        return answer, self._skim(answer)

    def _sync_request(self, commands: tuple[Element, ...], window: int) -> Element:
        kind, size = self.body
        preference = element(
            AirSyncBase.BodyPreference,
            element(AirSyncBase.Type, kind),
            element(AirSyncBase.TruncationSize, size),
        )
        named = [element(AirSync.SyncKey, self.key), element(AirSync.CollectionId, self.folder)]
        if self.key != "0":
            named += [
                element(AirSync.GetChanges),
                element(AirSync.WindowSize, window),
                element(AirSync.Options, element(AirSync.FilterType, 0), preference),
            ]
        if commands:
            named.append(element(AirSync.Commands, *commands))
        return element(AirSync.Sync, element(AirSync.Collections, element(AirSync.Collection, *named)))

    def _skim(self, answer: Answer) -> bool:
        """Take the new key out of a reply; returns whether MoreAvailable stands there."""
        if not answer.body:
            return False
        head = answer.body[:_HEAD]
        key, status = _KEY.search(head), _STATUS.search(head)
        if key is None or status is None or status[1] != b"1":
            raise Failed(f"Sync: {decode(answer.body)!r}")
        self.key = key[1].decode()
        return status[2] is not None

    async def first_sync(self, expected: int, seconds: float) -> tuple[float, Tally]:
        """Sync the folder from key 0 to its end; returns when the last reply had come, and what came.

        Each reply is read while the gateway works on the next one. Raises `Failed` when not every item
        came once, and when more than `seconds` have gone by.
        """
        self.key = "0"
        end = time.perf_counter() + seconds
        await self.sync()
        tally, more = Tally(), True
        answer: Answer | None = None
        key = ""
        while more:
            request = asyncio.ensure_future(self.sync())
            if answer is not None:
                await asyncio.sleep(0)  # the request leaves first
                tally.read(answer, key)
            answer, more = await request
            key = self.key
            if time.perf_counter() > end:
                raise Failed(f"not done in {seconds:g} s, {tally.adds} of {expected} messages")
        assert answer is not None
        tally.read(answer, key)
        tally.check(expected)
        return answer.at, tally

    # --- what else phones do -------------------------------------------------------------------------------

    async def ping(self, heartbeat: int) -> Answer:
        """Wait for new mail in the Inbox."""
        folder = element(Ping.Folder, element(Ping.Id, self.folder), element(Ping.Class, "Email"))
        document = element(
            Ping.Ping, element(Ping.HeartbeatInterval, heartbeat), element(Ping.Folders, folder)
        )
        return await self.post("Ping", document, heartbeat + 60)

    async def send_mail(self, client_id: str, message: bytes) -> Answer:
        """Send a message, with a copy for Sent."""
        document = element(
            ComposeMail.SendMail,
            element(ComposeMail.ClientId, client_id),
            element(ComposeMail.SaveInSentItems),
            element(ComposeMail.Mime, message),
        )
        answer = await self.post("SendMail", document)
        if answer.body:
            raise Failed(f"SendMail: {decode(answer.body)!r}")
        return answer

    def close(self) -> None:
        """Cut the connection."""
        self.connection.close()


def _collection(root: Element) -> Element:
    found = next((each for each in root.iter() if each.tag is AirSync.Collection), None)
    if found is None:
        raise Failed(f"Sync: no Collection in {root!r}")
    return found


def subjects(answer: Answer) -> Mapping[str, str]:
    """Return the ServerIds that a reply adds, by Subject."""
    if not answer.body:
        return {}
    commands = _collection(decode(answer.body)).find(AirSync.Commands)
    found = {}
    for add in commands.findall(AirSync.Add) if commands else ():
        data = add.find(AirSync.ApplicationData)
        subject = data.child_text(Email.Subject) if data else None
        found[subject or ""] = add.child_text(AirSync.ServerId) or ""
    return found
