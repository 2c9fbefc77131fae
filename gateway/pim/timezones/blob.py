"""The 172 octets in which phones send a time zone (MS-ASDTYPE 2.7.6), little-endian.

offset  octets
     0       4  Bias            minutes, UTC = local + Bias
     4      64  StandardName    32 units of UTF-16, filled up with zeros
    68      16  StandardDate    when standard time begins, a SYSTEMTIME
    84       4  StandardBias    minutes to add to Bias in standard time
    88      64  DaylightName
   152      16  DaylightDate
   168       4  DaylightBias
"""

from __future__ import annotations

import base64
import binascii
import struct
from datetime import date, timedelta

from gateway.pim.timezones.rules import Onset, ZoneRules

__all__ = ["BadBlob", "pack", "unpack"]

_STRUCTURE = struct.Struct("<i64s16si64s16si")
_SYSTEMTIME = struct.Struct("<8H")
_NAME_OCTETS = 64
_WIDEST_OFFSET = 26 * 60
_NEVER = bytes(_SYSTEMTIME.size)


class BadBlob(ValueError):
    """It is no such structure, or one whose values make no sense."""


def pack(rules: ZoneRules) -> str:
    """The structure of some rules, in base64."""
    octets = _STRUCTURE.pack(
        -rules.standard,
        _packed_name(rules.standard_name),
        _packed_date(rules.standard_onset),
        0,
        _packed_name(rules.daylight_name),
        _packed_date(rules.daylight_onset),
        rules.standard - rules.daylight,
    )
    return base64.b64encode(octets).decode("ascii")


def unpack(text: str) -> ZoneRules:
    """The rules in a structure in base64. Raises `BadBlob`."""
    try:
        octets = base64.b64decode(text, validate=False)
    except (binascii.Error, ValueError):
        raise BadBlob("not base64") from None
    if len(octets) != _STRUCTURE.size:
        raise BadBlob(f"{len(octets)} octets")
    bias, standard_name, standard_date, standard_bias, daylight_name, daylight_date, daylight_bias = (
        _STRUCTURE.unpack(octets)
    )
    names = _name(standard_name), _name(daylight_name)
    standard_onset, daylight_onset = _onset(standard_date), _onset(daylight_date)
    if standard_onset is None or daylight_onset is None:
        return ZoneRules(_offset(bias), _offset(bias), None, None, *names)
    standard, daylight = _offset(bias + standard_bias), _offset(bias + daylight_bias)
    if standard == daylight:
        return ZoneRules(standard, standard, None, None, *names)
    if standard > daylight:
        # Negative daylight time, as Ireland has it by law: the same clocks under other names.
        return ZoneRules(daylight, standard, daylight_onset, standard_onset, *reversed(names))
    return ZoneRules(standard, daylight, standard_onset, daylight_onset, *names)


def _offset(bias: int) -> int:
    if abs(bias) > _WIDEST_OFFSET:
        raise BadBlob(f"a bias of {bias} minutes")
    return -bias


def _packed_name(name: str) -> bytes:
    octets = name.encode("utf-16-le", "replace")[: _NAME_OCTETS - 2]
    return octets[: len(octets) - len(octets) % 2]


def _name(octets: bytes) -> str:
    return octets.decode("utf-16-le", "replace").partition("\0")[0].strip()


def _packed_date(onset: Onset | None) -> bytes:
    if onset is None:
        return _NEVER
    seconds, milliseconds = divmod(onset.time // timedelta(milliseconds=1), 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return _SYSTEMTIME.pack(0, onset.month, onset.weekday, onset.week, hour, minute, second, milliseconds)


def _onset(octets: bytes) -> Onset | None:
    """When a time begins; None says that it never does."""
    year, month, weekday, week, hour, minute, second, milliseconds = _SYSTEMTIME.unpack(octets)
    if month == 0:
        return None
    if year:
        # With a year it is a date, of one year alone: it stands for those of the others.
        weekday, week = _weekday_of(year, month, week)
    if not (month <= 12 and weekday <= 6 and 1 <= week <= 5 and hour <= 23 and minute <= 59 and second <= 59):
        raise BadBlob("a date that does not exist")
    time = timedelta(hours=hour, minutes=minute, seconds=second, milliseconds=min(milliseconds, 999))
    return Onset(month, week, weekday, time)


def _weekday_of(year: int, month: int, day: int) -> tuple[int, int]:
    """The weekday of a date, and which one of its month."""
    try:
        return (date(year, month, day).weekday() + 1) % 7, (day - 1) // 7 + 1
    except ValueError:
        raise BadBlob("a date that does not exist") from None
