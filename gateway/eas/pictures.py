"""Photos of people in an answer, as many and as large as the device wants them (MS-ASCMD 2.2.3.135)."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.eas import fields
from gateway.eas.versions import Version
from gateway.ports.directory import LARGEST_PICTURE
from wbxml import Element, Tag, element

__all__ = ["Photos", "Wish", "parse_wish"]

_SUCCESS, _NONE, _TOO_LARGE, _TOO_MANY = 1, 173, 174, 175
_MOST_OCTETS = 5 * 1024 * 1024
"""Of all photos in an answer."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Limits that a device sets: octets of a photo, and how many of them (None: no limit)."""

    largest: int = LARGEST_PICTURE
    most: int | None = None


def parse_wish(options: Element | None, page: tuple[Tag, Tag, Tag], version: Version) -> Wish | None:
    """What the Options say of photos, None when they want none.

    `page` has Picture, MaxSize and MaxPictures of the command's page. Raises `Refused(INVALID_XML)` for
    limits that are no numbers, or before version 14.1.
    """
    picture, max_size, max_pictures = page
    asked = fields.only(options, picture) if options else None
    if asked is None:
        return None
    if version < Version.V14_1:
        raise fields.malformed("Picture in a version without")
    largest = fields.number(asked, max_size, LARGEST_PICTURE) or 0
    return Wish(min(largest, LARGEST_PICTURE), fields.number(asked, max_pictures))


class Photos:
    """The photos of one answer, counted. `page` has Picture, Status and Data of the page they are told in."""

    def __init__(self, wish: Wish, page: tuple[Tag, Tag, Tag]) -> None:
        self._wish = wish
        self._page = page
        self._told = 0
        self._octets = 0

    def element(self, photo: bytes | None) -> Element:
        """The next photo, or why there is none."""
        picture, status, data = self._page
        value = self._judged(photo)
        if value != _SUCCESS or photo is None:
            return element(picture, element(status, value))
        self._told += 1
        self._octets += len(photo)
        return element(picture, element(status, value), element(data, photo))

    def _judged(self, photo: bytes | None) -> int:
        if not photo:
            return _NONE
        if len(photo) > self._wish.largest:
            return _TOO_LARGE
        full = self._wish.most is not None and self._told >= self._wish.most
        return _TOO_MANY if full or self._octets + len(photo) > _MOST_OCTETS else _SUCCESS
