"""How a meeting in a winmail.dat repeats, and in which time zone (MS-OXOCAL 2.2.1.39, 2.2.1.44)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self

from gateway.mail.tnefreader import CutOff, OctetReader

__all__ = ["BadMeeting", "PackedZone", "Series"]

_NAME = "Packed"
"""The TZID."""
_ZONE = struct.Struct("<iiiH16sH16s")
_HEAD = struct.Struct("<HHHHHIII")
_SYSTEM_TIME = struct.Struct("<8H")
_VERSION = 0x3004
_GREGORIAN = frozenset({0, 1})
_DAYS = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")
_FREQUENCIES = {0x200A: "DAILY", 0x200B: "WEEKLY", 0x200C: "MONTHLY", 0x200D: "YEARLY"}
_BY_DAY, _BY_WEEK, _BY_DATE, _BY_WEEKDAY, _LAST_DAY = range(5)
_UNTIL, _COUNT, _NEVER = 0x2021, 0x2022, frozenset({0x2023, 0xFFFFFFFF})
_EPOCH = datetime(1601, 1, 1)  # noqa: DTZ001 - by the clock of the zone
_MOST_MINUTES = 735_000_000
"""Minutes from there to about the year 2998."""
_DAY_MINUTES = 24 * 60
_LONGEST_MINUTES = 366 * _DAY_MINUTES
_MOST_COUNT = 9999
_MOST_EXCEPTIONS = 500
_LAST_WEEK = 5
_LAST_OF_MONTH = 31
_MONTHS = 12
_CHANGED_TEXT = 0x0011
"""Subject and place of an occurrence, as flags; other flags stand for a number each."""
_CHANGED_NUMBERS = 0x01EE


class BadMeeting(ValueError):
    """It cannot be told when a meeting is."""


@dataclass(frozen=True, slots=True)
class PackedZone:
    """Minutes that are to be added to UTC in winter and in summer, and the rules by which each begins.

    A rule is (month, weekday from 0 for Sunday, which of them, hour, minute).
    """

    winter: int = 0
    summer: int = 0
    begin: tuple[tuple[int, ...], tuple[int, ...]] | None = None

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Read PidLidTimeZoneStruct; what is none is UTC."""
        if len(data) < _ZONE.size:
            return cls()
        bias, standard, daylight, _, winter, _, summer = _ZONE.unpack_from(data)
        if max(map(abs, (bias, standard, daylight))) > _DAY_MINUTES // 2:
            return cls()
        first, second = _rule_of(winter), _rule_of(summer)
        begin = (first, second) if first and second else None
        return cls(-(bias + standard), -(bias + daylight) if begin else -(bias + standard), begin)

    def lines(self) -> Iterator[str]:
        """The VTIMEZONE."""
        yield from ("BEGIN:VTIMEZONE", f"TZID:{_NAME}")
        winter, summer = self.begin or (None, None)
        yield from _observance("STANDARD", self.summer, self.winter, winter)
        if summer:
            yield from _observance("DAYLIGHT", self.winter, self.summer, summer)
        yield "END:VTIMEZONE"

    def day_of(self, moment: datetime) -> date:
        """The date of a midnight by the clock of the zone."""
        for offset in (self.winter, self.summer):
            local = moment + timedelta(minutes=offset)
            if (local.hour, local.minute) == (0, 0):
                return local.date()
        return (moment + timedelta(minutes=self.winter, hours=12)).date()


def _rule_of(data: bytes) -> tuple[int, ...] | None:
    _, month, weekday, which, hour, minute, _, _ = _SYSTEM_TIME.unpack(data)
    usable = 1 <= month <= _MONTHS and weekday < len(_DAYS) and 1 <= which <= _LAST_WEEK
    return (month, weekday, which, hour, minute) if usable and hour < 24 and minute < 60 else None


def _observance(kind: str, before: int, after: int, rule: tuple[int, ...] | None) -> Iterator[str]:
    hour, minute = (rule[3], rule[4]) if rule else (0, 0)
    yield from (f"BEGIN:{kind}", f"DTSTART:16010101T{hour:02}{minute:02}00")
    if rule:
        which = -1 if rule[2] == _LAST_WEEK else rule[2]
        yield f"RRULE:FREQ=YEARLY;BYMONTH={rule[0]};BYDAY={which}{_DAYS[rule[1]]}"
    yield from (f"TZOFFSETFROM:{_offset(before)}", f"TZOFFSETTO:{_offset(after)}", f"END:{kind}")


def _offset(minutes: int) -> str:
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}{rest:02}"


