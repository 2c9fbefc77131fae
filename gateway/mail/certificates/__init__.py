"""X.509 certificates of mail (RFC 5280, 8550): paths to authorities that are trusted, and revocation.

The verifier of `cryptography` is for TLS servers and says no more than that something is wrong, while a phone
wants to know what; so paths are built here.
"""

from __future__ import annotations

from gateway.mail.certificates.facts import BadCertificate, Facts, read, read_bundle
from gateway.mail.certificates.paths import Authorities, Effort, Path, TooMuchEffort, find
from gateway.mail.certificates.revocation import (
    RevocationList,
    Standing,
    by_list,
    by_responder,
    read_list,
    responder_request,
)

__all__ = [
    "Authorities",
    "BadCertificate",
    "Effort",
    "Facts",
    "Path",
    "RevocationList",
    "Standing",
    "TooMuchEffort",
    "by_list",
    "by_responder",
    "find",
    "read",
    "read_bundle",
    "read_list",
    "responder_request",
]
