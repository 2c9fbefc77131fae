"""The text of a contact in the store, read and changed.

It is a vCard of version 3.0, which every program reads and CardDAV asks for (RFC 6352 5.1), or of 4.0 when it
came so: neither can say all that the other does. What a phone changes is changed in the lines that say it;
all else survives as it is written. Naming a value that is there already changes nothing.
"""

from __future__ import annotations

from datetime import datetime

from gateway.items import StoredItem
from gateway.pim.contacts.card import Card
from gateway.pim.contacts.model import BadContact, Contact, Field, Value
from gateway.pim.contacts.naming import is_filed, name_again, no_name
from gateway.pim.contacts.table import TABLE
from gateway.pim.limits import LONGEST_UID
from gateway.pim.tree import Node, escaped, make_line
from gateway.pim.values import utc_text

__all__ = ["new_contact", "patch_contact", "read_contact", "stored_contact"]

_PRODUCT = "-//ActiveSync Gateway//Contacts//EN"
_LONGEST = 4 << 20
"""Characters of a contact."""


def read_contact(text: str) -> Contact:
    """The contact in a vCard. Raises `BadContact` when there is none."""
    return _read(Card.parse(text))


def new_contact(patch: Contact, uid: str, now: datetime) -> str:
    """The text of a new contact. Raises `BadContact`."""
    node = Node.new("VCARD", [make_line("VERSION", "3.0"), make_line("PRODID", _PRODUCT)])
    node.parts += [make_line("UID", escaped(uid)), *no_name()]
    return _patched(Card(node), patch, now)


def patch_contact(text: str, patch: Contact, now: datetime) -> str:
    """The text after a change; the same when nothing changes. Raises `BadContact`."""
    card = Card.parse(text)
    before = _read(card)
    if all(before.get(field, _nothing(value)) == value for field, value in patch.items()):
        return text
    return _patched(card, patch, now)


def stored_contact(text: str) -> StoredItem:
    """What is to be stored of a contact. Raises `BadContact`."""
    uid = Card.parse(text).text("UID")
    if not 0 < len(uid) <= LONGEST_UID:
        raise BadContact("a contact needs a UID of some length")
    if len(text) > _LONGEST:
        raise BadContact("a contact that is too long")
    return StoredItem(uid, text)


def _patched(card: Card, patch: Contact, now: datetime) -> str:
    before = _read(card)
    after = {field: value for field, value in {**before, **patch}.items() if value}
    if Field.FILE_AS not in patch and not is_filed(card):
        after.pop(Field.FILE_AS, None)
    for place in TABLE:
        if any(before.get(field) != after.get(field) for field in place.fields):
            place.write(card, after)
    name_again(card, before, after)
    card.put("REV", utc_text(now))
    return card.node.text


def _read(card: Card) -> dict[Field, Value]:
    return {field: value for place in TABLE for field, value in place.read(card)}


def _nothing(value: Value) -> Value:
    return "" if isinstance(value, str) else ()
