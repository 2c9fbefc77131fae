"""A contact as somebody in a directory: name, addresses and numbers, the photo, and certificates (KEY)."""

from __future__ import annotations

import base64
import binascii
import re

from gateway.pim.contacts.card import Card
from gateway.pim.contacts.model import Contact, Field, text
from gateway.pim.contacts.picture import photo_of
from gateway.pim.contacts.table import TABLE
from gateway.pim.lines import Property
from gateway.ports.directory import Entry

__all__ = ["addresses_of", "certificates_of", "entry_of", "picture_of"]

_ADDRESS = re.compile(r"[^\s<>\"(),:;\\\x00-\x1f\x7f]{1,64}@[A-Za-z0-9.\-\u0080-\U0010ffff]{1,255}")
_WANTED = {
    Field.FIRST_NAME,
    Field.LAST_NAME,
    Field.JOB_TITLE,
    Field.OFFICE_LOCATION,
    Field.COMPANY_NAME,
    Field.BUSINESS_PHONE,
    Field.HOME_PHONE,
    Field.MOBILE_PHONE,
}
_DATA = re.compile(r"data:[^,]*;\s*base64\s*,", re.IGNORECASE)


def addresses_of(card: Card) -> tuple[str, ...]:
    """The mail addresses, each once in whatever case of letters, the first one first."""
    known: dict[str, str] = {}
    for line in card.properties("EMAIL"):
        if match := _ADDRESS.search(line.text):
            known.setdefault(match[0].lower(), match[0])
    return tuple(known.values())


def entry_of(card: Card) -> Entry | None:
    """Somebody with what phones show of people; None without a mail address."""
    addresses = addresses_of(card)
    if not addresses:
        return None
    contact: Contact = {
        field: value
        for place in TABLE
        if not _WANTED.isdisjoint(place.fields)
        for field, value in place.read(card)
    }
    return Entry(
        addresses[0],
        name=card.text("FN"),
        first_name=text(contact, Field.FIRST_NAME),
        last_name=text(contact, Field.LAST_NAME),
        title=text(contact, Field.JOB_TITLE),
        office=text(contact, Field.OFFICE_LOCATION),
        company=text(contact, Field.COMPANY_NAME),
        phone=text(contact, Field.BUSINESS_PHONE),
        home_phone=text(contact, Field.HOME_PHONE),
        mobile_phone=text(contact, Field.MOBILE_PHONE),
        others=addresses[1:],
    )


def picture_of(card: Card) -> bytes:
    """The photo that stands in the card; b"" where there is none."""
    return next((photo for one in card.properties("PHOTO") if (photo := photo_of(one))), b"")


def certificates_of(card: Card) -> list[bytes]:
    """What stands in the properties KEY, be it certificates (X.509, PKCS #7) or other keys; in DER or PEM."""
    return [octets for one in card.properties("KEY") if (octets := _key(one))]


def _key(found: Property) -> bytes:
    """RFC 2426 3.7.2 (ENCODING=b), RFC 6350 6.8.1 (data:)."""
    value = found.value.strip().replace("\\,", ",").replace("\\;", ";")
    if match := _DATA.match(value[:256]):
        value = value[match.end() :]
    elif found.params.get("ENCODING", "").upper() not in {"B", "BASE64"}:
        return found.text.encode() if "-----BEGIN" in found.text else b""
    try:
        return base64.b64decode(value)
    except (binascii.Error, ValueError):
        return b""
