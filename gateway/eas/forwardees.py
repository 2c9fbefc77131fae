"""Forwardees (MS-ASCMD 2.2.3.74): whom the server is to write to by itself, and the text it is to add."""

from __future__ import annotations

import base64
from email.utils import formataddr

from gateway.eas import fields
from gateway.eas.content.preferences import HTML, PLAIN
from gateway.errors import Kind, Refused
from gateway.mail.fields import fold
from gateway.mail.headers import clean
from gateway.mail.recipients import deliverable
from wbxml import Element
from wbxml.pages import AirSyncBase, ComposeMail, RightsManagement

__all__ = ["written"]

_EXCLUDED = (
    ComposeMail.Mime,
    ComposeMail.SaveInSentItems,
    ComposeMail.ReplaceMime,
    RightsManagement.TemplateID,
)
_MOST = 1000
_LONGEST_NAME = 200


def written(root: Element) -> bytes:
    """The message to the Forwardees, as a phone would have written it but for the subject.

    Raises `Refused`: INVALID_MIME_BODY beside a Mime and what belongs to one, INVALID_SMART_FORWARD for what
    names nobody.
    """
    if any(root.find(tag) is not None for tag in _EXCLUDED):
        raise Refused(Kind.INVALID_MIME_BODY, "Forwardees or Body beside Mime")
    listed = root.find(ComposeMail.Forwardees)
    people = listed.findall(ComposeMail.Forwardee) if listed else []
    if not 0 < len(people) <= _MOST:
        raise Refused(Kind.INVALID_SMART_FORWARD, "no Forwardee, or too many")
    to = fold(b"To: " + ", ".join(map(_address, people)).encode(), 76)
    kind, text = _text(root)
    head = f"Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    encoded = base64.encodebytes(text.encode("utf-8", "replace"))
    return to + b"\r\nMIME-Version: 1.0\r\n" + head.encode() + encoded.replace(b"\n", b"\r\n")


def _address(person: Element) -> str:
    address = deliverable((person.child_text(ComposeMail.Email) or "").strip())
    if address is None:
        raise Refused(Kind.INVALID_SMART_FORWARD, "a Forwardee without a usable address")
    name = clean(person.child_text(ComposeMail.Name) or "")[:_LONGEST_NAME]
    if not address.isascii():
        return address
    return formataddr((name, address), "utf-8")


def _text(root: Element) -> tuple[str, str]:
    body = root.find(AirSyncBase.Body)
    if body is None:
        return "plain", ""
    kind = fields.number(body, AirSyncBase.Type)
    if kind not in (PLAIN, HTML) or any(
        child.tag not in (AirSyncBase.Type, AirSyncBase.Data) for child in body
    ):
        raise Refused(Kind.INVALID_SMART_FORWARD, "a Body of another form than text or HTML")
    return "html" if kind == HTML else "plain", body.child_text(AirSyncBase.Data) or ""
