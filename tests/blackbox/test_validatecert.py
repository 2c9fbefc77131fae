"""ValidateCert: every Status, with revocation asked of servers on loopback (MS-ASCMD 2.2.1.22)."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509 import ocsp

from tests.blackbox.conftest import MakePhone
from tests.support.authority import (
    DAY,
    NOW,
    PERSON,
    SERVER,
    Certified,
    RevocationServer,
    bundle,
    lists_at,
    make_root,
    named,
    purposes,
    responders_at,
    revocation_server,
)
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway, Section
from tests.support.phone import Phone
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import eventually
from wbxml import Element, Tag, element
from wbxml.pages import ValidateCert as Page


@dataclass(frozen=True)
class World:
    """A gateway, whom it trusts, and who says what was revoked."""

    gateway: Gateway
    root: Certified
    middle: Certified
    web: RevocationServer

    def phone(self, user: str, version: str = "16.1") -> Phone:
        phone = Phone(self.gateway.host, self.gateway.port, user, "pw", version=version)
        phone.provision()
        return phone


@pytest.fixture(scope="module")
def world(dovecot: Dovecot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    root = make_root()
    with revocation_server() as web, SmtpSink(auth=True) as sink:
        middle = root.authority("Middle", lists_at(web.url("root.crl")))
        web.answers["root.crl"] = root.list()
        file = bundle(tmp_path_factory.mktemp("authorities"), root)
        section: Section = {"ca_file": str(file), "hosts": ["localhost"]}
        with Gateway(dovecot, sink, sections={"certificates": section}) as gateway:
            yield World(gateway, root, middle, web)


@pytest.fixture
def phone(world: World, user: str) -> Phone:
    return world.phone(user)


def certificates(tag: Tag, several: Sequence[Certified]) -> Element:
    listed = element(tag)
    for one in several:
        listed.add(Page.Certificate, base64.encodebytes(one.der).decode())
    return listed


def validate(
    phone: Phone, *asked: Certified, chain: Sequence[Certified] = (), strict: bool | None = None
) -> list[int]:
    """The Status of each certificate."""
    request = element(Page.ValidateCert)
    if chain:
        request.append(certificates(Page.CertificateChain, chain))
    request.append(certificates(Page.Certificates, asked))
    if strict is not None:
        request.append(element(Page.CheckCRL, int(strict)))
    root = phone.post("ValidateCert", request).root
    status, *found = root
    assert (root.tag, status.tag, status.text()) == (Page.ValidateCert, Page.Status, "1")
    assert all(one.tag is Page.Certificate and len(one) == 1 for one in found)
    return [int(one.child_text(Page.Status) or "") for one in found]


def refused(phone: Phone, request: Element) -> None:
    root = phone.post("ValidateCert", request).root
    assert [(child.tag, child.text()) for child in root] == [(Page.Status, "2")]


@pytest.mark.parametrize("version", ["2.5", "12.1", "14.1", "16.1"])
def test_every_version(world: World, user: str, version: str) -> None:
    phone = world.phone(user, version)
    person = world.middle.person()
    assert validate(phone, person, chain=[world.middle]) == [1]
    assert validate(phone, person, world.root.person(begins=NOW - 9 * DAY, ends=NOW - DAY)) == [4, 7]


def test_what_may_be_wrong(world: World, phone: Phone) -> None:
    root, middle, alien = world.root, world.middle, make_root("Alien")
    web = root.authority("Web", purposes(*SERVER))
    old = root.authority("Old", begins=NOW - 9 * DAY, ends=NOW - DAY)
    names = x509.NameConstraints([x509.RFC822Name("other.test")], None)
    narrow = root.authority("Narrow", (names, True))
    strange = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)
    faults = [
        (alien.certify("Eve", *PERSON, issuer=named("Root")), 3),
        (alien.person(), 4),
        (root.certify("Web", purposes(*SERVER)), 6),
        (root.person(begins=NOW + DAY), 7),
        (old.person(), 8),
        (web.person(), 9),
        (root.person(strange), 10),
        (middle, 11),
        (narrow.person(), 12),
        (root.person(), 1),
    ]
    found = validate(phone, *(one for one, _ in faults), chain=[web, old, narrow, alien])
    assert found == [status for _, status in faults]
    assert validate(phone, middle.person(), chain=[alien]) == [5]
    eventually(lambda: "certificate: untrusted" in world.gateway.log())  # the line follows the answer


def test_revocation_by_lists(world: World, phone: Phone) -> None:
    middle, web = world.root.authority("Lists"), world.web
    people = [middle.person(lists_at(web.url("middle.crl"))) for _ in range(3)]
    web.answers["middle.crl"] = middle.list(people[1])
    assert validate(phone, *people, chain=[middle]) == [1, 13, 1]
    assert web.asked.count("middle.crl") == 1, "one list for all of them"
    assert validate(phone, *people, chain=[middle]) == [1, 13, 1]
    assert web.asked.count("middle.crl") == 1, "and for later"
    assert validate(phone, people[0], chain=[middle], strict=True) == [16], "nobody tells of the authority"
    below = world.middle.person(lists_at(web.url("below.crl")))
    web.answers["below.crl"] = world.middle.list()
    assert validate(phone, below, chain=[world.middle], strict=True) == [1]


def test_a_revoked_authority(world: World, phone: Phone) -> None:
    middle = world.root.authority("Revoked", lists_at(world.web.url("revoked.crl")))
    world.web.answers["revoked.crl"] = world.root.list(middle)
    assert validate(phone, middle.person(), chain=[middle]) == [15]
    assert validate(phone, middle.person(), chain=[middle], strict=True) == [15]


def test_revocation_by_responders(world: World, phone: Phone) -> None:
    root, web = world.root, world.web
    good, bad, unknown = (root.person(responders_at(web.url(f"ocsp{number}"))) for number in range(3))

    def answer(posted: bytes) -> bytes:
        asked = ocsp.load_der_ocsp_request(posted).serial_number
        statuses = {
            good.certificate.serial_number: ocsp.OCSPCertStatus.GOOD,
            bad.certificate.serial_number: ocsp.OCSPCertStatus.REVOKED,
        }
        person = next(one for one in (good, bad, unknown) if one.certificate.serial_number == asked)
        return root.answer(person, statuses.get(asked, ocsp.OCSPCertStatus.UNKNOWN))

    web.answers.update(dict.fromkeys(("ocsp0", "ocsp1", "ocsp2"), answer))
    assert validate(phone, good, bad, unknown, strict=True) == [1, 13, 16]
    assert validate(phone, good, bad, unknown) == [1, 13, 1]
    assert sorted(one for one in web.asked if one.startswith("ocsp")) == ["ocsp0", "ocsp1", "ocsp2"]


def test_servers_that_do_not_answer(world: World, phone: Phone) -> None:
    """They count only if the phone says so, and those inside the network are not asked."""
    web = world.web
    missing = world.root.person(lists_at(web.url("missing.crl")))
    web.answers["broken.crl"] = b"<html>"
    broken = world.root.person(responders_at(web.url("broken.crl")), lists_at(web.url("broken.crl")))
    inside = world.root.person(lists_at(web.url("inside.crl", host="127.0.0.1")), responders_at("ldap://x/"))
    web.answers["inside.crl"] = world.root.list(inside)
    silent = world.root.person()
    assert validate(phone, missing, broken, inside, silent, strict=True) == [14, 14, 14, 16]
    assert validate(phone, missing, broken, inside, silent, strict=False) == [1, 1, 1, 1]
    assert "inside.crl" not in web.asked
    assert web.asked.count("missing.crl") == 1, "not asked again at once"


def test_certificates_in_other_forms(world: World, phone: Phone) -> None:
    """As octets, which some devices send, and in base64 that is none."""
    listed = element(Page.Certificates)
    listed.add(Page.Certificate, world.root.person().der)
    for wrong in ("", "not base64!", base64.b64encode(b"no certificate").decode(), "A" * 200_000):
        listed.add(Page.Certificate, wrong)
    root = phone.post("ValidateCert", element(Page.ValidateCert, listed)).root
    assert [one.child_text(Page.Status) for one in root.children[1:]] == ["1", "2", "2", "2", "2"]


def test_requests_that_are_refused(world: World, phone: Phone) -> None:
    person = world.root.person()
    refused(phone, element(Page.ValidateCert))
    refused(phone, element(Page.ValidateCert, element(Page.Certificates)))
    refused(phone, element(Page.ValidateCert, certificates(Page.CertificateChain, [person])))
    some = certificates(Page.Certificates, [person])
    refused(phone, element(Page.ValidateCert, some, certificates(Page.Certificates, [person])))
    refused(phone, element(Page.ValidateCert, some, element(Page.CheckCRL, 2)))
    refused(phone, element(Page.ValidateCert, certificates(Page.Certificates, [person] * 101)))
    chain = certificates(Page.CertificateChain, [person] * 100)
    refused(phone, element(Page.ValidateCert, chain, some))
    assert validate(phone, *[person] * 100) == [1] * 100


def test_too_many_ways_to_look_at(world: World, phone: Phone) -> None:
    key = make_root("Knot").key
    basic = (x509.BasicConstraints(ca=True, path_length=None), True)
    signer = Certified(make_root("Knot").certificate, key)
    knot = [signer.certify("Knot", basic, key=key) for _ in range(60)]
    assert validate(phone, knot[0].person(), world.root.person(), chain=knot) == [17, 17]
    assert validate(phone, world.root.person()) == [1]


def test_it_needs_a_policy_key_and_a_body(new_phone: MakePhone) -> None:
    phone = new_phone("12.1")
    request = element(Page.ValidateCert, element(Page.Certificates))
    assert phone.post("ValidateCert", request).code == 449
    phone.provision()
    assert phone.post("ValidateCert").code == 400


def test_without_a_network(dovecot: Dovecot, smtp_sink: SmtpSink, user: str, tmp_path: Path) -> None:
    root = make_root()
    person = root.person(lists_at("http://lists.example.test/root.crl"))
    section: Section = {"ca_file": str(bundle(tmp_path, root)), "revocation": False}
    with Gateway(dovecot, smtp_sink, sections={"certificates": section}) as gateway:
        phone = Phone(gateway.host, gateway.port, user, "pw")
        phone.provision()
        assert validate(phone, person) == [1]
        assert validate(phone, person, strict=True) == [16]
