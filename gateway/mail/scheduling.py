"""The calendar of a scheduling message (RFC 6047), found in the structure and taken out of the files."""

from __future__ import annotations

from dataclasses import replace

from gateway.mail import charset, transfer
from gateway.mail.structure import Block, Layout, Nature, charset_of
from gateway.types import BodyPart

__all__ = ["LARGEST_CALENDAR", "Calendar", "calendar_part", "open_calendar", "with_text", "without_calendar"]

LARGEST_CALENDAR = 512 * 1024
"""Octets, as transferred, of a calendar that is read; a larger one stays a file."""
_CALENDAR, _FILE = "text/calendar", "application/ics"
_TEXT_SECTION = "~description"


class Calendar:
    """A calendar part that was fetched: its text, and the method its Content-Type names."""

    __slots__ = ("method", "octets", "part", "text")

    def __init__(self, part: BodyPart, octets: bytes) -> None:
        self.part = part
        self.octets = len(octets)
        self.method = part.params.get("method", "")
        self.text = charset.decode(octets, charset_of(part))


def calendar_part(layout: Layout) -> BodyPart | None:
    """The part that may make a mail a scheduling message, the likeliest: one whose type names a method.

    Signed and encrypted mail is left to the phone, as a whole.
    """
    if layout.nature is not Nature.MAIL:
        return None
    files = (one.part for one in layout.attachments)
    parts = [part for part in (*layout.calendars, *files) if _is_calendar(part)]
    for wanted in (_has_method, _is_text):
        found = next((part for part in parts if wanted(part)), None)
        if found:
            return found
    return parts[0] if parts else None


def open_calendar(part: BodyPart, data: bytes) -> Calendar:
    """The calendar of a part; `data` is as transferred."""
    return Calendar(part, transfer.decode(data, part.encoding))


def without_calendar(layout: Layout, calendar: Calendar) -> Layout:
    """The layout without the calendar, and without the copy of it that many programs attach as a file."""
    kept = tuple(
        one
        for one in layout.attachments
        if one.part is not calendar.part
        and not (_is_calendar(one.part) and _as_large(one.part, calendar.octets))
    )
    return replace(layout, attachments=kept)


def with_text(layout: Layout, calendar: Calendar, text: str) -> tuple[Layout, dict[str, bytes]]:
    """The layout of a mail that has no text of its own with this one; also the text by its section."""
    data = text.encode("utf-8", "replace")
    section = f"{calendar.part.section}{_TEXT_SECTION}"
    part = BodyPart(section, "text", "plain", {"charset": "utf-8"}, encoding="binary", size=len(data))
    return replace(layout, blocks=(Block(plain=(part,)),)), {section: data}


def _is_calendar(part: BodyPart) -> bool:
    return part.content_type in {_CALENDAR, _FILE} and 0 < part.size <= LARGEST_CALENDAR


def _has_method(part: BodyPart) -> bool:
    return part.content_type == _CALENDAR and bool(part.params.get("method"))


def _is_text(part: BodyPart) -> bool:
    return part.content_type == _CALENDAR


def _as_large(part: BodyPart, octets: int) -> bool:
    """Whether it is about as large as the calendar: line ends may differ, the size is an estimate."""
    size = transfer.decoded_size(part.size, part.encoding)
    return abs(size - octets) <= 64 + octets // 25
