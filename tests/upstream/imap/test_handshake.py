"""Connecting and logging in: TLS in all its ways, and servers that refuse, mislead or attack."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.errors import (
    AuthenticationFailed,
    GatewayError,
    UpstreamConfused,
    UpstreamCrowded,
    UpstreamRefused,
    UpstreamUnavailable,
)
from gateway.types import Credentials, Password
from gateway.upstream.imap import commands
from gateway.upstream.imap.handshake import log_in, open_connection
from gateway.upstream.imap.session import Session
from gateway.upstream.imap.settings import ImapSettings
from tests.support.dovecot import Dovecot
from tests.support.ports import free_ports
from tests.support.scripted_imap import CREDENTIALS, Answer, Connection, cut, scripted, silence
from tests.support.tls import make_certificate

pytestmark = pytest.mark.usefixtures("steady_clock")


async def log_in_to(settings: ImapSettings, credentials: Credentials = CREDENTIALS) -> Session:
    session = await open_connection(settings)
    await log_in(session, credentials)
    return session


async def leave(session: Session) -> None:
    """Close a connection and see it end: TLS waits for a word of the server, which comes after the test."""
    assert session._transport is not None
    connection = session._transport.get_extra_info("socket")
    session.close()
    async with asyncio.timeout(20):
        while connection.fileno() >= 0:
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("security", ["tls", "starttls", "none"])
async def test_every_kind_of_security(dovecot: Dovecot, user: str, security: str) -> None:
    port = dovecot.tls_port if security == "tls" else dovecot.port
    settings = ImapSettings("localhost", port, security, ca_file=dovecot.ca_file)  # type: ignore[arg-type]
    session = await log_in_to(settings, Password(user, dovecot.password))
    await session.execute(commands.simple("NOOP"))
    assert "QRESYNC" in session.enabled
    await leave(session)


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_an_unknown_certificate_is_refused(dovecot: Dovecot, tmp_path: Path, security: str) -> None:
    port = dovecot.tls_port if security == "tls" else dovecot.port
    other = make_certificate(tmp_path).certificate
    for ca_file in (None, other):
        settings = ImapSettings("localhost", port, security, ca_file=ca_file)  # type: ignore[arg-type]
        with pytest.raises(UpstreamUnavailable, match="certificate"):
            await open_connection(settings)
        await leave(await open_connection(replace(settings, verify=False)))


async def test_a_certificate_for_another_name_is_refused(dovecot: Dovecot) -> None:
    settings = ImapSettings("localhost.localdomain", dovecot.tls_port, ca_file=dovecot.ca_file)
    with pytest.raises(UpstreamUnavailable):
        await open_connection(settings)


async def test_wrong_password(dovecot: Dovecot, user: str) -> None:
    settings = ImapSettings(dovecot.host, dovecot.port, "none")
    with pytest.raises(AuthenticationFailed):
        await log_in_to(settings, Password(user, "wrong"))


@pytest.mark.parametrize("capabilities", ["", "LITERAL+", "AUTH=PLAIN", "AUTH=PLAIN SASL-IR"])
@pytest.mark.parametrize("password", ["pässwörd ☃", 'quo"te\\', "a" * 2000, " ", "{3}"])
async def test_passwords_arrive_as_they_are(password: str, capabilities: str) -> None:
    async def authenticate(connection: Connection, tag: str, command: str) -> None:
        if "SASL-IR" not in capabilities:
            await connection.send(b"+ \r\n")
            connection.commands.append((await connection.reader.readline()).decode())
        await connection.send(f"{tag} OK done\r\n".encode())

    greeting = f"* OK [CAPABILITY IMAP4rev1 {capabilities}] hello\r\n".encode()
    async with scripted({"GREETING": greeting, "AUTHENTICATE": authenticate}) as server:
        session = await log_in_to(server.settings, Password("üser", password))
        session.close()
        sent = " ".join(server.commands)
    if "AUTH=PLAIN" in capabilities:
        assert b64encode(f"\0üser\0{password}".encode()).decode() in sent
    else:
        quoted = password.replace("\\", "\\\\").replace('"', '\\"')
        assert f'"{quoted}"' in sent or password in sent


async def test_a_password_that_cannot_be_sent_is_wrong() -> None:
    async with scripted() as server:
        with pytest.raises(AuthenticationFailed):
            await log_in_to(server.settings, Password("user", "nul\0"))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"TAG NO no\r\n", AuthenticationFailed),
        (b"TAG NO [AUTHENTICATIONFAILED] no\r\n", AuthenticationFailed),
        (b"TAG NO [EXPIRED] no\r\n", AuthenticationFailed),
        (b"TAG NO [UNAVAILABLE] later\r\n", UpstreamUnavailable),
        (b"TAG NO [LIMIT] too many\r\n", UpstreamCrowded),
        (b"TAG NO [ALERT] Too many simultaneous connections\r\n", UpstreamCrowded),
        (b"TAG NO [PRIVACYREQUIRED] TLS\r\n", UpstreamRefused),
        (b"TAG BAD what\r\n", UpstreamConfused),
        (b"* BYE later\r\n", UpstreamUnavailable),
        (b"+ challenge\r\nTAG NO no\r\n", AuthenticationFailed),
        (cut, UpstreamUnavailable),
        (silence, UpstreamUnavailable),
    ],
)
async def test_a_login_that_fails(answer: Answer, error: type[GatewayError]) -> None:
    async with scripted({"AUTHENTICATE": answer}, patience=0.3 if answer is silence else 5) as server:
        with pytest.raises(GatewayError) as raised:
            await log_in_to(server.settings)
        assert type(raised.value) is error
        assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("greeting", "error"),
    [
        (b"* BYE too busy\r\n", UpstreamUnavailable),
        (b"* PREAUTH welcome, whoever you are\r\n", UpstreamConfused),
        (b"220 mail ESMTP\r\n", UpstreamConfused),
        (b"\x15\x03\x01\x00\x02\x02\x46\r\n", UpstreamConfused),
        (cut, UpstreamUnavailable),
        (silence, UpstreamUnavailable),
    ],
)
async def test_a_greeting_that_is_none(greeting: Answer, error: type[GatewayError]) -> None:
    async with scripted({"GREETING": greeting}, patience=0.3 if greeting is silence else 5) as server:
        with pytest.raises(error):
            await open_connection(server.settings)


async def test_nobody_listens() -> None:
    with pytest.raises(UpstreamUnavailable):
        await open_connection(ImapSettings("127.0.0.1", free_ports(1)[0], "none"))


async def test_login_disabled_is_respected() -> None:
    greeting = b"* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hello\r\n"
    async with scripted({"GREETING": greeting}) as server:
        with pytest.raises(UpstreamRefused, match="LOGINDISABLED"):
            await log_in_to(server.settings)
        assert server.commands == []


async def test_capabilities_are_asked_for_when_not_told() -> None:
    answers: dict[str, Answer] = {"GREETING": b"* OK hello\r\n", "AUTHENTICATE": b"TAG OK done\r\n"}
    async with scripted(answers) as server:
        session = await log_in_to(server.settings)
        assert server.commands.count("CAPABILITY") == 2
        assert "QRESYNC" in session.capabilities
        session.close()


async def test_extensions_that_fail_do_no_harm() -> None:
    answers: dict[str, Answer] = {"ENABLE": b"TAG BAD what\r\n", "NAMESPACE": b"TAG NO no\r\n"}
    async with scripted(answers) as server:
        session = await log_in_to(server.settings)
        await session.execute(commands.simple("NOOP"))
        assert session.enabled == frozenset()
        session.close()


async def test_starttls_must_be_offered() -> None:
    async with scripted() as server:
        with pytest.raises(UpstreamConfused, match="STARTTLS"):
            await open_connection(replace(server.settings, security="starttls"))


@pytest.mark.parametrize(
    "injected",
    [
        b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n",
        b"* OK",
        b"A1 OK [CAPABILITY IMAP4rev1] logged in\r\n",
        b"\r\n",
    ],
)
async def test_what_is_injected_behind_starttls_is_refused(injected: bytes) -> None:
    answers: dict[str, Answer] = {
        "GREETING": b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hello\r\n",
        "STARTTLS": b"TAG OK begin\r\n" + injected,
    }
    async with scripted(answers) as server:
        with pytest.raises((UpstreamConfused, UpstreamUnavailable)):
            await open_connection(replace(server.settings, security="starttls"))
        assert server.commands == ["STARTTLS"]


async def test_what_is_injected_a_moment_later_is_no_tls() -> None:
    async def inject(connection: Connection, tag: str, _command: str) -> None:
        await connection.send(f"{tag} OK begin\r\n".encode())
        await asyncio.sleep(0.05)
        await connection.send(b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n")
        await asyncio.sleep(1)

    greeting = b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hello\r\n"
    async with scripted({"GREETING": greeting, "STARTTLS": inject}) as server:
        with pytest.raises(UpstreamUnavailable):
            await open_connection(replace(server.settings, security="starttls"))


async def test_a_cancelled_connection_attempt_leaves_nothing_open() -> None:
    async with scripted({"GREETING": silence}) as server:
        task = asyncio.create_task(open_connection(server.settings))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with asyncio.timeout(20):
            while server.open:
                await asyncio.sleep(0.01)
