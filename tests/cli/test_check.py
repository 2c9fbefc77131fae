"""`check` as an administrator runs it, on set-ups that are healthy and on others."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.store.sqlite import SqliteState
from tests.support.authority import DAY, NOW, make_key, named
from tests.support.dovecot import Dovecot
from tests.support.front import Faults, Front
from tests.support.gateway import Gateway, Section
from tests.support.ports import free_ports
from tests.support.smtp_sink import SmtpSink
from tests.support.tls import Certificate, make_certificate

SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check said, and what it ended with."""

    status: int
    findings: list[dict[str, str]]
    output: str

    def of(self, part: str, verdict: str) -> str:
        """All findings of a part with a verdict, and what is to be done."""
        return "\n".join(
            f"{one['text']} -> {one['remedy']}"
            for one in self.findings
            if (one["part"], one["verdict"]) == (part, verdict)
        )

    @property
    def failed(self) -> set[str]:
        """The parts with a failure."""
        return {one["part"] for one in self.findings if one["verdict"] == "failure"}


def check(
    config: Path,
    *args: str,
    password: str = "",
    environment: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
) -> Checked:
    """Run the command as a program of its own."""
    command = [sys.executable, "-m", "gateway", "check", "--config", str(config), "--json", *args]
    more = {"CHECK_PASSWORD": password, "RES_OPTIONS": "timeout:1 attempts:1", **(environment or {})}
    ended = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=seconds, env={**os.environ, **more}
    )
    assert "Traceback" not in ended.stderr, ended.stderr
    told = json.loads(ended.stdout)
    assert told["ok"] == (ended.returncode == 0)
    return Checked(ended.returncode, told["findings"], ended.stdout + ended.stderr)


@dataclass(frozen=True, slots=True)
class Site:
    """A gateway behind a proxy."""

    gateway: Gateway
    front: Front
    certificate: Certificate

    def check(self, user: str, password: str) -> Checked:
        """What is found with a login."""
        environment = {"SSL_CERT_FILE": str(self.certificate.certificate)}
        return check(
            self.gateway.config,
            "--user", user, "--hold", "1",
            password=password, environment=environment,
        )  # fmt: skip


