"""The command itself: which parts there are to look at, and how what was found is told."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import click

from gateway.app import admission_of, check_files, examinations, identity_of, login_examinations
from gateway.cli.check.machine import machine
from gateway.cli.check.names import discovery_names, names
from gateway.cli.check.parts import Part, Row, examined
from gateway.cli.check.session import phone
from gateway.cli.check.table import show, summary
from gateway.cli.check.web import Site, gateway, proxy
from gateway.cli.common import config, reachable, told
from gateway.config import Settings, load
from gateway.errors import ConfigError
from gateway.ports.examining import Finding, Verdict, bad, doubtful, good
from gateway.types import Principal
from gateway.web import logs

__all__ = ["check"]

_PASSWORD = "CHECK_PASSWORD"  # noqa: S105  # the name of a variable
_LONGER_THAN_PROXIES = 70
"""Seconds: most proxies give up after 60 by themselves."""
_TITLES = {
    "store": "store",
    "imap": "IMAP",
    "smtp": "SMTP",
    "sieve": "Sieve",
    "ldap": "LDAP",
    "oauth": "OpenID",
    "master": "master user",
}


@click.command()
@click.option("--user", help="Log in as this user, as a phone does, and play a phone's session.")
@click.option(
    "--hold",
    type=click.IntRange(0, 3540),
    default=_LONGER_THAN_PROXIES,
    show_default=True,
    help="Seconds a Ping is held in that session; 0: none.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@config
@told
def check(file: Path, user: str | None, hold: int, as_json: bool) -> None:
    """Look at everything phones need, and say what to do about what is wrong.

    The password of --user is asked for, or taken from the environment variable CHECK_PASSWORD. Nothing is
    changed and no mail sent; the device of the session is forgotten again. Ends with status 1 after a
    failure.
    """
    logs.configure("error", "text")
    password = _password(user) if user else ""
    rows = asyncio.run(_all(file, (user or "", password), hold, quiet=as_json))
    failed = any(row.finding.verdict is Verdict.FAILURE for row in rows)
    if as_json:
        click.echo(
            json.dumps({"ok": not failed, "findings": [*map(_object, rows)]}, indent=2, ensure_ascii=False)
        )
    else:
        click.echo(f"\n{summary(rows)}")
    sys.exit(1 if failed else 0)


def _password(user: str) -> str:
    given = os.environ.get(_PASSWORD)
    return given if given is not None else str(click.prompt(f"Password of {user}", hide_input=True, err=True))


async def _all(file: Path, login: tuple[str, str], hold: int, *, quiet: bool) -> list[Row]:
    """Everything that is found, and unless `quiet`, told as it is found."""
    rows = []
    async for row in examined(_parts(file, login, hold)):
        rows.append(row)
        if not quiet:
            show(row)
    return rows


def _parts(file: Path, login: tuple[str, str], hold: int) -> Iterator[Part]:
    """What there is to look at, in the order in which one thing needs the other."""
    user, password = login
    try:
        settings = load(file, os.environ)
        check_files(settings)
        principal = identity_of(settings).principal(user, password) if user else None
        servers = {
            **examinations(settings, principal),
            **login_examinations(settings, principal.credentials.login if principal else ""),
        }
    except ConfigError as error:
        yield Part("configuration", _told(bad(str(error), "correct it, and check again")))
        return
    yield Part("configuration", _configured(settings, file))
    yield Part("machine", machine(settings))
    for name, findings in servers.items():
        yield Part(_TITLES[name], findings)
    listen = Site(reachable(settings.server.host), settings.server.port, tls=False)
    yield Part("gateway", gateway(listen))
    url = settings.server.public_url
    domain = _domain(settings, principal)
    if url is not None:
        yield from _outside(url, domain)
    if principal is not None and settings.passwords.required:
        why = "no session was played: phones log in with app passwords alone (passwords.required)"
        yield Part("phone", _told(good(why)))
    elif principal is not None:
        site = Site.of(url) if url is not None else listen
        session = phone(settings, site, login, principal.user, hold)
        yield Part("phone", session, seconds=600 + max(hold, settings.eas.heartbeat_min))


def _outside(url: str, domain: str | None) -> Iterator[Part]:
    """What phones meet before the gateway."""
    site = Site.of(url)
    yield Part("DNS", names(site.host, domain))
    if site.tls:
        # What reads certificates is large, and no other command reads any.
        from gateway.cli.check.certificate import certificate  # noqa: PLC0415

        others = discovery_names(domain) if domain else ()
        yield Part("certificate", certificate(site.host, site.port, others))
    else:
        yield Part("certificate", _told(bad("phones want TLS", "set server.public_url to one with https://")))
    yield Part("proxy", proxy(site, url, f"check@{domain or site.host}"), seconds=120)


async def _told(finding: Finding) -> AsyncIterator[Finding]:
    yield finding


async def _configured(settings: Settings, file: Path) -> AsyncIterator[Finding]:
    yield good(f"{file}")
    if settings.server.public_url is None:
        yield doubtful(
            "server.public_url is not set: phones are told to use the name they asked, and nothing can be"
            " said of the reverse proxy",
            "set it to what phones call the server, as https://sync.example.com",
        )
    idle = [one.name for one in admission_of(settings).policies.policies if one.is_for_nobody]
    if idle:
        yield doubtful(
            f"for nobody: the policies {', '.join(idle)}",
            "have them name users, groups or devices; the one that is for all others is called default",
        )
    if not settings.policies:
        yield good("no policies: nothing is demanded of devices")


def _domain(settings: Settings, principal: Principal | None) -> str | None:
    """The mail domain of the users, where it is known."""
    _, at, domain = (principal.email if principal else settings.identity.email).rpartition("@")
    return domain.lower() if at and domain and "{" not in domain else None


def _object(row: Row) -> dict[str, str]:
    finding = row.finding
    return {
        "part": row.part,
        "verdict": finding.verdict.value,
        "text": finding.text,
        "remedy": finding.remedy,
    }
