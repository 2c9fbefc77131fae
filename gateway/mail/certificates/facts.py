"""A certificate read once, into what the checks need of it."""

from __future__ import annotations

import hashlib
import re
import warnings
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

__all__ = ["UNREADABLE", "BadCertificate", "Facts", "from_certificate", "read", "read_bundle"]

_LARGEST = 64 * 1024
"""Octets of a certificate."""
UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    CryptographyDeprecationWarning,
)
"""What reading something broken raises, at once or as soon as the broken part is looked at."""
# Some old authorities have the number 0, which the library complains of at each look.
warnings.filterwarnings("ignore", category=CryptographyDeprecationWarning, module=re.escape(__name__))
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----")
_MAIL_PURPOSES = frozenset({ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE})
_UNDERSTOOD = (
    x509.BasicConstraints,
    x509.KeyUsage,
    x509.ExtendedKeyUsage,
    x509.SubjectAlternativeName,
    x509.NameConstraints,
    x509.CertificatePolicies,
    x509.AuthorityKeyIdentifier,
    x509.SubjectKeyIdentifier,
    x509.AuthorityInformationAccess,
    x509.CRLDistributionPoints,
)
"""Extensions that may be critical: what they demand is done, or nothing is demanded by them."""


class BadCertificate(ValueError):
    """The octets are no certificate, or one too large or too broken to judge."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a certificate says. `purposes` is None where it leaves them open, and so is `path_length`."""

    certificate: x509.Certificate
    fingerprint: bytes
    subject: bytes
    issuer: bytes
    begins: datetime
    ends: datetime
    authority: bool | None = None
    """Whether it is one of an authority; None where it does not say."""
    path_length: int | None = None
    usage: x509.KeyUsage | None = None
    purposes: frozenset[x509.ObjectIdentifier] | None = None
    names: tuple[x509.GeneralName, ...] = ()
    """Whom it is for: mail addresses, hosts, directory names."""
    constraints: x509.NameConstraints | None = None
    understood: bool = True
    """Whether every critical extension is known here."""
    key_id: bytes | None = None
    issuer_key_id: bytes | None = None
    list_urls: tuple[str, ...] = ()
    responder_urls: tuple[str, ...] = ()

    @property
    def self_issued(self) -> bool:
        return self.subject == self.issuer

    @property
    def for_mail(self) -> bool:
        """Whether its purposes leave room for mail."""
        return self.purposes is None or bool(self.purposes & _MAIL_PURPOSES)

    def valid_at(self, moment: datetime) -> bool:
        return self.begins <= moment <= self.ends


@dataclass(slots=True)
class _Extensions:
    """The extensions as keyword arguments of `Facts`."""

    found: dict[str, Any] = field(default_factory=dict)

    def take(self, extension: x509.Extension[Any]) -> None:
        value, found = extension.value, self.found
        match value:
            case x509.BasicConstraints():
                found.update(authority=value.ca, path_length=value.path_length)
            case x509.KeyUsage():
                found["usage"] = value
            case x509.ExtendedKeyUsage():
                found["purposes"] = frozenset(value)
            case x509.SubjectAlternativeName():
                found["names"] = tuple(value)
            case x509.NameConstraints():
                found["constraints"] = value
            case x509.SubjectKeyIdentifier():
                found["key_id"] = value.digest
            case x509.AuthorityKeyIdentifier():
                found["issuer_key_id"] = value.key_identifier
            case x509.CRLDistributionPoints():
                found["list_urls"] = tuple(_list_urls(value))
            case x509.AuthorityInformationAccess():
                found["responder_urls"] = tuple(_responder_urls(value))
        if extension.critical and not isinstance(value, _UNDERSTOOD):
            found["understood"] = False


def read(data: bytes) -> Facts:
    """Read a certificate (DER). Raises `BadCertificate`."""
    if len(data) > _LARGEST:
        raise BadCertificate("a certificate is too large")
    try:
        found = from_certificate(x509.load_der_x509_certificate(data))
    except UNREADABLE as error:
        raise BadCertificate(f"not a certificate: {error}") from None
    if found.certificate.serial_number <= 0:
        raise BadCertificate("a certificate without a number of its own")
    return found


def read_bundle(text: bytes) -> list[Facts]:
    """The certificates in a PEM file; those that cannot be read are left out."""
    found = []
    for match in _PEM.finditer(text):
        try:
            found.append(from_certificate(x509.load_pem_x509_certificate(match[0])))
        except UNREADABLE:
            continue
    return found


def from_certificate(certificate: x509.Certificate) -> Facts:
    """The same of a certificate that is read already. Raises ValueError and its like."""
    extensions = _Extensions()
    for extension in certificate.extensions:
        extensions.take(extension)
    found = extensions.found
    found["names"] = (*found.get("names", ()), *_subject_names(certificate, found.get("names", ())))
    return Facts(
        certificate,
        hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest(),
        certificate.subject.public_bytes(),
        certificate.issuer.public_bytes(),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        **found,
    )


def _subject_names(
    certificate: x509.Certificate, others: tuple[x509.GeneralName, ...]
) -> list[x509.GeneralName]:
    """The subject, and the addresses in it where there are none elsewhere (RFC 5280 4.2.1.10)."""
    names: list[x509.GeneralName] = []
    if list(certificate.subject):
        names.append(x509.DirectoryName(certificate.subject))
    if not any(isinstance(one, x509.RFC822Name) for one in others):
        addresses = certificate.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS)
        names.extend(x509.RFC822Name(str(one.value)) for one in addresses)
    return names


def _list_urls(points: x509.CRLDistributionPoints) -> list[str]:
    """Where whole lists of the issuer's own are (RFC 5280 4.2.1.13)."""
    return [
        name.value
        for point in points
        if point.crl_issuer is None and point.reasons is None
        for name in point.full_name or ()
        if isinstance(name, x509.UniformResourceIdentifier)
    ]


def _responder_urls(access: x509.AuthorityInformationAccess) -> list[str]:
    return [
        one.access_location.value
        for one in access
        if one.access_method == AuthorityInformationAccessOID.OCSP
        and isinstance(one.access_location, x509.UniformResourceIdentifier)
    ]
