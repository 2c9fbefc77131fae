"""Which element of MS-ASCNTC 2.2.2 is which field of a contact, and how it is written.

Elements are called as fields are; where those are in a vCard says `pim.contacts.table`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from gateway.pim.contacts.model import Field
from gateway.pim.contacts.table import documented
from wbxml import Tag
from wbxml.pages import AirSyncBase, Contacts, Contacts2

__all__ = ["ELEMENTS", "KEPT", "PARTS", "Form", "Placed", "placed"]


class Form(Enum):
    """How a field is written."""

    TEXT = "string"
    LINES = "string of several lines"
    LIST = "container"
    DAY = "dateTime, of which the date counts"
    PICTURE = "base64"
    BODY = "asb:Body"


@dataclass(frozen=True, slots=True)
class Placed:
    """One field for who reads about it: its element, how that is written, and its place in a vCard."""

    field: Field
    element: Tag
    form: Form
    place: str


_FORMS = {
    Field.HOME_STREET: Form.LINES,
    Field.BUSINESS_STREET: Form.LINES,
    Field.OTHER_STREET: Form.LINES,
    Field.CHILDREN: Form.LIST,
    Field.CATEGORIES: Form.LIST,
    Field.BIRTHDAY: Form.DAY,
    Field.ANNIVERSARY: Form.DAY,
    Field.PICTURE: Form.PICTURE,
    Field.NOTE: Form.BODY,
}

PARTS = {Field.CHILDREN: Contacts.Child, Field.CATEGORIES: Contacts.Category}
"""What stands in a container."""
KEPT = frozenset({Field.PICTURE, Field.NOTE})
"""Fields that stay when a Change does not name them (MS-ASCMD 2.2.3.24)."""


def _tag(field: Field) -> Tag:
    if field is Field.NOTE:
        return AirSyncBase.Body
    page = Contacts if hasattr(Contacts, field.value) else Contacts2
    tag: Tag = getattr(page, field.value)
    return tag


ELEMENTS: Mapping[Field, tuple[Tag, Form]] = {
    field: (_tag(field), _FORMS.get(field, Form.TEXT)) for field in Field
}


def placed() -> list[Placed]:
    """All fields, for the documentation."""
    places = documented()
    return [Placed(field, tag, form, places[field]) for field, (tag, form) in ELEMENTS.items()]
