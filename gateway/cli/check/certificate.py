"""The certificate phones are shown: whether they believe it, how long, and for which names."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime

from cryptography import x509

from gateway.cli.check.bounded import beside
from gateway.ports.examining import Finding, bad, doubtful, good

__all__ = ["certificate"]

_SECONDS = 10.0
_SOON = 14
"""Days before the end at which somebody should look after the renewal."""
_REMEDIES = {
    "expired": "renew it, and have the proxy read the new one",
    "self-signed": "get one of an authority that phones know, as Let's Encrypt",
    "local issuer": "have the proxy send the whole chain: its certificate file needs those in between too",
    "mismatch": "get one that has the name of server.public_url",
    "not valid for": "get one that has the name of server.public_url",
}


async def certificate(host: str, port: int, others: Sequence[str]) -> AsyncIterator[Finding]:
    """Look at what is shown at a host, which should be for `others` as well."""
    try:
        found = await beside(lambda: [*_look(host, port, others)], _SECONDS * 3)
    except OSError as error:
        reason = str(error) or "no answer"
        yield bad(
            f"no TLS with {host}:{port}: {reason}", "look at the reverse proxy, and at firewalls before it"
        )
        return
    for finding in found:
        yield finding


def _look(host: str, port: int, others: Sequence[str]) -> Iterator[Finding]:
    context = ssl.create_default_context()
    try:
        shown = _shown(host, port, context)
    except ssl.SSLCertVerificationError as error:
        said = error.verify_message
        remedy = next((text for sign, text in _REMEDIES.items() if sign in said), "get another one")
        yield bad(f"{host}:{port} shows a certificate that phones refuse: {said}", remedy)
        # Once more, to say what it is.
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        shown = _shown(host, port, context)
    else:
        yield good(f"{host}:{port} shows a certificate that phones believe")
    yield _lasting(shown)
    missing = [name for name in others if not _has(shown, name)]
    if missing:
        yield doubtful(
            f"it is not for {', '.join(missing)}", "add these names to it, once they lead to the gateway"
        )


def _shown(host: str, port: int, context: ssl.SSLContext) -> x509.Certificate:
    with (
        socket.create_connection((host, port), timeout=_SECONDS) as raw,
        context.wrap_socket(raw, server_hostname=host) as secured,
    ):
        data = secured.getpeercert(binary_form=True)
    if data is None:
        raise ssl.SSLError("no certificate was shown")
    return x509.load_der_x509_certificate(data)


def _lasting(shown: x509.Certificate) -> Finding:
    end = shown.not_valid_after_utc
    days = (end - datetime.now(UTC)).days
    text = f"it is for {', '.join(_names(shown)) or 'no name'}, until {end:%Y-%m-%d}"
    if days < 0:
        return bad(f"{text}: expired", _REMEDIES["expired"])
    if days < _SOON:
        return doubtful(f"{text}: {days} days", "see why it is not renewed by itself")
    return good(text)


def _names(shown: x509.Certificate) -> list[str]:
    try:
        extension = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    named = [str(one) for one in extension.value.get_values_for_type(x509.DNSName)]
    return named + [str(one) for one in extension.value.get_values_for_type(x509.IPAddress)]


def _has(shown: x509.Certificate, name: str) -> bool:
    """Whether it is for a name, as written or by a `*` in the first place (RFC 6125 6.4.3)."""
    wanted = name.lower()
    _, _, above = wanted.partition(".")
    return any(one.lower() in {wanted, f"*.{above}"} for one in _names(shown))
