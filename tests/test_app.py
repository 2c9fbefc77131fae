"""The gateway as a process, with real servers behind it and without."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping

import pytest

from gateway.demo.client import Account, Client
from gateway.demo.phone import INBOX, Phone
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway, GatewayFailed
from tests.support.ports import free_ports
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import eventually

PATH = "/Microsoft-Server-ActiveSync"


@pytest.fixture(scope="module")
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as server:
        yield server


@pytest.fixture(scope="module")
def gateway(dovecot: Dovecot, sink: SmtpSink) -> Iterator[Gateway]:
    with Gateway(dovecot, sink, sections={"eas": {"heartbeat_min": 1}}) as running:
        yield running


def ask(
    gateway: Gateway,
    method: str,
    target: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> tuple[int, dict[str, str], bytes]:
    """Send one request; returns code, headers by lower-case name, and body."""
    connection = http.client.HTTPConnection(gateway.host, gateway.port, timeout=60)
    with contextlib.closing(connection):
        connection.request(method, target, body, dict(headers or {}))
        answer = connection.getresponse()
        named = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, named, answer.read()


def login(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_options_with_the_users_own_login(gateway: Gateway, dovecot: Dovecot, user: str) -> None:
    code, headers, body = ask(gateway, "OPTIONS", PATH, login(user, dovecot.password))
    assert (code, body) == (200, b"")
    assert headers["ms-asprotocolversions"] == "2.5,12.0,12.1,14.0,14.1,16.0,16.1"
    assert {"Sync", "Ping", "FolderSync"} <= set(headers["ms-asprotocolcommands"].split(","))
    assert "server" not in headers


def test_a_wrong_password_is_401(gateway: Gateway, user: str) -> None:
    code, headers, _ = ask(gateway, "OPTIONS", PATH, login(user, "wrong"))
    assert code == 401
    assert headers["www-authenticate"].startswith("Basic realm=")


def test_the_pages_for_machines(gateway: Gateway, dovecot: Dovecot, user: str) -> None:
    assert ask(gateway, "GET", "/healthz")[::2] == (200, b"ok")
    code, _, body = ask(gateway, "GET", "/readyz")
    ready = {"ready": True, "checks": {"store": "ok", "imap": "ok", "smtp": "ok"}}
    assert (code, json.loads(body)) == (200, ready)
    ask(gateway, "OPTIONS", PATH, login(user, dovecot.password))
    code, headers, body = ask(gateway, "GET", "/metrics")
    assert code == 200
    assert headers["content-type"].startswith("text/plain")
    assert b"imap_connections " in body
    # A request is counted after its answer.
    options = 'eas_requests_total{command="OPTIONS",http="200",status="",version="none"}'
    eventually(lambda: gateway.metric(options) > 0)


@pytest.mark.parametrize("target", ["/", "/admin", "/favicon.ico", "/Microsoft-Server-ActiveSyncX"])
def test_unknown_paths(gateway: Gateway, target: str) -> None:
    assert ask(gateway, "GET", target)[0] == 404


def test_the_log_has_a_line_for_each_request_and_no_password(
    gateway: Gateway, dovecot: Dovecot, user: str
) -> None:
    ask(gateway, "OPTIONS", PATH, login(user, dovecot.password))
    ask(gateway, "OPTIONS", PATH, login(user, "s3cr3t-wr0ng"))
    # A request is logged after its answer.
    eventually(lambda: any("http=401" in line and user in line for line in gateway.log().splitlines()))
    log = gateway.log()
    lines = [line for line in log.splitlines() if "command=OPTIONS" in line and f"user={user}" in line]
    assert len(lines) == 1
    assert all(part in lines[0] for part in ("request", "http=200", "ms=", "address=127.0.0.1"))
    assert "s3cr3t-wr0ng" not in log
    for headers in (login(user, dovecot.password), login(user, "s3cr3t-wr0ng")):
        assert headers["Authorization"].split()[1] not in log


def test_a_second_gateway_on_the_same_store_does_not_start(
    gateway: Gateway, dovecot: Dovecot, sink: SmtpSink
) -> None:
    second = Gateway(dovecot, sink, sections={"store": {"url": f"sqlite://{gateway.database}"}})
    with contextlib.closing(second), pytest.raises(GatewayFailed) as failed:
        second.start()
    assert str(failed.value).count("another gateway is serving from it") == 1
    assert "Traceback" not in str(failed.value)
    command = [sys.executable, "-m", "gateway", "devices", "list", "--config", str(gateway.config)]
    assert subprocess.run(command, check=False, timeout=30).returncode == 0


def test_it_starts_while_nothing_behind_it_does(dovecot: Dovecot, sink: SmtpSink) -> None:
    imap, smtp = free_ports(2)
    with Gateway(dovecot, sink, sections={"imap": {"port": imap}, "smtp": {"port": smtp}}) as alone:
        code, _, body = ask(alone, "GET", "/readyz")
        failing = {"ready": False, "checks": {"store": "ok", "imap": "failing", "smtp": "failing"}}
        assert (code, json.loads(body)) == (503, failing)
        code, headers, _ = ask(alone, "OPTIONS", PATH, login("jo", "pw"))
        assert code == 503
        assert int(headers["retry-after"]) > 0
        assert alone.terminate() == 0


def test_sigterm_has_held_requests_answered(dovecot: Dovecot, sink: SmtpSink, user: str) -> None:
    with Gateway(dovecot, sink) as stopped:
        phone = Phone(Client(Account(stopped.host, stopped.port, user, dovecot.password, "d1")))
        phone.provision()
        phone.folder_sync()
        inbox = phone.folder(INBOX)
        phone.sync(inbox)
        changed: list[list[str]] = []
        held = threading.Thread(target=lambda: changed.append(phone.ping(inbox)))
        held.start()
        eventually(lambda: stopped.metric("eas_requests_held") == 1)
        assert stopped.terminate() == 0
        held.join()
        assert changed == [[]]  # as if the interval were over
