"""The way from a certificate to a trusted authority, and every way to miss it."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.mail.certificates import (
    Authorities,
    BadCertificate,
    Effort,
    TooMuchEffort,
    find,
    read,
    read_bundle,
)
from gateway.ports.certificates import Verdict
from tests.support.authority import (
    DAY,
    MAIL,
    NOW,
    PERSON,
    SERVER,
    Certified,
    address,
    make_key,
    make_root,
    named,
    purposes,
    usage,
)

ROOT = make_root()
MIDDLE = ROOT.authority("Middle", purposes(*MAIL))
ALIEN = make_root("Alien")


def known(several: Sequence[Certified]) -> Authorities:
    return Authorities.of(read(one.der) for one in several)


def judge(person: Certified, *chain: Certified, roots: Sequence[Certified] = (ROOT,)) -> Verdict:
    """What is found, VALID for a path."""
    found = find(read(person.der), known(chain), known(roots), NOW, Effort(), chained=bool(chain))
    return found if isinstance(found, Verdict) else Verdict.VALID


def constrained(*permitted: str, excluded: Sequence[str] = ()) -> Certified:
    """An authority for these mail addresses."""
    names = x509.NameConstraints(
        [x509.RFC822Name(one) for one in permitted] or None,
        [x509.RFC822Name(one) for one in excluded] or None,
    )
    return ROOT.authority("Constrained", (names, True))


def test_sound_paths() -> None:
    person = MIDDLE.person()
    found = find(read(person.der), known([MIDDLE]), known([ROOT]), NOW, Effort())
    assert not isinstance(found, Verdict)
    assert [one.certificate for one in found] == [person.certificate, MIDDLE.certificate, ROOT.certificate]
    assert judge(ROOT.person()) is Verdict.VALID
    assert judge(person, roots=[MIDDLE]) is Verdict.VALID, "a trusted one may be below another"
    assert judge(person, person, MIDDLE, ROOT, ALIEN) is Verdict.VALID
    assert judge(person, roots=[person]) is Verdict.VALID
    plain = ROOT.certify("Plain")
    assert judge(plain) is Verdict.VALID, "what says nothing of its use may be used"
    for uses in ({"key_encipherment": True}, {"content_commitment": True}, {"key_agreement": True}):
        assert judge(ROOT.certify("Anna", (usage(**uses), True))) is Verdict.VALID
    anything = purposes(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
    assert judge(ROOT.certify("Anna", anything)) is Verdict.VALID


def test_the_first_path_that_is_sound_counts() -> None:
    key = make_key()
    basic = (x509.BasicConstraints(ca=True, path_length=None), True)
    old = ROOT.certify("Middle", basic, key=key, begins=NOW - 9 * DAY, ends=NOW - DAY)
    new = ROOT.certify("Middle", basic, key=key)
    person = new.person()
    assert judge(person, old, new) is judge(person, new, old) is Verdict.VALID
    assert judge(person, old) is Verdict.PERIODS


FAULTS = {
    "another issuer": (ALIEN.person(), (), Verdict.UNTRUSTED),
    "a root nobody knows": (ALIEN.person(), (ALIEN,), Verdict.UNTRUSTED),
    "signed by himself": (ALIEN, (), Verdict.UNTRUSTED),
    "no issuer": (MIDDLE.person(), (), Verdict.UNTRUSTED),
    "a chain of others": (MIDDLE.person(), (ALIEN,), Verdict.CHAIN),
    "a chain that is too long": (
        ROOT.authority("One", length=0).authority("Two").person(),
        (),
        Verdict.UNTRUSTED,
    ),
    "another key of that name": (ALIEN.certify("Eve", *PERSON, issuer=named("Root")), (), Verdict.SIGNATURE),
    "not valid yet": (ROOT.person(begins=NOW + DAY), (), Verdict.EXPIRED),
    "not valid any more": (ROOT.person(begins=NOW - 9 * DAY, ends=NOW - DAY), (), Verdict.EXPIRED),
    "for servers": (ROOT.certify("Web", purposes(*SERVER)), (), Verdict.PURPOSE),
    "for nothing": (ROOT.certify("Data", (usage(data_encipherment=True), True)), (), Verdict.PURPOSE),
    "an authority": (MIDDLE, (), Verdict.ROLE),
    "what nobody understands": (
        ROOT.person((x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)),
        (),
        Verdict.INCOMPLETE,
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults(name: str) -> None:
    person, chain, verdict = FAULTS[name]
    assert judge(person, *chain) is verdict


def test_faults_above() -> None:
    expired = ROOT.authority("Old", begins=NOW - 9 * DAY, ends=NOW - DAY)
    assert judge(expired.person(), expired) is Verdict.PERIODS
    assert judge(expired.person(begins=NOW - 9 * DAY, ends=NOW - DAY), expired) is Verdict.EXPIRED
    old_root = make_root("Old root", begins=NOW - 9 * DAY, ends=NOW - DAY)
    assert judge(old_root.person(), roots=[old_root]) is Verdict.PERIODS
    person = ROOT.person()
    assert judge(person.person(), person) is Verdict.ROLE
    no_signer = ROOT.certify(
        "Middle", (x509.BasicConstraints(ca=True, path_length=None), True), (usage(crl_sign=True), True)
    )
    assert judge(no_signer.person(), no_signer) is Verdict.ROLE
    short = ROOT.authority("Short", length=0)
    below = short.authority("Below")
    assert judge(short.person(), short) is Verdict.VALID
    assert judge(below.person(), short, below) is Verdict.CHAIN
    web = ROOT.authority("Web", purposes(*SERVER))
    assert judge(web.person(), web) is Verdict.USAGE
    strange = ROOT.authority("Strange", (x509.InhibitAnyPolicy(0), True))
    assert judge(strange.person(), strange) is Verdict.INCOMPLETE


@pytest.mark.parametrize(
    ("authority", "verdict"),
    [
        (constrained("example.test"), Verdict.VALID),
        (constrained("EXAMPLE.test"), Verdict.VALID),
        (constrained("other.test", "anna@example.test"), Verdict.VALID),
        (constrained("ben@example.test"), Verdict.NAME),
        (constrained(".example.test"), Verdict.NAME),
        (constrained(".test"), Verdict.VALID),
        (constrained("ample.test"), Verdict.NAME),
        (constrained(excluded=["other.test"]), Verdict.VALID),
        (constrained("example.test", excluded=["anna@example.test"]), Verdict.NAME),
    ],
)
def test_for_whom_an_authority_vouches(authority: Certified, verdict: Verdict) -> None:
    assert judge(authority.person(), authority) is verdict
    between = authority.authority("Between")
    assert judge(between.person(), between, authority) is verdict


def test_constraints_of_other_names() -> None:
    def authority(*permitted: x509.GeneralName) -> Certified:
        return ROOT.authority("Constrained", (x509.NameConstraints(permitted, None), True))

    anna = authority(x509.DirectoryName(named("Anna")))
    assert judge(anna.person(), anna) is Verdict.VALID
    ben = authority(x509.DirectoryName(named("Ben")))
    assert judge(ben.person(), ben) is Verdict.NAME
    host = authority(x509.DNSName("example.test"))
    assert judge(host.person(), host) is Verdict.VALID, "no host is named"
    links = authority(x509.UniformResourceIdentifier("example.test"))
    link = (x509.SubjectAlternativeName([x509.UniformResourceIdentifier("https://example.test/")]), False)
    assert judge(links.certify("Anna", link), links) is Verdict.INCOMPLETE
    for found, verdict in (("a.example.test", Verdict.VALID), ("bexample.test", Verdict.NAME)):
        name = (x509.SubjectAlternativeName([x509.DNSName(found)]), False)
        assert judge(host.certify("Anna", name), host) is verdict


def test_an_address_in_the_subject_is_one_too() -> None:
    authority = constrained("example.test")
    for found, verdict in (("anna@example.test", Verdict.VALID), ("anna@other.test", Verdict.NAME)):
        name = x509.Name([x509.NameAttribute(NameOID.EMAIL_ADDRESS, found)])
        key = make_key()
        builder = x509.CertificateBuilder(
            authority.certificate.subject, name, key.public_key(), 7, NOW, NOW + DAY
        )
        person = Certified(builder.sign(authority.key, ROOT.certificate.signature_hash_algorithm), key)  # type: ignore[arg-type]
        assert judge(person, authority) is verdict


@pytest.mark.parametrize(("digest", "verdict"), [("sha1", Verdict.SIGNATURE), ("sha384", Verdict.VALID)])
def test_methods_that_prove_nothing(tmp_path: Path, digest: str, verdict: Verdict) -> None:
    """Made by the openssl program, since the library makes no such signatures any more."""
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "root.key").write_bytes(ROOT.key.private_bytes(*form))
    (tmp_path / "root.pem").write_bytes(ROOT.pem)
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", "/CN=Anna")
    out = ("-outform", "DER", "-out", "anna.der")
    for command in (
        ("req", "-batch", "-new", "-nodes", *kind, "-keyout", "anna.key", "-out", "anna.csr"),
        ("x509", "-req", "-in", "anna.csr", f"-{digest}", "-CA", "root.pem", "-CAkey", "root.key", *out),
    ):
        more = ("-days", "1", "-set_serial", "7") if command[0] == "x509" else ()
        subprocess.run(
            ["openssl", *command, *more], check=True, capture_output=True, timeout=30, cwd=tmp_path
        )
    person = read((tmp_path / "anna.der").read_bytes())
    now = max(NOW, person.begins)
    found = find(person, Authorities(), known([ROOT]), now, Effort())
    assert (found if isinstance(found, Verdict) else Verdict.VALID) is verdict


# --- hostile certificates ----------------------------------------------------------------------------------


def test_authorities_that_sign_each_other() -> None:
    one, other = make_root("One"), make_root("Other")
    basic = (x509.BasicConstraints(ca=True, path_length=None), True)
    chain = [one.certify("Other", basic, key=other.key), other.certify("One", basic, key=one.key)]
    assert judge(one.person(), *chain) is Verdict.UNTRUSTED
    assert judge(one.person(), *chain, one, roots=[one]) is Verdict.VALID


def test_a_long_chain_ends() -> None:
    chain = [ROOT]
    for number in range(9):
        chain.append(chain[-1].authority(f"Step {number}"))
    assert judge(chain[-1].person(), *chain) is Verdict.CHAIN
    assert judge(chain[4].person(), *chain) is Verdict.VALID


def test_many_of_one_name_and_key_cost_no_more_than_they_may() -> None:
    key = make_key()
    clone = Certified(ALIEN.certificate, key)
    basic = (x509.BasicConstraints(ca=True, path_length=None), True)
    chain = [clone.certify("Alien", basic, key=key) for _ in range(40)]
    with pytest.raises(TooMuchEffort):
        judge(chain[0].person(), *chain)


def test_many_names_cost_no_more_than_they_may() -> None:
    many = [f"user{number}@host{number}.test" for number in range(1200)]
    authority = constrained(*many[:1200])
    with pytest.raises(TooMuchEffort):
        judge(authority.certify("Anna", address(*many)), authority)


def test_octets_that_are_no_certificate() -> None:
    der = ROOT.person().der
    for wrong in (b"", b"\x30", b"x" * 70_000, der[:-1], der + b"\0", ROOT.pem, b"\x30\x84" + b"\xff" * 40):
        with pytest.raises(BadCertificate):
            read(wrong)


def test_spoiled_certificates_are_judged_or_refused() -> None:
    source = random.Random(7)
    der = bytearray(constrained("example.test").person().der)
    for _ in range(400):
        spoiled = bytearray(der)
        for _ in range(source.randrange(1, 4)):
            spoiled[source.randrange(len(spoiled))] = source.randrange(256)
        try:
            found = read(bytes(spoiled))
        except BadCertificate:
            continue
        assert find(found, Authorities(), known([ROOT]), NOW, Effort()) is not None


def test_bundles() -> None:
    broken = ROOT.pem.replace(b"MII", b"MIX")
    text = b"# comment\n" + ROOT.pem + broken + b"-----BEGIN CERTIFICATE-----\n" + MIDDLE.pem
    assert [one.certificate for one in read_bundle(text)][:1] == [ROOT.certificate]
    assert read_bundle(b"") == []
