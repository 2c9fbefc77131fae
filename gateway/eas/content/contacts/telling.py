"""Contacts as devices see them: ApplicationData (MS-ASCNTC 2.2.2)."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.eas.content.contacts.days import moment_of
from gateway.eas.content.contacts.elements import ELEMENTS, PARTS, Form
from gateway.eas.content.contacts.pictures import shown_picture
from gateway.eas.content.itembody import OldBody, native_type, shown_body
from gateway.eas.content.preferences import BodyOptions
from gateway.eas.versions import Version
from gateway.mail.headers import clean
from gateway.pim.contacts.model import Contact, Field, Value, listed, text
from gateway.pim.properties import Body
from wbxml import Element, element
from wbxml.pages import AirSyncBase, Contacts

__all__ = ["MOST_PARTS", "OLD_BODY", "clean_lines", "shown_contact", "shown_stub", "told"]

MOST_PARTS = 300
"""Children, and categories."""
OLD_BODY = OldBody(Contacts.Body, Contacts.BodyTruncated, Contacts.BodySize, Contacts.CompressedRTF)
_STUB = "(This contact cannot be shown)"


def told(contact: Contact) -> Contact:
    """What of a contact devices are told, but for the text: of each field what they could give back."""
    return {
        field: shown for field in ELEMENTS if field is not Field.NOTE and (shown := _told(contact, field))
    }


def shown_contact(contact: Contact, version: Version, options: BodyOptions) -> list[Element]:
    """All that a device is told of a contact."""
    made = [_element(field, value) for field, value in told(contact).items()]
    body = Body(text(contact, Field.NOTE))
    made += shown_body(body, options, version, OLD_BODY, takes_rtf=True)
    if version >= Version.V12_0:
        made.append(element(AirSyncBase.NativeBodyType, native_type(body)))
    return made


def shown_stub(version: Version) -> list[Element]:
    """What stands for a contact that cannot be shown."""
    return shown_contact({Field.FILE_AS: _STUB, Field.LAST_NAME: _STUB}, version, BodyOptions())


def clean_lines(written: str) -> str:
    """A text of several lines without what XML cannot carry, and without empty lines."""
    return "\n".join(line for one in written.splitlines() if (line := clean(one)))


def _told(contact: Contact, field: Field) -> Value:
    _, form = ELEMENTS[field]
    if form is Form.LIST:
        names = (clean(one) for one in listed(contact, field))
        return tuple(dict.fromkeys(name for name in names if name))[:MOST_PARTS]
    value = text(contact, field)
    if form is Form.LINES:
        return clean_lines(value)
    if form is Form.PICTURE:
        return shown_picture(value)
    return value if form is Form.DAY else clean(value)


def _element(field: Field, value: Value) -> Element:
    tag, form = ELEMENTS[field]
    if isinstance(value, tuple):
        return element(tag, *_parts(field, value))
    return element(tag, moment_of(value) if form is Form.DAY else value)


def _parts(field: Field, names: tuple[str, ...]) -> Iterator[Element]:
    return (element(PARTS[field], name) for name in names)
