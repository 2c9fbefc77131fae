"""The gateway process starts, stops, dies and comes back as the tests rely on."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

import pytest

from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway, GatewayFailed
from tests.support.smtp_sink import SmtpSink


@pytest.fixture
def gateway(dovecot: Dovecot, smtp_sink: SmtpSink) -> Iterator[Gateway]:
    with Gateway(dovecot, smtp_sink) as running:
        yield running


def status(gateway: Gateway, path: str) -> int:
    connection = http.client.HTTPConnection(gateway.host, gateway.port, timeout=60)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def test_it_serves(gateway: Gateway) -> None:
    assert status(gateway, "/healthz") == 200
    assert status(gateway, "/readyz") == 200


def test_sigterm_ends_it_in_order(gateway: Gateway) -> None:
    assert gateway.terminate() == 0
    gateway.start()


def test_it_comes_back_on_the_same_port_after_a_crash(gateway: Gateway) -> None:
    gateway.kill()
    with pytest.raises(ConnectionRefusedError):
        status(gateway, "/healthz")
    gateway.start()
    assert status(gateway, "/healthz") == 200


def test_a_failure_to_start_shows_the_log(dovecot: Dovecot, smtp_sink: SmtpSink) -> None:
    gateway = Gateway(dovecot, smtp_sink, sections={"eas": {"no_such_key": 1}})
    try:
        with pytest.raises(GatewayFailed, match="no_such_key"):
            gateway.start()
    finally:
        gateway.close()
