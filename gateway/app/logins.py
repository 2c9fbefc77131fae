"""How users log in besides by their mail password, as the configuration has it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from gateway.app.extras import missing
from gateway.app.parts import imap_settings, sieve_settings, smtp_settings
from gateway.app.release import SystemClock
from gateway.config import OauthSection, Settings, SieveSection
from gateway.errors import GatewayError, UpstreamError
from gateway.ports import Clock, State
from gateway.ports.examining import Finding, bad, good
from gateway.ports.logins import Tokens
from gateway.types import Credentials
from gateway.upstream.imap.upstream import ImapUpstream
from gateway.upstream.sieve import SieveFilters
from gateway.upstream.smtp import SmtpSubmission
from gateway.web.ways import AppPasswordWay, CertificateWay, Master, TokenWay, Ways

if TYPE_CHECKING:
    from gateway.upstream.oidc import OidcSettings

__all__ = ["login_examinations", "oidc_settings", "preparing", "ways_of"]

_AGAIN = 30.0
"""Seconds after which a provider that did not answer is asked again."""

_PATIENCE = 20.0
"""Seconds that one login may take when it is tried."""


def ways_of(settings: Settings, state: State, clock: Clock) -> Ways:
    """The ways that are turned on. Raises `ConfigError`."""
    master, passwords, oauth = _master_of(settings), settings.passwords, settings.oauth
    certificates = settings.client_certificates
    found = Ways()
    if master is not None and passwords.enabled:
        found = Ways(app_passwords=AppPasswordWay(state, clock, master, passwords.required))
    if oauth is not None:
        opening = master if oauth.upstream == "master" else None
        way = TokenWay(_tokens(oauth, clock), clock, opening, frozenset(oauth.domains))
        found = Ways(found.app_passwords, way)
    if master is not None and certificates is not None:
        from gateway.web.certificates import ClientCertificates  # noqa: PLC0415 (large, and few want it)

        reader = ClientCertificates(**certificates.model_dump(exclude={"domains"}))
        shown = CertificateWay(reader, master, frozenset(certificates.domains))
        found = Ways(found.app_passwords, found.tokens, shown)
    return found


async def preparing(ways: Ways) -> None:
    """Have the provider of tokens asked before the first one comes: who has none is told where to get it."""
    if ways.tokens is None:
        return
    log = structlog.get_logger("gateway.app")
    while True:
        try:
            await ways.tokens.tokens.prepare()
        except UpstreamError as error:
            log.warning("the OpenID provider cannot be asked", reason=error.detail)
            await asyncio.sleep(_AGAIN)
        else:
            return


def _master_of(settings: Settings) -> Master | None:
    """Who may log in upstream as everybody; None without [master]."""
    master = settings.master
    if master is None:
        return None
    return Master(master.login, master.password.get_secret_value(), master.separator)


def oidc_settings(oauth: OauthSection) -> OidcSettings:
    """Whose tokens are taken. Raises `ConfigError`."""
    try:
        from gateway.upstream.oidc import OidcSettings  # noqa: PLC0415 (an extra)
    except ImportError:
        raise missing("oauth", "[oauth]") from None
    return OidcSettings(
        issuer=oauth.issuer,
        audience=frozenset(oauth.audience),
        user_claim=oauth.user,
        keys=oauth.keys or "",
        scope=frozenset(oauth.scope),
        algorithms=oauth.algorithms,
        leeway=timedelta(seconds=oauth.leeway),
        ca_file=oauth.ca_file,
        timeout=oauth.timeout,
    )


def _tokens(oauth: OauthSection, clock: Clock) -> Tokens:
    settings = oidc_settings(oauth)
    from gateway.upstream.oidc import OidcTokens  # noqa: PLC0415 (an extra)

    return OidcTokens(settings, clock)


def login_examinations(settings: Settings, login: str) -> Mapping[str, AsyncIterator[Finding]]:
    """What there is to be found of the ways to log in that are turned on; `login`: a user's, "" for nobody's.

    Raises `ConfigError`.
    """
    found: dict[str, AsyncIterator[Finding]] = {}
    if settings.oauth is not None:
        oidc = oidc_settings(settings.oauth)
        from gateway.upstream.oidc.examine import examine  # noqa: PLC0415 (an extra)

        found["oauth"] = examine(oidc, SystemClock())
    if (master := _master_of(settings)) is not None:
        found["master"] = _examine_master(settings, master.opens(login) if login else None)
    return found


async def _examine_master(settings: Settings, credentials: Credentials | None) -> AsyncIterator[Finding]:
    """Log in everywhere as the user whom the master user opens."""
    if credentials is None:
        yield good("the master user was not tried: give --user")
        return
    for server, attempt in _attempts(settings, credentials):
        try:
            async with asyncio.timeout(_PATIENCE):
                await attempt
        except (GatewayError, TimeoutError) as error:
            reason = getattr(error, "detail", "") or "no answer in time"
            yield bad(f"{server}: {reason}", "look at [master], and at how the server knows master users")
        else:
            yield good(f"{server}: the master user opens {credentials.login}")


def _attempts(settings: Settings, credentials: Credentials) -> Iterator[tuple[str, Awaitable[None]]]:
    yield "IMAP", _imap(settings, credentials)
    if settings.smtp.auth == "user":
        yield "SMTP", _smtp(settings, credentials)
    if settings.sieve is not None:
        yield "Sieve", _sieve(settings.sieve, credentials)


async def _imap(settings: Settings, credentials: Credentials) -> None:
    imap = ImapUpstream(imap_settings(settings))
    try:
        await imap.authenticate(credentials)
    finally:
        await imap.aclose()


async def _smtp(settings: Settings, credentials: Credentials) -> None:
    await (await SmtpSubmission(smtp_settings(settings)).connect(credentials)).quit()


async def _sieve(section: SieveSection, credentials: Credentials) -> None:
    (await SieveFilters(sieve_settings(section)).connect(credentials)).close()
