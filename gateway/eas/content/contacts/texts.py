"""What a contact is found by in a search."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.eas.content.contacts.elements import ELEMENTS, Form
from gateway.pim.contacts.model import Contact, Field, listed, text
from gateway.pim.matching import Texts
from gateway.query import Place

__all__ = ["texts_of"]

_NAME = (Field.FIRST_NAME, Field.MIDDLE_NAME, Field.LAST_NAME)
_NAMES = (Field.FILE_AS, *_NAME, Field.NICK_NAME, Field.YOMI_FIRST_NAME, Field.YOMI_LAST_NAME)
_SPOKEN = frozenset(
    field
    for field, (_, form) in ELEMENTS.items()
    if form not in {Form.DAY, Form.PICTURE} and field not in {*_NAMES, Field.NOTE}
)
_BETWEEN_DIGITS = re.compile(r"(?<=[\d+])[\s()/.-]+(?=\d)")


def texts_of(contact: Contact) -> Texts:
    """The texts of a contact; the names are its subject."""
    whole = " ".join(filter(None, (text(contact, field) for field in _NAME)))
    return {
        Place.SUBJECT: [whole, *(name for field in _NAMES if (name := text(contact, field)))],
        Place.BODY: [text(contact, Field.NOTE)],
        Place.ANYWHERE: list(_others(contact)),
    }


def _others(contact: Contact) -> Iterator[str]:
    for field in _SPOKEN & contact.keys():
        for one in listed(contact, field):
            yield one
            joined = _BETWEEN_DIGITS.sub("", one)
            if joined != one:  # numbers are searched for as they are dialled, too
                yield joined