@dataclass(frozen=True, slots=True)
class Series:
    """A series by the clock: its rule without an end, the end, and what is different in it.

    `end` is how many there are, the last date, or None. `changed` are original, start and end of occurrences
    that are at another time; `deleted` originals of those that are not.
    """

    rule: str
    end: int | date | None
    start: datetime
    length: timedelta
    deleted: tuple[datetime, ...]
    changed: tuple[tuple[datetime, datetime, datetime], ...]

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Read PidLidAppointmentRecur. Raises `BadMeeting`."""
        try:
            return cls._read(_Reader(data))
        except CutOff:
            raise BadMeeting("a series that is cut off") from None

    @classmethod
    def _read(cls, reader: _Reader) -> Self:
        reader_version, writer_version, frequency, kind, calendar, _, period, _ = _HEAD.unpack(
            reader.take(_HEAD.size)
        )
        if {reader_version, writer_version} != {_VERSION} or calendar not in _GREGORIAN:
            raise BadMeeting("a rule of another kind")
        pattern = _pattern(reader, kind)
        end_kind, count, first_day = reader.number(), reader.number(), reader.number()
        deleted = reader.days()
        reader.days()  # to which days some were moved
        first, last = reader.moment(), reader.moment()
        reader.take(8)  # versions
        offset, until = (timedelta(minutes=min(reader.number(), _LONGEST_MINUTES)) for _ in range(2))
        rule = _rule(frequency, kind, period, first, pattern)
        if kind == _BY_WEEK and first_day < len(_DAYS):
            rule += f";WKST={_DAYS[first_day]}"
        end = count if end_kind == _COUNT else last.date() if end_kind == _UNTIL else None
        if (end is None and end_kind not in _NEVER) or (end_kind == _COUNT and not 0 < count <= _MOST_COUNT):
            raise BadMeeting("a series with an end of another kind")
        changed = tuple(reader.exception() for _ in range(reader.short()))
        there = {original.date() for original, _, _ in changed}
        gone = tuple(day + offset for day in deleted if day.date() not in there)
        return cls(rule, end, first + offset, max(until - offset, timedelta()), gone, changed)

    def lines(self, zone: PackedZone, *, all_day: bool) -> Iterator[str]:
        """The properties of the series itself."""
        yield _at("DTSTART", self.start, all_day=all_day)
        yield _at("DTEND", self.start + self.length, all_day=all_day)
        yield f"RRULE:{self.rule}{self._end(zone, all_day=all_day)}"
        for one in self.deleted:
            yield _at("EXDATE", one, all_day=all_day)

    def exceptions(self, *, all_day: bool) -> Iterator[tuple[str, ...]]:
        """The properties of each occurrence that is at another time."""
        for original, start, end in self.changed:
            yield (
                _at("RECURRENCE-ID", original, all_day=all_day),
                _at("DTSTART", start, all_day=all_day),
                _at("DTEND", max(start, end), all_day=all_day),
            )

    def _end(self, zone: PackedZone, *, all_day: bool) -> str:
        if isinstance(self.end, int):
            return f";COUNT={self.end}"
        if self.end is None:
            return ""
        if all_day:
            return f";UNTIL={self.end:%Y%m%d}"
        # Some hours after the last one, whatever the clocks do: the next is a day later at least.
        last = datetime.combine(self.end, self.start.time()) + timedelta(hours=6)
        return f";UNTIL={last - timedelta(minutes=zone.winter):%Y%m%dT%H%M%SZ}"


def _pattern(reader: _Reader, kind: int) -> tuple[int, ...]:
    if kind == _BY_DAY:
        return ()
    if kind in {_BY_WEEK, _BY_DATE, _LAST_DAY}:
        return (reader.number(),)
    if kind == _BY_WEEKDAY:
        return reader.number(), reader.number()
    raise BadMeeting("a rule of another calendar")


def _rule(frequency: int, kind: int, period: int, first: datetime, pattern: tuple[int, ...]) -> str:
    """RRULE without an end. Raises `BadMeeting`."""
    name = _FREQUENCIES.get(frequency)
    if name == "DAILY" and kind == _BY_WEEK:
        name, period = "WEEKLY", 1
    unit = {"DAILY": _DAY_MINUTES, "YEARLY": _MONTHS}.get(name or "", 1)
    interval, rest = divmod(period, unit)
    if name is None or rest or not 0 < interval <= _MOST_COUNT:
        raise BadMeeting("a rule with another rhythm")
    rule = f"FREQ={name};INTERVAL={interval}"
    if name == "YEARLY":
        rule += f";BYMONTH={first.month}"
    days = ",".join(day for bit, day in enumerate(_DAYS) if pattern and pattern[0] >> bit & 1)
    if kind == _BY_WEEK and days:
        return f"{rule};BYDAY={days}"
    if kind == _BY_WEEKDAY and days and 1 <= pattern[1] <= _LAST_WEEK:
        return f"{rule};BYDAY={days};BYSETPOS={-1 if pattern[1] == _LAST_WEEK else pattern[1]}"
    if kind in {_BY_DATE, _LAST_DAY} and 1 <= pattern[0] <= _LAST_OF_MONTH:
        last = kind == _LAST_DAY or pattern[0] == _LAST_OF_MONTH
        return f"{rule};BYMONTHDAY={-1 if last else pattern[0]}"
    if kind == _BY_DAY and name == "DAILY":
        return rule
    raise BadMeeting("a rule that names no days")


class _Reader(OctetReader):
    __slots__ = ()

    def moment(self) -> datetime:
        return _EPOCH + timedelta(minutes=min(self.number(), _MOST_MINUTES))

    def days(self) -> list[datetime]:
        count = self.number()
        if count > _MOST_EXCEPTIONS:
            raise BadMeeting("too many exceptions")
        return [self.moment() for _ in range(count)]

    def exception(self) -> tuple[datetime, datetime, datetime]:
        """Original, start and end of an occurrence (ExceptionInfo)."""
        start, end, original = self.moment(), self.moment(), self.moment()
        flags = self.short()
        for bit in range(16):
            flag = 1 << bit & flags
            if flag & _CHANGED_TEXT:
                self.take(2)
                self.take(self.short())
            elif flag & _CHANGED_NUMBERS:
                self.take(4)
        return original, start, end


def _at(name: str, moment: datetime, *, all_day: bool) -> str:
    if all_day:
        return f"{name};VALUE=DATE:{moment:%Y%m%d}"
    return f"{name};TZID={_NAME}:{moment:%Y%m%dT%H%M%S}"
