"""A test phone: every request exactly as a test wants it, in all protocol versions and both query forms.

It knows its account, its policy key and its sync keys, and checks nothing: tests do. With EAS_REPLIES set to
a folder, every document it receives is left there, as bytes and as XML, to look at or to check by a schema.
"""

from __future__ import annotations

import base64
import http.client
import itertools
import os
import ssl
import struct
import urllib.parse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path

from lxml import etree

from gateway.eas.request import COMMAND_CODES
from wbxml import Element, Tag, decode, element, encode
from wbxml.pages import AirSync, AirSyncBase, FolderHierarchy, Provision, Settings
from wbxml.xmlview import to_xml

PATH = "/Microsoft-Server-ActiveSync"
WBXML = "application/vnd.ms-sync.wbxml"
MULTIPART = "application/vnd.ms-sync.multipart"
MIME = "message/rfc822"
POLICY_TYPE = "MS-EAS-Provisioning-WBXML"
OLD_POLICY_TYPE = "MS-WAP-Provisioning-XML"

_CODES = {name: code for code, name in COMMAND_CODES.items()}
_PARAMETERS = {"AttachmentName": 0, "CollectionId": 1, "ItemId": 3, "LongId": 4, "Occurrence": 6}
"""Parameters by their number in the base64 query."""
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer as it came."""

    code: int
    headers: Message
    body: bytes

    @property
    def root(self) -> Element:
        """The document of the body. Raises AssertionError when it is not 200 with one."""
        assert self.code == 200, f"HTTP {self.code}"
        assert self.headers["Content-Type"] == WBXML, self.headers["Content-Type"]
        return decode(self.body)

    @property
    def parts(self) -> list[bytes]:
        """The parts of a multipart answer (MS-ASHTTP); the first is a document."""
        assert self.code == 200, f"HTTP {self.code}"
        assert self.headers["Content-Type"] == MULTIPART, self.headers["Content-Type"]
        (count,) = struct.unpack_from("<I", self.body)
        places = [struct.unpack_from("<II", self.body, 4 + 8 * index) for index in range(count)]
        assert places[0][0] == 4 + 8 * count
        return [self.body[offset : offset + length] for offset, length in places]

    @property
    def empty(self) -> bool:
        """Whether it is the empty 200, which says that all is well."""
        assert self.code == 200, f"HTTP {self.code}"
        assert self.headers["Content-Length"] == "0"
        return not self.body


@dataclass(frozen=True, slots=True)
class Served:
    """A Collection of a Sync answer, its items by ServerId."""

    element: Element
    key: str
    status: str
    more: bool
    added: dict[str, Element]
    changed: dict[str, Element]
    deleted: list[str]
    soft_deleted: list[str]
    responses: list[Element]

    @classmethod
    def of(cls, collection: Element) -> Served:
        """Read a Collection element."""
        commands = collection.find(AirSync.Commands)
        responses = collection.find(AirSync.Responses)

        def named(tag: Tag) -> list[tuple[str, Element]]:
            found = commands.findall(tag) if commands else []
            return [(one.child_text(AirSync.ServerId) or "", one) for one in found]

        def with_data(tag: Tag) -> dict[str, Element]:
            return {name: data for name, one in named(tag) if (data := one.find(AirSync.ApplicationData))}

        return cls(
            collection,
            collection.child_text(AirSync.SyncKey) or "",
            collection.child_text(AirSync.Status) or "",
            collection.find(AirSync.MoreAvailable) is not None,
            with_data(AirSync.Add),
            with_data(AirSync.Change),
            [name for name, _ in named(AirSync.Delete)],
            [name for name, _ in named(AirSync.SoftDelete)],
            list(responses) if responses else [],
        )

    def named(self, tag: Tag, value: str) -> str:
        """The ServerId of the added item that has a property with this value."""
        (name,) = [name for name, data in self.added.items() if data.child_text(tag) == value]
        return name


@dataclass(slots=True)
class Phone:
    """One device of one user, speaking one protocol version, with the plain or the base64 query."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    version: str = "16.1"
    device: str = "PHONE1"
    type: str = "TestPhone"
    packed: bool = False
    policy_key: int | None = None
    keys: dict[str, str] = field(default_factory=dict)
    classes: dict[str, str] = field(default_factory=dict)
    """The Class of folders that hold neither mail nor events."""
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    """Whom it trusts; without that it speaks in clear text."""
    source: str = ""
    """The address of this machine that it comes from; any without one."""

    @property
    def number(self) -> float:
        """The version, to compare with."""
        return float(self.version)

    # --- HTTP --------------------------------------------------------------------------------------------

    def query(self, command: str, **parameters: str) -> str:
        """The query of a command, in the form this phone uses; `parameters` as the plain form names them."""
        if self.packed:
            return base64.b64encode(self._packed(command, parameters)).decode()
        known = {"Cmd": command, "User": self.user, "DeviceId": self.device, "DeviceType": self.type}
        return urllib.parse.urlencode(known | parameters)

    def _packed(self, command: str, parameters: Mapping[str, str]) -> bytes:
        key = b"" if self.policy_key is None else struct.pack("<I", self.policy_key)
        counted = (bytes([len(value)]) + value for value in (self.device.encode(), key, self.type.encode()))
        options = (parameters.get("SaveInSent") == "T") | (parameters.get("AcceptMultiPart") == "T") << 1
        head = struct.pack("<BBH", round(self.number * 10), _CODES[command], 0x0409)
        named = b"".join(
            bytes([code, len(value)]) + value
            for name, code in _PARAMETERS.items()
            if (value := parameters.get(name, "").encode())
        )
        return head + b"".join(counted) + named + (bytes([7, 1, options]) if options else b"")

    def headers(self) -> dict[str, str]:
        """The headers of a request without body."""
        token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        headers = {"Authorization": f"Basic {token}", "User-Agent": "TestPhone/1.0"}
        if not self.packed:
            headers["MS-ASProtocolVersion"] = self.version
            if self.policy_key is not None:
                headers["X-MS-PolicyKey"] = str(self.policy_key)
        return headers

    def connection(self, seconds: float = 90) -> http.client.HTTPConnection:
        """A connection to the server, to be opened by what is sent over it."""
        source = (self.source, 0) if self.source else None
        if self.tls is None:
            return http.client.HTTPConnection(self.host, self.port, seconds, source)
        return http.client.HTTPSConnection(
            self.host, self.port, timeout=seconds, source_address=source, context=self.tls
        )

    def raw(
        self,
        query: str,
        body: bytes | Iterable[bytes] = b"",
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "POST",
        seconds: float = 90,
    ) -> Answer:
        """Send exactly this."""
        connection = self.connection(seconds)
        try:
            target = f"{PATH}?{query}" if query else PATH
            connection.request(method, target, body, self.headers() if headers is None else dict(headers))
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        finally:
            connection.close()
        _keep(query, self.version, answer)
        return answer

    def post(
        self,
        command: str,
        body: Element | bytes | None = None,
        *,
        content_type: str = WBXML,
        headers: Mapping[str, str] | None = None,
        seconds: float = 90,
        **parameters: str,
    ) -> Answer:
        """Post a command: a document, or bytes as they are."""
        sent = self.headers()
        if body is not None:
            sent["Content-Type"] = content_type
        data = encode(body) if isinstance(body, Element) else body or b""
        return self.raw(self.query(command, **parameters), data, {**sent, **(headers or {})}, seconds=seconds)

    # --- what every session begins with -------------------------------------------------------------------

    def provision(self) -> None:
        """Both phases of the policy handshake."""
        information: Element | None = None
        if self.number >= 14.1:
            values = element(Settings.Set, element(Settings.Model, "Test phone"))
            information = element(Settings.DeviceInformation, values)
        self.policy_key = 0
        kind = POLICY_TYPE if self.number >= 12.0 else OLD_POLICY_TYPE
        key = policy_of(self.post("Provision", policy_request(kind=kind, information=information)))
        self.policy_key = int(key.child_text(Provision.PolicyKey) or "")
        key = policy_of(self.post("Provision", policy_request(str(self.policy_key), "1", kind=kind)))
        self.policy_key = int(key.child_text(Provision.PolicyKey) or "")

    def folder_sync(self, key: str = "0") -> Element:
        """FolderSync with a key; returns the document."""
        request = element(FolderHierarchy.FolderSync, element(FolderHierarchy.SyncKey, key))
        return self.post("FolderSync", request).root

    def folders(self) -> dict[str, str]:
        """The ids of all folders by name, from a FolderSync with key 0."""
        changes = self.folder_sync().find(FolderHierarchy.Changes)
        assert changes is not None
        return {
            folder.child_text(FolderHierarchy.DisplayName) or "": folder.child_text(FolderHierarchy.ServerId)
            or ""
            for folder in changes.findall(FolderHierarchy.Add)
        }

    # --- Sync --------------------------------------------------------------------------------------------

    def collection(self, folder: str, *children: Element, key: str | None = None) -> Element:
        """A Collection with the key this phone has, or with another one."""
        named: list[Element] = []
        if self.number <= 12.1:
            usual = "Calendar" if folder.startswith("i") else "Email"
            named.append(element(AirSync.Class, self.classes.get(folder, usual)))
        named.append(element(AirSync.SyncKey, self.keys.get(folder, "0") if key is None else key))
        named.append(element(AirSync.CollectionId, folder))
        return element(AirSync.Collection, *named, *children)

    def post_sync(self, *collections: Element, more: Iterable[Element] = (), seconds: float = 90) -> Answer:
        """A Sync of these collections; `more` stands beside them."""
        request = element(AirSync.Sync, element(AirSync.Collections, *collections), *more)
        return self.post("Sync", request, seconds=seconds)

    def sync(self, folder: str, *children: Element, key: str | None = None) -> Served:
        """A Sync of one collection, whose new key is kept.

        An empty answer counts as a collection without news, a Status for the whole request as its own.
        """
        answer = self.post_sync(self.collection(folder, *children, key=key))
        status = "1" if answer.code == 200 and not answer.body else answer.root.child_text(AirSync.Status)
        if status is not None:
            assert not answer.body or len(answer.root) == 1
            held = self.keys.get(folder, "0") if key is None else key
            return Served(self.collection(folder), held, status, False, {}, {}, [], [], [])
        (served,) = collections_of(answer.root)
        if served.status == "1":
            self.keys[folder] = served.key
        return served

    def begin(self, folder: str, *children: Element) -> None:
        """The Sync with key 0."""
        served = self.sync(folder, *children, key="0")
        assert served.status == "1", served
        assert served.element.find(AirSync.Commands) is None


