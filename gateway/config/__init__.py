"""The configuration: a TOML file, each key of which may be given by an environment variable instead.

`GATEWAY_IMAP__HOST=imap.example.com` stands for `host` in section `[imap]`, and wins over the file. A list is
written with commas between its values. A variable that begins like this and names no key is an error, so that
none with a slip in its name is passed over. Raises ConfigError, whose one line names the source, the key and
what is allowed.
"""

from gateway.config.reading import CONFIG_VARIABLE, load
from gateway.config.sections import (
    AuthSection,
    AutodiscoverSection,
    BrakesSection,
    CertificatesSection,
    ClientCertificatesSection,
    EasSection,
    IdentitySection,
    ImapSection,
    LdapSection,
    LogSection,
    MasterSection,
    OauthSection,
    PasswordsSection,
    ServerSection,
    Settings,
    SieveSection,
    SmtpSection,
    StoreSection,
)
from gateway.config.values import LDAP_PROPERTIES

__all__ = [
    "CONFIG_VARIABLE",
    "LDAP_PROPERTIES",
    "AuthSection",
    "AutodiscoverSection",
    "BrakesSection",
    "CertificatesSection",
    "ClientCertificatesSection",
    "EasSection",
    "IdentitySection",
    "ImapSection",
    "LdapSection",
    "LogSection",
    "MasterSection",
    "OauthSection",
    "PasswordsSection",
    "ServerSection",
    "Settings",
    "SieveSection",
    "SmtpSection",
    "StoreSection",
    "load",
]
