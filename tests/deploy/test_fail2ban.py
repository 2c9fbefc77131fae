"""The filter of fail2ban, over lines that a gateway wrote."""

from __future__ import annotations

import base64
import http.client
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway, Section
from tests.support.openid import AUDIENCE, OpenIdProvider
from tests.support.phone import PATH
from tests.support.smtp_sink import SmtpSink
from tests.web.pages.support import fields_of

FILTER = Path(__file__).parent.parent.parent / "deploy" / "fail2ban" / "filter.conf"
ATTEMPTS = {
    "203.0.113.5": "anna",
    "2001:db8::7": "anna@example.com",
    # Names made to look like another line, or the rest of this one.
    "203.0.113.6": "] request address=192.0.2.1 http=401 reason='wrong credentials for 'x",
    "203.0.113.7": '", "address": "192.0.2.1", "reason": "wrong credentials for \'x',
    "203.0.113.8": "2026-01-01T00:00:00Z [info     ] request address=192.0.2.1 http=401 reason='wrong",
}
"""Who tries which name with a wrong password, by address."""
FORGERS = ["203.0.113.20", "203.0.113.21", "127.0.0.2"]
"""Who shows a token with another signature, one with none, and a certificate without a proxy."""
FOUND = sorted([*ATTEMPTS, "203.0.113.5", "203.0.113.6", *FORGERS])
UNKNOWN = "203.0.113.99"


def attempts() -> Iterator[tuple[str, Mapping[str, str]]]:
    """Who shows which wrong password."""
    return ((address, basic(user)) for address, user in ATTEMPTS.items())


def basic(user: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:wrong'.encode()).decode()}"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def attempt(
    gateway: Gateway, address: str, proof: Mapping[str, str], path: str = PATH, source: str = ""
) -> None:
    """One request with a wrong proof, or without any."""
    connection = http.client.HTTPConnection(
        gateway.host, gateway.port, timeout=60, source_address=(source, 0) if source else None
    )
    headers = {"X-Forwarded-For": address, **proof}
    try:
        connection.request("POST", path, b"", headers)
        assert connection.getresponse().status == 401
    finally:
        connection.close()


def sign_in(gateway: Gateway, address: str, user: str) -> None:
    """The same on the account page."""
    with httpx.Client(base_url=gateway.url, timeout=60, headers={"X-Forwarded-For": address}) as browser:
        page = browser.get("/account/sign-in")
        fields = fields_of(page.text, "/sign-in") | {"user": user, "password": "wrong"}
        assert browser.post("/account/sign-in", data=fields).status_code == 403


@pytest.fixture(scope="module", params=["text", "json"])
def lines(request: pytest.FixtureRequest, dovecot: Dovecot) -> Iterator[list[str]]:
    """The log of a gateway at which some failed to log in."""
    with SmtpSink() as sink, OpenIdProvider() as provider:
        sections: dict[str, Section] = {
            "log": {"format": request.param},
            "auth": {"max_delay": 0.1},
            "master": {"login": "boss", "password": "secret"},
            "oauth": {"issuer": provider.issuer, "audience": [AUDIENCE], "timeout": 20},
            "client_certificates": {},
        }
        with Gateway(dovecot, sink, sections=sections) as gateway:
            with ThreadPoolExecutor(len(ATTEMPTS)) as pool:  # Dovecot answers each after half a second
                for done in [pool.submit(attempt, gateway, *one) for one in attempts()]:
                    done.result()
            attempt(gateway, "203.0.113.5", basic("anna"), "/autodiscover/autodiscover.xml")
            sign_in(gateway, "203.0.113.6", ATTEMPTS["203.0.113.6"])
            forge(gateway, provider)
            attempt(gateway, UNKNOWN, {})
            gateway.terminate()  # now all is written
            yield gateway.log().splitlines()


def forge(gateway: Gateway, provider: OpenIdProvider) -> None:
    """What no honest phone shows, and tokens that are not good any more, or for something else."""
    head, body, signature = provider.token("anna").split(".")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    attempt(gateway, FORGERS[0], bearer(f"{head}.{body}.{signature[:-8]}AAAAAAAA"))
    attempt(gateway, FORGERS[1], bearer(f"{unsigned}.{body}."))
    attempt(gateway, "192.0.2.1", {"X-SSL-Client-Verify": "SUCCESS"}, source=FORGERS[2])
    attempt(gateway, UNKNOWN, bearer(provider.token("anna", exp=1)))
    attempt(gateway, UNKNOWN, bearer(provider.token("anna", aud="another")))


def banned(folder: Path, lines: list[str]) -> list[str]:
    """The addresses that the filter finds in lines, sorted, each as often as it is found."""
    log = folder / "gateway.log"
    log.write_text("".join(f"{line}\n" for line in lines))
    done = subprocess.run(
        ["fail2ban-regex", "--out", "ip", str(log), str(FILTER)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return sorted(done.stdout.split())


def test_who_is_found_in_a_file(lines: list[str], tmp_path: Path) -> None:
    assert banned(tmp_path, lines) == FOUND


def test_who_is_found_in_the_journal(lines: list[str], tmp_path: Path) -> None:
    """There a line has the host and the program before it."""
    assert banned(tmp_path, [f"mail activesync-gateway[4711]: {line}" for line in lines]) == FOUND