def _keep(query: str, version: str, answer: Answer) -> None:
    folder = os.environ.get("EAS_REPLIES")
    kind = answer.headers["Content-Type"]
    if not folder or kind not in {WBXML, MULTIPART} or answer.headers["Content-Encoding"]:
        return
    document = answer.body if kind == WBXML else answer.parts[0]
    root = decode(document)
    name = f"{os.getpid()}-{next(_numbers):05}-{version}-{root.tag.name}"
    Path(folder, f"{name}.wbxml").write_bytes(document)
    Path(folder, f"{name}.xml").write_bytes(etree.tostring(to_xml(root)))


# --- documents ---------------------------------------------------------------------------------------------


def collections_of(root: Element) -> list[Served]:
    """The collections of a Sync answer; there is nothing else in it."""
    assert root.tag is AirSync.Sync
    assert [child.tag for child in root] == [AirSync.Collections], [(one, one.text()) for one in root]
    collections = root.children[0].findall(AirSync.Collection)
    assert collections
    return [Served.of(collection) for collection in collections]


def policy_request(
    key: str | None = None,
    status: str | None = None,
    *,
    kind: str | None = POLICY_TYPE,
    information: Element | None = None,
) -> Element:
    """A Provision request: the first one, or with key and status the acknowledgement."""
    policy = element(
        Provision.Policy,
        *([element(Provision.PolicyType, kind)] if kind is not None else []),
        *([element(Provision.PolicyKey, key)] if key is not None else []),
        *([element(Provision.Status, status)] if status is not None else []),
    )
    policies = element(Provision.Policies, policy)
    return element(Provision.Provision, *([information] if information else []), policies)


