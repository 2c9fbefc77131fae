"""The configuration file that Thunderbird, Evolution and others look for: clientConfig, version 1.1."""

from __future__ import annotations

from lxml import etree

from gateway.web.autodiscover.servers import MailServer, Servers

__all__ = ["config"]

_SOCKETS = {"tls": "SSL", "starttls": "STARTTLS"}


def config(servers: Servers, address: str, domain: str) -> bytes | None:
    """The servers of an address, or of all ("") in a domain; None where there are none to be told."""
    if servers.imap is None or servers.smtp is None:
        return None
    root = etree.Element("clientConfig", version="1.1")
    provider = etree.SubElement(root, "emailProvider", id=domain)
    for name in ("domain", "displayName", "displayShortName"):
        etree.SubElement(provider, name).text = domain
    login = servers.upstream_login(address) if address else _placeholder(servers, domain)
    _server(provider, "incomingServer", "imap", servers.imap, login)
    _server(provider, "outgoingServer", "smtp", servers.smtp, login)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def _server(provider: etree._Element, name: str, kind: str, server: MailServer, login: str) -> None:
    element = etree.SubElement(provider, name, type=kind)
    for child, text in (
        ("hostname", server.host),
        ("port", str(server.port)),
        ("socketType", _SOCKETS[server.security]),
        ("authentication", "password-cleartext"),
        ("username", login),
    ):
        etree.SubElement(element, child).text = text


def _placeholder(servers: Servers, domain: str) -> str:
    """The login with what the program itself fills in for the address."""
    local = "localpart"
    return servers.upstream_login(f"{local}@{domain}").replace(local, "%EMAILLOCALPART%")
