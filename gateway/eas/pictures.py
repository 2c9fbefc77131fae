"""What a device says of the pictures of people that it wants (MS-ASCMD 2.2.3.135)."""

from __future__ import annotations

from gateway.eas import fields
from gateway.eas.versions import Version
from wbxml import Element, Tag

__all__ = ["wants_pictures"]


def wants_pictures(options: Element | None, page: tuple[Tag, Tag, Tag], version: Version) -> bool:
    """Whether the Options ask for pictures; `page` has Picture, MaxSize and MaxPictures of their page.

    Raises `Refused(INVALID_XML)` for limits that are no numbers, or before version 14.1.
    """
    picture, max_size, max_pictures = page
    asked = fields.only(options, picture) if options else None
    if asked is None:
        return False
    if version < Version.V14_1:
        raise fields.malformed("Picture in a version without")
    for limit in (max_size, max_pictures):
        fields.number(asked, limit)
    return True
