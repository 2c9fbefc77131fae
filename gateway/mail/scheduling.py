"""The calendar of a scheduling message (RFC 6047), found in the structure and taken out of the files.

A message that has none may have a winmail.dat that says the same in its own way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.mail import charset, tnef, transfer
from gateway.mail.headers import Headers
from gateway.mail.packed import packed_part
from gateway.mail.structure import Block, Layout, Nature, charset_of
from gateway.mail.tnef import BadTnef
from gateway.mail.tnefmeeting import meeting_in
from gateway.types import BodyPart

__all__ = [
    "LARGEST_CALENDAR",
    "PEOPLE",
    "Calendar",
    "calendar_part",
    "open_calendar",
    "with_text",
    "without_calendar",
]

PEOPLE = ("From", "To", "Cc")
"""The header fields that a calendar is opened with."""
LARGEST_CALENDAR = 512 * 1024
"""Octets, as transferred, of a calendar that is read; a larger one stays a file."""
_CALENDAR = "text/calendar"
_TYPES = frozenset({_CALENDAR, "application/ics"})
_TEXT_SECTION = "~description"


@dataclass(frozen=True, slots=True)
class Calendar:
    """A calendar part that was fetched: its text, the method its Content-Type names, and how large it is.

    The text is "" when it is a winmail.dat without a meeting.
    """

    part: BodyPart
    text: str
    method: str
    octets: int


def calendar_part(layout: Layout) -> BodyPart | None:
    """The part that may make a mail a scheduling message, the likeliest: one whose type names a method.

    Where there is no calendar at all it may be a winmail.dat. Signed and encrypted mail is left to the phone,
    as a whole.
    """
    if layout.nature is not Nature.MAIL or not (layout.calendars or layout.attachments):
        return None
    files = (one.part for one in layout.attachments)
    parts = [part for part in (*layout.calendars, *files) if _is_calendar(part)]
    if parts:
        method = next(filter(_has_method, parts), None)
        return method or next(filter(_is_text, parts), parts[0])
    packed = packed_part(layout)
    return packed if packed and packed.size <= LARGEST_CALENDAR else None


def open_calendar(part: BodyPart, data: bytes, headers: Headers) -> Calendar:
    """The calendar of a part; `data` is as transferred. `headers` are those of the mail: From, To and Cc."""
    octets = transfer.decode(data, part.encoding)
    named = part.content_type in _TYPES
    text = charset.decode(octets, charset_of(part)) if named else _meeting_in(octets, headers)
    return Calendar(part, text, part.params.get("method", ""), len(octets))


def _meeting_in(octets: bytes, headers: Headers) -> str:
    try:
        return meeting_in(tnef.read(octets), headers) or ""
    except BadTnef:
        return ""


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
    return part.content_type in _TYPES and 0 < part.size <= LARGEST_CALENDAR


def _has_method(part: BodyPart) -> bool:
    return part.content_type == _CALENDAR and bool(part.params.get("method"))


def _is_text(part: BodyPart) -> bool:
    return part.content_type == _CALENDAR


def _as_large(part: BodyPart, octets: int) -> bool:
    """Whether it is about as large as the calendar: line ends may differ, the size is an estimate."""
    size = transfer.decoded_size(part.size, part.encoding)
    return abs(size - octets) <= 64 + octets // 25