@pytest.fixture(scope="module")
def running(dovecot: Dovecot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    certificate = make_certificate(tmp_path_factory.mktemp("front"))
    with Front(certificate) as front, SmtpSink(auth=True) as sink:
        sections: dict[str, Section] = {"eas": {"heartbeat_min": 1}, "server": {"public_url": front.url}}
        with Gateway(dovecot, sink, sections=sections) as gateway:
            front.target = gateway.port
            yield Site(gateway, front, certificate)


@pytest.fixture
def site(running: Site) -> Site:
    running.front.faults = Faults()
    return running


def test_a_healthy_site(site: Site, dovecot: Dovecot, user: str) -> None:
    checked = site.check(user, dovecot.password)
    assert checked.status == 0, checked.output
    assert "has CONDSTORE" in checked.of("IMAP", "ok")
    assert f"login of {user}" in checked.of("IMAP", "ok")
    assert f"login of {user}" in checked.of("SMTP", "ok")
    assert "the newest" in checked.of("store", "ok")
    assert "phones believe" in checked.of("certificate", "ok")
    assert "asks for a password" in checked.of("proxy", "ok")
    assert "any case of letters" in checked.of("proxy", "ok")
    assert "Autodiscover tells the way" in checked.of("proxy", "ok")
    phone = checked.of("phone", "ok")
    assert [line.partition(":")[0] for line in phone.splitlines()[:5]] == [
        "login", "Provision", "FolderSync", "Sync", "upload"
    ]  # fmt: skip
    # On a busy machine its answer may be late, which is said then.
    assert "a Ping was held for 1 s" in phone or "the answer to a Ping came" in checked.of("phone", "warning")
    # What could be better is said as well.
    assert "metrics" in checked.of("proxy", "warning")
    assert "autodiscover.example.test. CNAME localhost." in checked.of("DNS", "warning")
    assert "_autodiscover._tcp.example.test. SRV 0 0 443 localhost." in checked.of("DNS", "warning")
    assert "autoconfig.example.test" in checked.of("certificate", "warning")

    # And nothing is left behind.
    assert "devices remove" not in phone
    assert devices(site.gateway.database) == []
    assert dovecot.password not in {word for line in checked.output.splitlines() for word in line.split()}


def devices(database: Path) -> list[str]:
    """The ids of all devices that a store knows."""

    async def read() -> list[str]:
        async with await SqliteState.open(database) as state:
            return [device.id for device in await state.list_devices()]

    return asyncio.run(read())


def test_a_wrong_password(site: Site, user: str) -> None:
    wrong = "a-password-that-is-wrong"
    checked = site.check(user, wrong)
    assert checked.failed == {"IMAP", "SMTP", "phone"}
    assert "imap.login" in checked.of("IMAP", "failure")
    assert "401" in checked.of("phone", "failure")
    assert wrong not in checked.output


def test_a_proxy_that_spoils_things(site: Site, dovecot: Dovecot, user: str) -> None:
    site.front.faults = Faults(cuts_pings=True, spelling=b"/mICROSOFT")
    checked = site.check(user, dovecot.password)
    assert checked.failed == {"proxy", "phone"}
    assert "in other letters" in checked.of("proxy", "failure")
    assert "was cut off" in checked.of("phone", "failure")
    site.front.faults = Faults(largest=1 << 20)
    checked = site.check(user, dovecot.password)
    assert checked.failed == {"phone"}
    assert "client_max_body_size" in checked.of("phone", "failure")


def expired(folder: Path) -> Certificate:
    """A certificate for localhost that was good until yesterday."""
    key, begins = make_key(), NOW - 30 * DAY
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    made = (
        x509.CertificateBuilder(named("localhost"), named("localhost"), key.public_key(), 1)
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=29))
        .add_extension(names, critical=False)
        .sign(key, SHA256())
    )
    files = Certificate(folder / "expired.crt", folder / "expired.key")
    files.certificate.write_bytes(made.public_bytes(Encoding.PEM))
    files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a configuration of these sections, each a text."""

    def make(**sections: str) -> Path:
        file = tmp_path / "gateway.toml"
        store = {"store": 'url = "sqlite:gateway.db"'}
        file.write_text("\n".join(f"[{name}]\n{text}\n" for name, text in (store | sections).items()))
        return file

    return make


def test_nothing_is_right(write: Write, smtp_sink: SmtpSink, tmp_path: Path) -> None:
    """Each part says what is wrong with it, and none keeps the others from being looked at."""
    nobody, listen, sieve = free_ports(3)
    certificate = expired(tmp_path)
    with Front(certificate) as front:
        file = write(
            server=f'public_url = "{front.url}"\nlisten = "127.0.0.1:{listen}"',
            imap=f'host = "127.0.0.1"\nport = {nobody}',
            smtp=f'host = "127.0.0.1"\nport = {smtp_sink.port}',
            sieve=f'host = "127.0.0.1"\nport = {sieve}',
            ldap=f'url = "ldap://127.0.0.1:{nobody}"\nbase = "dc=example"\nbind = "anonymous"',
            store='url = "sqlite:///proc/gateway.db"',
        )
        checked = check(file, environment={"SSL_CERT_FILE": str(certificate.certificate)})
    assert checked.status == 1
    assert checked.failed == {
        "store", "IMAP", "SMTP", "Sieve", "LDAP", "gateway", "certificate", "proxy"
    }  # fmt: skip
    assert "imap.port" in checked.of("IMAP", "failure")
    assert "smtp.security" in checked.of("SMTP", "failure")  # STARTTLS is not offered
    assert "sieve.port" in checked.of("Sieve", "failure")
    assert "cannot be written" in checked.of("store", "failure")
    assert "activesync-gateway serve" in checked.of("gateway", "failure")
    assert "renew it" in checked.of("certificate", "failure")
    assert "expired" in checked.of("proxy", "failure")


def test_certificates_of_the_servers_behind(write: Write, dovecot: Dovecot, smtp_sink: SmtpSink) -> None:
    smtp = f'host = "127.0.0.1"\nport = {smtp_sink.port}\nsecurity = "none"\nauth = "none"'
    imap = f'host = "127.0.0.1"\nport = {dovecot.tls_port}\n'
    refused = check(write(imap=imap, smtp=smtp, **{"policies.idle": "AllowCamera = false"}))
    assert "imap.ca_file" in refused.of("IMAP", "failure")
    assert "SMTP" not in refused.failed
    assert "public_url" in refused.of("configuration", "warning")
    assert "for nobody: the policies idle ->" in refused.of("configuration", "warning")
    clear = f'host = "127.0.0.1"\nport = {dovecot.port}\n'  # where no TLS begins
    assert "starttls" in check(write(imap=clear, smtp=smtp)).of("IMAP", "failure")


def test_a_server_with_few_abilities(
    write: Write, dovecot_bare: Dovecot, smtp_sink: SmtpSink, user: str
) -> None:
    file = write(
        imap=f'host = "127.0.0.1"\nport = {dovecot_bare.port}\nsecurity = "none"',
        smtp=f'host = "127.0.0.1"\nport = {smtp_sink.port}\nsecurity = "none"\nauth = "none"',
        server=f'listen = "127.0.0.1:{free_ports(1)[0]}"',
    )
    checked = check(file, "--user", user, password=dovecot_bare.password)
    told = checked.of("IMAP", "warning")
    assert [line.split()[1] for line in told.splitlines()] == ["CONDSTORE", "UIDPLUS", "IDLE"]
    assert "one step" in checked.of("IMAP", "ok")  # MOVE


def test_a_configuration_that_cannot_be_used(write: Write) -> None:
    file = write(imap='host = "x"', smtp='host = "y"', store='url = "sqlite:///var/lib/a?b.db"')
    checked = check(file)
    assert checked.failed == {"configuration"}
    assert "store.url" in checked.of("configuration", "failure")
    file = write(imap='hots = "x"', smtp='host = "y"')
    checked = check(file)
    assert checked.status == 1
    assert "unknown key imap.hots" in checked.of("configuration", "failure")
    command = [sys.executable, "-m", "gateway", "check", "--config", str(file)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=SECONDS)
    assert ended.returncode == 1
    assert ended.stdout.startswith("configuration failure")
    assert ended.stdout.endswith("1 failures, 0 warnings, 0 ok\n")
