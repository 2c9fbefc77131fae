"""Autodiscover in plain XML (MS-ASCMD 2.2.1.1): what a phone asks, and what it is answered.

Outlook asks for IMAP and SMTP servers by a schema of its own, at the same address.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from lxml import etree

from gateway.types import Principal
from gateway.web.autodiscover.servers import MailServer, is_address

__all__ = ["BadRequest", "Schema", "Wanted", "failure", "moved", "parse", "phone", "program"]

_BASE = "http://schemas.microsoft.com/exchange/autodiscover"
_OUTER = f"{_BASE}/responseschema/2006"
_CULTURE = "en:us"


class Schema(Enum):
    """What an answer is to look like; the value is its AcceptableResponseSchema."""

    PHONE = f"{_BASE}/mobilesync/responseschema/2006"
    PROGRAM = f"{_BASE}/outlook/responseschema/2006a"


class BadRequest(Exception):
    """Nothing that can be answered. `code` is the ErrorCode (MS-ASCMD 2.2.3.64)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request: of whom the servers are wanted, and how the answer is to look."""

    address: str
    schema: Schema


def parse(body: bytes) -> Wanted:
    """Read a request. Raises `BadRequest`."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise BadRequest(600, "the request is not XML") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise BadRequest(600, "the request declares a document type")
    requests = root.findall("{*}Request")
    if etree.QName(root).localname != "Autodiscover" or len(requests) != 1:
        raise BadRequest(600, "there is to be one Request")
    address = (requests[0].findtext("{*}EMailAddress") or "").strip()
    if not is_address(address):
        raise BadRequest(600, "EMailAddress is to be an address")
    wanted = (requests[0].findtext("{*}AcceptableResponseSchema") or "").strip()
    if not wanted:
        raise BadRequest(600, "AcceptableResponseSchema is missing")
    for schema in Schema:
        if wanted.lower() == schema.value:
            return Wanted(address, schema)
    raise BadRequest(601, "answers in this schema are not given")


def phone(principal: Principal, url: str) -> bytes:
    """Tell a phone where it finds the gateway: at `url`, whole (MS-ASCMD 2.2.3.153.1)."""
    answer = _answer(Schema.PHONE, principal)
    settings = _below(_below(answer, "Action"), "Settings")
    server = _below(settings, "Server")
    for name, text in (("Type", "MobileSync"), ("Url", url), ("Name", url)):
        _below(server, name, text)
    return _written(answer)


def program(principal: Principal, login: str, imap: MailServer | None, smtp: MailServer | None) -> bytes:
    """Tell a mail program its servers. Raises `BadRequest` where there are none to be told."""
    if imap is None or smtp is None:
        raise BadRequest(601, "no mail servers are told")
    answer = _answer(Schema.PROGRAM, principal)
    account = _below(answer, "Account")
    _below(account, "AccountType", "email")
    _below(account, "Action", "settings")
    for kind, server in (("IMAP", imap), ("SMTP", smtp)):
        protocol = _below(account, "Protocol")
        for name, text in _protocol(kind, server, login):
            _below(protocol, name, text)
    return _written(answer)


def _protocol(kind: str, server: MailServer, login: str) -> Sequence[tuple[str, str]]:
    at_once = server.security == "tls"
    return (
        ("Type", kind),
        ("Server", server.host),
        ("Port", str(server.port)),
        ("LoginName", login),
        ("DomainRequired", "off"),
        ("SPA", "off"),
        ("SSL", "on" if at_once else "off"),
        ("Encryption", "SSL" if at_once else "TLS"),
        ("AuthRequired", "on"),
    )


def moved(schema: Schema, principal: Principal, address: str) -> bytes:
    """Send whoever asks on to another address (MS-ASCMD 2.2.3.147)."""
    answer = _answer(schema, principal)
    if schema is Schema.PHONE:
        _below(_below(answer, "Action"), "Redirect", address)
    else:
        account = _below(answer, "Account")
        _below(account, "AccountType", "email")
        _below(account, "Action", "redirectAddr")
        _below(account, "RedirectAddr", address)
    return _written(answer)


def failure(error: BadRequest, now: datetime) -> bytes:
    """Say what is wrong with a request; `now` is in UTC (MS-ASCMD 2.2.3.63)."""
    outer = etree.Element(f"{{{_OUTER}}}Autodiscover", nsmap=_unprefixed(_OUTER))
    answer = _below(outer, "Response")
    found = _below(answer, "Error")
    found.set("Time", f"{now:%H:%M:%S.%f}0")
    found.set("Id", str(secrets.randbelow(1 << 31)))
    _below(found, "ErrorCode", str(error.code))
    _below(found, "Message", error.reason)
    _below(found, "DebugData")
    return _written(answer)


def _answer(schema: Schema, principal: Principal) -> etree._Element:
    """A Response within its document, with what is said of the user."""
    outer = etree.Element(f"{{{_OUTER}}}Autodiscover", nsmap=_unprefixed(_OUTER))
    answer = etree.SubElement(outer, f"{{{schema.value}}}Response", nsmap=_unprefixed(schema.value))
    if schema is Schema.PHONE:
        _below(answer, "Culture", _CULTURE)
    user = _below(answer, "User")
    _below(user, "DisplayName", principal.display_name or principal.email)
    _below(user, "EMailAddress" if schema is Schema.PHONE else "AutoDiscoverSMTPAddress", principal.email)
    return answer


def _unprefixed(namespace: str) -> Any:  # the stubs know of no namespace without a prefix
    return {None: namespace}


def _below(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    child = etree.SubElement(parent, f"{{{etree.QName(parent).namespace}}}{name}")
    child.text = text
    return child


def _written(element: etree._Element) -> bytes:
    return etree.tostring(element.getroottree(), encoding="utf-8", xml_declaration=True)
