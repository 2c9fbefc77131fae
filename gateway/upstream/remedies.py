"""What to do about a server that cannot be reached, by what the connection failed with."""

from __future__ import annotations

import ipaddress
import re

__all__ = ["is_local", "remedy"]

_REMEDIES = (
    (r"certificate has expired", "renew the certificate of {host}"),
    (r"not yet valid", "look at the clocks of this machine and of {host}"),
    (r"self.signed", "set {section}.ca_file to that certificate, or to its authority"),
    (r"local issuer", "set {section}.ca_file to its authority, or have the server send the whole chain"),
    (r"mismatch|not valid for", "set {place} to a name that its certificate has"),
    (
        r"wrong.version|record layer",
        "no TLS begins at this port: set {security} to starttls, or another port",
    ),
    (r"starttls", "set {security} to tls, and its port, or turn STARTTLS on in the server"),
    (r"ca_file", "give {section}.ca_file a PEM file of certificates"),
    (
        r"no answer",
        "look at {place}, at {security} (where TLS comes first, nothing is said without), and at firewalls",
    ),
    (r"refused|errno 111", "look at {place}, and whether the server runs"),
    (r"name.*not known|resolution", "look at {place}, and at the DNS servers of this machine"),
)
_LDAP = {"place": "ldap.url", "security": "ldap.url and ldap.starttls"}


def remedy(section: str, host: str, detail: str) -> str:
    """What an administrator can do, in one line. `section` is the one of the configuration."""
    names = {"place": f"{section}.host and {section}.port", "security": f"{section}.security"}
    said = detail.lower()
    otherwise = "look at {place}, at {security}, and at firewalls in between"
    found = next((text for sign, text in _REMEDIES if re.search(sign, said)), otherwise)
    return found.format(section=section, host=host, **(_LDAP if section == "ldap" else names))


def is_local(host: str) -> bool:
    """Whether a server is on this machine, by its name or address alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
