"""The configuration: a TOML file, each key of which may be given by an environment variable instead.

`GATEWAY_IMAP__HOST=imap.example.com` stands for `host` in section `[imap]`, and wins over the file. A list is
written with commas between its values. A variable that begins like this and names no key is an error, so that
none with a slip in its name is passed over. Raises ConfigError, whose one line names the source, the key and
what is allowed.
"""

from gateway.config.reading import CONFIG_VARIABLE, load
from gateway.config.sections.administration import DevicesSection
from gateway.config.sections.logins import OauthSection
from gateway.config.sections.people import LdapSection
from gateway.config.sections.protocol import CertificatesSection, EasSection
from gateway.config.sections.settings import Settings
from gateway.config.sections.upstream import ImapSection, SieveSection
from gateway.config.values import LDAP_PROPERTIES

__all__ = [
    "CONFIG_VARIABLE",
    "LDAP_PROPERTIES",
    "CertificatesSection",
    "DevicesSection",
    "EasSection",
    "ImapSection",
    "LdapSection",
    "OauthSection",
    "Settings",
    "SieveSection",
    "load",
]
