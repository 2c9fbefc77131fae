"""The certificates by which mail to somebody can be encrypted, out of what directories and cards hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.mail.certificates.facts import UNREADABLE

__all__ = ["encryption_certificates"]

_LARGEST = 100_000
"""Octets of what is looked at; a certificate has some thousand."""
_MOST = 50
_MAIL = {ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
_PEM_PKCS7 = b"-----BEGIN PKCS7-----"

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)
_Reader = Callable[[bytes], list[x509.Certificate]]


def encryption_certificates(stored: Iterable[bytes], now: datetime) -> list[bytes]:
    """Those valid at an instant that mail may be encrypted with, in DER, newest first, each once.

    `stored` are certificates (X.509) and collections of them (PKCS #7, which also hold those of authorities),
    in DER or PEM. What cannot be read is passed over. Whether an authority is trusted is not asked here: that
    is for the device to judge (ValidateCert).
    """
    found = {
        certificate.public_bytes(Encoding.DER): certificate
        for one in stored
        for certificate in _read(one)
        if _is_for_mail(certificate, now)
    }
    newest = sorted(found, key=lambda der: (found[der].not_valid_before_utc, der), reverse=True)
    return newest[:_MOST]


def _read(stored: bytes) -> Sequence[x509.Certificate]:
    readers: tuple[_Reader, ...] = (_one, pkcs7.load_der_pkcs7_certificates)
    if stored.lstrip().startswith(_PEM_PKCS7):
        readers = (pkcs7.load_pem_pkcs7_certificates,)
    elif stored.lstrip().startswith(b"-----BEGIN"):
        readers = (x509.load_pem_x509_certificates,)
    for reader in readers if len(stored) <= _LARGEST else ():
        try:
            return reader(stored)
        except UNREADABLE:
            continue
    return ()


def _one(der: bytes) -> list[x509.Certificate]:
    return [x509.load_der_x509_certificate(der)]


def _is_for_mail(certificate: x509.Certificate, now: datetime) -> bool:
    """Whether it is valid, nobody's as an authority, and its key may encrypt mail (RFC 8550 4.4)."""
    try:
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            return False
        authority = _extension(certificate, x509.BasicConstraints)
        purposes = _extension(certificate, x509.ExtendedKeyUsage)
        usage = _extension(certificate, x509.KeyUsage)
    except UNREADABLE:
        return False
    return (
        (authority is None or not authority.ca)
        and (purposes is None or not _MAIL.isdisjoint(purposes))
        and (usage is None or usage.key_encipherment or usage.key_agreement or usage.data_encipherment)
    )


def _extension(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
