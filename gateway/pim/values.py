"""Values of iCalendar properties (RFC 5545 3.3), read leniently."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType

from gateway.pim.length import Length
from gateway.pim.lines import Property

__all__ = [
    "FIRST_YEAR",
    "LAST_YEAR",
    "Moment",
    "moment_of",
    "offset_text",
    "parse_duration",
    "parse_length",
    "parse_moment",
    "parse_offset",
    "parse_rule",
    "usable",
    "utc_text",
]

FIRST_YEAR, LAST_YEAR = 1601, 4500
"""What phones and Outlook take for a date."""

_MOMENT = re.compile(
    r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):?([0-9]{2})(?::?([0-9]{2})(?:\.[0-9]+)?)?([Zz])?)?",
    re.ASCII,
)
_DURATION = re.compile(
    r"([+-]?)P(?:([0-9]{1,6})W)?(?:([0-9]{1,6})D)?"
    r"(?:T(?:([0-9]{1,8})H)?(?:([0-9]{1,8})M)?(?:([0-9]{1,9})S)?)?",
    re.ASCII | re.IGNORECASE,
)
_OFFSET = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})(?::?([0-9]{2}))?", re.ASCII)
_LONGEST_RULE = 4096
_NO_PARAMS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Moment:
    """A date, or a time: in UTC (`utc`), by the clock of a zone (`tzid`), or by whatever clock there is ("").

    `clock` has no zone; that of a date is its midnight.
    """

    clock: datetime
    dated: bool = False
    utc: bool = False
    tzid: str = ""

    @property
    def date(self) -> date:
        return self.clock.date()


def moment_of(found: Property | None) -> Moment | None:
    """The DATE or DATE-TIME of a property; None when there is none or it makes no sense."""
    return parse_moment(found.value, found.params) if found else None


def parse_moment(text: str, params: Mapping[str, str] = _NO_PARAMS) -> Moment | None:
    """A DATE or DATE-TIME with the parameters of its property; None when it makes no sense."""
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(digits or 0) for digits in match.groups()[:6])
    try:
        clock = datetime(year, month, day, hour, minute, min(second, 59))  # noqa: DTZ001 - a clock time
    except ValueError:
        return None
    if match[4] is None or params.get("VALUE", "").upper() == "DATE":
        return Moment(clock.replace(hour=0, minute=0, second=0), dated=True)
    return Moment(clock, utc=bool(match[7]), tzid="" if match[7] else params.get("TZID", ""))


def utc_text(moment: datetime) -> str:
    """A time, which needs a time zone, as a DATE-TIME in UTC."""
    at = moment.astimezone(UTC)
    return f"{at.year:04}{at:%m%dT%H%M%SZ}"


def parse_duration(text: str) -> timedelta | None:
    """A DURATION where no clocks are changed."""
    length = parse_length(text)
    return length.about if length else None


def parse_length(text: str) -> Length | None:
    """A DURATION."""
    match = _DURATION.fullmatch(text.strip())
    if match is None or not any(match.groups()[1:]):
        return None
    weeks, days, hours, minutes, seconds = (int(digits or 0) for digits in match.groups()[1:])
    whole, time = 7 * weeks + days, timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return Length(-whole, -time) if match[1] == "-" else Length(whole, time)


def parse_offset(text: str) -> timedelta | None:
    """A UTC-OFFSET of less than a day."""
    match = _OFFSET.fullmatch(text.strip())
    if match is None:
        return None
    hours, minutes, seconds = (int(digits or 0) for digits in match.groups()[1:])
    if hours > 23 or minutes > 59 or seconds > 59:
        return None
    offset = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return -offset if match[1] == "-" else offset


def offset_text(minutes: int) -> str:
    """The UTC-OFFSET of so many minutes east."""
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"


def usable(moment: Moment | None) -> Moment | None:
    """A moment, if phones and Outlook take it for a date."""
    return moment if moment and FIRST_YEAR <= moment.clock.year <= LAST_YEAR else None


def parse_rule(text: str) -> Mapping[str, str]:
    """The parts of a RECUR value, all in upper case."""
    pieces = (piece.partition("=") for piece in text[:_LONGEST_RULE].upper().split(";"))
    return {name.strip(): value.strip() for name, equals, value in pieces if equals}
