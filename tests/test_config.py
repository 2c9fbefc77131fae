"""The configuration: defaults, environment, and errors that name source, key and what is allowed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from gateway.config import EasSection, ImapSection, load
from gateway.config.values import VERSIONS
from gateway.eas.commands.base import Limits
from gateway.eas.versions import Version
from gateway.errors import ConfigError
from gateway.upstream.imap.settings import ImapSettings

MINIMAL = """
[imap]
host = "imap.example.com"
[smtp]
host = "smtp.example.com"
[store]
url = "sqlite:gateway.db"
"""

FULL = """
[server]
listen = "[::1]:8443"
public_url = "https://sync.example.com/"
trusted_proxies = ["10.0.0.0/8"]
[imap]
host = "imap.example.com"
port = 143
security = "starttls"
login = "{local}"
ca_file = "ca.pem"
[smtp]
host = "smtp.example.com"
port = 25
security = "none"
auth = "none"
[identity]
email = "{local}@example.com"
allow_from = ["{local}+*@example.com"]
[store]
url = "sqlite:///var/lib/activesync-gateway/gateway.db"
[sieve]
host = "imap.example.com"
port = 4190
[log]
level = "DEBUG"
format = "json"
trace = ["jo@example.com/d1"]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "gateway.toml"
    path.write_text(MINIMAL)
    return path


def test_defaults(file: Path, tmp_path: Path) -> None:
    settings = load(file, {})
    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 8080)
    assert settings.server.trusted_proxies == ("127.0.0.1", "::1")
    assert (settings.imap.port_number, settings.smtp.port_number) == (993, 587)
    assert settings.imap.verify
    assert settings.smtp.verify
    assert settings.sieve is None
    assert settings.store.url == f"sqlite:{tmp_path}/gateway.db"


def test_everything(file: Path, tmp_path: Path) -> None:
    file.write_text(FULL)
    (tmp_path / "ca.pem").touch()
    settings = load(file, {})
    assert (settings.server.host, settings.server.port) == ("::1", 8443)
    assert settings.server.public_url == "https://sync.example.com"
    assert settings.imap.ca_file == tmp_path / "ca.pem"
    assert (settings.imap.port_number, settings.smtp.port_number) == (143, 25)
    assert settings.store.url == "sqlite:///var/lib/activesync-gateway/gateway.db"
    assert settings.sieve is not None
    assert (settings.log.level, settings.log.trace) == ("debug", ("jo@example.com/d1",))


def test_rules_take_the_versions_there_are() -> None:
    assert tuple(map(str, Version)) == VERSIONS


@pytest.mark.parametrize(("security", "port"), [("tls", 993), ("starttls", 143), ("none", 143)])
def test_imap_port_follows_security(file: Path, security: str, port: int) -> None:
    assert load(file, {"GATEWAY_IMAP__SECURITY": security}).imap.port_number == port


@pytest.mark.parametrize(("security", "port"), [("tls", 465), ("starttls", 587), ("none", 25)])
def test_smtp_port_follows_security(file: Path, security: str, port: int) -> None:
    assert load(file, {"GATEWAY_SMTP__SECURITY": security}).smtp.port_number == port


def test_environment_wins_over_the_file(file: Path) -> None:
    environment = {
        "GATEWAY_IMAP__HOST": "other.example.com",
        "GATEWAY_IMAP__PORT": "1143",
        "GATEWAY_IMAP__VERIFY": "false",
        "GATEWAY_SERVER__TRUSTED_PROXIES": "10.0.0.1, 10.0.0.2",
        "GATEWAY_LOG__TRACE": "",
        "GATEWAY_CONFIG": "/etc/gateway.toml",
        "GATEWAYS": "not ours",
        "PATH": "/bin",
    }
    settings = load(file, environment)
    assert (settings.imap.host, settings.imap.port, settings.imap.verify) == (
        "other.example.com",
        1143,
        False,
    )
    assert settings.server.trusted_proxies == ("10.0.0.1", "10.0.0.2")
    assert settings.log.trace == ()


