"""Client certificates as proxies hand them on: who they name, and which headers are no proof."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Literal
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

from gateway.errors import AuthenticationFailed
from gateway.web.certificates import ClientCertificates

UPN = ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
WAYS: dict[str, Callable[[x509.Certificate], str]] = {
    "nginx": lambda one: quote(one.public_bytes(Encoding.PEM).decode()),
    "apache": lambda one: one.public_bytes(Encoding.PEM).decode().replace("\n", " "),
    "traefik": lambda one: one.public_bytes(Encoding.PEM).decode().replace("\n", "")[27:-25],
    "haproxy": lambda one: base64.b64encode(one.public_bytes(Encoding.DER)).decode(),
    "RFC 9440": lambda one: f":{base64.b64encode(one.public_bytes(Encoding.DER)).decode()}:",
}


@cache
def certificate(
    *emails: str, cn: str = "Anna Example", upn: bytes | None = None, more_cn: str = ""
) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.NameAttribute(NameOID.COMMON_NAME, one) for one in (cn, more_cn) if one]
    others: list[x509.GeneralName] = [x509.RFC822Name(email) for email in emails]
    if upn is not None:
        others.append(x509.OtherName(UPN, upn))
    now = datetime(2026, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(names))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority")]))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=9))
    )
    if others:
        made = made.add_extension(x509.SubjectAlternativeName(others), critical=False)
    return made.sign(key, SHA256())


def reader(
    user: Literal["email", "upn", "cn"] = "email", form: Literal["certificate", "subject"] = "certificate"
) -> ClientCertificates:
    return ClientCertificates("x-ssl-client-verify", "x-ssl-client-cert", form, user)


def headers(shown: str, verified: str = "SUCCESS") -> dict[str, str]:
    return {"x-ssl-client-verify": verified, "x-ssl-client-cert": shown}


@pytest.mark.parametrize("proxy", WAYS)
def test_a_certificate_however_it_is_written(proxy: str) -> None:
    shown = WAYS[proxy](certificate("anna@example.test"))
    assert reader().user_of(headers(shown), trusted=True) == "anna@example.test"
    assert reader("cn").user_of(headers(shown), trusted=True) == "Anna Example"


def test_a_principal_name() -> None:
    short = b"\x0c\x11anna@example.test"
    long = b"\x0c\x81\x8c" + b"a" * 127 + b"@example.test"
    for value in (short, long):
        shown = WAYS["nginx"](certificate(upn=value))
        assert (reader("upn").user_of(headers(shown), trusted=True) or "").endswith("@example.test")
    for value in (b"\x13\x04anna", b"\x0c\x01\xff", b"\x0c\x04an\x00a", b"\x0c\x00"):
        with pytest.raises(AuthenticationFailed):
            reader("upn").user_of(headers(WAYS["nginx"](certificate(upn=value))), trusted=True)


def test_a_subject_alone() -> None:
    shown = headers("CN=anna,OU=People\\, all,O=Example,1.2.840.113549.1.9.1=#160161")
    assert reader("cn", "subject").user_of(shown, trusted=True) == "anna"
    with pytest.raises(AuthenticationFailed, match="cannot be read"):
        reader("cn", "subject").user_of(headers("/CN=anna/O=Example"), trusted=True)


@pytest.mark.parametrize("absent", [{}, headers("", "NONE"), headers("(null)", "NONE"), headers("", "")])
def test_no_certificate(absent: dict[str, str]) -> None:
    assert reader().user_of(absent, trusted=True) is None
    if not any(absent.values()):
        assert reader().user_of(absent, trusted=False) is None


@pytest.mark.parametrize(
    ("shown", "verified"),
    [
        (certificate("anna@example.test"), "FAILED:unable to verify the first certificate"),
        (certificate("anna@example.test"), "NONE"),
        (certificate("anna@example.test"), ""),
        (certificate("anna@example.test"), "SUCCESS, SUCCESS"),
        (certificate(), "SUCCESS"),
        (certificate("anna@example.test", "bert@example.test"), "SUCCESS"),
    ],
    ids=range(6),
)
def test_a_certificate_that_proves_nothing(shown: x509.Certificate, verified: str) -> None:
    with pytest.raises(AuthenticationFailed, match=r"^certificate: "):
        reader().user_of(headers(WAYS["nginx"](shown), verified), trusted=True)


def test_names_that_nobody_has() -> None:
    for name in ("an\x00na", "an\r\nna", "x" * 400):
        with pytest.raises((AuthenticationFailed, ValueError)):
            reader("cn").user_of(headers(WAYS["nginx"](certificate(cn=name))), trusted=True)
    with pytest.raises(AuthenticationFailed, match="2 users"):
        reader("cn").user_of(headers(WAYS["nginx"](certificate(more_cn="bert"))), trusted=True)


@pytest.mark.parametrize("proxy", WAYS)
def test_several_certificates_are_none(proxy: str) -> None:
    """As where a proxy adds its header to one that came, instead of setting it."""
    theirs, checked = (WAYS[proxy](certificate(f"{name}@example.test")) for name in ("bert", "anna"))
    for several in (f"{theirs}, {checked}", f"{theirs}{checked}", f"rubbish, {checked}"):
        with pytest.raises(AuthenticationFailed, match="cannot be read"):
            reader().user_of(headers(several), trusted=True)


@pytest.mark.parametrize("shown", ["x", "%", "-----BEGIN CERTIFICATE-----", "A" * 70_000, "é", "AAAA"])
def test_rubbish(shown: str) -> None:
    with pytest.raises(AuthenticationFailed, match=r"^certificate: "):
        reader().user_of(headers(shown), trusted=True)


@pytest.mark.parametrize(
    "sent", [headers("x"), headers("", "SUCCESS"), headers("x", ""), headers("", "NONE")]
)
def test_headers_of_anybody_but_the_proxy(sent: dict[str, str]) -> None:
    with pytest.raises(AuthenticationFailed, match="no trusted proxy"):
        reader().user_of(sent, trusted=False)
