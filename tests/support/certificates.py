"""Certificates of people, as an authority of the tests issues them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

__all__ = ["EMAIL", "Authority", "bundle"]

EMAIL = ExtendedKeyUsageOID.EMAIL_PROTECTION
_DAY = timedelta(days=1)


class Authority:
    """Issues certificates to mail addresses; its own is `certificate` (DER)."""

    def __init__(self, name: str = "Authority") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        constraint = x509.BasicConstraints(ca=True, path_length=None)
        self.certificate = self._sign(self._name, self._key, _now() - _DAY, _now() + _DAY, [constraint])

    def issue(
        self,
        address: str,
        *,
        starts: datetime | None = None,
        ends: datetime | None = None,
        purposes: tuple[ObjectIdentifier, ...] = (EMAIL,),
        encrypts: bool = True,
    ) -> bytes:
        """A certificate in DER, valid from an hour ago for a day unless said otherwise."""
        extensions: list[x509.ExtensionType] = [
            x509.BasicConstraints(ca=False, path_length=None),
            x509.SubjectAlternativeName([x509.RFC822Name(address)]),
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=encrypts,
                key_cert_sign=False,
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
        ]
        if purposes:
            extensions.append(x509.ExtendedKeyUsage(purposes))
        starts = starts or _now() - timedelta(hours=1)
        key = ec.generate_private_key(ec.SECP256R1())
        return self._sign(_name(address), key, starts, ends or starts + _DAY, extensions)

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        starts: datetime,
        ends: datetime,
        extensions: list[x509.ExtensionType],
    ) -> bytes:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(starts)
            .not_valid_after(ends)
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.DER)


def bundle(*certificates: bytes) -> bytes:
    """Certificates as a PKCS #7 collection in DER."""
    return pkcs7.serialize_certificates(
        [x509.load_der_x509_certificate(one) for one in certificates], Encoding.DER
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
