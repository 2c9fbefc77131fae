"""The photo of a contact (PHOTO): as it is kept, and small enough for phones."""

from __future__ import annotations

import base64
import binascii
import re
from functools import lru_cache
from io import BytesIO

from gateway.pim.lines import Property
from gateway.pim.tree import Line, make_line

__all__ = ["image_type", "photo_line", "photo_of", "shrunk"]

_DATA = re.compile(r"data:([^,]*?)\s*(;\s*base64)?\s*,", re.IGNORECASE | re.ASCII)
_SIGNATURES = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n", "PNG"),
    (0, b"GIF8", "GIF"),
    (0, b"BM", "BMP"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (8, b"WEBP", "WEBP"),
    (4, b"ftypavif", "AVIF"),
    (4, b"ftyphei", "HEIC"),
    (4, b"ftypmif1", "HEIC"),
)
"""Where in a picture what stands, and the name of its format."""
_MOST_PIXELS = 24_000_000
"""A picture with more is not opened: it would take hundreds of MB."""
_SIDES = (640, 480, 320, 240, 160, 96)
_QUALITY = 82
_KEPT = 16


def photo_of(found: Property) -> bytes:
    """The octets of a picture that stands in the vCard itself; b"" for one that is elsewhere, or is none."""
    value = found.value.strip()
    if match := _DATA.match(value.replace("\\,", ",").replace("\\;", ";")[:256]):
        written = value.replace("\\,", ",").replace("\\;", ";")[match.end() :] if match[2] else ""
    elif found.params.get("ENCODING", "").upper() in {"B", "BASE64"}:
        written = value
    else:
        return b""
    try:
        octets = base64.b64decode(written)
    except (binascii.Error, ValueError):
        return b""
    return octets if image_type(octets) else b""


def photo_line(octets: bytes, *, is_new: bool) -> Line:
    """A line with a picture, of a vCard 4.0 (`is_new`) or 3.0. Raises `BadText` for one that is too large."""
    kind = image_type(octets) or "JPEG"
    written = base64.b64encode(octets).decode()
    if is_new:
        return make_line("PHOTO", f"data:image/{kind.lower()};base64,{written}")
    return make_line("PHOTO", written, {"ENCODING": "b", "TYPE": kind})


def image_type(octets: bytes) -> str:
    """The format of a picture as PHOTO names it ("JPEG"); "" for one that is not known."""
    return next((name for at, known, name in _SIGNATURES if octets.startswith(known, at)), "")


@lru_cache(maxsize=_KEPT)
def shrunk(octets: bytes, largest: int) -> bytes:
    """A picture of so many octets at most: itself, or a smaller JPEG of it, or b"" where none can be made.

    To make one takes Pillow (the extra `pictures`); without it, and of what it cannot read, there is none.
    """
    if len(octets) <= largest:
        return octets
    try:
        from PIL import Image  # noqa: PLC0415 (an extra)
    except ImportError:
        return b""
    unreadable = (OSError, ValueError, SyntaxError, EOFError)
    bombs = (Image.DecompressionBombError, Image.DecompressionBombWarning)
    try:
        with Image.open(BytesIO(octets), formats=("JPEG", "PNG", "GIF", "BMP", "WEBP")) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                return b""
            picture.draft("RGB", (_SIDES[0], _SIDES[0]))
            plain = picture.convert("RGB")
    except (*unreadable, *bombs):
        return b""
    for side in _SIDES:
        plain.thumbnail((side, side))
        made = BytesIO()
        plain.save(made, "JPEG", quality=_QUALITY, optimize=True)
        if made.tell() <= largest:
            return made.getvalue()
    return b""