def test_environment_alone_can_complete_a_file(file: Path) -> None:
    file.write_text("")
    environment = {
        "GATEWAY_IMAP__HOST": "a",
        "GATEWAY_SMTP__HOST": "b",
        "GATEWAY_STORE__URL": "sqlite:///x.db",
    }
    assert load(file, environment).smtp.host == "b"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("[imap]", "[imap]\nprot = 1"), "unknown key imap.prot; allowed are host, port, security, login"),
        (
            ("[imap]", "[sieve]\nhosts = 1\n[imap]"),
            "unknown key sieve.hosts; allowed are host, port, security",
        ),
        (
            ("[imap]", "[[devices.rules]]\naccess = 'block'\nkind = 'x'\n[imap]"),
            "unknown key devices.rules.0.kind; allowed are access, type, model, agent, user, version",
        ),
        (
            ("[imap]", "[groups]\na = ['jo']\nb = []\n[policies.x]\ngroups = ['a', 'c']\n[imap]"),
            "policies.x.groups: unknown group c; allowed are a, b",
        ),
        (
            ("[imap]", "[policies.x]\ngroups = ['c']\n[imap]"),
            "policies.x.groups: unknown group c; allowed are none, as there is no section [groups]",
        ),
        (
            ("[imap]", "[[devices.rules]]\naccess = 'block'\ngroup = 'c'\n[imap]"),
            "devices.rules.0.group: unknown group c; allowed are none",
        ),
        (
            ("[imap]", "[[devices.rules]]\naccess = 'block'\nversion = '16'\n[imap]"),
            "devices.rules.0.version: allowed are 2.5, 12.0, 12.1, 14.0, 14.1, 16.0, 16.1, in which",
        ),
        (
            ("[imap]", "[devices]\nbarred = ['']\n[imap]"),
            "devices.barred.0: String should have at least 1 char",
        ),
        (
            ("[imap]", "[groups]\na = ['jo']\n[devices]\nbarred_groups = ['a', 'c']\n[imap]"),
            "devices.barred_groups: unknown group c; allowed are a",
        ),
        (("[imap]", "[autodiscover]\nmoved = ['a=b..c']\n[imap]"), "autodiscover.moved.0: allowed is old.ex"),
        (("[imap]", "[imapp]\n[imap]"), "unknown key imapp; allowed are the sections imap, smtp"),
        (("[imap]", "folder = 'x'\n[imap]"), "unknown key folder; allowed"),
        (("[imap]", "[imap]\nport = 70000"), "imap.port: Input should be less than or equal to 65535"),
        (("[imap]", "[imap]\nport = 'x'"), "imap.port: Input should be a valid integer"),
        (
            ("[imap]", "[imap]\nsecurity = 'ssl'"),
            "imap.security: Input should be 'tls', 'starttls' or 'none'",
        ),
        (
            ("[imap]", "[imap]\nlogin = '{name}'"),
            "imap.login: allowed in braces are {user}, {local} and {domain}",
        ),
        (("[imap]", "[imap]\nlogin = '{user'"), "imap.login: allowed in braces"),
        (('host = "imap.example.com"', ""), "imap.host is missing"),
        (('host = "imap.example.com"', 'host = ""'), "imap.host: String should have at least 1 character"),
        (('[store]\nurl = "sqlite:gateway.db"', ""), "store is missing"),
        (("[store]", "[stored]"), "unknown key stored; allowed are the sections imap, smtp, store"),
        (
            ("sqlite:gateway.db", "postgresql://u:hunter2@h"),
            "store.url: allowed is postgresql://user:password@host/database",
        ),
        (
            ("sqlite:gateway.db", "mysql://u:hunter2@h/db"),
            "store.url: allowed are sqlite:///path/to/gateway.db and postgresql://",
        ),
        (("sqlite:gateway.db", "sqlite:///"), "store.url: allowed are sqlite:///path/to/gateway.db and"),
        (("[imap]", "[server]\nlisten = '8080'\n[imap]"), "server.listen: allowed is host:port"),
        (("[imap]", "[server]\nlisten = 'a:99999'\n[imap]"), "server.listen: allowed is host:port"),
        (("[imap]", "[server]\ntrusted_proxies = ['x']\n[imap]"), "server.trusted_proxies.0: allowed are IP"),
        (("[imap]", "[server]\npublic_url = 'sync'\n[imap]"), "server.public_url: allowed is a URL"),
        (("[imap]", "[log]\ntrace = ['/d']\n[imap]"), 'log.trace.0: allowed are "user" and "user/deviceid"'),
        (("[imap]", "[log]\nlevel = 'all'\n[imap]"), "log.level: Input should be 'debug', 'info'"),
        (("[imap]", "[eas]\nheartbeat_max = 30\n[imap]"), "eas.heartbeat_min: allowed is at most"),
        (('[imap]\nhost = "imap.example.com"', "imap = 3"), "imap: allowed is a section: [imap]"),
        (('[imap]\nhost = "imap.example.com"', "imap = 'x'"), "imap: allowed is a section: [imap]"),
        (("[imap]", "sieve = 'x'\n[imap]"), "sieve: allowed is a section: [sieve]"),
        (("[imap]", "[imap]\nca_file = '/no/such/file'"), "imap.ca_file: there is no file /no/such/file"),
        (("[imap]", "[imap"), "is not TOML"),
    ],
)
def test_errors_name_file_key_and_what_is_allowed(file: Path, change: tuple[str, str], expected: str) -> None:
    file.write_text(MINIMAL.replace(*change, 1))
    with pytest.raises(ConfigError) as refused:
        load(file, {})
    message = str(refused.value)
    assert message.startswith(f"{file}: {expected}")
    assert "\n" not in message
    assert "hunter2" not in message
    assert "Section" not in message


