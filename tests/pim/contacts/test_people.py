"""Contacts as people in a directory, with the certificates in them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from gateway.mail.recipientcerts import encryption_certificates
from gateway.pim.contacts.card import Card
from gateway.pim.contacts.people import certificates_of, entry_of, picture_of
from gateway.ports.directory import Entry
from tests.support.certificates import Authority

ANN = Authority().issue("ann@example.com")
PHOTO = b"\xff\xd8\xffphoto"


def card(*lines: str, version: str = "3.0") -> Card:
    return Card.parse("\r\n".join(["BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", ""]))


def folded(line: str) -> str:
    return "\r\n ".join(line[at : at + 70] for at in range(0, len(line), 70))


def test_everything_that_is_shown_of_people() -> None:
    told = card(
        "FN:Ann Archer",
        "N:Archer;Ann;;;",
        "EMAIL;TYPE=WORK:Ann@example.com",
        "EMAIL:ann@home.example",
        "EMAIL:ann@example.com or so",
        "EMAIL:none",
        "ORG:Example;Sales",
        "TITLE:Head",
        "TEL;TYPE=WORK,VOICE:+1",
        "TEL;TYPE=HOME,VOICE:+2",
        "TEL;TYPE=CELL:+3",
        f"PHOTO;ENCODING=b;TYPE=JPEG:{base64.b64encode(PHOTO).decode()}",
    )
    assert entry_of(told) == Entry(
        "Ann@example.com", "Ann Archer", "", "Ann", "Archer", "Head", "", "Example", "+1", "+2", "+3",
        others=("ann@home.example",),
    )  # fmt: skip
    assert picture_of(told) == PHOTO


def test_nobody_without_an_address() -> None:
    told = card("FN:Ann", "N:;Ann;;;", "PHOTO:http://example.com/ann.jpg", "KEY:http://example.com/ann")
    assert entry_of(told) is None
    assert (picture_of(told), certificates_of(told)) == (b"", [])


@pytest.mark.parametrize(
    ("version", "line"),
    [
        ("3.0", "KEY;TYPE=X509;ENCODING=b:{}"),
        ("3.0", "KEY;ENCODING=BASE64:{}"),
        ("4.0", "KEY:data:application/pkix-cert;base64,{}"),
        ("4.0", "KEY;MEDIATYPE=application/pkix-cert:data:application/pkix-cert\\;base64\\,{}"),
    ],
)
def test_certificates(version: str, line: str) -> None:
    whole = folded(line.format(base64.b64encode(ANN).decode()))
    assert certificates_of(card("FN:Ann", whole, version=version)) == [ANN]


def test_keys_that_are_none() -> None:
    pem = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(ANN) + b"-----END CERTIFICATE-----\n"
    keys = ["KEY;ENCODING=b:!", "KEY:mailto:ann", "KEY;ENCODING=b:" + base64.b64encode(b"pgp").decode()]
    keys.append(folded("KEY:" + pem.decode().replace("\n", "\\n")))
    assert encryption_certificates(certificates_of(card("FN:Ann", *keys)), datetime.now(UTC)) == [ANN]