def policy_of(answer: Answer) -> Element:
    """The Policy of a Provision answer that succeeded."""
    root = answer.root
    assert root.child_text(Provision.Status) == "1", root
    policies = root.find(Provision.Policies)
    assert policies is not None
    (policy,) = policies
    return policy


def body_preference(
    kind: int, truncation: int | None = None, *, all_or_none: bool = False, preview: int | None = None
) -> Element:
    """A BodyPreference."""
    made = [element(AirSyncBase.Type, kind)]
    if truncation is not None:
        made.append(element(AirSyncBase.TruncationSize, truncation))
    if all_or_none:
        made.append(element(AirSyncBase.AllOrNone, 1))
    if preview is not None:
        made.append(element(AirSyncBase.Preview, preview))
    return element(AirSyncBase.BodyPreference, *made)


def options(*children: Element) -> Element:
    """The Options of a Sync collection."""
    return element(AirSync.Options, *children)


def change(item: str, *data: Element) -> Element:
    """A Change command."""
    return element(AirSync.Change, element(AirSync.ServerId, item), element(AirSync.ApplicationData, *data))


def delete(item: str) -> Element:
    """A Delete command."""
    return element(AirSync.Delete, element(AirSync.ServerId, item))


def add(client_id: str, *data: Element) -> Element:
    """An Add command."""
    return element(AirSync.Add, element(AirSync.ClientId, client_id), element(AirSync.ApplicationData, *data))


def fetch(item: str) -> Element:
    """A Fetch command."""
    return element(AirSync.Fetch, element(AirSync.ServerId, item))


def commands(*operations: Element) -> Element:
    """The Commands of a Sync collection."""
    return element(AirSync.Commands, *operations)


def statuses(served: Served) -> list[tuple[str, str, str]]:
    """The Responses of a collection: kind, id and Status of each."""
    return [
        (
            one.tag.name,
            one.child_text(AirSync.ServerId) or one.child_text(AirSync.ClientId) or "",
            one.child_text(AirSync.Status) or "",
        )
        for one in served.responses
    ]
