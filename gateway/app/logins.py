"""How users log in besides by their mail password, as the configuration has it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from gateway.config import OauthSection, Settings
from gateway.errors import ConfigError
from gateway.ports import Clock, State
from gateway.ports.logins import Tokens
from gateway.web.certificates import ClientCertificates
from gateway.web.ways import AppPasswordWay, CertificateWay, Master, TokenWay, Ways

if TYPE_CHECKING:
    from gateway.upstream.oidc import OidcSettings

__all__ = ["master_of", "oidc_settings", "ways_of"]


def ways_of(settings: Settings, state: State, clock: Clock) -> Ways:
    """The ways that are turned on. Raises `ConfigError`."""
    master, passwords, oauth = master_of(settings), settings.passwords, settings.oauth
    certificates = settings.client_certificates
    found = Ways()
    if master is not None and passwords.enabled:
        found = Ways(app_passwords=AppPasswordWay(state, clock, master, passwords.required))
    if oauth is not None:
        way = TokenWay(_tokens(oauth, clock), clock, master if oauth.upstream == "master" else None)
        found = Ways(found.app_passwords, way)
    if master is not None and certificates is not None:
        reader = ClientCertificates(**certificates.model_dump())
        found = Ways(found.app_passwords, found.tokens, CertificateWay(reader, master))
    return found


def master_of(settings: Settings) -> Master | None:
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
        raise ConfigError("[oauth] needs the extra oauth: pip install 'activesync-gateway[oauth]'") from None
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
