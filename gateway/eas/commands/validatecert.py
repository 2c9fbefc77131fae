"""ValidateCert (MS-ASCMD 2.2.1.22): whether certificates of signed and encrypted mail can be believed."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from gateway.eas import fields
from gateway.eas.commands.base import BodyRule, Context, Reply
from gateway.eas.versions import Version
from gateway.ports.certificates import Verdict
from wbxml import Element, element
from wbxml.pages import ValidateCert as Page

__all__ = ["ValidateCert"]

_SUCCESS = 1
_MOST = 100
"""Certificates in one request, those of the chain counted (MS-ASCMD 3.1.5.10)."""

_STATUS: Mapping[Verdict, int] = {
    Verdict.VALID: 1,
    Verdict.UNREADABLE: 2,
    Verdict.SIGNATURE: 3,
    Verdict.UNTRUSTED: 4,
    Verdict.CHAIN: 5,
    Verdict.PURPOSE: 6,
    Verdict.EXPIRED: 7,
    Verdict.PERIODS: 8,
    Verdict.USAGE: 9,
    Verdict.INCOMPLETE: 10,
    Verdict.ROLE: 11,
    Verdict.NAME: 12,
    Verdict.REVOKED: 13,
    Verdict.UNREACHABLE: 14,
    Verdict.CHAIN_REVOKED: 15,
    Verdict.UNCLEAR: 16,
    Verdict.EXHAUSTED: 17,
}
"""MS-ASCMD 2.2.3.177.18."""


class ValidateCert:
    """Gives each certificate a Status of its own, in the order asked."""

    name = "ValidateCert"
    code = 22
    root = Page.ValidateCert
    status = Page.Status
    first = Version.V2_5
    last = None
    needs_policy_key = True
    body = BodyRule.REQUIRED

    async def handle(self, context: Context, root: Element | None, body: bytes) -> Reply:  # noqa: ARG002
        """Raises `Refused` (Status 2) for a request without certificates, or with too many."""
        root = fields.document(root)
        asked = fields.required(root, Page.Certificates).findall(Page.Certificate)
        chained = fields.only(root, Page.CertificateChain)
        chain = chained.findall(Page.Certificate) if chained else []
        strict = fields.boolean(root, Page.CheckCRL, default=False)
        if not asked or len(asked) + len(chain) > _MOST:
            raise fields.malformed(f"{len(asked)} certificates and {len(chain)} in the chain")
        verdicts = await context.services.certificates.verdicts(
            [_octets(one) for one in asked], [_octets(one) for one in chain], strict=strict
        )
        reply = element(Page.ValidateCert, element(Page.Status, _SUCCESS))
        for verdict in verdicts:
            if verdict is not Verdict.VALID:
                context.note(str(_STATUS[verdict]), f"certificate: {verdict.name.lower()}")
            reply.append(element(Page.Certificate, element(Page.Status, _STATUS[verdict])))
        return reply


def _octets(certificate: Element) -> bytes:
    """The certificate itself: in base64, or as it is, as some devices send it; b"" for neither."""
    if isinstance(certificate.value, bytes) and certificate.value.startswith(b"\x30"):
        return certificate.value
    try:
        return base64.b64decode("".join(certificate.text().split()), validate=True)
    except (binascii.Error, ValueError):
        return b""
