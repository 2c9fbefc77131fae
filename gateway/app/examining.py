"""What can be found out of files, servers and store before phones come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from gateway.app.logins import oidc_settings
from gateway.app.parts import admission_of, imap_settings, sieve_settings, smtp_settings
from gateway.app.people import check_groups, ldap_settings
from gateway.app.stores import is_shared, shared_location
from gateway.app.telemetry import check_telemetry
from gateway.config import Settings
from gateway.eas.memberships import known_by
from gateway.ports.examining import Finding
from gateway.store.sqlite import parse_url
from gateway.store.sqlite.examine import examine as examine_store
from gateway.types import Principal
from gateway.upstream.directoryfile import FileDirectory
from gateway.upstream.imap.examine import examine as examine_imap
from gateway.upstream.sieve.examine import examine as examine_sieve
from gateway.upstream.smtp.examine import examine as examine_smtp


def check_files(settings: Settings) -> None:
    """Read the files that the configuration names and the gateway reads at its start, and find its extras.

    Raises `ConfigError`.
    """
    if is_shared(settings):
        shared_location(settings)
    if settings.ldap is not None:
        ldap_settings(settings.ldap)
    if settings.oauth is not None:
        oidc_settings(settings.oauth)
    check_telemetry(settings)
    if settings.directory.file is not None:
        check_groups(settings, admission_of(settings), FileDirectory(settings.directory.file))


def _examine_store(settings: Settings) -> AsyncIterator[Finding]:
    if not is_shared(settings):
        return examine_store(parse_url(settings.store.url))
    location = shared_location(settings)
    from gateway.store.postgres.examine import examine as examine_postgres  # noqa: PLC0415 (an extra)

    return examine_postgres(location, settings.store.connections)


def examinations(settings: Settings, principal: Principal | None) -> Mapping[str, AsyncIterator[Finding]]:
    """What there is to be found of each server behind and of the store, as a user where there is one."""
    credentials = principal.credentials if principal else None
    found = {
        "store": _examine_store(settings),
        "imap": examine_imap(imap_settings(settings), credentials),
        "smtp": examine_smtp(smtp_settings(settings), credentials, settings.eas.max_body),
    }
    if settings.sieve is not None:
        found["sieve"] = examine_sieve(sieve_settings(settings.sieve), credentials)
    if settings.ldap is not None:
        ldap, groups = ldap_settings(settings.ldap), admission_of(settings).directory_groups
        if settings.directory.file is not None:
            groups -= FileDirectory(settings.directory.file).group_names
        from gateway.upstream.ldap.examine import examine as examine_ldap  # noqa: PLC0415 (an extra)

        sought = known_by(principal) if principal else None
        found["ldap"] = examine_ldap(ldap, credentials, groups, sought)
    return found
