"""Who a client certificate names, as a proxy hands it on that asked for it and checked it.

The headers count from a trusted proxy alone, which must take them out of what clients send. From anywhere
else they are an attempt to be somebody else.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote_to_bytes

from cryptography import x509
from cryptography.x509.oid import NameOID, ObjectIdentifier

from gateway.errors import AuthenticationFailed

__all__ = ["ClientCertificates"]

_VERIFIED = "SUCCESS"
_ABSENT = frozenset({"", "none", "(null)"})
_LARGEST = 64 * 1024
_LONGEST_NAME = 320
_PRINCIPAL_NAME = ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
_UTF8_STRING = 0x0C
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ClientCertificates:
    """Reads the headers; see the section [client_certificates] for what each field is."""

    verified_header: str
    header: str
    form: Literal["certificate", "subject"]
    user: Literal["email", "upn", "cn"]

    def user_of(self, headers: Mapping[str, str], *, trusted: bool) -> str | None:
        """The user whom a verified certificate names; None when the client showed none.

        `trusted`: a proxy hands the request on. Raises `AuthenticationFailed` for headers of anybody else,
        and for a certificate that was not verified, cannot be read, or names nobody or several.
        """
        verified, shown = headers.get(self.verified_header, ""), headers.get(self.header, "")
        if not trusted and (verified or shown):
            raise AuthenticationFailed("certificate: its headers come from no trusted proxy")
        if verified.strip().lower() in _ABSENT and shown.strip().lower() in _ABSENT:
            return None
        if verified.strip() != _VERIFIED:
            # nginx: NONE where there is no certificate, else FAILED and why.
            raise AuthenticationFailed(f"certificate: the proxy did not verify it: {verified[:100]!a}")
        names = self._names(shown)
        if len(names) != 1:
            told = f"{len(names)} users" if names else "no user"
            raise AuthenticationFailed(f"certificate: it names {told} ({self.user})")
        name = names.pop()
        if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
            raise AuthenticationFailed("certificate: it names no user that can be")
        return name

    def _names(self, shown: str) -> set[str]:
        if len(shown) > _LARGEST:
            raise AuthenticationFailed("certificate: too large")
        try:
            if self.form == "subject":
                return _of_subject(x509.Name.from_rfc4514_string(shown.strip()), self.user)
            return _of_certificate(_read(shown), self.user)
        except (ValueError, TypeError, binascii.Error, x509.DuplicateExtension) as error:
            raise AuthenticationFailed(f"certificate: cannot be read: {type(error).__name__}") from None


def _read(shown: str) -> x509.Certificate:
    """The one certificate from PEM, as it is, percent-encoded or on one line, or from DER in base64.

    Were there several, the first might come from a client, behind which the proxy put what it checked.
    """
    data = shown.encode("latin-1")
    if b"%" in data:
        data = unquote_to_bytes(data)
    found = _PEM.fullmatch(data.strip())
    body = b"".join((found[1] if found else data).split())
    # Between colons in the field of RFC 9440.
    return x509.load_der_x509_certificate(base64.b64decode(body.strip(b":"), validate=True))


def _of_certificate(certificate: x509.Certificate, wanted: str) -> set[str]:
    if wanted == "cn":
        return _of_subject(certificate.subject, wanted)
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    if wanted == "email":
        return {name.strip() for name in names.get_values_for_type(x509.RFC822Name)}
    others = names.get_values_for_type(x509.OtherName)
    return {_utf8(name.value) for name in others if name.type_id == _PRINCIPAL_NAME}


def _of_subject(subject: x509.Name, wanted: str) -> set[str]:
    oid = NameOID.COMMON_NAME if wanted == "cn" else NameOID.EMAIL_ADDRESS
    return {str(one.value).strip() for one in subject.get_attributes_for_oid(oid)} - {""}


def _utf8(value: bytes) -> str:
    """An UTF8String in DER, of at most 127 octets or with a length of one or two octets."""
    if len(value) < 2 or value[0] != _UTF8_STRING:
        raise ValueError("no UTF8String")
    octets = value[1] & 0x7F if value[1] & 0x80 else 0
    length = int.from_bytes(value[2 : 2 + octets]) if octets else value[1]
    text = value[2 + octets :]
    if length != len(text) or octets > 2:
        raise ValueError("wrong length")
    return text.decode("utf-8").strip()
