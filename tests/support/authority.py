"""Authorities that certify people for the tests, say what they revoked, and make every mistake asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from tests.support.ports import LOOPBACK

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
MAIL = (ExtendedKeyUsageOID.EMAIL_PROTECTION,)
SERVER = (ExtendedKeyUsageOID.SERVER_AUTH,)

Key = ec.EllipticCurvePrivateKey
Extension = tuple[x509.ExtensionType, bool]
"""With whether it is critical."""


def make_key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def usage(**allowed: bool) -> x509.KeyUsage:
    """Only these uses of a key."""
    uses = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{one: allowed.get(one, False) for one in uses})


def purposes(*allowed: x509.ObjectIdentifier) -> Extension:
    return x509.ExtendedKeyUsage(allowed), False


def address(*addresses: str) -> Extension:
    return x509.SubjectAlternativeName([x509.RFC822Name(one) for one in addresses]), False


def lists_at(*urls: str) -> Extension:
    points = [x509.DistributionPoint([x509.UniformResourceIdentifier(one)], None, None, None) for one in urls]
    return x509.CRLDistributionPoints(points), False


def responders_at(*urls: str) -> Extension:
    method = AuthorityInformationAccessOID.OCSP
    described = [x509.AccessDescription(method, x509.UniformResourceIdentifier(one)) for one in urls]
    return x509.AuthorityInformationAccess(described), False


PERSON: tuple[Extension, ...] = (
    (usage(digital_signature=True, key_encipherment=True), True),
    purposes(*MAIL),
    address("anna@example.test"),
)


@dataclass(frozen=True, slots=True)
class Certified:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def certify(
        self,
        name: str,
        *extensions: Extension,
        key: Key | None = None,
        begins: datetime = NOW - DAY,
        ends: datetime = NOW + 30 * DAY,
        issuer: x509.Name | None = None,
    ) -> Certified:
        """A certificate with these extensions and no others."""
        key = key or make_key()
        builder = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(issuer or self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return Certified(builder.sign(self.key, SHA256()), key)

    def person(self, *more: Extension, **changes: datetime) -> Certified:
        """One who may sign and encrypt mail as anna@example.test."""
        return self.certify("Anna", *PERSON, *more, **changes)  # type: ignore[arg-type]

    def authority(
        self, name: str, *more: Extension, length: int | None = None, **changes: datetime
    ) -> Certified:
        """Another authority below this one."""
        basic: Extension = (x509.BasicConstraints(ca=True, path_length=length), True)
        uses: Extension = (usage(key_cert_sign=True, crl_sign=True), True)
        return self.certify(name, basic, uses, *more, **changes)  # type: ignore[arg-type]

    def list(
        self,
        *revoked: Certified,
        extensions: Iterable[Extension] = (),
        begins: datetime = NOW - DAY,
        ends: datetime = NOW + DAY,
        reason: x509.ReasonFlags | None = None,
    ) -> bytes:
        """A revocation list."""
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        builder = builder.last_update(begins).next_update(ends)
        for one in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number)
            entry = entry.revocation_date(NOW - DAY)
            if reason is not None:
                entry = entry.add_extension(x509.CRLReason(reason), critical=False)
            builder = builder.add_revoked_certificate(entry.build())
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self.key, SHA256()).public_bytes(Encoding.DER)

    def answer(
        self,
        person: Certified,
        status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
        *,
        signer: Certified | None = None,
        begins: datetime = NOW - DAY,
        ends: datetime | None = NOW + DAY,
    ) -> bytes:
        """What a responder says of a certificate; `signer` is another one than this authority."""
        revoked = status is ocsp.OCSPCertStatus.REVOKED
        builder = ocsp.OCSPResponseBuilder().add_response(
            person.certificate, self.certificate, SHA1(), status, begins, ends,  # noqa: S303
            NOW - DAY if revoked else None, x509.ReasonFlags.key_compromise if revoked else None,
        )  # fmt: skip
        by = signer or self
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, by.certificate)
        if signer is not None:
            builder = builder.certificates([signer.certificate])
        return builder.sign(by.key, SHA256()).public_bytes(Encoding.DER)


def make_root(name: str = "Root", *more: Extension, **changes: datetime) -> Certified:
    """An authority of its own."""
    key = make_key()
    basic: Extension = (x509.BasicConstraints(ca=True, path_length=None), True)
    uses: Extension = (usage(key_cert_sign=True, crl_sign=True), True)
    own = Certified(
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(name))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + DAY)
        .sign(key, SHA256()),
        key,
    )
    return own.certify(name, basic, uses, *more, key=key, **changes)  # type: ignore[arg-type]


# --- telling of it -----------------------------------------------------------------------------------------


@dataclass
class RevocationServer:
    """Serves by path what is in `answers`: octets, or what to do with the octets posted. Notes who asked."""

    port: int = 0
    answers: dict[str, bytes | Callable[[bytes], bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def url(self, path: str, host: str = "localhost") -> str:
        return f"http://{host}:{self.port}/{path}"


@contextmanager
def revocation_server() -> Iterator[RevocationServer]:
    """Start it on loopback."""
    made = RevocationServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])))

        def _answer(self, posted: bytes) -> None:
            path = self.path.lstrip("/")
            made.asked.append(path)
            answer = made.answers.get(path)
            self.send_response(404 if answer is None else 200)
            self.end_headers()
            self.wfile.write(answer(posted) if callable(answer) else answer or b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer((LOOPBACK, 0), Handler) as server:
        made.port = server.server_port
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()


def bundle(folder: Path, *roots: Certified) -> Path:
    """A file of authorities to trust."""
    file = folder / "authorities.pem"
    file.write_bytes(b"".join(one.pem for one in roots))
    return file
