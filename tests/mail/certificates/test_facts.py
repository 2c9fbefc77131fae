"""What is a certificate, and what is none, however it is spoiled."""

from __future__ import annotations

import random

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from gateway.mail.certificates import BadCertificate, read
from gateway.mail.recipientcerts import encryption_certificates
from tests.support.authority import NOW, Extension, address, lists_at, make_root

ROOT = make_root()
VERSION = bytes.fromhex("a003020102")
"""How a certificate begins to say that it is of version 3."""


def names(octets: str) -> Extension:
    """Alternative names as they would be written."""
    return x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, bytes.fromhex(octets)), False


def test_certificates_that_say_what_cannot_be() -> None:
    good = ROOT.person().der
    assert VERSION in good
    wrong = [
        good.replace(VERSION, bytes.fromhex("a003020126")),
        ROOT.certify("Ann", names("3004a3023000")).der,  # an X.400 address
        ROOT.certify("Ann", names("3004a5023000")).der,  # a name of EDI
        ROOT.certify("Ann", names("ff")).der,
    ]
    for one in wrong:
        with pytest.raises(BadCertificate):
            read(one)
    assert encryption_certificates([*wrong, good], NOW) == [good]


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
def test_spoiled_certificates() -> None:
    """Whatever is in them, they are read or the declared error."""
    chance = random.Random(7)
    good = ROOT.person(lists_at("http://lists.test/")).der
    for _ in range(3000):
        spoiled = bytearray(good)
        for _ in range(chance.choice((1, 1, 2))):
            spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
        encryption_certificates([bytes(spoiled)], NOW)
        try:
            read(bytes(spoiled))
        except BadCertificate:
            continue


def test_too_large() -> None:
    with pytest.raises(BadCertificate, match="too large"):
        read(ROOT.certify("Ann", address("a" * 66_000 + "@example.test")).der)
