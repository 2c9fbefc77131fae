"""Forwardees (MS-ASCMD 2.2.3.74): whom the server is to write to by itself, and the text it is to add."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from email.utils import formataddr

from gateway.eas import fields
from gateway.eas.content.preferences import HTML, PLAIN
from gateway.errors import Kind, Refused
from gateway.mail.addresses import Address
from gateway.mail.fields import fold
from gateway.mail.headers import clean
from gateway.mail.recipients import deliverable
from wbxml import Element
from wbxml.pages import AirSyncBase, ComposeMail, RightsManagement

__all__ = ["Forward", "read", "written"]

_EXCLUDED = (
    ComposeMail.Mime,
    ComposeMail.SaveInSentItems,
    ComposeMail.ReplaceMime,
    RightsManagement.TemplateID,
)
_MOST = 1000
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Forward:
    """To whom something is forwarded, and what is said to them, in HTML if `rich`."""

    people: tuple[Address, ...]
    text: str = field(repr=False)
    rich: bool


def read(root: Element) -> Forward:
    """What a request with Forwardees asks for.

    Raises `Refused`: INVALID_MIME_BODY beside a Mime and what belongs to one, INVALID_SMART_FORWARD for what
    names nobody.
    """
    if any(root.find(tag) is not None for tag in _EXCLUDED):
        raise Refused(Kind.INVALID_MIME_BODY, "Forwardees or Body beside Mime")
    listed = root.find(ComposeMail.Forwardees)
    people = listed.findall(ComposeMail.Forwardee) if listed else []
    if not 0 < len(people) <= _MOST:
        raise Refused(Kind.INVALID_SMART_FORWARD, "no Forwardee, or too many")
    kind, text = _text(root)
    return Forward(tuple(map(_person, people)), text, kind == "html")


def written(root: Element) -> bytes:
    """The message to the Forwardees, as a phone would have written it but for the subject.

    Raises what `read` raises.
    """
    wanted = read(root)
    to = fold(b"To: " + ", ".join(map(_address, wanted.people)).encode(), 76)
    kind = "html" if wanted.rich else "plain"
    head = f"Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    encoded = base64.encodebytes(wanted.text.encode("utf-8", "replace"))
    return to + b"\r\nMIME-Version: 1.0\r\n" + head.encode() + encoded.replace(b"\n", b"\r\n")


def _person(person: Element) -> Address:
    address = deliverable((person.child_text(ComposeMail.Email) or "").strip())
    if address is None:
        raise Refused(Kind.INVALID_SMART_FORWARD, "a Forwardee without a usable address")
    return Address(clean(person.child_text(ComposeMail.Name) or "")[:_LONGEST_NAME], address)


def _address(person: Address) -> str:
    if not person.address.isascii():
        return person.address
    return formataddr((person.name, person.address), "utf-8")


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
