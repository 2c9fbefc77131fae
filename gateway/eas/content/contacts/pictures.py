"""Picture (MS-ASCNTC 2.2.2.58): at most 48 KB of base64."""

from __future__ import annotations

import base64
import binascii

from gateway.eas.content.values import BadItem
from gateway.pim.contacts.picture import image_type, shrunk

__all__ = ["read_picture", "shown_picture"]

_LARGEST = 48 * 1024
"""Characters of base64."""
_LARGEST_OCTETS = _LARGEST // 4 * 3


def read_picture(written: str) -> str:
    """A picture as a device sent it, "" for none. Raises `BadItem` for what is too large, or no picture."""
    plain = "".join(written.split())
    if len(plain) > _LARGEST:
        raise BadItem("a Picture of more than 48 KB")
    try:
        octets = base64.b64decode(plain, validate=True)
    except (binascii.Error, ValueError):
        raise BadItem("a Picture that is not base64") from None
    if octets and not image_type(octets):
        raise BadItem("a Picture of a format that nobody knows")
    return base64.b64encode(octets).decode()


def shown_picture(kept: str) -> str:
    """A picture as a device takes it: one that is too large made smaller; "" where that cannot be done."""
    if len(kept) <= _LARGEST:
        return kept
    return base64.b64encode(shrunk(base64.b64decode(kept), _LARGEST_OCTETS)).decode()
