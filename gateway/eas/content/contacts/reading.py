"""ApplicationData of a contact to what is to change of it (MS-ASCNTC 2.2.2, 3.1.5.3)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import tzinfo

from gateway.eas.content import readers
from gateway.eas.content.contacts.days import day_of
from gateway.eas.content.contacts.elements import ELEMENTS, KEPT, PARTS, Form
from gateway.eas.content.contacts.pictures import read_picture
from gateway.eas.content.contacts.telling import MOST_PARTS, OLD_BODY, clean_lines, told
from gateway.eas.content.itembody import read_body
from gateway.eas.versions import Version
from gateway.mail.headers import clean
from gateway.pim.contacts.model import LISTS, Contact, Field, Value, text
from gateway.pim.contacts.naming import called
from gateway.pim.properties import Body, Unset
from wbxml import Element

__all__ = ["news", "read_contact_data", "sends_no_pictures"]

_LONGEST = 32768
"""Characters of a text."""
_LONGEST_PART = 1024
_APPLE = ("iphone", "ipad", "ipod")


def read_contact_data(data: Element, version: Version, zone: tzinfo, known: Contact) -> Contact:
    """What a device says of a contact: the fields it names, empty ones to be removed. Raises `BadItem`.

    `known` is the contact it changes, {} for a new one; `zone` is that of the users.
    """
    patch: dict[Field, Value] = {}
    for field, (tag, _) in ELEMENTS.items():
        if field is not Field.NOTE and data.find(tag) is not None:
            patch[field] = _read(data, field, zone, known)
    before = Body(text(known, Field.NOTE)) if known else None
    body = read_body(data, version, before, OLD_BODY, takes_rtf=True)
    if not isinstance(body, Unset):
        patch[Field.NOTE] = body.plain if body else ""
    return patch


def sends_no_pictures(device_type: str, supported: Collection[str] | None) -> bool:
    """Whether an empty Picture of a device means nothing.

    Those of Apple's send it with every edit of a contact whose picture came from elsewhere; others without
    knowing of pictures.
    """
    knows = supported is None or Field.PICTURE.value in supported
    return not knows or device_type.lower().startswith(_APPLE)


def news(
    patch: Contact, known: Contact, supported: Collection[str] | None, *, whole: bool, no_pictures: bool
) -> Contact:
    """What changes by a patch: what came back as it went does not, so that what was not told exactly stays.

    Of a `whole` contact, what is not named is gone: unless it is ghosted (MS-ASCMD 2.2.3.178), which is what
    `supported` does not name; without such a list, None, nothing is. With `no_pictures` an empty one is none.
    """
    shown = {**told(known), Field.NOTE: text(known, Field.NOTE)}
    made = {field: value for field, value in patch.items() if value != shown.get(field, _nothing(field))}
    if no_pictures and not made.get(Field.PICTURE, "picture"):
        del made[Field.PICTURE]
    if whole:
        gone = (field for field in ELEMENTS if field not in patch and field not in KEPT)
        named = (field for field in gone if supported is None or field.value in supported)
        made |= {field: _nothing(field) for field in named if field in shown}
    if patch.get(Field.FILE_AS) and not called({**shown, **made, Field.FILE_AS: ""}):
        made[Field.FILE_AS] = patch[Field.FILE_AS]  # it was made of a name that goes, and is all that is left
    return made


def _read(data: Element, field: Field, zone: tzinfo, known: Contact) -> Value:
    tag, form = ELEMENTS[field]
    if form is Form.LIST:
        names = readers.names(data, tag, PARTS[field], MOST_PARTS, _LONGEST_PART) or ()
        return tuple(dict.fromkeys(name for one in names if (name := clean(one))))
    if form is Form.DAY:
        moment = readers.moment(data, tag)
        return day_of(moment, zone, text(known, field)) if moment else ""
    if form is Form.PICTURE:
        return read_picture(readers.text(data, tag) or "")
    written = readers.text(data, tag, _LONGEST) or ""
    return clean_lines(written) if form is Form.LINES else clean(written)


def _nothing(field: Field) -> Value:
    return () if field in LISTS else ""
