"""Whether a certificate was revoked: lists (RFC 5280 5) and responders (OCSP, RFC 6960), without I/O."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.mail.certificates.facts import UNREADABLE, Facts, from_certificate
from gateway.mail.certificates.paths import signed_by

__all__ = ["RevocationList", "Standing", "by_list", "by_responder", "read_list", "responder_request"]

_SKEW = timedelta(minutes=5)
"""How much clocks may differ."""
_UNDATED = timedelta(days=1)
"""For how long an answer holds that does not say it."""
_MOST_CERTIFICATES = 4
"""Certificates in the answer of a responder that are tried."""


class Standing(Enum):
    """What an answer says of a certificate."""

    GOOD = auto()
    REVOKED = auto()
    UNCLEAR = auto()
    """Nothing: it is about others, out of date, or not signed by whom it must be."""


# --- lists -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A list as it was fetched; `until` is when there is a newer one."""

    parsed: x509.CertificateRevocationList
    url: str
    until: datetime | None


def read_list(data: bytes, url: str) -> RevocationList | None:
    """A list (DER, or PEM as some serve it); None when it is none."""
    try:
        if data.startswith(b"-----BEGIN"):
            parsed = x509.load_pem_x509_crl(data)
        else:
            parsed = x509.load_der_x509_crl(data)
        return RevocationList(parsed, url, parsed.next_update_utc)
    except UNREADABLE:
        return None


def by_list(found: RevocationList, certificate: Facts, issuer: Facts, now: datetime) -> Standing:
    """What a list says; signed by the issuer himself, of his own certificates, and not in parts."""
    parsed = found.parsed
    try:
        if not _list_counts(found, certificate, issuer, now):
            return Standing.UNCLEAR
        entry = parsed.get_revoked_certificate_by_serial_number(certificate.certificate.serial_number)
        if entry is None:
            return Standing.GOOD
        with suppress(x509.ExtensionNotFound):
            reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
            if reason is x509.ReasonFlags.remove_from_crl:
                return Standing.GOOD
    except UNREADABLE:
        return Standing.UNCLEAR
    return Standing.REVOKED


def _list_counts(found: RevocationList, certificate: Facts, issuer: Facts, now: datetime) -> bool:
    parsed = found.parsed
    if parsed.issuer.public_bytes() != issuer.subject or not _fresh(
        parsed.last_update_utc, parsed.next_update_utc, now
    ):
        return False
    for extension in parsed.extensions:
        match extension.value:
            case x509.IssuingDistributionPoint():
                if not _covers(extension.value, found.url, authority=bool(certificate.authority)):
                    return False
            case x509.DeltaCRLIndicator():
                return False
            case x509.CRLNumber() | x509.AuthorityKeyIdentifier():
                pass
            case _ if extension.critical:
                return False
    if issuer.usage is not None and not issuer.usage.crl_sign:
        return False
    key = issuer.certificate.public_key()
    known = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey
    return isinstance(key, known) and parsed.is_signature_valid(key)


def _covers(point: x509.IssuingDistributionPoint, url: str, *, authority: bool) -> bool:
    """Whether a list that has certificates of a kind alone has this one."""
    if point.indirect_crl or point.only_some_reasons or point.only_contains_attribute_certs:
        return False
    if point.only_contains_user_certs if authority else point.only_contains_ca_certs:
        return False
    urls = [one.value for one in point.full_name or () if isinstance(one, x509.UniformResourceIdentifier)]
    return url in urls if urls else point.relative_name is None


def _fresh(begins: datetime, ends: datetime | None, now: datetime) -> bool:
    last = begins + _UNDATED if ends is None else ends
    return begins - _SKEW <= now <= last + _SKEW


# --- responders --------------------------------------------------------------------------------------------


def responder_request(certificate: Facts, issuer: Facts) -> bytes:
    """The question about one certificate."""
    return _question(certificate, issuer).public_bytes(Encoding.DER)


def _question(certificate: Facts, issuer: Facts) -> ocsp.OCSPRequest:
    # SHA-1 names the issuer here and proves nothing; many responders know no other (RFC 5019 2.1.1).
    builder = ocsp.OCSPRequestBuilder()
    return builder.add_certificate(certificate.certificate, issuer.certificate, hashes.SHA1()).build()  # noqa: S303


def by_responder(data: bytes, certificate: Facts, issuer: Facts, now: datetime) -> Standing:
    """What the answer of a responder says, if the issuer signed it or let somebody sign it."""
    try:
        answer = ocsp.load_der_ocsp_response(data)
        if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return Standing.UNCLEAR
        if not any(_signed(answer, signer) for signer in _signers(answer, issuer, now)):
            return Standing.UNCLEAR
        asked = _question(certificate, issuer)
        for one in answer.responses:
            same = (
                one.serial_number == asked.serial_number
                and one.issuer_name_hash == asked.issuer_name_hash
                and one.issuer_key_hash == asked.issuer_key_hash
            )
            if same and _fresh(one.this_update_utc, one.next_update_utc, now):
                return _STANDINGS.get(one.certificate_status, Standing.UNCLEAR)
    except UNREADABLE:
        pass
    return Standing.UNCLEAR


_STANDINGS = {
    ocsp.OCSPCertStatus.GOOD: Standing.GOOD,
    ocsp.OCSPCertStatus.REVOKED: Standing.REVOKED,
}


def _signers(answer: ocsp.OCSPResponse, issuer: Facts, now: datetime) -> Iterator[x509.Certificate]:
    """Who may sign the answer: the issuer, and whom he certified for that (RFC 6960 4.2.2.2)."""
    yield issuer.certificate
    for each in answer.certificates[:_MOST_CERTIFICATES]:
        delegate = from_certificate(each)
        if (
            delegate.purposes is not None
            and ExtendedKeyUsageOID.OCSP_SIGNING in delegate.purposes
            and delegate.valid_at(now)
            and signed_by(delegate, issuer)
        ):
            yield each


def _signed(answer: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    key, data, signature = signer.public_key(), answer.tbs_response_bytes, answer.signature
    method = answer.signature_hash_algorithm
    if isinstance(method, hashes.MD5 | hashes.SHA1):
        return False
    try:
        match key:
            case rsa.RSAPublicKey() if method is not None:
                key.verify(signature, data, padding.PKCS1v15(), method)
            case ec.EllipticCurvePublicKey() if method is not None:
                key.verify(signature, data, ec.ECDSA(method))
            case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey():
                key.verify(signature, data)
            case _:
                return False
    except InvalidSignature:
        return False
    return True
