"""Names that lead somewhere else, and certificates that are not for all of them or not for long."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.cli.check.certificate import certificate
from gateway.cli.check.names import leads, names
from gateway.ports.examining import Verdict
from tests.support.authority import DAY, NOW, make_key, named
from tests.support.front import Front
from tests.support.ports import LOOPBACK, free_ports
from tests.support.tls import Certificate

HERE = frozenset({LOOPBACK, "::1"})


async def test_names() -> None:
    right = await leads("localhost", "sync.example.com", HERE, "set it")
    assert right.verdict is Verdict.OK
    elsewhere = await leads("localhost", "sync.example.com", frozenset({"192.0.2.1"}), "set it")
    assert (elsewhere.verdict, elsewhere.remedy) == (Verdict.WARNING, "set it")
    assert "and not sync.example.com" in elsewhere.text


async def test_a_public_url_with_an_address() -> None:
    first, *_ = [finding async for finding in names(LOOPBACK, None)]
    assert first.verdict is Verdict.WARNING


def made(folder: Path, days: int, *for_names: str) -> Certificate:
    """A certificate that is good for so many days from yesterday on."""
    key = make_key()
    shown = (
        x509.CertificateBuilder(named("localhost"), named("localhost"), key.public_key(), 1)
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + timedelta(days=days, hours=1))
        .add_extension(x509.SubjectAlternativeName([*map(x509.DNSName, for_names)]), critical=False)
        .sign(key, SHA256())
    )
    files = Certificate(folder / "made.crt", folder / "made.key")
    files.certificate.write_bytes(shown.public_bytes(Encoding.PEM))
    files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


@pytest.mark.parametrize(
    ("days", "for_names", "verdicts", "said"),
    [
        (60, ("localhost", "*.a.example"), "ok ok warning", "not for autoconfig.b.example"),
        (3, ("localhost", "*.a.example", "autoconfig.b.example"), "ok warning", "3 days"),
        (60, ("*.a.example", "autoconfig.b.example"), "failure ok", "phones refuse"),
    ],
)
async def test_certificates(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    days: int,
    for_names: tuple[str, ...],
    verdicts: str,
    said: str,
) -> None:
    shown = made(tmp_path, days, *for_names)
    monkeypatch.setenv("SSL_CERT_FILE", str(shown.certificate))
    others = ("autodiscover.a.example", "autoconfig.b.example")
    with Front(shown) as front:
        found = [finding async for finding in certificate("localhost", front.port, others)]
    assert " ".join(finding.verdict.value for finding in found) == verdicts
    assert any(said in finding.text for finding in found)


async def test_one_that_nobody_vouches_for(tmp_path: Path) -> None:
    with Front(made(tmp_path, 60, "localhost")) as front:
        found = [finding async for finding in certificate("localhost", front.port, ())]
    assert [finding.verdict for finding in found] == [Verdict.FAILURE, Verdict.OK]
    assert "authority that phones know" in found[0].remedy


async def test_nobody_listens() -> None:
    (found,) = [finding async for finding in certificate("localhost", free_ports(1)[0], ())]
    assert found.verdict is Verdict.FAILURE
    assert "proxy" in found.remedy
