"""The reverse proxies an administrator may have, with the examples for them, before a real gateway."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass

import pytest

from tests.blackbox.test_itemoperations import file, reference_of, synced
from tests.blackbox.test_large_mail import LINE, MEGABYTE, Peak
from tests.blackbox.test_sendmail import document
from tests.cli.test_check import Checked, check
from tests.deploy.proxies import PROXIES, Apache, Nginx, Proxy
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.phone import PATH, Phone
from tests.support.ports import LOOPBACK
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import PATIENCE, eventually
from wbxml import element, encode
from wbxml.pages import ItemOperations, Ping

OTHER_ADDRESS = "127.0.0.2"
BLOCK = os.urandom(MEGABYTE)
OPEN_PINGS = 'eas_requests_open{command="Ping"}'
LONG = 3000
"""A heartbeat in seconds that no test waits for."""


@pytest.fixture(scope="module")
def sink() -> Iterator[SmtpSink]:
    with SmtpSink(auth=True) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(dovecot: Dovecot, sink: SmtpSink) -> Iterator[Gateway]:
    with Gateway(dovecot, sink, sections={"eas": {"heartbeat_min": 1}}) as running:
        yield running


@pytest.fixture(scope="module", params=PROXIES, ids=lambda kind: kind.name)
def proxy(request: pytest.FixtureRequest, gateway: Gateway) -> Iterator[Proxy]:
    with request.param(gateway.port) as running:
        yield running


@pytest.fixture(scope="module")
def mail(gateway: Gateway, dovecot: Dovecot) -> str:
    """The reference of a large file in the mail of the user "proxied"."""
    phone = Phone(gateway.host, gateway.port, "proxied", dovecot.password)
    phone.provision()
    large = messages.Attachment("large.bin", "application/octet-stream", BLOCK * 50)
    _, _, data = synced(phone, dovecot, messages.with_attachments("large", large))
    return reference_of(data)


def through(proxy: Proxy, dovecot: Dovecot, user: str) -> Phone:
    """A provisioned phone that reaches the gateway by the proxy."""
    phone = Phone("localhost", proxy.port, user, dovecot.password, tls=proxy.tls)
    phone.provision()
    return phone


@pytest.fixture
def phone(proxy: Proxy, dovecot: Dovecot, user: str) -> Phone:
    return through(proxy, dovecot, user)


@dataclass(frozen=True, slots=True)
class Page:
    """An answer to a request without a login."""

    code: int
    headers: http.client.HTTPMessage
    body: bytes


def get(proxy: Proxy, path: str, *, host: str = "", plain: bool = False, **headers: str) -> Page:
    """What is at a path, by HTTPS or in clear text."""
    connection = (
        http.client.HTTPConnection("localhost", proxy.plain_port, timeout=60)
        if plain
        else http.client.HTTPSConnection("localhost", proxy.port, timeout=60, context=proxy.tls)
    )
    try:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", path, headers={**({"Host": host} if host else {}), **sent})
        answer = connection.getresponse()
        return Page(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def ping(folder: str, heartbeat: int) -> bytes:
    """The document of a Ping for new mail in a folder."""
    watched = element(Ping.Folder, element(Ping.Id, folder), element(Ping.Class, "Email"))
    request = element(Ping.Ping, element(Ping.HeartbeatInterval, heartbeat), element(Ping.Folders, watched))
    return encode(request)


def begun(phone: Phone) -> str:
    """The INBOX, ready to be watched."""
    inbox = phone.folders()["Inbox"]
    phone.begin(inbox)
    phone.sync(inbox)
    return inbox


def test_what_is_handed_on(proxy: Proxy, gateway: Gateway) -> None:
    for path in (PATH, PATH.lower(), PATH.upper(), "/mICROSOFT-sERVER-aCTIVEsYNC"):
        assert get(proxy, path).headers["MS-Server-ActiveSync"], path
    for path in ("/autodiscover/autodiscover.xml", "/Autodiscover/Autodiscover.xml"):
        assert get(proxy, path).headers["WWW-Authenticate"].startswith("Basic"), path
    for path in ("/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml"):
        assert get(proxy, path).body.startswith(b"no mail servers"), path
    for path in ("/", "/metrics", "/readyz", "/healthz", "/administrator", "/accounts"):
        answer = get(proxy, path)
        assert answer.code == 404, path
        assert answer.body != b"Not Found", path  # these would be the gateway's words
    for path in ("/account/nothing-is-here", "/admin/nothing-is-here"):
        assert get(proxy, path).body != get(proxy, "/").body, path


def test_whom_the_gateway_sees(proxy: Proxy, gateway: Gateway, phone: Phone) -> None:
    phone.source = OTHER_ADDRESS
    spoofed = {**phone.headers(), "X-Forwarded-For": "203.0.113.7"}
    phone.device = "SEEN"
    assert phone.raw(phone.query("FolderSync"), b"", spoofed).code
    noted = re.compile(rf"address=(\S+) .*device=SEEN .*user={phone.user}\b")
    eventually(lambda: noted.search(gateway.log()) is not None)  # it is noted after the answer
    assert noted.findall(gateway.log()) == [OTHER_ADDRESS]
    # It knows by which name and that TLS was spoken, whatever the client says of that.
    path = "/autodiscover/autodiscover.json?Email=anna@example.test&Protocol=ActiveSync"
    told = json.loads(get(proxy, path, X_Forwarded_Proto="http").body)["Url"]
    assert told.lower().startswith("https://localhost"), told


def test_without_tls_everybody_is_sent_to_it(proxy: Proxy) -> None:
    answer = get(proxy, "/autodiscover/autodiscover.xml", host="autodiscover.example.com", plain=True)
    assert answer.code in {301, 302, 308}
    assert answer.headers["Location"].startswith("https://")
    assert answer.headers["Location"].endswith(".example.com/autodiscover/autodiscover.xml")


def test_a_ping_is_held_and_answered(phone: Phone, dovecot: Dovecot) -> None:
    inbox = begun(phone)
    assert phone.post("Ping", ping(inbox, 2)).root.child_text(Ping.Status) == "1"
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(phone.post, "Ping", ping(inbox, LONG), seconds=PATIENCE)
        while not held.done():  # until Dovecot tells of it
            dovecot.deliver(phone.user, messages.plain("news", "news\n"))
            wait([held], 10)
        assert held.result().root.child_text(Ping.Status) == "2"


def test_thirty_megabytes_up(proxy: Proxy, gateway: Gateway, phone: Phone, sink: SmtpSink) -> None:
    sink.clear()
    message = messages.plain("large", "large\n") + LINE * (30 * MEGABYTE // len(LINE))
    peaks = [Peak(pid) for pid in proxy.processes]
    assert phone.post("SendMail", document(message)).empty
    assert sum(peak.risen for peak in peaks) < 12
    assert len(sink.received[0].data) > 30 * MEGABYTE


def test_what_is_too_large_is_refused_by_the_gateway(phone: Phone) -> None:
    """So that the phone gets a Status which it tells its user of."""
    answer = phone.post("SendMail", document(LINE * (52 * MEGABYTE // len(LINE))))
    assert "122" in [child.text() for child in answer.root]


def test_fifty_megabytes_down(proxy: Proxy, gateway: Gateway, dovecot: Dovecot, mail: str) -> None:
    phone = through(proxy, dovecot, "proxied")
    request = element(ItemOperations.ItemOperations, file(mail))
    peaks = [Peak(pid) for pid in (*proxy.processes, gateway.pid)]
    answer = phone.post("ItemOperations", request, headers={"MS-ASAcceptMultiPart": "T"})
    assert sum(peak.risen for peak in peaks) < 24
    _, body = answer.parts
    assert body == BLOCK * 50


def held_ping(phone: Phone, gateway: Gateway, inbox: str) -> http.client.HTTPConnection:
    """A connection on which a Ping waits, which nothing but it does."""
    eventually(lambda: gateway.metric(OPEN_PINGS) == 0)
    connection = phone.connection(PATIENCE)
    headers = {**phone.headers(), "Content-Type": "application/vnd.ms-sync.wbxml"}
    connection.request("POST", f"{PATH}?{phone.query('Ping')}", ping(inbox, LONG), headers)
    eventually(lambda: gateway.metric(OPEN_PINGS) == 1)
    return connection


def test_a_phone_that_goes_away_is_noticed(proxy: Proxy, gateway: Gateway, phone: Phone) -> None:
    inbox = begun(phone)
    connection = held_ping(phone, gateway, inbox)
    connection.close()
    if isinstance(proxy, Apache):
        # It looks at its client only once there is something to be told; the phone's next Ping ends this one.
        assert phone.post("Ping", ping(inbox, 1)).root.child_text(Ping.Status) == "1"
    eventually(lambda: gateway.metric(OPEN_PINGS) == 0)


def test_the_gateway_is_restarted(gateway: Gateway, phone: Phone) -> None:
    inbox = begun(phone)
    held = held_ping(phone, gateway, inbox)
    gateway.terminate()
    try:
        assert held.getresponse().status == 200  # whoever waits is answered
        held.close()
        away = phone.post("Ping", ping(inbox, 1))
        assert (away.code, away.headers.get_all("Retry-After")) == (503, ["10"])
    finally:
        gateway.start()
    assert phone.sync(inbox).status == "1"  # at once, as soon as it serves
    held = held_ping(phone, gateway, inbox)
    gateway.kill()
    try:
        cut = held.getresponse()
        assert cut.status in {502, 503}
        assert cut.headers.get_all("Retry-After") == ["10"]
        held.close()
    finally:
        gateway.start()
    assert phone.sync(inbox).status == "1"


def test_nginx_before_several_nodes_passes_over_one_that_is_gone(
    gateway: Gateway, dovecot: Dovecot, user: str
) -> None:
    with socket.socket() as gone:
        gone.bind((LOOPBACK, 0))  # and takes no connections
        changes = {
            "#upstream gateway {": "upstream gateway {",
            "#    hash": "hash",
            "#    server 192.0.2.11:8080": f"server {LOOPBACK}:{gone.getsockname()[1]}",
            "#    server 192.0.2.12:8080": f"server {LOOPBACK}:{gateway.port}",
            "#}": "}",
            "proxy_pass http://": "proxy_pass http://gateway; #",
            "Retry-After 10": "Retry-After 1",
        }
        with Nginx(gateway.port, changes) as proxy:
            for number in range(8):
                assert "Inbox" in through(proxy, dovecot, f"{user}-{number}").folders()


@pytest.mark.parametrize("kind", PROXIES, ids=lambda kind: kind.name)
def test_what_only_a_proxy_may_say_is_taken_away(kind: type[Proxy]) -> None:
    """A listener stands for the gateway here, which does not show what it was told."""
    with socket.create_server((LOOPBACK, 0)) as listening, ThreadPoolExecutor(1) as pool:
        heard = pool.submit(_head, listening)
        with kind(listening.getsockname()[1]) as proxy:
            get(proxy, PATH, X_SSL_Client_Verify="SUCCESS", X_SSL_Client_Cert="anna", X_Other="stays")
            head = heard.result().lower()
    assert b"x-other: stays" in head
    assert b"x-ssl-client" not in head


def _head(listening: socket.socket) -> bytes:
    """The head of the first request, which gets an answer."""
    listening.settimeout(PATIENCE)
    connection, _ = listening.accept()
    with connection:
        connection.settimeout(PATIENCE)
        head = b""
        while b"\r\n\r\n" not in head:
            piece = connection.recv(65536)
            assert piece
            head += piece
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    return head


def checked(kind: type[Proxy], gateway: Gateway, dovecot: Dovecot, user: str) -> Checked:
    """What `check` says of a proxy that gives up too soon, and of nginx when it collects requests."""
    changes = {kind.waits: kind.waits.replace("3700", "7")}
    if kind is Nginx:
        changes["proxy_request_buffering off"] = "proxy_request_buffering on"
    with kind(gateway.port, changes) as proxy:
        environment = {
            "SSL_CERT_FILE": str(proxy.certificate.certificate),
            "GATEWAY_SERVER__PUBLIC_URL": proxy.url,
        }
        session = ("--user", user, "--hold", "30")
        return check(
            gateway.config, *session, password=dovecot.password, environment=environment, seconds=140
        )


@pytest.mark.timeout(180)
def test_check_says_what_to_set_in_a_proxy(gateway: Gateway, dovecot: Dovecot, user: str) -> None:
    with ThreadPoolExecutor(len(PROXIES)) as pool:
        running = {kind: pool.submit(checked, kind, gateway, dovecot, user) for kind in PROXIES}
    for kind, found in running.items():
        told = found.result()
        assert told.failed == {"phone"}, told.output
        assert "a Ping of 30 s was cut off after" in told.of("phone", "failure")
        assert kind.waits.partition(" ")[0].partition("=")[0] in told.of("phone", "failure")
        assert ("lies on its disk" in told.of("proxy", "warning")) == (kind is Nginx), told.output
