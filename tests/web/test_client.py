"""Which address counts as the client's behind proxies."""

from __future__ import annotations

import pytest

from gateway.web.client import Proxies

PROXIES = Proxies(["127.0.0.1", "::1", "10.0.0.0/8"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.7", None, "192.0.2.7"),
        ("192.0.2.7", "203.0.113.1", "192.0.2.7"),  # not a proxy: may claim what it likes
        ("127.0.0.1", None, "127.0.0.1"),
        ("127.0.0.1", "203.0.113.1", "203.0.113.1"),
        ("::1", "2001:db8::5", "2001:db8::5"),
        ("::ffff:10.1.1.1", "203.0.113.1", "203.0.113.1"),
        ("127.0.0.1", "198.51.100.3, 203.0.113.1", "203.0.113.1"),  # the client made up the first
        ("127.0.0.1", "198.51.100.3, 203.0.113.1, 10.2.2.2", "203.0.113.1"),
        ("127.0.0.1", "10.3.3.3, 10.2.2.2", "10.3.3.3"),
        ("127.0.0.1", "203.0.113.1:5060", "203.0.113.1"),
        ("127.0.0.1", "[2001:db8::5]:443", "2001:db8::5"),
        ("127.0.0.1", "203.0.113.1, unknown", "127.0.0.1"),
        ("127.0.0.1", "unknown, 10.2.2.2", "10.2.2.2"),
        ("127.0.0.1", ", ,", "127.0.0.1"),
    ],
)
def test_client(peer: str, forwarded: str | None, expected: str) -> None:
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    assert PROXIES.client({"client": (peer, 1)}, headers) == expected


def test_a_server_without_addresses() -> None:
    assert not PROXIES.client({"client": None}, {"x-forwarded-for": "203.0.113.1"})


@pytest.mark.parametrize(
    ("peer", "told", "expected"),
    [
        ("127.0.0.1", "https", "https"),
        ("127.0.0.1", "HTTPS, http", "https"),  # of several proxies the first
        ("127.0.0.1", "gopher", "http"),
        ("192.0.2.7", "https", "http"),  # not a proxy: may claim what it likes
    ],
)
def test_scheme(peer: str, told: str, expected: str) -> None:
    scope = {"client": (peer, 1), "scheme": "http"}
    assert PROXIES.scheme(scope, {"x-forwarded-proto": told}) == expected
    assert PROXIES.scheme(scope | {"scheme": "https"}, {}) == "https"
