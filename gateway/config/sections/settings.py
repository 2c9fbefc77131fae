"""The whole configuration: which sections there are, and which of them may be missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from gateway.config.sections.administration import AccountSection, AdminSection, DevicesSection
from gateway.config.sections.logins import (
    AuthSection,
    ClientCertificatesSection,
    MasterSection,
    OauthSection,
    PasswordsSection,
)
from gateway.config.sections.people import DirectorySection, LdapSection
from gateway.config.sections.protocol import (
    AutodiscoverSection,
    BrakesSection,
    CalendarSection,
    CertificatesSection,
    EasSection,
)
from gateway.config.sections.serving import LogSection, ServerSection, StoreSection, TelemetrySection
from gateway.config.sections.upstream import IdentitySection, ImapSection, SieveSection, SmtpSection
from gateway.config.values import Name, PolicyTable, words


class Settings(BaseModel):
    """The whole configuration; relative paths in it are already made absolute."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    imap: ImapSection
    smtp: SmtpSection
    store: StoreSection
    server: ServerSection = ServerSection()
    identity: IdentitySection = IdentitySection()
    sieve: SieveSection | None = None
    certificates: CertificatesSection = CertificatesSection()
    log: LogSection = LogSection()
    auth: AuthSection = AuthSection()
    master: MasterSection | None = None
    passwords: PasswordsSection = PasswordsSection()
    oauth: OauthSection | None = None
    client_certificates: ClientCertificatesSection | None = None
    eas: EasSection = EasSection()
    calendar: CalendarSection = CalendarSection()
    directory: DirectorySection = DirectorySection()
    ldap: LdapSection | None = None
    autodiscover: AutodiscoverSection = AutodiscoverSection()
    devices: DevicesSection = DevicesSection()
    brakes: BrakesSection = BrakesSection()
    account: AccountSection = AccountSection()
    admin: AdminSection = AdminSection()
    telemetry: TelemetrySection = TelemetrySection()
    groups: Mapping[str, Annotated[tuple[str, ...], BeforeValidator(words)]] = {}
    policies: Mapping[Name, PolicyTable] = {}