def test_errors_in_the_environment_name_the_variable(file: Path) -> None:
    with pytest.raises(ConfigError, match=r"^environment variable GATEWAY_IMAP__PORT: imap.port: "):
        load(file, {"GATEWAY_IMAP__PORT": "many"})
    with pytest.raises(ConfigError, match=r"^environment variable GATEWAY_IMAP__PROT: unknown key imap.prot"):
        load(file, {"GATEWAY_IMAP__PROT": "1"})
    with pytest.raises(
        ConfigError,
        match=r"^environment variable GATEWAY_FOO__BAR: unknown key foo; allowed are the",
    ):
        load(file, {"GATEWAY_FOO__BAR": "1"})


@pytest.mark.parametrize(
    ("variable", "allowed"),
    [
        ("GATEWAY_IMAP_HOST", "GATEWAY_IMAP__HOST"),
        ("GATEWAY_IMAP_MAX_CONNECTIONS", "GATEWAY_IMAP__MAX_CONNECTIONS"),
        ("GATEWAY_IMAPHOST", "GATEWAY_IMAP__HOST"),
    ],
)
def test_a_variable_that_misses_its_key_is_an_error(file: Path, variable: str, allowed: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(file, {variable: "hunter2"})
    assert str(refused.value) == f"environment variable {variable}: names no key; allowed is {allowed}"


@pytest.mark.parametrize("variable", ["GATEWAY_HOME", "GATEWAY_PORT_80_TCP_ADDR", "GATEWAY_", "GATEWAY_URL"])
def test_a_variable_of_somebody_else_is_passed_over(file: Path, variable: str) -> None:
    assert load(file, {variable: "x"}) == load(file, {})


def test_a_variable_cannot_mend_a_section_that_is_none(file: Path) -> None:
    file.write_text(MINIMAL.replace('[imap]\nhost = "imap.example.com"', "imap = 'x'"))
    with pytest.raises(ConfigError, match=r"gateway.toml: imap: allowed is a section"):
        load(file, {"GATEWAY_IMAP__HOST": "imap.example.com"})


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing.toml: cannot be read: No such file"):
        load(tmp_path / "missing.toml", {})
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"is not UTF-8"):
        load(binary, {})


def test_the_protocols_defaults_are_the_configurations() -> None:
    limits = asdict(Limits())
    limits["duplicate_window"] = limits["duplicate_window"].total_seconds()
    assert limits == EasSection().model_dump(exclude={"recipients"})


def test_the_defaults_of_the_imap_side_are_the_configurations() -> None:
    there = asdict(ImapSettings("imap.example.com"))
    here = ImapSection(host="imap.example.com").model_dump()
    common = there.keys() & here.keys() - {"port"}
    assert {"max_connections", "max_connections_per_user", "idle_seconds", "poll_interval"} <= common
    assert {key: here[key] for key in common} == {key: there[key] for key in common}
