"""Servers that say nothing, or the wrong thing: what is told of them, and that it is told in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from gateway.ports.examining import Finding, Verdict
from gateway.types import Password
from gateway.upstream.imap.examine import examine as examine_imap
from gateway.upstream.imap.handshake import log_in, open_connection
from gateway.upstream.imap.settings import ImapSettings
from gateway.upstream.remedies import remedy
from gateway.upstream.sieve import SieveSettings
from gateway.upstream.sieve.examine import examine as examine_sieve
from gateway.upstream.smtp import SmtpSettings
from gateway.upstream.smtp.examine import examine as examine_smtp
from tests.support.dovecot import Dovecot
from tests.support.dovecot_config import Options
from tests.support.ports import LOOPBACK

SOMEBODY = Password("jo", "secret-of-jo")
PATIENCE = 0.3


@pytest.fixture
async def silent() -> AsyncIterator[int]:
    """The port of a server that takes connections and says nothing."""
    writers: list[asyncio.StreamWriter] = []

    async def connected(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    server = await asyncio.start_server(connected, LOOPBACK, 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for writer in writers:
        writer.close()


async def all_of(findings: AsyncIterator[Finding]) -> list[Finding]:
    return [finding async for finding in findings]


@pytest.mark.parametrize("security", ["tls", "starttls", "none"])
async def test_servers_that_say_nothing(silent: int, security: str) -> None:
    imap = ImapSettings(LOOPBACK, silent, security, timeout=PATIENCE)  # type: ignore[arg-type]
    smtp = SmtpSettings(LOOPBACK, silent, security, timeout=PATIENCE)  # type: ignore[arg-type]
    sieve = SieveSettings(LOOPBACK, silent, security, timeout=PATIENCE)  # type: ignore[arg-type]
    for examination in (
        examine_imap(imap, SOMEBODY),
        examine_smtp(smtp, SOMEBODY, 1),
        examine_sieve(sieve, SOMEBODY),
    ):
        (found,) = await all_of(examination)
        assert found.verdict is Verdict.FAILURE
        assert found.remedy
        assert SOMEBODY.password not in found.text


@pytest.mark.parametrize(("allowed", "verdict"), [(2, Verdict.WARNING), (0, Verdict.OK)])
async def test_room_for_the_connections_of_a_user(
    dovecots: Callable[[Options], Dovecot], user: str, allowed: int, verdict: Verdict
) -> None:
    server = dovecots(Options(connections=allowed))
    settings = ImapSettings(server.host, server.port, "none")
    found = await all_of(examine_imap(settings, Password(user, server.password)))
    assert found[-1].verdict is verdict
    assert ("max_connections_per_user" in found[-1].remedy) == bool(allowed)


async def test_a_user_who_may_have_no_further_connection(
    dovecots: Callable[[Options], Dovecot], user: str
) -> None:
    server = dovecots(Options(connections=2))
    settings, login = ImapSettings(server.host, server.port, "none"), Password(user, server.password)
    sessions = [await open_connection(settings) for _ in range(2)]
    for session in sessions:
        await log_in(session, login)
    found = await all_of(examine_imap(settings, login))
    assert found[-1].verdict is Verdict.FAILURE
    assert "mail_max_userip_connections" in found[-1].remedy
    for session in sessions:
        session.close()


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        ("certificate verify failed: certificate has expired (_ssl.c:1000)", "renew"),
        ("certificate verify failed: self-signed certificate (_ssl.c:1000)", "smtp.ca_file"),
        ("certificate verify failed: unable to get local issuer certificate", "whole chain"),
        ("certificate verify failed: Hostname mismatch, certificate is not valid for 'x'", "smtp.host"),
        ("certificate verify failed: IP address mismatch, certificate is not valid for '::1'", "smtp.host"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1000)", "smtp.security"),
        ("[SSL: RECORD_LAYER_FAILURE] record layer failure (_ssl.c:1000)", "smtp.security"),
        ("Connect call failed ('127.0.0.1', 1): Connection refused", "smtp.port"),
        ("[Errno 111] Connect call failed ('127.0.0.1', 1)", "whether the server runs"),
        ("no answer from mail.example.com:993", "TLS"),
        ("[Errno -2] Name or service not known", "DNS"),
        ("mail.example.com offers no STARTTLS", "STARTTLS"),
        ("something else", "firewalls"),
    ],
)
def test_what_to_do_is_told_by_what_happened(failure: str, said: str) -> None:
    assert said in remedy("smtp", "mail.example.com", failure)
