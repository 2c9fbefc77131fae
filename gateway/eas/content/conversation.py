"""Naming a conversation in a request: 16 octets, which some devices write as text (MS-ASCON 2.2.2.3)."""

from __future__ import annotations

import base64
import binascii
import uuid

from gateway.eas import fields
from wbxml import Element

__all__ = ["parse_conversation"]

_OCTETS = 16


def parse_conversation(named: Element) -> tuple[bytes, ...]:
    """The ids that may be meant: a GUID as text can stand for two. Raises `Refused(INVALID_XML)`."""
    if len(named.data()) == _OCTETS:
        return (named.data(),)
    text = named.text().strip()
    try:
        if "-" in text or len(text) == 2 * _OCTETS:
            guid = uuid.UUID(text)
            return guid.bytes, guid.bytes_le
        octets = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        octets = b""
    if len(octets) != _OCTETS:
        raise fields.malformed("a ConversationId that is none")
    return (octets,)
