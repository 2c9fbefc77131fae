"""The configuration file that Thunderbird, Evolution and others look for: clientConfig, version 1.1."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from lxml import etree

from gateway.ports.logins import SignIn
from gateway.web.autodiscover.servers import MailServer, Servers

__all__ = ["config"]

_SOCKETS = {"tls": "SSL", "starttls": "STARTTLS"}


def config(servers: Servers, address: str, domain: str, sign_in: SignIn | None = None) -> bytes | None:
    """The servers of an address, or of all ("") in a domain; None where there are none to be told.

    With the pages of a provider (`sign_in`) whose tokens the servers take, these come before passwords.
    """
    if servers.imap is None or servers.smtp is None:
        return None
    root = etree.Element("clientConfig", version="1.1")
    provider = etree.SubElement(root, "emailProvider", id=domain)
    for name in ("domain", "displayName", "displayShortName"):
        etree.SubElement(provider, name).text = domain
    login = servers.upstream_login(address) if address else _placeholder(servers, domain)
    tokens = sign_in if sign_in is not None and sign_in.authorization and sign_in.token else None
    ways = (["OAuth2"] if tokens else []) + ["password-cleartext"]
    incoming = etree.SubElement(provider, "incomingServer", type="imap")
    outgoing = etree.SubElement(provider, "outgoingServer", type="smtp")
    _fill(incoming, servers.imap, login, ways)
    _fill(outgoing, servers.smtp, login, ways)
    if tokens is not None:
        _provider(root, tokens)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def _provider(root: etree._Element, sign_in: SignIn) -> None:
    element = etree.SubElement(root, "oAuth2")
    for child, text in (
        ("issuer", urlsplit(sign_in.issuer).hostname or sign_in.issuer),
        ("scope", sign_in.scope),
        ("authURL", sign_in.authorization),
        ("tokenURL", sign_in.token),
    ):
        etree.SubElement(element, child).text = text


def _fill(element: etree._Element, server: MailServer, login: str, ways: Sequence[str]) -> None:
    for child, text in (
        ("hostname", server.host),
        ("port", str(server.port)),
        ("socketType", _SOCKETS[server.security]),
        *(("authentication", way) for way in ways),
        ("username", login),
    ):
        etree.SubElement(element, child).text = text


def _placeholder(servers: Servers, domain: str) -> str:
    """The login with what the program itself fills in for the address."""
    local = "localpart"
    return servers.upstream_login(f"{local}@{domain}").replace(local, "%EMAILLOCALPART%")
