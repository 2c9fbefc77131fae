"""The sections of the configuration: their keys, what each defaults to, and what it means."""

from __future__ import annotations

from gateway.config.sections.administration import (
    AccessRuleSection,
    AccountSection,
    AdminSection,
    DevicesSection,
)
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
from gateway.config.sections.section import Section
from gateway.config.sections.serving import LogSection, ServerSection, StoreSection, TelemetrySection
from gateway.config.sections.settings import Settings
from gateway.config.sections.upstream import IdentitySection, ImapSection, SieveSection, SmtpSection

__all__ = [
    "AccessRuleSection",
    "AccountSection",
    "AdminSection",
    "AuthSection",
    "AutodiscoverSection",
    "BrakesSection",
    "CalendarSection",
    "CertificatesSection",
    "ClientCertificatesSection",
    "DevicesSection",
    "DirectorySection",
    "EasSection",
    "IdentitySection",
    "ImapSection",
    "LdapSection",
    "LogSection",
    "MasterSection",
    "OauthSection",
    "PasswordsSection",
    "Section",
    "ServerSection",
    "Settings",
    "SieveSection",
    "SmtpSection",
    "StoreSection",
    "TelemetrySection",
]
