"""Which certificates mail to somebody can be encrypted with."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.mail.recipientcerts import encryption_certificates
from tests.support.certificates import EMAIL, Authority, bundle

NOW = datetime.now(UTC)
ANN = "ann@example.com"


def pem(der: bytes, label: str = "CERTIFICATE") -> bytes:
    return b"-----BEGIN %b-----\n%b-----END %b-----\n" % (
        label.encode(),
        base64.encodebytes(der),
        label.encode(),
    )


def test_valid_ones_for_mail_newest_first() -> None:
    authority = Authority()
    older = authority.issue(ANN, starts=NOW - timedelta(hours=9))
    newer = authority.issue(ANN, purposes=())
    any_purpose = authority.issue(
        ANN, starts=NOW - timedelta(hours=5), purposes=(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)
    )
    unfit = [
        authority.certificate,
        authority.issue(ANN, starts=NOW - timedelta(days=9)),
        authority.issue(ANN, starts=NOW + timedelta(hours=9)),
        authority.issue(ANN, encrypts=False),
        authority.issue(ANN, purposes=(ExtendedKeyUsageOID.CLIENT_AUTH,)),
    ]
    assert encryption_certificates([older, *unfit, newer, any_purpose], NOW) == [newer, any_purpose, older]
    assert encryption_certificates(unfit, NOW) == []


def test_every_form() -> None:
    authority = Authority()
    one = authority.issue(ANN, starts=NOW - timedelta(hours=1), purposes=(EMAIL,))
    two = authority.issue(ANN, starts=NOW - timedelta(hours=2))
    both = bundle(one, authority.certificate, two)
    for stored in (
        [one, two],
        [two, one, one],
        [both],
        [pem(two) + pem(one)],
        [pem(both, "PKCS7")],
        [both, one],
    ):
        assert encryption_certificates(stored, NOW) == [one, two]


def test_what_cannot_be_read_is_passed_over() -> None:
    good = Authority().issue(ANN)
    rubbish = [b"", b"x", good[:-1], good + b"x" * 200_000, pem(b"x"), pem(b"x", "PKCS7"), b"\x30\x80" * 1000]
    assert encryption_certificates([*rubbish, good], NOW) == [good]
