"""What lists and responders say of a certificate, and what does not count."""

from __future__ import annotations

import random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.mail.certificates import Standing, by_list, by_responder, read, read_list, responder_request
from tests.support.authority import DAY, NOW, Certified, Extension, make_root, purposes, usage

ROOT = make_root()
ANNA = ROOT.person()
MIDDLE = ROOT.authority("Middle")
ALIEN = make_root()
"""An authority of the same name, with another key."""
URL = "http://lists.test/root.crl"
RESPONDER = ROOT.certify("Responder", purposes(ExtendedKeyUsageOID.OCSP_SIGNING))


def listed(data: bytes, person: Certified = ANNA, issuer: Certified = ROOT) -> Standing:
    found = read_list(data, URL)
    assert found is not None
    return by_list(found, read(person.der), read(issuer.der), NOW)


def answered(data: bytes, person: Certified = ANNA) -> Standing:
    return by_responder(data, read(person.der), read(ROOT.der), NOW)


def part(url: str | None = None, **limits: bool) -> Extension:
    """A list that has a part of the certificates."""
    chosen = {
        name: limits.get(name, False)
        for name in (
            "only_contains_user_certs", "only_contains_ca_certs", "indirect_crl",
            "only_contains_attribute_certs",
        )
    }  # fmt: skip
    names = [x509.UniformResourceIdentifier(url)] if url else None
    point = x509.IssuingDistributionPoint(
        full_name=names, relative_name=None, only_some_reasons=None, **chosen
    )
    return point, True


def test_lists() -> None:
    assert listed(ROOT.list()) is Standing.GOOD
    assert listed(ROOT.list(MIDDLE)) is Standing.GOOD
    assert listed(ROOT.list(MIDDLE, ANNA)) is Standing.REVOKED
    assert listed(ROOT.list(ANNA, reason=x509.ReasonFlags.certificate_hold)) is Standing.REVOKED
    assert listed(ROOT.list(ANNA, reason=x509.ReasonFlags.remove_from_crl)) is Standing.GOOD
    pem = x509.load_der_x509_crl(ROOT.list(ANNA)).public_bytes(Encoding.PEM)
    assert listed(pem) is Standing.REVOKED
    numbered = ROOT.list(extensions=[(x509.CRLNumber(7), False)])
    assert listed(numbered) is Standing.GOOD


@pytest.mark.parametrize(
    ("extension", "person", "authority"),
    [
        (part(URL), Standing.REVOKED, Standing.REVOKED),
        (part("http://lists.test/other.crl"), Standing.UNCLEAR, Standing.UNCLEAR),
        (part(only_contains_user_certs=True), Standing.REVOKED, Standing.UNCLEAR),
        (part(only_contains_ca_certs=True), Standing.UNCLEAR, Standing.REVOKED),
        (part(only_contains_attribute_certs=True), Standing.UNCLEAR, Standing.UNCLEAR),
        (part(indirect_crl=True), Standing.UNCLEAR, Standing.UNCLEAR),
        ((x509.DeltaCRLIndicator(7), True), Standing.UNCLEAR, Standing.UNCLEAR),
        (
            (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True),
            Standing.UNCLEAR,
            Standing.UNCLEAR,
        ),
    ],
)
def test_lists_of_a_part(extension: Extension, person: Standing, authority: Standing) -> None:
    data = ROOT.list(ANNA, MIDDLE, extensions=[extension])
    assert (listed(data), listed(data, MIDDLE)) == (person, authority)


def test_lists_that_do_not_count() -> None:
    assert listed(ALIEN.list()) is Standing.UNCLEAR
    assert listed(MIDDLE.list()) is Standing.UNCLEAR
    assert listed(ROOT.list(begins=NOW - 9 * DAY, ends=NOW - DAY)) is Standing.UNCLEAR
    assert listed(ROOT.list(begins=NOW + DAY, ends=NOW + 2 * DAY)) is Standing.UNCLEAR
    basic = (x509.BasicConstraints(ca=True, path_length=None), True)
    no_lists = ROOT.certify("Quiet", basic, (usage(key_cert_sign=True), True))
    assert listed(no_lists.list(), no_lists.person(), no_lists) is Standing.UNCLEAR
    for wrong in (b"", b"\x30", b"-----BEGIN X509 CRL-----\n", ROOT.der, ROOT.list()[:-1]):
        assert read_list(wrong, URL) is None


def test_responders() -> None:
    assert answered(ROOT.answer(ANNA)) is Standing.GOOD
    assert answered(ROOT.answer(ANNA, ocsp.OCSPCertStatus.REVOKED)) is Standing.REVOKED
    assert answered(ROOT.answer(ANNA, ocsp.OCSPCertStatus.UNKNOWN)) is Standing.UNCLEAR
    assert answered(ROOT.answer(ANNA, signer=RESPONDER)) is Standing.GOOD
    assert answered(ROOT.answer(ANNA, begins=NOW, ends=None)) is Standing.GOOD
    asked = ocsp.load_der_ocsp_request(responder_request(read(ANNA.der), read(ROOT.der)))
    assert asked.serial_number == ANNA.certificate.serial_number


def test_answers_that_do_not_count() -> None:
    assert answered(ROOT.answer(MIDDLE)) is Standing.UNCLEAR, "of another one"
    assert answered(ALIEN.answer(ANNA)) is Standing.UNCLEAR
    assert answered(ROOT.answer(ANNA, signer=MIDDLE)) is Standing.UNCLEAR, "not certified for it"
    alien = ALIEN.certify("Responder", purposes(ExtendedKeyUsageOID.OCSP_SIGNING))
    assert answered(ROOT.answer(ANNA, signer=alien)) is Standing.UNCLEAR
    late = ROOT.certify(
        "Responder", purposes(ExtendedKeyUsageOID.OCSP_SIGNING), begins=NOW - 9 * DAY, ends=NOW - DAY
    )
    assert answered(ROOT.answer(ANNA, signer=late)) is Standing.UNCLEAR
    assert answered(ROOT.answer(ANNA, begins=NOW - 9 * DAY, ends=NOW - DAY)) is Standing.UNCLEAR
    assert answered(ROOT.answer(ANNA, begins=NOW - 9 * DAY, ends=None)) is Standing.UNCLEAR
    assert answered(ROOT.answer(ANNA, begins=NOW + DAY, ends=None)) is Standing.UNCLEAR
    busy = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)
    assert answered(busy.public_bytes(Encoding.DER)) is Standing.UNCLEAR


def test_spoiled_answers_never_say_good() -> None:
    source = random.Random(3)
    revoked = ROOT.answer(ANNA, ocsp.OCSPCertStatus.REVOKED, signer=RESPONDER)
    listing = ROOT.list(ANNA)
    for _ in range(300):
        for data in (revoked, listing):
            spoiled = bytearray(data)
            spoiled[source.randrange(len(spoiled))] ^= 1 << source.randrange(8)
            assert answered(bytes(spoiled)) is not Standing.GOOD
            found = read_list(bytes(spoiled), URL)
            if found is not None:
                assert by_list(found, read(ANNA.der), read(ROOT.der), NOW) is not Standing.GOOD
