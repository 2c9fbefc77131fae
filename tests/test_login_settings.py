"""The configuration of logins without the mail password: what belongs together, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.app.logins import ways_of
from gateway.config import load
from gateway.errors import ConfigError

MINIMAL = """
[imap]
host = "imap.example.com"
[smtp]
host = "smtp.example.com"
[store]
url = "sqlite:gateway.db"
"""
MASTER = '[master]\nlogin = "boss"\npassword = "secret"\n'
OAUTH = '[oauth]\nissuer = "https://login.example.com/realm"\naudience = ["mail"]\n'


def written(folder: Path, more: str) -> Path:
    file = folder / "gateway.toml"
    file.write_text(MINIMAL + more)
    return file


def test_each_is_off_by_default(tmp_path: Path) -> None:
    settings = load(written(tmp_path, MASTER), {})
    assert settings.oauth is None
    assert settings.client_certificates is None
    assert not settings.passwords.enabled
    assert settings.master is not None
    assert "secret" not in repr(settings)


async def test_those_that_are_named_are_there(tmp_path: Path) -> None:
    more = (
        MASTER
        + OAUTH
        + "[passwords]\nenabled = true\n[client_certificates]\nuser = 'cn'\ndomains = ['CORP']\n"
    )
    ways = ways_of(load(written(tmp_path, more), {}), None, None)  # type: ignore[arg-type]  # not used yet
    assert ways.app_passwords is not None
    assert ways.tokens is not None
    assert ways.tokens.master is None
    assert ways.certificates is not None
    assert ways.certificates.domains == {"corp"}
    assert "secret" not in repr(ways)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("[passwords]\nenabled = true\n", "passwords.enabled: needs the section [master]"),
        (
            MASTER
            + "[passwords]\nenabled = true\n[devices]\nbarred_groups = ['left']\n[ldap]\nbase = 'o=x'\n"
            "url = ['ldaps://x']\nbind = 'user'\nbind_dn = '{user}'\n",
            'ldap.bind: allowed is "service" or "anonymous" where devices.barred_groups names a group',
        ),
        ("[passwords]\nrequired = true\n", "passwords.required: allowed is true with passwords.enabled"),
        ("[client_certificates]\n", "client_certificates: needs the section [master]"),
        (OAUTH + 'upstream = "master"\n', "oauth.upstream: needs the section [master]"),
        ('[master]\nlogin = "boss"\n', "master.password is missing"),
        ('[master]\nlogin = "boss"\npassword = ""\n', "master.password"),
        (OAUTH.replace("https:", "http:"), "oauth.issuer: allowed is a URL that begins with https://"),
        (OAUTH.replace('["mail"]', "[]"), "oauth.audience"),
        (OAUTH + 'algorithms = ["HS256"]\n', "allowed are RS256, RS384"),
        (OAUTH + 'algorithms = ["none"]\n', "allowed are RS256, RS384"),
        (OAUTH + 'domains = ["anna@example.com"]\n', "allowed are domains, as example.com or CORP"),
        (MASTER + '[client_certificates]\nheader = "X SSL"\n', "allowed is the name of a header"),
    ],
)
def test_errors_name_the_key_and_what_is_allowed(tmp_path: Path, more: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(written(tmp_path, more), {})
    assert said in str(error.value)
    assert str(error.value).startswith(str(tmp_path / "gateway.toml"))


def test_a_service_login_for_smtp_needs_its_password(tmp_path: Path) -> None:
    service = {"GATEWAY_SMTP__AUTH": "service", "GATEWAY_SMTP__LOGIN": "relay"}
    with pytest.raises(ConfigError, match='auth = "service" needs login and password'):
        load(written(tmp_path, ""), service)
    settings = load(written(tmp_path, ""), service | {"GATEWAY_SMTP__PASSWORD": "secret"})
    assert settings.smtp.auth == "service"
